/** Figures of the groups of a result, each column when it comes on screen. */
import { signal, type ReadonlySignal } from "@preact/signals";
import { post } from "../api/http";
import type { Question, Value } from "./windows";

export interface MetricFigures {
  readonly mean: readonly Value[];
  readonly std: readonly Value[];
  readonly n: readonly number[];
}

export interface TextFigures {
  readonly same: readonly Value[];
  readonly n: readonly number[];
}

export class GroupFigures {
  private readonly turns = signal(0);
  private figures = new Map<string, MetricFigures | TextFigures>();
  private coming = new Set<string>();
  private result = "";

  /** Rises whenever figures have come. */
  readonly turn: ReadonlySignal<number> = this.turns;

  of(name: string): MetricFigures | TextFigures | undefined {
    return this.figures.get(name);
  }

  /** Read what is missing of these columns; those of another result are forgotten. */
  async need(question: Question, result: string, names: readonly string[]): Promise<void> {
    if (result !== this.result) {
      this.result = result;
      this.figures = new Map();
      this.coming = new Set();
    }
    const missing = names.filter((name) => !this.figures.has(name) && !this.coming.has(name));
    if (missing.length === 0) return;
    const coming = this.coming;
    for (const name of missing) coming.add(name);
    try {
      const answer = await post<{ columns: Record<string, MetricFigures | TextFigures> }>("api/drupe/ui/groups", { ...question, result, columns: missing });
      if (this.result !== result) return;
      for (const [name, told] of Object.entries(answer.columns)) this.figures.set(name, told);
      this.turns.value += 1;
    } catch {
      for (const name of missing) coming.delete(name); // asked again with the next look
    }
  }
}
