/**
 * The rows of a runs table as far as they were looked at: the server keeps the order of a result, and windows of it are read when they come
 * on screen, each column when it does. Knows nothing of what is drawn.
 */
import { signal, type ReadonlySignal } from "@preact/signals";
import { post } from "../api/http";
import type { Columns } from "./view";

export interface Question {
  readonly experiments: readonly string[];
  readonly filter: string;
  readonly order: string;
  readonly view: "active" | "deleted";
  readonly group: string;
  readonly pinned: readonly string[];
}

export type Value = string | number | null;

export interface Groups {
  readonly values: readonly (string | null)[];
  readonly counts: readonly number[];
}

/** What is known of a result. `names` are its columns where the server was to pick them. */
export interface Head {
  readonly result: string;
  readonly total: number;
  readonly isCut: boolean;
  readonly pinned: number;
  readonly groups: Groups | null;
  readonly names: readonly string[] | null;
}

export interface RunRow {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly start: number;
  readonly end: number | null;
  readonly user: string;
  readonly experiment: string;
  /** Undefined while it is on its way, null where the run has none. */
  readonly value: (name: string) => Value | undefined;
}

interface Attributes {
  readonly run_name: readonly (string | null)[];
  readonly status: readonly (string | null)[];
  readonly start_time: readonly (number | null)[];
  readonly end_time: readonly (number | null)[];
  readonly user_id: readonly (string | null)[];
  readonly experiment_id: readonly (string | null)[];
}

interface Answer {
  readonly result: string;
  readonly total: number;
  readonly is_cut: boolean;
  readonly pinned: number;
  readonly offset: number;
  readonly ids: readonly string[];
  readonly attributes: Attributes;
  readonly columns: Readonly<Record<string, readonly Value[]>>;
  readonly picked?: readonly string[];
  readonly groups?: Groups;
  readonly new?: number;
}

interface Window {
  readonly ids: readonly string[];
  readonly attributes: Attributes;
  readonly columns: Map<string, readonly Value[]>;
  /** Those that were asked for: one run is one object for as long as the window stays as it is. */
  readonly rows: RunRow[];
}

export const WINDOW = 100;
/** So many windows are kept; those that are the farthest away go first. */
const KEPT = 60;
const PAUSE_MS = 40;
/** An answer that comes sooner is drawn without a sign of waiting before it, which would cost a frame. */
const PATIENCE_MS = 150;
const RUNS = "api/drupe/ui/runs";

export class RunRows {
  private readonly heads = signal<Head | null>(null);
  private readonly faults = signal<Error | null>(null);
  private readonly troubles = signal<Error | null>(null);
  private readonly waits = signal(false);
  private readonly turns = signal(0);
  private readonly news = signal(0);
  private windows = new Map<number, Window>();
  private coming = new Set<string>();
  /** Of what is coming, what has changed since it was asked for. */
  private old = new Set<string>();
  private question: Question | null = null;
  private columns: Columns = "picked";
  private held: Answer | null = null;
  /** Of what question the names of columns in the head are, so that they need not be picked again. */
  private picked = "";
  private asking: AbortController | null = null;
  /** Looks for other runs once the question under way is answered, from before there were some perhaps. */
  private later: (() => void) | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private patience: ReturnType<typeof setTimeout> | undefined;

  readonly head: ReadonlySignal<Head | null> = this.heads;
  readonly fault: ReadonlySignal<Error | null> = this.faults;
  /** Why some rows could not be read just now; what is shown is what was there before. */
  readonly trouble: ReadonlySignal<Error | null> = this.troubles;
  /** True when the answer to the last question takes so long that what is shown should not pass for it. */
  readonly isWaiting: ReadonlySignal<boolean> = this.waits;
  /** Rises whenever rows have come. */
  readonly turn: ReadonlySignal<number> = this.turns;
  /** How many runs there are that are not in the result that is shown. */
  readonly fresh: ReadonlySignal<number> = this.news;

  /** Ask another question; the rows of the last one stay until the answer is there. */
  async ask(question: Question, columns: Columns): Promise<void> {
    const known = this.picked === `${columns} ${question.experiments} ${question.view}` ? this.heads.peek()?.names : null;
    this.question = question;
    this.columns = columns;
    this.asking?.abort();
    const stop = (this.asking = new AbortController());
    this.later = null;
    clearTimeout(this.patience);
    this.patience = setTimeout(() => (this.waits.value = true), PATIENCE_MS);
    try {
      const answer = await this.sent({ offset: 0, columns: asked(known ?? columns) }, stop.signal);
      if (stop.signal.aborted) return;
      this.adopt(answer, columns);
    } catch (fault) {
      if (stop.signal.aborted) return;
      this.faults.value = fault instanceof Error ? fault : new Error(String(fault));
      this.later = null; // whoever asks again finds all there is then
    }
    this.asking = null;
    clearTimeout(this.patience);
    this.waits.value = false;
    this.lookAgain();
  }

  /** See whether there are other runs now: shown at once, or only counted in `fresh` until `showFresh`. */
  async renew(columns: Columns, { atOnce, offset = 0 }: { atOnce: boolean; offset?: number }): Promise<void> {
    if (this.asking) {
      this.later = () => void this.renew(columns, { atOnce, offset });
      return;
    }
    const before = this.heads.peek()?.result;
    if (!before) return;
    try {
      const answer = await this.sent({ offset: atOnce ? offset : 0, columns: asked(columns), since: before });
      if (this.heads.peek()?.result !== before || this.asking) return;
      if (answer.result === before) {
        this.keep(answer); // the same runs in the same order, with their values of now
        const head = this.heads.peek();
        if (head && answer.picked && answer.picked.join() !== head.names?.join()) this.heads.value = { ...head, names: answer.picked };
        this.turns.value += 1;
        return;
      }
      if (atOnce) return this.adopt(answer, columns);
      this.held = answer;
      this.news.value = answer.new ?? Math.max(0, answer.total - (this.heads.peek()?.total ?? 0));
    } catch {
      // the next change asks again, and what is shown is still right for its time
    }
  }

  /** Show the runs that `fresh` counts. */
  showFresh(columns: Columns): void {
    if (this.held) this.adopt(this.held, columns);
  }

  /** Read what is missing of these places and columns, soon. */
  need(first: number, last: number, names: readonly string[]): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      for (const at of windowsOf(first, last)) void this.read(at, names, false);
    }, this.windows.has(Math.floor(first / WINDOW)) ? PAUSE_MS : 0);
  }

  /** Read the values of these places again; their order stays. */
  async refresh(first: number, last: number, names: readonly string[]): Promise<void> {
    await Promise.all(windowsOf(first, last).map((at) => this.read(at, names, true)));
  }

  /** The run at a place of the result, if it is here. */
  row(place: number): RunRow | undefined {
    const at = Math.floor(place / WINDOW);
    const window = this.windows.get(at);
    const n = place - at * WINDOW;
    const id = window?.ids[n];
    if (!window || id === undefined) return undefined;
    const { run_name, status, start_time, end_time, user_id, experiment_id } = window.attributes;
    return (window.rows[n] ??= {
      id,
      name: run_name[n] ?? id,
      status: status[n] ?? "",
      start: start_time[n] ?? 0,
      end: end_time[n] ?? null,
      user: user_id[n] ?? "",
      experiment: experiment_id[n] ?? "",
      value: (name) => window.columns.get(name)?.[n],
    });
  }

  /** True when a run among these places has not ended. */
  someRunning(first: number, last: number): boolean {
    for (let place = Math.max(0, first); place <= last; place += 1) if (this.row(place)?.status === "RUNNING") return true;
    return false;
  }

  /** True when all values of a column that are here look like numbers, and there are some. */
  isNumeric(name: string): boolean {
    let seen = false;
    for (const window of this.windows.values())
      for (const value of window.columns.get(name) ?? []) {
        if (value === null || value === "") continue;
        if (typeof value === "string" && Number.isNaN(Number(value))) return false;
        seen = true;
      }
    return seen;
  }

  /** The ids of some places, also of those that are not here. */
  async ids(first: number, last: number): Promise<readonly string[]> {
    const form = { ...this.question, result: this.heads.peek()?.result, offset: first, count: last - first + 1 };
    return (await post<{ ids: readonly string[] }>("api/drupe/ui/ids", form)).ids;
  }

  private lookAgain(): void {
    const { later } = this;
    this.later = null;
    later?.();
  }

  private adopt(answer: Answer, columns: Columns): void {
    const { experiments, view } = this.question!;
    this.picked = typeof columns === "string" ? `${columns} ${experiments} ${view}` : "";
    const names = answer.picked ?? (typeof columns === "string" ? (this.heads.peek()?.names ?? null) : null);
    this.windows = new Map();
    this.coming.clear();
    this.held = null;
    this.news.value = 0;
    this.faults.value = this.troubles.value = null;
    this.keep(answer);
    this.heads.value = { result: answer.result, total: answer.total, isCut: answer.is_cut, pinned: answer.pinned, groups: answer.groups ?? null, names };
    this.turns.value += 1;
  }

  private async read(at: number, names: readonly string[], again: boolean): Promise<void> {
    const head = this.heads.peek();
    if (!head || at * WINDOW >= Math.max(1, head.total)) return;
    const window = this.windows.get(at);
    const missing = again ? names : names.filter((name) => !window?.columns.has(name));
    const mark = `${at}:${missing.join()}`;
    if (again && this.coming.has(mark)) this.old.add(mark);
    if ((window && missing.length === 0) || this.coming.has(mark)) return;
    this.coming.add(mark);
    try {
      const answer = await this.sent({ offset: at * WINDOW, columns: missing, result: head.result });
      if (this.heads.peek()?.result !== head.result) return;
      if (answer.result !== head.result) this.adopt(answer, this.columns);
      else this.keep(answer);
      this.turns.value += 1;
      this.troubles.value = null;
    } catch (fault) {
      if (this.heads.peek()?.result === head.result) this.troubles.value = fault instanceof Error ? fault : new Error(String(fault));
    } finally {
      this.coming.delete(mark);
      if (this.old.delete(mark)) void this.read(at, names, true);
    }
  }

  private keep({ offset, ids, attributes, columns }: Answer): void {
    const at = Math.floor(offset / WINDOW);
    const before = this.windows.get(at);
    this.windows.set(at, { ids, attributes, columns: new Map([...(before?.columns ?? []), ...Object.entries(columns)]), rows: [] });
    if (this.windows.size > KEPT) {
      const farthest = [...this.windows.keys()].reduce((one, other) => (Math.abs(other - at) > Math.abs(one - at) ? other : one));
      this.windows.delete(farthest);
    }
  }

  private sent(window: object, signal?: AbortSignal): Promise<Answer> {
    return post<Answer>(RUNS, { ...this.question, count: WINDOW, ...window }, signal);
  }
}

function asked(columns: Columns): "picked" | "all" | readonly string[] {
  return typeof columns === "string" ? columns : columns.slice(0, 40);
}

function windowsOf(first: number, last: number): number[] {
  const from = Math.floor(Math.max(0, first) / WINDOW);
  const to = Math.floor(Math.max(0, last) / WINDOW);
  return Array.from({ length: Math.min(6, to - from + 1) }, (_, n) => from + n);
}
