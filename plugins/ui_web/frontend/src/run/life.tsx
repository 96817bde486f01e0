/** Whether the process of a running run is still heard of: how long ago it gave its last sign. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { duration } from "../values/times";
import type { RunAnswer } from "./answer";

const WORDS = { alive: "alive", silent: "silent, last heard", dead: "gone, last heard" } as const;

export function Life({ told }: { told: RunAnswer }) {
  const now = useServerNow(told);
  const life = told.life;
  if (!life) return null;
  const age = Math.max(0, now - life.at);
  return (
    <span class={`alive ${life.life}`} title={`process ${life.pid} on ${life.host}, which gives a sign every ${duration(life.interval)}`}>
      {WORDS[life.life]} {wholeSeconds(age)} ago
    </span>
  );
}

/** How long a run took, or has been running. */
export function RunDuration({ told }: { told: RunAnswer }) {
  const now = useServerNow(told);
  const { start_time: start, end_time: end } = told.run.info;
  return <span class="steady">{end ? duration(end - start) : wholeSeconds(now - start)}</span>;
}

function wholeSeconds(ms: number): string {
  return duration(Math.max(0, Math.floor(ms / 1000) * 1000)).replace(/\.\d s$/, " s").replace(/^0 ms$/, "0 s");
}

/** The time by the server's clock, which the browser's may differ from; it goes on while the run does. */
function useServerNow(told: RunAnswer): number {
  const passed = useSignal(0);
  const isRunning = told.run.info.status === "RUNNING";
  useEffect(() => {
    const received = performance.now();
    passed.value = 0;
    if (!isRunning) return undefined;
    const timer = setInterval(() => (passed.value = performance.now() - received), 1000);
    return () => clearInterval(timer);
  }, [told.now, isRunning]);
  return told.now + passed.value;
}
