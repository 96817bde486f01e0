/** What the machine of a run did: one small chart for each metric of the system, and the same as a table. */
import { useComputed } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useAsked } from "../api/asking";
import { get } from "../api/http";
import { useView, Views } from "../viewers/views";
import { Spark } from "../parts/spark";
import { Empty, Fault, Waiting } from "../parts/states";
import { shortNumber } from "../values/numbers";
import type { RunTabProps } from "../pages/run";
import { numberOf, type Metric } from "./answer";
import { isOfSystem } from "./metrics-table";
import "../styles/artifacts.css";

const POINTS = 240;
const REFRESH_MS = 5000;

export function SystemTab({ told }: RunTabProps) {
  const { run } = told;
  const keys = (run.data.metrics ?? []).map((metric) => metric.key).filter(isOfSystem).sort();
  const view = useView(["charts", "table"]);
  if (keys.length === 0)
    return (
      <Empty title="No metrics of the system">
        <p>
          They come with <code>drupe.enable_system_metrics_logging()</code> before the run starts, or <code>start_run(log_system_metrics=True)</code>.
        </p>
      </Empty>
    );
  return (
    <div class="stack">
      <Views chosen={view} views={{ charts: "Charts", table: "Table" }} />
      {view === "table" ? (
        <SystemTable told={told} keys={keys} />
      ) : (
        <div class="sparks">
          {keys.map((key) => (
            <OneSpark key={key} runId={run.info.run_id} metric={key} isLive={run.info.status === "RUNNING"} />
          ))}
        </div>
      )}
    </div>
  );
}

function OneSpark({ runId, metric, isLive }: { runId: string; metric: string; isLive: boolean }) {
  const { asked, again } = useAsked((signal) => {
    const fields = { run_ids: [runId], metric_key: metric, max_results: POINTS };
    return get<{ metrics?: readonly Metric[] }>("ajax-api/2.0/mlflow/metrics/get-history-bulk-interval", fields, signal);
  });
  useEffect(() => {
    if (!isLive) return undefined;
    const timer = setInterval(() => document.hidden || again(), REFRESH_MS);
    return () => clearInterval(timer);
  }, [isLive]);
  const points = useComputed(() => (asked.value.value?.metrics ?? []).map((one) => ({ at: one.timestamp, value: rounded(numberOf(one.value)) })));
  if (asked.value.fault) return <Fault fault={asked.value.fault} again={again} />;
  if (!asked.value.value) return <Waiting what={metric} height={166} />;
  return <Spark title={titleOf(metric)} unit={unitOf(metric)} points={points.value} />;
}

function SystemTable({ told, keys }: { told: RunTabProps["told"]; keys: readonly string[] }) {
  const summaries = told.run.data.summaries ?? {};
  return (
    <div class="card scrolls" tabIndex={0} role="group" aria-label="Metrics of the system">
      <table class="plain-table">
        <thead>
          <tr>
            <th scope="col">Metric</th>
            {["Last", "Min", "Mean", "Max"].map((title) => (
              <th scope="col" class="number" key={title}>
                {title}
              </th>
            ))}
            <th scope="col">Unit</th>
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => {
            const known = summaries[key];
            return (
              <tr key={key}>
                <th scope="row" class="name">
                  {titleOf(key)}
                </th>
                {(["last", "min", "mean", "max"] as const).map((what) => (
                  <td class="number" key={what}>
                    {known ? shortNumber(rounded(numberOf(known[what]))) : "–"}
                  </td>
                ))}
                <td>{unitOf(key)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

const UNITS: readonly (readonly [ending: string, unit: string])[] = [
  ["_percentage", "%"],
  ["_megabytes", "MB"],
  ["_gigabytes", "GB"],
  ["_watts", "W"],
  ["_celsius", "°C"],
];

/** More digits than four say nothing about a machine. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

function unitOf(key: string): string {
  return UNITS.find(([ending]) => key.endsWith(ending))?.[1] ?? "";
}

function titleOf(key: string): string {
  const ending = UNITS.find(([one]) => key.endsWith(one))?.[0] ?? "";
  return key.slice("system/".length, key.length - ending.length).replaceAll("_", " ");
}
