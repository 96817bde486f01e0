/**
 * The address of the runs of some experiments: `experiments/1,2,3`. Servers and proxies refuse addresses of some thousand letters, so very many
 * ids stand behind a `#`, which browsers keep to themselves: `experiments/chosen#1,2,3`.
 */
import { joined } from "../app/lists";
import { address } from "../app/router";

/** So many the server takes at once. */
export const EXPERIMENTS_MAX = 10_000;

const PATH_MAX = 1000;

export function pathOf(ids: readonly string[]): string {
  const text = ids.join(",");
  return `experiments/${text.length > PATH_MAX ? `chosen#${text}` : text}`;
}

/** The address of how the runs of some experiments go together. */
export function relationsOf(ids: readonly string[], filter: string): string {
  const text = ids.join(",");
  return text.length > PATH_MAX ? address(`compare/chosen#${text}`, { filter }) : address("compare", { experiments: joined(ids), filter });
}

/** The ids in a path, each once. */
export function idsIn(parts: readonly string[]): readonly string[] {
  const [first = "", ids = ""] = parts;
  return first === "experiments" || ids.startsWith("chosen#") ? [...new Set(ids.replace(/^chosen#/, "").split(",").filter(Boolean))] : [];
}
