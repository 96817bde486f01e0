/** Doing the same to many runs: a few requests at a time, and what failed is told at the end. */
import { post } from "../api/http";
import { inWords } from "../values/faults";

const AT_ONCE = 8;
const API = "ajax-api/2.0/mlflow/runs";

export interface Done {
  readonly count: number;
  /** The server's words for the first that failed. */
  readonly failed: number;
  readonly message: string;
}

export type Act =
  | { readonly kind: "delete" }
  | { readonly kind: "restore" }
  | { readonly kind: "move"; readonly to: string }
  | { readonly kind: "tag"; readonly key: string; readonly value: string }
  | { readonly kind: "untag"; readonly key: string }
  | { readonly kind: "rename"; readonly name: string };

/** Do it to every one of these runs; `told` hears how many are done. */
export async function actOn(runIds: readonly string[], act: Act, told: (done: number) => void = () => undefined): Promise<Done> {
  // a move is one request: all of them, or none
  const jobs = act.kind === "move" ? [runIds] : runIds.map((id) => [id]);
  let next = 0;
  let done = 0;
  let failed = 0;
  let message = "";
  const worker = async () => {
    while (next < jobs.length) {
      const ids = jobs[next++]!;
      try {
        await sent(ids, act);
      } catch (fault) {
        failed += ids.length;
        message ||= inWords(fault);
      }
      told((done += ids.length));
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, jobs.length) }, worker));
  return { count: runIds.length, failed, message };
}

function sent(run_ids: readonly string[], act: Act): Promise<object> {
  const run_id = run_ids[0]!;
  switch (act.kind) {
    case "delete":
      return post(`${API}/delete`, { run_id });
    case "restore":
      return post(`${API}/restore`, { run_id });
    case "move":
      return post("ajax-api/2.0/drupe/move-runs", { run_ids, experiment_id: act.to });
    case "tag":
      return post(`${API}/set-tag`, { run_id, key: act.key, value: act.value });
    case "untag":
      return post(`${API}/delete-tag`, { run_id, key: act.key });
    case "rename":
      return post(`${API}/update`, { run_id, run_name: act.name });
  }
}
