/** A long answer of the server page by page: the first at once, further ones when they are wanted. */
import { useSignal, type ReadonlySignal } from "@preact/signals";
import { asError } from "../values/faults";
import { useAsked, type Asked } from "./asking";

export interface PageTold<T> {
  readonly items: readonly T[];
  /** What the next page is asked with; undefined after the last. */
  readonly token: string | undefined;
}

export interface Paged<T> {
  /** The first page: nothing more is told of the further ones than their items. */
  readonly first: ReadonlySignal<Asked<PageTold<T>>>;
  /** The items of all pages that were wanted so far. */
  readonly items: readonly T[];
  readonly hasMore: boolean;
  readonly more: () => void;
  /** Why no more could be read. */
  readonly moreFault: Error | undefined;
  /** Ask for the first page anew; the others go. */
  readonly again: () => void;
}

/** Ask as `useAsked` does. Pages after the first belong to it, and go when there is another first one. */
export function usePages<T>(ask: (token: string | undefined, signal?: AbortSignal) => Promise<PageTold<T>>): Paged<T> {
  const { asked, again } = useAsked((signal) => ask(undefined, signal));
  const added = useSignal<{ readonly of: PageTold<T> | undefined; readonly items: readonly T[]; readonly token: string | undefined; readonly fault?: Error } | null>(null);
  const first = asked.value.value;
  const own = added.value?.of === first ? added.value : null;
  const token = own ? own.token : first?.token;
  const items = [...(first?.items ?? []), ...(own?.items ?? [])];
  const more = async () => {
    const before = own?.items ?? [];
    try {
      const next = await ask(token);
      added.value = { of: first, items: [...before, ...next.items], token: next.token };
    } catch (problem) {
      added.value = { of: first, items: before, token, fault: asError(problem) };
    }
  };
  return { first: asked, items, hasMore: token !== undefined, more: () => void more(), moreFault: own?.fault, again };
}
