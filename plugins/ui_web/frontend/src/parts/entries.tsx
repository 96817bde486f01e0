/** A short list that is edited where it stands: one form for a new entry and for one that is changed, and what the server refused. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { Refusal, useActing } from "./acting";
import { Icon } from "./icon";

interface Props<E, D> {
  readonly entries: readonly E[];
  readonly keyOf: (entry: E) => string;
  readonly children: (entry: E) => ComponentChildren;
  /** What is said where there are no entries. */
  readonly empty: string;
  /** The fields of the form over what is written so far. */
  readonly fields: (draft: D, change: (draft: D) => void) => ComponentChildren;
  readonly save: (draft: D) => Promise<unknown>;
  /** The button for a new entry and what its form begins with; null where none can be added. */
  readonly fresh: { readonly label: string; readonly draft: D } | null;
  /** The same for each entry; undefined where they may not be changed. */
  readonly edit?: ((entry: E) => { readonly label: string; readonly draft: D }) | undefined;
  readonly remove?: ((entry: E) => { readonly label: string; readonly work: () => Promise<unknown> }) | undefined;
}

export function Entries<E, D>({ entries, keyOf, children, empty, fields, save, fresh, edit, remove }: Props<E, D>) {
  const draft = useSignal<D | null>(null);
  const { act, refusal, isActing } = useActing();
  const close = () => (draft.value = null);
  const written = draft.value;
  return (
    <>
      {entries.length > 0 && (
        <ul class="tags">
          {entries.map((entry) => {
            const change = edit?.(entry);
            const removal = remove?.(entry);
            return (
              <li key={keyOf(entry)}>
                {children(entry)}
                {change && (
                  <button type="button" class="button plain square small" aria-label={change.label} onClick={() => (draft.value = change.draft)}>
                    <Icon name="edit" size={13} />
                  </button>
                )}
                {removal && (
                  <button type="button" class="button plain square small" aria-label={removal.label} onClick={() => void act(removal.work, close)}>
                    <Icon name="close" size={13} />
                  </button>
                )}
              </li>
            );
          })}
        </ul>
      )}
      {entries.length === 0 && !written && <p class="soft">{empty}</p>}
      {written ? (
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault();
            void act(() => save(written), close);
          }}
          onKeyDown={(event) => event.key === "Escape" && close()}
        >
          {fields(written, (next) => (draft.value = next))}
          <div class="row">
            <button type="submit" class="button primary" disabled={isActing.value}>
              Save
            </button>
            <button type="button" class="button" onClick={close}>
              Cancel
            </button>
          </div>
        </form>
      ) : (
        fresh && (
          <div>
            <button type="button" class="button" onClick={() => (draft.value = fresh.draft)}>
              <Icon name="plus" size={14} /> {fresh.label}
            </button>
          </div>
        )
      )}
      <Refusal text={refusal.value} />
    </>
  );
}
