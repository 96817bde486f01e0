/**
 * The host API of UI extensions, version 1: what a module exports, and what it is given.
 *
 * A module exports `api` and `mount`; docs/reference/extend/ui_extensions.md has a complete example. In a plain JavaScript module, JSDoc gets
 * these types without any build: `import("…/extension_api").Mount<import("…/extension_api").FileContext>`.
 */

/** What the module of an extension exports. */
export interface ExtensionModule<C> {
  /** The version of this API that the module was written for. */
  readonly api: 1;
  readonly mount: Mount<C>;
}

/**
 * Draw into `element`, which is empty, and belongs to the extension alone until it is unmounted. May return, or promise, a function that is
 * called when the part is left. The page shows that it is loading until this has returned or its promise is kept; what it throws is shown
 * in its place, and offered to be tried again.
 */
export type Mount<C> = (element: HTMLElement, context: C, host: Host<C>) => void | Unmount | Promise<void | Unmount>;

export type Unmount = () => void;

/** Anything that JSON has. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A tag, a param. */
export interface Pair {
  readonly key: string;
  readonly value: string;
}

/** A run as MLflow's `runs/get` tells it. Numbers that JSON has no words for are texts: "NaN", "Infinity", "-Infinity". */
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
    readonly metrics?: readonly { readonly key: string; readonly value: number | string; readonly timestamp: number; readonly step: number }[];
    readonly params?: readonly Pair[];
    readonly tags?: readonly Pair[];
  };
}

/** A version as MLflow's `model-versions/get` tells it. */
export interface ModelVersion {
  readonly name: string;
  readonly version: string;
  readonly creation_timestamp: number;
  readonly last_updated_timestamp: number;
  readonly source: string;
  readonly run_id?: string;
  readonly description?: string;
  readonly current_stage: string;
  readonly status: string;
  readonly tags?: readonly Pair[];
  readonly aliases?: readonly string[];
}

/** What a run tab is given. */
export interface RunContext {
  readonly run: Run;
}

/** What an artifact viewer is given: one file. */
export interface FileContext {
  readonly file: {
    /** Below the run, logged model or version that it belongs to. */
    readonly path: string;
    readonly name: string;
    /** In bytes; null where the store does not tell. */
    readonly size: number | null;
    /** Where the server gives its bytes, for `fetch` and the `src` of pictures. */
    readonly url: string;
    /** The address that people use in code, such as `runs:/…/model.safetensors`. */
    readonly address: string;
    /** The bytes from `start` up to and without `end`, fewer where the file ends before; of a large file, nothing else is fetched. */
    readonly read: (start: number, end: number) => Promise<Uint8Array>;
    /** The text of the file, decoded as UTF-8, no more than its first `most` bytes. */
    readonly text: (most: number) => Promise<string>;
  };
}

/** What a chart is given: the runs that are drawn, in their order. */
export interface ChartContext {
  readonly runs: readonly {
    readonly run_id: string;
    readonly name: string;
    readonly status: string;
    readonly start_time: number | null;
    readonly experiment_id: string;
    /** The name of the style property that has its colour: `var(…)` in styles, `host.token(…)` on a canvas. */
    readonly color: string;
  }[];
}

/** What a registry panel is given. */
export interface VersionContext {
  readonly version: ModelVersion;
}

/** What the page does for an extension. All of it ends with the part that is mounted. */
export interface Host<C> {
  readonly api: 1;
  /** Aborted when the part is left; give it to `fetch` and `addEventListener`. */
  readonly signal: AbortSignal;
  /**
   * Ask the server that the page came from and read JSON: MLflow's protocol, such as `api/2.0/mlflow/runs/get`, or routes of the plugin's
   * own. `query` is put into the address; a `body` is sent as JSON, by POST unless `method` says otherwise. A refusal is an error with words
   * that can be shown.
   */
  readonly fetchJson: <T = Json>(path: string, asked?: { query?: Record<string, string | number | boolean | readonly string[]>; body?: object; method?: string }) => Promise<T>;
  readonly theme: "light" | "dark";
  /** Be told of the theme, now and when it changes. */
  readonly onTheme: (listener: (theme: "light" | "dark") => void) => void;
  /** Be told of the context when it changes: a run that goes on, other runs in a chart, a version that got an alias. */
  readonly onContext: (listener: (context: C) => void) => void;
  /** The value of a style property of the page, such as `--accent`, as the theme has it now. */
  readonly token: (name: string) => string;
  /** The address of a page of this UI, for links: `host.address("runs/" + id, { tab: "charts" })`. */
  readonly address: (path: string, query?: Record<string, string>) => string;
  /** Go there. */
  readonly navigate: (path: string, query?: Record<string, string>) => void;
  /** A text of the extension's own that the address of the page keeps, such as a filter; "" until one is set. Copied addresses have it, too. */
  readonly view: string;
  readonly setView: (text: string) => void;
  /** At most six significant digits. */
  readonly formatNumber: (value: number) => string;
  /** Whole numbers with thin spaces between thousands. */
  readonly formatCount: (value: number) => string;
  /** `12.3 MB`. */
  readonly formatBytes: (size: number) => string;
  /** `2026-11-27 14:05:09`, of milliseconds since 1970. */
  readonly formatTime: (ms: number) => string;
  /** `4 min 05 s`, of milliseconds. */
  readonly formatDuration: (ms: number) => string;
  /** Give the reader a file. */
  readonly download: (name: string, content: Blob | string) => void;
}
