/** What the program of a run prints, as it prints it. */
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { get } from "../api/http";
import { useQuery } from "../app/query";
import { address, setQuery, to } from "../app/router";
import { Empty, Fault, Waiting } from "../parts/states";
import { bytes } from "../values/numbers";
import type { RunTabProps } from "../pages/run";
import { Coloured } from "./terminal";
import { asError } from "../values/faults";

type Line = readonly [time: string, stream: string, isWhole: boolean, text: string];

interface Answer {
  readonly lines: readonly Line[];
  readonly position: string;
  readonly is_cut: boolean;
  readonly has_more: boolean;
  readonly is_over: boolean;
  readonly bytes: number;
  readonly files: readonly string[];
}

const MOST_LINES = 5000;
const POLL_MS = 1000;
const AT_END = 40;

export function LogTab({ told }: RunTabProps) {
  const runId = told.run.info.run_id;
  const lines = useSignal<readonly Line[] | null>(null);
  const about = useSignal<Answer | null>(null);
  const fault = useSignal<Error | null>(null);
  const search = useQuery("line");
  const times = useQuery("times");
  const follows = useSignal(true);
  const box = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let position = "";
    const ask = async () => {
      let wait = POLL_MS;
      try {
        const answer = await get<Answer>("api/drupe/ui/log", { run_id: runId, position: position || undefined }, stop.signal);
        position = answer.position;
        about.value = { ...answer, is_cut: answer.is_cut || (about.peek()?.is_cut ?? false) };
        fault.value = null;
        if (answer.lines.length > 0 || lines.peek() === null) lines.value = [...(lines.peek() ?? []), ...answer.lines].slice(-MOST_LINES);
        if (answer.is_over && !answer.has_more) return;
        if (answer.has_more) wait = 0;
      } catch (problem) {
        if (stop.signal.aborted) return;
        fault.value = asError(problem);
        wait = 5 * POLL_MS;
      }
      timer = setTimeout(() => void ask(), document.hidden ? 5 * POLL_MS : wait);
    };
    void ask();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [runId]);
  useLayoutEffect(() => {
    if (follows.value && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines.value, search.value, times.value]);

  if (fault.value && !lines.value) return <Fault fault={fault.value} />;
  if (!lines.value || !about.value) return <Waiting what="the log" height={480} />;
  if (lines.value.length === 0)
    return (
      <Empty title="No log">
        <p>
          {about.value.is_over ? "Nothing was kept of what this run printed." : "Nothing was printed yet."} Scripts keep their output unless the setting <code>capture_console</code> says no; notebooks do not.
          {told.parent && (
            <>
              {" "}
              Of nested runs the log is kept <a href={address(to("runs", told.parent.run_id), { tab: "log" })}>with the outer run</a>.
            </>
          )}
        </p>
      </Empty>
    );
  const wanted = search.value.toLowerCase();
  const found = wanted ? lines.value.filter((line) => line[3].toLowerCase().includes(wanted)) : lines.value;
  return (
    <section class="stack" aria-label="Log">
      <div class="row">
        <input class="field" type="search" placeholder="Find lines" aria-label="Find lines" value={search.value} onInput={(event) => setQuery({ line: event.currentTarget.value })} />
        <label class="row whole">
          <input type="checkbox" checked={times.value === "yes"} onChange={(event) => setQuery({ times: event.currentTarget.checked ? "yes" : undefined })} />
          Times
        </label>
        <span class="soft" role="status">
          {wanted ? `${found.length} of ${lines.value.length} lines` : `${lines.value.length} lines, ${bytes(about.value.bytes)}`}
        </span>
        {!about.value.is_over && <span class="alive">live</span>}
        {!follows.value && (
          <button
            type="button"
            class="button"
            onClick={() => {
              follows.value = true;
              box.current?.scrollTo({ top: box.current.scrollHeight });
            }}
          >
            To the end
          </button>
        )}
      </div>
      {fault.value && <p class="bad">{fault.value.message}</p>}
      {(about.value.is_cut || lines.value.length === MOST_LINES) && (
        <p class="soft">
          Only the last part is shown; <a href={address(to("runs", runId), { tab: "artifacts", path: "logs" })}>the files</a> have it all.
        </p>
      )}
      <div
        class="log"
        ref={box}
        tabIndex={0}
        role="log"
        aria-label="What was printed"
        onScroll={(event) => (follows.value = event.currentTarget.scrollHeight - event.currentTarget.scrollTop - event.currentTarget.clientHeight < AT_END)}
      >
        {found.map((line, at) => (
          <LogLine key={`${line[0]} ${at}`} line={line} withTime={times.value === "yes"} />
        ))}
      </div>
    </section>
  );
}

function LogLine({ line: [time, stream, , text], withTime }: { line: Line; withTime: boolean }) {
  return (
    <div class={stream === "stderr" ? "log-line log-error" : "log-line"}>
      {withTime && <span class="log-time">{new Date(time).toLocaleTimeString([], { hour12: false })} </span>}
      <Coloured text={text} />
    </div>
  );
}
