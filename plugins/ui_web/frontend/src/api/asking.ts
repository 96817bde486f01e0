/** An answer of the server as a signal that a page draws: waiting, an error, or a value; the last value stays while a newer one is asked for. */
import { effect, useSignal, type ReadonlySignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { asError } from "../values/faults";

export interface Asked<T> {
  readonly value: T | undefined;
  readonly fault: Error | undefined;
  readonly isWaiting: boolean;
}

const PATIENCE_MS = 10_000;

/**
 * Ask at once, and again whenever a signal that `ask` reads changes, when what depends on it has been drawn, or `again` is called. An answer that
 * comes late, after a newer question, is dropped. `again` asks for the same: it waits for an answer under way, lest changes that come more often than
 * a busy server answers keep all of them from being shown.
 */
export function useAsked<T>(ask: (signal: AbortSignal) => Promise<T>): { readonly asked: ReadonlySignal<Asked<T>>; again: () => void } {
  const state = useSignal<Asked<T>>({ value: undefined, fault: undefined, isWaiting: true });
  const turn = useSignal(0);
  const underWay = useRef<{ readonly since: number; isOld: boolean } | null>(null);
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
      const own = (underWay.current = { since: performance.now(), isOld: false });
      const ended = (next: Asked<T>) => {
        if (signal.aborted) return;
        underWay.current = null;
        state.value = next;
        if (own.isOld) turn.value += 1;
      };
      if (!state.peek().isWaiting) state.value = { ...state.peek(), isWaiting: true };
      answer.then(
        (value) => ended({ value, fault: undefined, isWaiting: false }),
        (fault: unknown) => ended({ value: state.peek().value, fault: asError(fault), isWaiting: false }),
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
  const again = () => {
    const before = underWay.current;
    if (before && performance.now() - before.since < PATIENCE_MS) before.isOld = true;
    else turn.value += 1;
  };
  return { asked: state, again };
}
