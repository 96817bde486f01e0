/** What the server tells of one model: its card as data, its files, and what stands around it. */
import { get } from "../api/http";
import type { Subject } from "../artifacts/files";
import type { Metric, Pair, ShortRun, ShortVersion } from "../run/answer";

export type Block =
  | { readonly kind: "prose" | "note"; readonly text: string }
  | { readonly kind: "facts"; readonly rows: readonly (readonly [string, string])[] }
  | { readonly kind: "table"; readonly headings: readonly string[]; readonly rows: readonly (readonly string[])[]; readonly numbers: readonly number[] }
  | { readonly kind: "code"; readonly language: string; readonly text: string };

export interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

export interface ModelAnswer {
  readonly address: string;
  readonly title: string;
  readonly subtitle: string;
  readonly sections: readonly Section[];
  /** Of each flavor its release and its keys in MLmodel. */
  readonly flavors: readonly { readonly name: string; readonly release: string; readonly keys: readonly (readonly [string, string])[] }[];
  readonly files: readonly { readonly path: string; readonly size: number }[];
  readonly files_count: number;
  readonly size_bytes: number;
  readonly model: {
    readonly model_id: string;
    readonly name: string;
    readonly type: string;
    readonly status: string;
    readonly status_message: string;
    readonly created: number;
    readonly experiment_id: string;
    readonly experiment: string;
    readonly metrics: readonly Metric[];
    readonly params: readonly Pair[];
    readonly tags: readonly Pair[];
  } | null;
  readonly run: ShortRun | null;
  readonly versions: readonly ShortVersion[];
  /** Why the files could not be read, where they could not. */
  readonly fault: string;
}

/** A model by what it belongs to, and by its folder there. */
export function readModel(subject: Subject, folder: string, signal: AbortSignal): Promise<ModelAnswer> {
  return get<ModelAnswer>("api/drupe/ui/model", { ...subject, folder: folder || undefined }, signal);
}
