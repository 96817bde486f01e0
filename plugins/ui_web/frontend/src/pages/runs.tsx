/** The runs of one or several experiments, as a table and as charts of their metrics. */
import { computed, useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { useAtOnce } from "../app/at-once";
import { useTitle } from "../app/title";
import { address, setQuery } from "../app/router";
import { askEarly, type Asked } from "../charts/answer";
import { bandBy, most, MOST, namedRuns } from "../charts/view";
import { useAsked } from "../api/asking";
import { ApiError, get } from "../api/http";
import type { GridHandle, Shown } from "../grid/types";
import { Later } from "../parts/later";
import { Contained, Empty, Fault, Waiting } from "../parts/states";
import { chosenTab, Tabs, type Tab } from "../parts/tabs";
import { count, counted } from "../values/numbers";
import { GroupFigures } from "../runs/figures";
import { KeysOfRuns } from "../runs/keys";
import { follow } from "../runs/live";
import { named } from "../runs/names";
import { SelectionBar, type Asking } from "../runs/selection";
import { RunsTable } from "../runs/table";
import { Toolbar } from "../runs/toolbar";
import { isOfServer, Trouble, useRecovery } from "../runs/trouble";
import { EXPERIMENTS_MAX } from "../runs/which";
import { columns, experimentIds, filter, group, hidden, orderText, pinned, trash } from "../runs/view";
import { RunRows, type Question } from "../runs/windows";
import "../runs/runs.css";

const BEFORE_KNOWN = ["status", "start_time", "duration"];
const NAMED_MAX = 3;
const NO_NAMES: ReadonlyMap<string, string> = new Map();
const TABS: readonly Tab[] = [
  { key: "table", title: "Table" },
  { key: "charts", title: "Charts", prepare: () => Promise.all([chartsPage(), import("../charts/plot")]).catch(() => undefined) },
];

/** The question as a text, so that it changes only when something in it does. */
const questionText = computed(() => {
  const asked: Question = {
    experiments: experimentIds.value,
    filter: filter.value,
    order: orderText.value,
    view: trash.value ? "deleted" : "active",
    group: group.value,
    pinned: group.value ? [] : pinned.value,
  };
  return JSON.stringify(asked);
});
const columnsMode = computed(() => (typeof columns.value === "string" ? columns.value : "list"));
const idsText = computed(() => experimentIds.value.join());

export default function Runs() {
  const rows = useMemo(() => new RunRows(), []);
  const figures = useMemo(() => new GroupFigures(), []);
  const keys = useMemo(() => new KeysOfRuns(), []);
  const selected = useSignal<ReadonlySet<string>>(new Set());
  const asking = useSignal<Asking>(null);
  const refusal = useSignal("");
  const handle = useRef<GridHandle>(null);
  const shown = useRef<Shown>({ firstRow: 0, lastRow: 0, firstColumn: 0, lastColumn: 0 });
  const names = useExperiments();
  const askedBefore = useRef("");
  const question = useMemo(() => JSON.parse(questionText.value) as Question, [questionText.value]);
  const shownNames = typeof columns.value === "string" ? (rows.head.value?.names ?? BEFORE_KNOWN) : columns.value;

  const again = () => void rows.ask(JSON.parse(questionText.peek()) as Question, columns.peek());
  useAtOnce(() => {
    const text = questionText.value;
    const isSame = text === askedBefore.current;
    if (isSame && columnsMode.value === "list") return;
    if (askedBefore.current && !isSame) handle.current?.scrollTo(0);
    if (JSON.stringify(experimentIds.peek()) !== JSON.stringify((JSON.parse(askedBefore.current || "{}") as Partial<Question>).experiments)) selected.value = new Set();
    askedBefore.current = text;
    again();
  });

  const visible = (): readonly string[] => {
    const { firstColumn, lastColumn } = shown.current;
    const all = typeof columns.peek() === "string" ? (rows.head.peek()?.names ?? []) : (columns.peek() as readonly string[]);
    return all.slice(Math.max(0, firstColumn - 1), lastColumn + 2).filter((name) => named(name).kind !== "attribute");
  };
  useEffect(
    () =>
      follow({
        isOurs: (change) => change.experiment_id === undefined || experimentIds.peek().includes(change.experiment_id),
        isRunning: () => !group.peek() && rows.someRunning(shown.current.firstRow, shown.current.lastRow),
        experiments: () => experimentIds.peek(),
        refresh: () => {
          // the first metrics bring columns that nobody could pick before
          const hasMetrics = columns.peek() !== "picked" || rows.head.peek()?.names?.some((name) => name.startsWith("metrics."));
          if (!hasMetrics) void rows.renew("picked", { atOnce: shown.current.firstRow <= 0 });
          else if (!group.peek()) void rows.refresh(shown.current.firstRow, shown.current.lastRow, visible());
        },
        renew: () => void rows.renew(columns.peek(), { atOnce: shown.current.firstRow <= 0 && !group.peek() }),
      }),
    [],
  );

  useRecovery(rows.fault, again);
  useRecovery(rows.trouble, () => void rows.refresh(shown.current.firstRow, shown.current.lastRow, visible()));

  const tab = chosenTab("tab", TABS);
  const drawn = toDraw(question, selected.value);
  const head = rows.head.value;
  const isKept = head !== null && rows.fault.value !== null && isOfServer(rows.fault.value);
  const fault = isKept ? null : rows.fault.value;
  const trouble = isKept ? `${rows.fault.value.message} What is shown is what was there before.` : (rows.trouble.value?.message ?? "");
  const title = names.title.value;
  useTitle(title);
  const missing = names.missing.value;
  if (missing) return <div class="page"><Fault fault={missing} /></div>;
  if (experimentIds.value.length > EXPERIMENTS_MAX) return <div class="page"><TooMany named={experimentIds.value.length} /></div>;
  if (experimentIds.value.length === 0) return <div class="page"><Empty title="No experiment is named in this address" /></div>;
  return (
    <div class="runs-page">
      <div class="page-head">
        <h1>
          <bdi>{title || "\u00a0"}</bdi>
        </h1>
        <span class="soft runs-told" role="status">
          {head ? told(head.total, head.isCut, trash.value) : ""}
        </span>
        <span class="rest" />
        <Tabs name="tab" tabs={TABS} label="Views" />
      </div>
      <Toolbar keys={keys} names={shownNames} question={question} refusal={refusal} />
      {trouble ? (
        <Trouble text={trouble} word="Try again" act={again} />
      ) : (
        refusal.value && <Trouble text={refusal.value} word="Dismiss" act={() => (refusal.value = "")} />
      )}
      <div id="panel" role="tabpanel" aria-label={tab === "charts" ? "Charts" : "Table"} class={`runs-body ${tab === "charts" ? "is-charts" : ""} ${rows.isWaiting.value && head ? "is-waiting" : ""}`}>
        {tab === "charts" && !fault ? (
          <Contained what="The charts">
            <Later what="the charts" height={420} load={() => (askEarly(drawn, bandBy.peek()), chartsPage())} props={{ asked: drawn, experiments: question.experiments }} />
          </Contained>
        ) : fault instanceof ApiError && fault.status === 400 && filter.value ? (
          <Unfiltered title="The filter cannot be read">
            <p>{fault.message}</p>
          </Unfiltered>
        ) : fault ? (
          <Fault fault={fault} again={again} />
        ) : !head ? (
          <Waiting what="the runs" height={400} />
        ) : head.total === 0 ? (
          <Nothing />
        ) : (
          <RunsTable
            rows={rows}
            figures={figures}
            question={question}
            names={shownNames}
            experiments={names.byId.value}
            selected={selected}
            asking={asking}
            refusal={refusal}
            handle={handle}
            onShown={(now) => (shown.current = now)}
          />
        )}
        {rows.fresh.value > 0 && tab !== "charts" && (
          <button
            type="button"
            class="button primary runs-fresh"
            onClick={() => {
              rows.showFresh(columns.peek());
              handle.current?.scrollTo(0);
            }}
          >
            {counted(rows.fresh.value, "new run")}
          </button>
        )}
      </div>
      <SelectionBar
        selected={selected}
        asking={asking}
        nameOf={(id) => nameIn(rows, id)}
        onDone={() => void rows.renew(columns.peek(), { atOnce: true, offset: Math.floor(Math.max(0, shown.current.firstRow) / 100) * 100 })}
      />
    </div>
  );
}

/** The runs that charts show: those that are selected or that the address names, or else the first of the table. */
function toDraw(question: Question, selected: ReadonlySet<string>): Asked {
  const chosen = selected.size > 0 ? [...selected].slice(0, MOST) : namedRuns.value;
  return chosen.length > 0 ? { runs: chosen } : { question, count: most.value, hidden: hidden.value };
}

/** What draws the charts, loaded when they are first looked at, or about to be. */
const chartsPage = async () => (await import("../charts/charts-page")).ChartsPage;

function Nothing() {
  if (filter.value) return <Unfiltered title="No run fits the filter" />;
  if (trash.value) return <Empty title="The trash is empty" />;
  return (
    <Empty title="No runs yet">
      <p>Runs appear here as soon as they begin:</p>
      <pre>{`import drupe\n\ndrupe.set_tracking_uri("${location.origin}${address("").replace(/\/$/, "")}")\nwith drupe.start_run(experiment_id="${experimentIds.value[0] ?? "0"}"):\n    drupe.log_metric("loss", 0.1, step=1)`}</pre>
    </Empty>
  );
}

function TooMany({ named }: { named: number }) {
  return (
    <Empty title="These are too many experiments to be shown together">
      <p>
        This address names {count(named)}; the runs of at most {count(EXPERIMENTS_MAX)} stand in one table.
      </p>
      <a class="button" href={address("")}>
        All experiments
      </a>
    </Empty>
  );
}

/** No runs because of the filter, and the way back to all of them. */
function Unfiltered({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <Empty title={title}>
      {children}
      <button type="button" class="button" onClick={() => setQuery({ filter: undefined })}>
        Clear the filter
      </button>
    </Empty>
  );
}

/** The names of the experiments in the address, and why there is none where it names one that is not there. */
function useExperiments() {
  const { asked } = useAsked<ReadonlyMap<string, string>>(async (signal) => {
    const ids = idsText.value.split(",");
    if (ids.length === 1) {
      const { experiment } = await get<{ experiment: { experiment_id: string; name: string } }>("ajax-api/2.0/mlflow/experiments/get", { experiment_id: ids[0]! }, signal);
      return new Map([[experiment.experiment_id, experiment.name]]);
    }
    const every = await get<{ ids: string[]; names: string[] }>("api/drupe/ui/experiments", { view: "all" }, signal);
    return new Map(every.ids.map((id, n) => [id, every.names[n] ?? id]));
  });
  const byId = useComputed(() => asked.value.value ?? NO_NAMES);
  const title = useComputed(() => {
    const ids = experimentIds.value;
    const known = ids.slice(0, NAMED_MAX).map((id) => byId.value.get(id) ?? (asked.value.value || asked.value.fault ? `Experiment ${id}` : ""));
    return known.filter(Boolean).join(", ") + (ids.length > NAMED_MAX ? ` and ${count(ids.length - NAMED_MAX)} more` : "");
  });
  const missing = useComputed(() => (asked.value.fault instanceof ApiError && asked.value.fault.isMissing ? asked.value.fault : null));
  return { byId, title, missing };
}

function told(total: number, isCut: boolean, isTrash: boolean): string {
  return isCut ? `the first ${count(total)} runs; a filter finds the others` : `${counted(total, "run")}${isTrash ? " in the trash" : ""}`;
}

function nameIn(rows: RunRows, id: string): string {
  const total = rows.head.peek()?.total ?? 0;
  for (let place = 0; place < total; place += 1) {
    const run = rows.row(place);
    if (run?.id === id) return run.name;
  }
  return "";
}
