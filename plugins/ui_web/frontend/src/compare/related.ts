/** Params and metrics of many runs in columns, as the server tells them. */
import { post } from "../api/http";
import type { Value } from "./scales";

/** Which runs: by their ids, or by what a table asks. */
export type Which = { readonly runs: readonly string[] } | { readonly experiments: readonly string[]; readonly filter: string };

/** A column that there may be: its name in the query language, its key, and whether the runs have different values. */
export type FieldTold = readonly [name: string, key: string, kind: "metric" | "param", differs: boolean];

export interface Related {
  readonly ids: readonly string[];
  readonly names: readonly string[];
  readonly columns: Readonly<Record<string, readonly Value[]>>;
  readonly fields: readonly FieldTold[];
  readonly is_cut: boolean;
}

export interface Weight {
  readonly name: string;
  readonly strength: number;
  readonly correlation: number | null;
  readonly runs: number;
  readonly groups: number;
}

export const readRelated = (which: Which, columns: readonly string[], signal: AbortSignal) => post<Related>("api/drupe/ui/related", { ...which, columns }, signal);
export const readFields = (which: Which, signal: AbortSignal) => post<Related>("api/drupe/ui/related", { ...which, columns: [], with_fields: true }, signal);
export const readImportance = (which: Which, metric: string, params: readonly string[], signal: AbortSignal) =>
  post<{ params: readonly Weight[]; untold: number; runs: number }>("api/drupe/ui/importance", { ...which, metric, params }, signal);
