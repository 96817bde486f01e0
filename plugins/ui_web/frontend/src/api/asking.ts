/** An answer of the server as a signal that a page draws: waiting, an error, or a value; the last value stays while a newer one is asked for. */
import { effect, useSignal, type ReadonlySignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { asError } from "../values/faults";

export interface Asked<T> {
  readonly value: T | undefined;
  readonly fault: Error | undefined;
  readonly isWaiting: boolean;
}

/**
 * Ask at once, and again whenever a signal that `ask` reads changes, when what depends on it has been drawn, or `again` is called. An answer that
 * comes late, after a newer question, is dropped.
 */
export function useAsked<T>(ask: (signal: AbortSignal) => Promise<T>): { readonly asked: ReadonlySignal<Asked<T>>; again: () => void } {
  const state = useSignal<Asked<T>>({ value: undefined, fault: undefined, isWaiting: true });
  const turn = useSignal(0);
  const asking = useRef(ask);
  asking.current = ask;
  useLayoutEffect(() => {
    let stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let end = () => {};
    const send = () => {
      turn.value; // read, so that `again` asks anew
      stop.abort();
      const { signal } = (stop = new AbortController());
      const answer = asking.current(signal);
      if (!state.peek().isWaiting) state.value = { ...state.peek(), isWaiting: true };
      answer.then(
        (value) => {
          if (!signal.aborted) state.value = { value, fault: undefined, isWaiting: false };
        },
        (fault: unknown) => {
          if (!signal.aborted) state.value = { value: state.peek().value, fault: asError(fault), isWaiting: false };
        },
      );
    };
    // an effect that has sent once is replaced by the next, a turn of the event loop after a change: those of the library wait for a frame
    const begin = () => {
      let isSent = false;
      end();
      end = effect(() => {
        clearTimeout(timer);
        if (isSent) timer = setTimeout(begin);
        else send();
        isSent = true;
      });
    };
    begin();
    return () => {
      clearTimeout(timer);
      end();
      stop.abort();
    };
  }, []);
  return { asked: state, again: () => void (turn.value += 1) };
}
