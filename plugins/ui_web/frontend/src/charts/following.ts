/** How charts follow runs that go on: a change is drawn at once, and many changes no more often than can be looked at. */
import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { listen, onChange, type Change } from "../api/changes";
import type { Charted } from "./answer";

const EVERY_MS = 600;
const QUIET_MS = 900;
const METRICS_MS = 3000;

/** Calls `act` after points of these runs were logged, and `renew` when there may be other metrics or states. */
export function useFollowing(runIds: () => readonly string[], told: Charted | undefined, act: () => void, renew: () => void): void {
  const isRunning = useSignal(false);
  isRunning.value = told?.runs.some((run) => run.status === "RUNNING") ?? false;
  const heardAt = useSignal(0);
  useEffect(() => {
    const isOurs = (change: Change) => ["metric", "run"].includes(change.kind) && (change.run_id === undefined || runIds().includes(change.run_id));
    const paced = atOnce(act, EVERY_MS);
    const ends = [
      listen((change) => {
        if (change.kind !== "missed" && !isOurs(change)) return;
        heardAt.value = Date.now();
        paced.call();
      }),
      onChange(isOurs, renew, METRICS_MS, true),
      paced.stop,
    ];
    return () => ends.forEach((end) => end());
  }, []);
  useSignalEffect(() => {
    if (!isRunning.value) return undefined;
    // programs that write into the store's file past the server are not told of, so running runs are looked at
    const timer = setInterval(() => {
      if (document.visibilityState === "visible" && Date.now() - heardAt.peek() > QUIET_MS) act();
    }, QUIET_MS);
    const slow = setInterval(() => document.visibilityState === "visible" && renew(), 2 * METRICS_MS);
    return () => {
      clearInterval(timer);
      clearInterval(slow);
    };
  });
}

/** Acts at the first call and then at most once in `everyMs`, a last time after the last call. */
export function atOnce(act: () => void, everyMs: number): { readonly call: () => void; readonly stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isWanted = false;
  const call = () => {
    if (timer !== undefined) {
      isWanted = true;
      return;
    }
    act();
    timer = setTimeout(() => {
      timer = undefined;
      if (isWanted) call();
    }, everyMs);
    isWanted = false;
  };
  return { call, stop: () => clearTimeout(timer) };
}
