/** Runs side by side as a table: runs are its columns; rows that differ are marked, and can be looked at alone. */
import { computed, useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { useAsked } from "../api/asking";
import { post } from "../api/http";
import { address, queryOf, setQuery, to } from "../app/router";
import { Grid } from "../grid/grid";
import type { GridColumn } from "../grid/types";
import { Empty, Fault, Waiting } from "../parts/states";
import { Status } from "../parts/status";
import { Diff } from "../run/diff";
import { count, counted, shortNumber } from "../values/numbers";
import { duration, time } from "../values/times";
import "../styles/artifacts.css";
import "./compare.css";

type Value = string | number | null;

interface Row {
  readonly section: string;
  readonly key: string;
  readonly values: readonly Value[];
  readonly differs: boolean;
}

interface Answer {
  readonly runs: readonly { readonly run_id: string; readonly name: string }[];
  readonly rows: readonly Row[];
  readonly is_cut: boolean;
}

interface Files {
  readonly run_ids: readonly string[];
  readonly rows: readonly Row[];
  readonly diffs: readonly string[];
  readonly faults: readonly string[];
}

/** A row of the table: a fact, or the head of a section. */
type Line = Row | { readonly section: string; readonly key: null; readonly count: number };

const WITH_FILES = 20;
const same = queryOf("same");
const KEY_WIDTH = 240;
/** Heights of the grid's rows, and of its head with a scroll bar. */
const ROW = 32;
const HEAD = 64;

export function Sides({ runIds }: { runIds: readonly string[] }) {
  const idsText = runIds.join();
  const ids = useSignal(idsText);
  ids.value = idsText;
  const { asked, again } = useAsked((signal) => post<Answer>("api/drupe/ui/compared", { runs: ids.value.split(",") }, signal));
  const files = useAsked((signal) => post<Files>("api/drupe/ui/compared-files", { runs: ids.value.split(",").slice(0, WITH_FILES) }, signal));
  const rows = useMemo(() => computed(() => [...(asked.value.value?.rows ?? []), ...(files.asked.value.value?.rows ?? [])]), []);
  const onlyDiffering = same.value === "no";
  const lines = useMemo(() => linesOf(rows.value, onlyDiffering), [rows.value, onlyDiffering]);
  const { value: told, fault } = asked.value;
  if (fault && !told) return <Fault fault={fault} again={again} />;
  if (!told) return <Waiting what="the comparison" height={480} />;
  if (told.runs.length === 0) return <Empty title="These runs are gone">They were deleted for good, or belong to another store.</Empty>;
  const differing = rows.value.filter((row) => row.differs).length;
  const columns: GridColumn[] = [
    { key: "", title: "Name", width: innerWidth < 640 ? 140 : KEY_WIDTH },
    ...told.runs.map((run) => ({ key: run.run_id, title: run.name, hint: run.name, width: innerWidth < 640 ? 164 : told.runs.length < 5 ? 220 : 170 })),
  ];
  return (
    <div class="compare-sides">
      <div class="compare-tools">
        <label class="compare-only">
          <input type="checkbox" checked={onlyDiffering} onChange={(event) => setQuery({ same: event.currentTarget.checked ? "no" : undefined })} />
          Differences only
        </label>
        <span class="soft" role="status">
          {told.runs.length < 2 ? "One run alone has nothing to differ from." : `${counted(differing, "row")} of ${count(rows.value.length)} ${differing === 1 ? "differs" : "differ"}.`}
          {told.runs.length < runIds.length && ` ${counted(runIds.length - told.runs.length, "run")} of the address ${runIds.length - told.runs.length === 1 ? "is" : "are"} gone.`}
          {told.is_cut && " There are more rows than are shown."}
        </span>
      </div>
      <div class="compare-grid" style={{ height: `min(70vh, ${lines.length * ROW + HEAD}px)` }}>
        <Grid
          label="Runs side by side"
          columns={columns}
          rows={lines.length}
          rowClass={(row) => (lines[row]?.key === null ? "is-section" : (lines[row] as Row | undefined)?.differs ? "differs" : "")}
          cell={(row, column) => <Cell line={lines[row]} column={column} />}
        />
      </div>
      <Runs runs={told.runs} />
      <Changes files={files.asked.value.value} fault={files.asked.value.fault} again={files.again} runs={told.runs} />
      {runIds.length > WITH_FILES && <p class="soft">Environment, packages and uncommitted changes are those of the first {WITH_FILES} runs.</p>}
    </div>
  );
}

function Cell({ line, column }: { line: Line | undefined; column: number }) {
  if (!line) return null;
  if (line.key === null)
    return column === 0 ? (
      <span class="one-line">
        <strong>{titled(line.section)}</strong> <span class="soft">{count(line.count)}</span>
      </span>
    ) : null;
  if (column === 0)
    return (
      <>
        <span class="compare-mark" aria-label={line.differs ? "differs" : undefined}>
          {line.differs ? "≠" : ""}
        </span>
        <bdi class="one-line" title={line.key}>
          {line.key}
        </bdi>
      </>
    );
  const value = line.values[column - 1] ?? null;
  const isNumber = areNumbers(line);
  if (value === null) return <span class={`soft ${isNumber ? "compare-number" : ""}`}>–</span>;
  if (line.section === "run" && line.key === "status") return <Status value={String(value)} />;
  // a long number that is cut would lose its exponent
  const text = line.section === "params" && isNumber && String(value).length > 10 ? shortNumber(Number(value)) : inWords(line, value);
  return (
    <bdi class={`one-line ${isNumber ? "compare-number" : ""}`} title={String(value)}>
      {text}
    </bdi>
  );
}

/** True for rows whose values stand below each other by their digits: those of metrics, times taken, and params that are all numbers. */
function areNumbers({ section, key, values }: Row): boolean {
  if (section !== "params") return section === "metrics" || (section === "run" && key === "duration");
  return values.every((value) => value === null || (String(value).trim() !== "" && Number.isFinite(Number(value))));
}

function titled(section: string): string {
  return section.charAt(0).toUpperCase() + section.slice(1);
}

function inWords({ section, key }: Row, value: string | number): string {
  if (typeof value === "string") return value;
  if (section === "run") return key === "started" ? time(value) : key === "duration" ? duration(value) : String(value);
  return shortNumber(value);
}

function Runs({ runs }: { runs: Answer["runs"] }) {
  return (
    <p class="compare-runs">
      <span class="soft">Open</span>
      {runs.map((run) => (
        <a key={run.run_id} href={address(to("runs", run.run_id))}>
          <bdi>{run.name}</bdi>
        </a>
      ))}
    </p>
  );
}

/** The uncommitted changes of the runs: each different one once, with the runs that had it. */
function Changes({ files, fault, again, runs }: { files: Files | undefined; fault: Error | undefined; again: () => void; runs: Answer["runs"] }) {
  if (fault) return <Fault fault={fault} again={again} />;
  if (!files) return <Waiting what="environments" height={80} />;
  const names = new Map(runs.map((run) => [run.run_id, run.name]));
  const byDiff = new Map<string, string[]>();
  files.diffs.forEach((diff, n) => {
    if (diff) byDiff.set(diff, [...(byDiff.get(diff) ?? []), names.get(files.run_ids[n]!) ?? ""]);
  });
  const unread = files.faults.flatMap((text, n) => (text ? [`${names.get(files.run_ids[n]!)}: ${text}`] : []));
  return (
    <>
      {unread.map((text) => (
        <p class="bad" key={text}>
          {text}
        </p>
      ))}
      {[...byDiff].map(([diff, of]) => (
        <details key={diff} class="card compare-diff" open={byDiff.size === 1}>
          <summary>
            Uncommitted changes of <bdi>{of.join(", ")}</bdi>
          </summary>
          <Diff text={diff} />
        </details>
      ))}
    </>
  );
}

/** The rows under heads of their sections. */
export function linesOf(rows: readonly Row[], onlyDiffering: boolean): readonly Line[] {
  const sections = new Map<string, Row[]>();
  for (const row of rows) {
    if (!row.differs && onlyDiffering) continue;
    const kept = sections.get(row.section);
    if (kept) kept.push(row);
    else sections.set(row.section, [row]);
  }
  return [...sections].flatMap(([section, kept]) => [{ section, key: null, count: kept.length }, ...kept]);
}
