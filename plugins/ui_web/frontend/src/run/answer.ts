/** What the server tells of one run, and the requests that change it. */
import { get, post } from "../api/http";

export type Value = number | "NaN" | "Infinity" | "-Infinity";

export interface Pair {
  readonly key: string;
  readonly value: string;
}

export interface Metric {
  readonly key: string;
  readonly value: Value;
  readonly timestamp: number;
  readonly step: number;
  readonly run_id?: string;
  readonly dataset_name?: string;
}

export interface Summary {
  readonly count: number;
  readonly first: Value;
  readonly last: Value;
  readonly last_step: number;
  readonly last_timestamp: number;
  readonly min: Value;
  readonly max: Value;
  readonly mean: Value;
  readonly argmin: number | null;
  readonly argmax: number | null;
}

export interface Dataset {
  readonly name: string;
  readonly digest: string;
  readonly source_type?: string;
  readonly source?: string;
  readonly schema?: string;
  readonly profile?: string;
}

export interface Run {
  readonly info: {
    readonly run_id: string;
    readonly run_name: string;
    readonly experiment_id: string;
    readonly user_id?: string;
    readonly status: string;
    readonly start_time: number;
    readonly end_time?: number;
    readonly lifecycle_stage: string;
    readonly artifact_uri: string;
  };
  readonly data: {
    readonly metrics?: readonly Metric[];
    readonly params?: readonly Pair[];
    readonly tags?: readonly Pair[];
    readonly summaries?: Readonly<Record<string, Summary>>;
  };
  readonly inputs?: { readonly dataset_inputs?: readonly { readonly dataset: Dataset; readonly tags?: readonly Pair[] }[] };
}

export interface ShortRun {
  readonly run_id: string;
  readonly name: string;
  readonly status: string;
  readonly start_time: number | null;
  readonly end_time: number | null;
}

export interface ShortModel {
  readonly model_id: string;
  readonly name: string;
  readonly type: string;
  readonly status: string;
  readonly created: number;
  readonly metrics: readonly Metric[];
}

export interface ShortVersion {
  readonly name: string;
  readonly version: string;
  readonly stage: string;
  readonly aliases: readonly string[];
  readonly source: string;
  readonly created: number;
}

export interface RunAnswer {
  readonly run: Run;
  readonly now: number;
  readonly life: { readonly life: "alive" | "silent" | "dead"; readonly at: number; readonly host: string; readonly pid: number; readonly interval: number } | null;
  readonly crash: { readonly at: number; readonly reason: string; readonly signal: string | null; readonly last_step: number | null } | null;
  readonly experiment: { readonly experiment_id: string; readonly name: string; readonly lifecycle_stage: string };
  readonly parent: ShortRun | null;
  readonly nested: readonly ShortRun[];
  readonly nested_count: number;
  readonly models: readonly ShortModel[];
  readonly input_models: readonly ShortModel[];
  readonly versions: readonly ShortVersion[];
}

const RUNS = "ajax-api/2.0/mlflow/runs";

export function readRun(runId: string, signal: AbortSignal): Promise<RunAnswer> {
  return get<RunAnswer>("api/drupe/ui/run", { run_id: runId }, signal);
}

export const renameRun = (runId: string, name: string) => post(`${RUNS}/update`, { run_id: runId, run_name: name });
export const setTag = (runId: string, key: string, value: string) => post(`${RUNS}/set-tag`, { run_id: runId, key, value });
export const deleteTag = (runId: string, key: string) => post(`${RUNS}/delete-tag`, { run_id: runId, key });
export const deleteRun = (runId: string) => post(`${RUNS}/delete`, { run_id: runId });
export const restoreRun = (runId: string) => post(`${RUNS}/restore`, { run_id: runId });

/** A value as JSON tells it, as a number. */
export function numberOf(value: Value): number {
  return typeof value === "number" ? value : Number(value);
}

/** The value of a tag; "" where it is not set. */
export function tagOf(run: Run, key: string): string {
  return run.data.tags?.find((tag) => tag.key === key)?.value ?? "";
}
