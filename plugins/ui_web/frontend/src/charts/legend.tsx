/** The runs of the charts with their colours; pointing at one marks it in every chart and table that shows it. */
import { address, to } from "../app/router";
import { hoveredRun } from "../app/hover";
import type { ChartedRun } from "./answer";

/** The groups that stand for runs, with the number of those; the runs of each are in its hint. */
export function GroupLegend({ runs, colorOf }: { runs: readonly ChartedRun[]; colorOf: (id: string) => number }) {
  const groups = new Map<string, ChartedRun[]>();
  for (const run of runs) groups.set(run.group ?? "", [...(groups.get(run.group ?? "") ?? []), run]);
  return (
    <ul class="legend" aria-label="Groups">
      {[...groups].sort(([one], [other]) => one.localeCompare(other, undefined, { numeric: true })).map(([group, members]) => (
        <li key={group} title={members.map((run) => run.name).join(", ")}>
          <span class="legend-group">
            <span class="swatch" style={{ background: `var(--series-${colorOf(members[0]!.run_id)})` }} />
            <bdi class="one-line">{group || "without"}</bdi>
            <span class="soft">{members.length}</span>
          </span>
        </li>
      ))}
    </ul>
  );
}

export function Legend({ runs, colorOf }: { runs: readonly ChartedRun[]; colorOf: (id: string) => number }) {
  return (
    <ul class="legend" aria-label="Runs">
      {runs.map((run) => (
        <li key={run.run_id} class={hoveredRun.value === run.run_id ? "is-marked" : ""} onPointerEnter={() => (hoveredRun.value = run.run_id)} onPointerLeave={() => (hoveredRun.value = "")}>
          <a href={address(to("runs", run.run_id))} title={run.group === null ? run.name : `${run.name}: ${run.group}`} onFocus={() => (hoveredRun.value = run.run_id)} onBlur={() => (hoveredRun.value = "")}>
            <span class="swatch" style={{ background: `var(--series-${colorOf(run.run_id)})` }} />
            <bdi class="one-line">{run.name}</bdi>
          </a>
        </li>
      ))}
    </ul>
  );
}
