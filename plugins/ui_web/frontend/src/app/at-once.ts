/** Effects of signals that do not wait for the next frame, as those of the library do: for what asks the server something. */
import { effect } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";

/** Act now, and at once whenever a signal changes that `act` reads. It may not rely on props: they are those of the last drawing. */
export function useAtOnce(act: () => void): void {
  const latest = useRef(act);
  latest.current = act;
  useLayoutEffect(() => effect(() => latest.current()), []);
}
