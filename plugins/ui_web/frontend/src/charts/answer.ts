/** What is known of the runs that are drawn, before their points are: how it is asked, also while the code of the charts is still on its way. */
import { post } from "../api/http";

/** Some runs, or the first that the table's question finds, see `runs/windows`. */
export type Asked = { readonly runs: readonly string[] } | { readonly question: object; readonly count: number; readonly hidden: readonly string[] };

export interface ChartedRun {
  readonly run_id: string;
  readonly name: string;
  readonly status: string;
  readonly start_time: number | null;
  readonly experiment_id: string;
  /** The value of what the runs are grouped by, if they are. */
  readonly group: string | null;
}

export interface Charted {
  readonly runs: readonly ChartedRun[];
  /** Keys by name, each with the number of runs that have it and the points of its longest series. */
  readonly metrics: readonly (readonly [key: string, runs: number, points: number])[];
  /** Params by which the runs fall into groups: names and keys. */
  readonly groups: readonly (readonly [name: string, key: string])[];
  readonly is_cut: boolean;
  /** Where a question was asked: the number of runs that it finds, and how many of the first there are here, with those that are hidden. */
  readonly total?: number;
  readonly found?: number;
}

let early: { readonly text: string; readonly answer: Promise<Charted> } | null = null;

/** Ask what charts that are about to be there will ask first. */
export function askEarly(asked: Asked, group: string): void {
  const answer = post<Charted>("api/drupe/ui/charted", { ...asked, group });
  answer.catch(() => undefined); // told to whoever takes it
  early = { text: JSON.stringify([asked, group]), answer };
}

/** Ask for runs; those that are gone are left out. `group` names a param or tag, such as `params.depth`. Takes what was asked early. */
export function readCharted(asked: Asked, group: string, signal?: AbortSignal): Promise<Charted> {
  const before = early;
  early = null;
  return before?.text === JSON.stringify([asked, group]) ? before.answer : post<Charted>("api/drupe/ui/charted", { ...asked, group }, signal);
}

/** Metrics in sections by what stands before their first "/": those without one come first, then those that have `curves`, those of the machine last. */
export function sectionsOf(keys: readonly string[], curves?: ReadonlySet<string>): readonly (readonly [name: string, keys: readonly string[]])[] {
  const found = new Map<string, string[]>();
  for (const key of keys) {
    const name = key.includes("/") ? key.slice(0, key.indexOf("/")) : "";
    found.set(name, [...(found.get(name) ?? []), key]);
  }
  const isSingle = (name: string) => curves !== undefined && !found.get(name)!.some((key) => curves.has(key));
  const weight = (name: string) => (name === "system" ? 8 : (isSingle(name) ? 2 : 0) + (name === "" ? 0 : 1));
  return [...found].sort(([one], [other]) => weight(one) - weight(other) || (one < other ? -1 : 1));
}

/** The keys with some of them in front, in the order of those. */
export function inFront(keys: readonly string[], first: readonly string[]): readonly string[] {
  const known = first.filter((key) => keys.includes(key));
  return [...known, ...keys.filter((key) => !known.includes(key))];
}
