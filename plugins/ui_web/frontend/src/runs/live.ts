/**
 * How a runs table follows the store: what is told to have changed decides whether values are read again, or the runs asked for anew.
 * Programs that write into the store's file past the server are not told of; so the newest run is looked at, and runs that are running.
 */
import { listen, onChange, type Change } from "../api/changes";
import { post } from "../api/http";

export interface Follows {
  /** Whether a change is about one of these experiments. */
  readonly isOurs: (change: Change) => boolean;
  /** True when a run on screen has not ended. */
  readonly isRunning: () => boolean;
  readonly experiments: () => readonly string[];
  /** Read the values that are on screen again. */
  readonly refresh: () => void;
  /** There may be other runs now, or others than before may fit the filter. */
  readonly renew: () => void;
}

const REFRESH_MS = 600;
const RENEW_MS = 1000;
const QUIET_MS = 900;
const LOOK_MS = 3000;
const SEARCH = "ajax-api/2.0/mlflow/runs/search";

/** Follow until the returned function is called. */
export function follow({ isOurs, isRunning, experiments, refresh, renew }: Follows): () => void {
  const isOfRuns = (change: Change) => change.kind === "run" && isOurs(change);
  const isOfValues = (change: Change) => ["metric", "param", "tag", "run"].includes(change.kind) && isOurs(change);
  const look = newestOf(experiments, renew);
  if (document.visibilityState === "visible") look(); // at once: what begins before the first look would never be another than before
  let heardAt = 0;
  const ends = [
    onChange(isOfValues, refresh, REFRESH_MS, true),
    onChange(isOfRuns, renew, RENEW_MS, true),
    listen((change) => {
      if (isOfValues(change)) heardAt = Date.now();
    }),
    every(QUIET_MS, () => {
      if (isRunning() && Date.now() - heardAt > QUIET_MS) refresh();
    }),
    every(LOOK_MS, look),
  ];
  return () => ends.forEach((end) => end());
}

/** Asks which run is the newest, and acts when it is another one than before. */
function newestOf(experiments: () => readonly string[], act: () => void): () => void {
  let before: string | null = null;
  return () => {
    const experiment_ids = experiments();
    post<{ runs?: { info: { run_id: string } }[] }>(SEARCH, { experiment_ids, max_results: 1 }).then(
      ({ runs }) => {
        const now = `${experiment_ids} ${runs?.[0]?.info.run_id}`;
        if (before !== null && now !== before && now.split(" ")[0] === before.split(" ")[0]) act();
        before = now;
      },
      () => undefined, // looked at again soon
    );
  };
}

/** Only while the page can be seen. */
function every(ms: number, act: () => void): () => void {
  const timer = setInterval(() => {
    if (document.visibilityState === "visible") act();
  }, ms);
  return () => clearInterval(timer);
}
