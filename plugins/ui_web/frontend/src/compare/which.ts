/** Which runs are compared, as the address says it. */
import { listed } from "../app/lists";
import type { Which } from "./related";

/** What `runs` or `experiments` and `filter` of the address say. */
export function whichOf(query: URLSearchParams): Which {
  const runs = listed(query.get("runs") ?? "");
  return runs.length > 0 ? { runs } : { experiments: listed(query.get("experiments") ?? ""), filter: query.get("filter") ?? "" };
}
