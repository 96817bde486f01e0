/** The keys that the runs have, asked of the server when they are first needed: for completion, for the picker of columns, for grouping. */
import { signal, type ReadonlySignal } from "@preact/signals";
import { post } from "../api/http";
import type { Key } from "./completion";
import type { Kind } from "./names";
import { asError } from "../values/faults";

type Told = readonly [key: string, name: string, runs: number, differs: boolean | null];

interface Answer {
  readonly metrics: readonly Told[];
  readonly params: readonly Told[];
  readonly tags: readonly Told[];
  readonly attributes: readonly string[];
  readonly exports: readonly string[];
  readonly looked_at: number;
  readonly is_whole: boolean;
  readonly cut: readonly string[];
}

export interface RunKey extends Key {
  readonly key: string;
  readonly runs: number;
  /** Whether the runs have different values; of params and tags. */
  readonly differs: boolean | null;
}

export interface Keys {
  readonly all: readonly RunKey[];
  readonly attributes: readonly string[];
  readonly exports: readonly string[];
  /** How many runs were looked at; null when it was all of them. */
  readonly lookedAt: number | null;
  readonly isCut: boolean;
}

export class KeysOfRuns {
  private readonly keys = signal<Keys | null>(null);
  private readonly faults = signal<Error | null>(null);
  private asked = "";
  private values = new Map<string, Promise<readonly (readonly [string, number])[]>>();

  /** What is known; null until it has come. */
  readonly known: ReadonlySignal<Keys | null> = this.keys;
  readonly fault: ReadonlySignal<Error | null> = this.faults;

  /** Ask, unless these runs were asked about already; with `again` even then, while what is known stays. */
  async load(experiments: readonly string[], view: "active" | "deleted", again = false): Promise<void> {
    const asked = JSON.stringify({ experiments, view });
    if (asked === this.asked && !again) return;
    if (asked !== this.asked) this.keys.value = null;
    this.asked = asked;
    this.values.clear();
    try {
      const answer = await post<Answer>("api/drupe/ui/keys", { experiments, view, limit: 5000 });
      if (this.asked !== asked) return;
      this.faults.value = null;
      this.keys.value = {
        all: [...told("metric", answer.metrics), ...told("param", answer.params), ...told("tag", answer.tags)],
        attributes: answer.attributes,
        exports: answer.exports,
        lookedAt: answer.is_whole ? null : answer.looked_at,
        isCut: answer.cut.length > 0,
      };
    } catch (fault) {
      if (this.asked !== asked) return;
      this.asked = "";
      this.faults.value = asError(fault);
    }
  }

  /** The frequent values of a param, tag or attribute with the number of runs; none where it cannot be said. */
  valuesOf(name: string, experiments: readonly string[], view: "active" | "deleted"): Promise<readonly (readonly [string, number])[]> {
    const known = this.values.get(name);
    if (known) return known;
    const asked = post<{ values: readonly (readonly [string, number])[] }>("api/drupe/ui/values", { experiments, view, name }).then(
      (answer) => answer.values,
      () => [],
    );
    this.values.set(name, asked);
    return asked;
  }
}

function told(kind: Kind, keys: readonly Told[]): RunKey[] {
  return keys.map(([key, name, runs, differs]) => ({ key, name, kind, runs, differs }));
}
