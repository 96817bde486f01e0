/**
 * The address of the runs of some experiments: `experiments/1,2,3`. Servers and proxies refuse addresses of some thousand letters, so very many
 * ids stand behind a `#`, which browsers keep to themselves: `experiments/chosen#1,2,3`.
 */
import { CHOSEN } from "../app/router";

/** So many the server takes at once. */
export const EXPERIMENTS_MAX = 10_000;

const PATH_MAX = 1000;

export function pathOf(ids: readonly string[]): string {
  const text = ids.join(",");
  return text.length > PATH_MAX ? `${CHOSEN}#${text}` : `experiments/${text}`;
}

/** The ids in a path, each once. */
export function idsIn(parts: readonly string[]): readonly string[] {
  const [first = "", ids = ""] = parts;
  return first === "experiments" ? [...new Set(ids.replace(/^chosen#/, "").split(",").filter(Boolean))] : [];
}
