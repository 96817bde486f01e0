/** Which runs are compared, as the address says it. */
import { listed } from "../app/lists";
import { parts, place } from "../app/router";
import { idsIn } from "../runs/which";
import type { Which } from "./related";

/** What `runs` or `experiments` and `filter` of the address say. */
export function whichOf(): Which {
  const { query } = place.value;
  const runs = listed(query.get("runs") ?? "");
  if (runs.length > 0) return { runs };
  const many = idsIn(parts.value);
  return { experiments: many.length > 0 ? many : listed(query.get("experiments") ?? ""), filter: query.get("filter") ?? "" };
}
