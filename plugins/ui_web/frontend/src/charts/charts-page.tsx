/** Charts of the runs that a table of runs shows: those that the address names, or the first of what the question finds. */
import { setQuery } from "../app/router";
import { filter } from "../runs/view";
import { relationsOf } from "../runs/which";
import { count, counted } from "../values/numbers";
import type { Asked, Charted } from "./answer";
import { ChartsOf } from "./run-charts";
import { SavedViews } from "./saved-views";
import { most, MOST, namedRuns } from "./view";

export interface ChartsPageProps {
  readonly asked: Asked;
  /** The experiments of the table. */
  readonly experiments: readonly string[];
}

const MORE = 20;

export function ChartsPage({ asked, experiments }: ChartsPageProps) {
  const [first, ...others] = experiments;
  const tools = (
    <>
      {first !== undefined && others.length === 0 && <SavedViews experiment={first} />}
      {"question" in asked && (
        <a class="button" href={relationsOf(experiments, filter.value)}>
          Relations
        </a>
      )}
    </>
  );
  return (
    <div class="charts-page">
      <ChartsOf asked={asked} tools={tools} head={(told) => ("runs" in asked ? <Named asked={asked.runs} /> : <First told={told} />)} />
    </div>
  );
}

function Named({ asked }: { asked: readonly string[] }) {
  if (namedRuns.value.join() !== asked.join()) return null;
  return (
    <p class="soft charts-told" role="status">
      {counted(asked.length, "run")} of the address.{" "}
      <button type="button" class="button" onClick={() => setQuery({ runs: undefined })}>
        Draw those of the table
      </button>
    </p>
  );
}

function First({ told: { total = 0, found = 0 } }: { told: Charted }) {
  if (total <= found) return null;
  return (
    <p class="soft charts-told" role="status">
      The first {count(found)} of {counted(total, "run")}.{" "}
      {found < MOST && (
        <button type="button" class="button" onClick={() => setQuery({ most: String(Math.min(MOST, most.peek() + MORE)) })}>
          Draw {Math.min(MORE, total - found)} more
        </button>
      )}
    </p>
  );
}
