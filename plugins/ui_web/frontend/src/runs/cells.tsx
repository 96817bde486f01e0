/** What stands in the cells of a runs table: of a run, and of a group of runs. */
import { address, to } from "../app/router";
import { Icon } from "../parts/icon";
import { Status } from "../parts/status";
import { When } from "../parts/time";
import { count, shortNumber } from "../values/numbers";
import { duration } from "../values/times";
import type { MetricFigures, TextFigures } from "./figures";
import type { Value, RunRow } from "./windows";

/** Numbers in params are shown as they were written, unless that is longer than this. */
const WRITTEN_MAX = 9;

/** One value of one run; `isNumeric` says that all values of its column are numbers. */
export function RunCell({ run, name, isNumeric, experiments }: { run: RunRow; name: string; isNumeric: boolean; experiments: ReadonlyMap<string, string> }) {
  switch (name) {
    case "status":
      return <Status value={run.status} />;
    case "start_time":
      return <When ms={run.start} />;
    case "end_time":
      return <When ms={run.end} />;
    case "duration":
      return <>{duration((run.end ?? Date.now()) - run.start)}</>;
    case "user_id":
      return <Text value={run.user} />;
    case "experiment": {
      const told = experiments.get(run.experiment) ?? run.experiment;
      return (
        <a class="one-line" href={address(to("experiments", run.experiment))} tabIndex={-1} title={told}>
          <bdi>{told}</bdi>
        </a>
      );
    }
    default: {
      const value = run.value(name);
      if (value === undefined) return <span class="runs-coming" />;
      if (name.startsWith("metrics.")) return <NumberCell value={value} />;
      return isNumeric && String(value).length > WRITTEN_MAX ? <NumberCell value={value} /> : <Text value={value} />;
    }
  }
}

/** One figure of one group. */
export function GroupCell({ figures, group, members }: { figures: MetricFigures | TextFigures | undefined; group: number; members: number }) {
  if (!figures) return <span class="runs-coming" />;
  const n = figures.n[group] ?? 0;
  if ("mean" in figures) {
    const mean = figures.mean[group] ?? null;
    const std = figures.std[group] ?? null;
    if (mean === null) return <span class="soft">–</span>;
    const told = `mean ${String(mean)}${std === null ? "" : `, standard deviation ${String(std)}`}, of ${n} of ${members} runs`;
    return (
      <span class="one-line" title={told}>
        {n !== members && <span class="soft small">n={count(n)} </span>}
        {shortNumber(Number(Number(mean).toPrecision(4)))}
        {std !== null && <span class="soft"> ± {spread(Number(std))}</span>}
      </span>
    );
  }
  const same = figures.same[group] ?? null;
  if (n > 1) return <span class="soft">{count(n)} values</span>;
  return <Text value={same} />;
}

/** The name of a run with its colour and marks. */
export function RunName({ run, color, isPinned, isHidden }: { run: RunRow; color: string; isPinned: boolean; isHidden: boolean }) {
  return (
    <>
      <span class="swatch" style={isHidden ? { boxShadow: `inset 0 0 0 2px ${color}` } : { background: color }} />
      <a class="one-line runs-name" href={address(to("runs", run.id))} tabIndex={-1} title={run.name}>
        <bdi>{run.name}</bdi>
      </a>
      {isPinned && <Mark name="pin" says="pinned" />}
      {isHidden && <Mark name="hidden" says="hidden in charts" />}
    </>
  );
}

function Mark({ name, says }: { name: "pin" | "hidden"; says: string }) {
  return (
    <span class="runs-mark" title={says}>
      <Icon name={name} size={13} />
      <span class="for-readers">{says}</span>
    </span>
  );
}

function NumberCell({ value }: { value: Value }) {
  if (value === null) return <span class="soft">–</span>;
  return (
    <span class="one-line" title={String(value)}>
      {shortNumber(Number(value))}
    </span>
  );
}

function Text({ value }: { value: Value }) {
  if (value === null) return <span class="soft">–</span>;
  const told = String(value);
  return (
    <bdi class="one-line" title={told}>
      {told}
    </bdi>
  );
}

/** A deviation needs fewer digits than what it belongs to. */
function spread(std: number): string {
  return shortNumber(Number(std.toPrecision(2)));
}
