/** What a person asks the server to do: whether it goes on, and the server's words where that was refused. */
import { useSignal, type ReadonlySignal } from "@preact/signals";
import { inWords } from "../values/faults";

export interface Acting {
  readonly isActing: ReadonlySignal<boolean>;
  /** Why the last work failed; "" where it did not. */
  readonly refusal: ReadonlySignal<string>;
  /** Do some work, and after it, when it succeeded, what follows. */
  readonly act: (work: () => Promise<unknown>, then?: () => void) => Promise<void>;
}

export function useActing(): Acting {
  const isActing = useSignal(false);
  const refusal = useSignal("");
  const act = async (work: () => Promise<unknown>, then: () => void = () => undefined) => {
    isActing.value = true;
    refusal.value = "";
    try {
      await work();
      then();
    } catch (problem) {
      refusal.value = inWords(problem);
    }
    isActing.value = false;
  };
  return { isActing, refusal, act };
}

/** The words, where there are some. */
export function Refusal({ text }: { text: string }) {
  if (!text) return null;
  return (
    <p class="bad" role="alert">
      {text}
    </p>
  );
}
