/** What went wrong while the rows are still there: said above them, and read out. */
import { useSignalEffect, type ReadonlySignal } from "@preact/signals";
import { ApiError } from "../api/http";

const AGAIN_MS = 2000;
const AWAY: readonly number[] = [0, 502, 503, 504];

export function Trouble({ text, word, act }: { text: string; word: string; act: () => void }) {
  return (
    <div class="runs-trouble" role="alert">
      <span>{text}</span>
      <button type="button" class="button" onClick={act}>
        {word}
      </button>
    </div>
  );
}

/** True for a fault that says nothing of what was asked: the server, or the way to it, failed, and what is shown is right for its time. */
export function isOfServer(fault: Error): boolean {
  return !(fault instanceof ApiError) || fault.status === 0 || fault.status >= 500;
}

/** True where no server answers: it may be starting anew. */
export function isAway(fault: Error | null): boolean {
  return fault instanceof ApiError && AWAY.includes(fault.status);
}

/** Ask again after a while, for as long as nobody answers. */
export function useRecovery(fault: ReadonlySignal<Error | null>, again: () => void): void {
  useSignalEffect(() => {
    if (!isAway(fault.value)) return undefined;
    const timer = setTimeout(again, AGAIN_MS);
    return () => clearTimeout(timer);
  });
}
