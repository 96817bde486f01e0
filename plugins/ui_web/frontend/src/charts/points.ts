/** The points of one chart as the server has them: what is asked for, and by whom it is asked at most once. Nothing is drawn here. */
import { readSeries, type Series } from "../api/series";
import type { Extent } from "./curves";

export interface Question {
  readonly runIds: readonly string[];
  readonly metric: string;
  /** The metric that is the x axis; "" for none. */
  readonly other: string;
  readonly buckets: number;
  /** Whole numbers, both included; null for all. */
  readonly steps: Extent | null;
}

export interface Answer {
  readonly question: Question;
  readonly series: readonly Series[];
  /** Of the metric that is the x axis. */
  readonly others: readonly Series[];
}

/** The share of what is seen that a closer answer must hold to be drawn until the next one is there. */
const HELD_SHARE = 0.7;

/** So long an answer is waited for before the same is asked anew. */
const PATIENCE_MS = 10_000;

/** Asks one question at a time: the newest, and the same never twice. */
export class Asker {
  private stop: AbortController | null = null;
  private last = "";
  private since: unknown = null;
  private isUnderWay = false;
  private askedAt = 0;
  /** Asks for the same again once its answer is there, where the points may be others since. */
  private later: (() => void) | null = null;

  /** `tell` hears what came, `fail` what went wrong, or null where nothing did. */
  constructor(
    private readonly tell: (answer: Answer) => void,
    private readonly fail: (fault: Error | null) => void,
  ) {}

  /**
   * Ask, and drop what was asked before. Does nothing where the same was asked, unless `since` is another value: then the points may be others, and
   * it is asked again when the answer under way is there. Were that dropped, nothing would be drawn where points come more often than answers.
   */
  ask(question: Question, since: unknown): void {
    const text = JSON.stringify(question);
    if (this.stop && text === this.last) {
      if (since === this.since) return;
      if (this.isUnderWay && performance.now() - this.askedAt < PATIENCE_MS) {
        this.later = () => this.ask(question, since);
        return;
      }
    }
    this.drop();
    const { signal } = (this.stop = new AbortController());
    [this.last, this.since, this.isUnderWay, this.askedAt] = [text, since, true, performance.now()];
    const ended = (tell: () => void) => {
      if (signal.aborted) return;
      this.isUnderWay = false;
      const { later } = this;
      this.later = null;
      tell();
      if (!signal.aborted) later?.();
    };
    read(question, signal).then(
      (answer) => ended(() => (this.fail(null), this.tell(answer))),
      (fault: unknown) => ended(() => this.fail(fault instanceof Error ? fault : new Error(String(fault)))),
    );
  }

  /** Drop what is on its way, and forget what was asked. */
  drop(): void {
    this.stop?.abort();
    this.stop = this.later = null;
  }
}

/** Whether a closer answer may be drawn where another part of the same curves is wanted: it shows most of that. */
export function shows(answer: Answer, wanted: Question): boolean {
  const { question } = answer;
  if (!question.steps || !wanted.steps || curvesText(question) !== curvesText(wanted)) return false;
  const held = Math.min(question.steps.high, wanted.steps.high) - Math.max(question.steps.low, wanted.steps.low);
  return held >= (wanted.steps.high - wanted.steps.low) * HELD_SHARE;
}

function curvesText({ runIds, metric, other }: Question): string {
  return JSON.stringify([runIds, metric, other]);
}

async function read(question: Question, signal: AbortSignal): Promise<Answer> {
  const { runIds, metric, other, buckets, steps } = question;
  const range = steps ? { firstStep: steps.low, lastStep: steps.high } : {};
  const found = await readSeries({ runIds, keys: other ? [metric, other] : [metric], buckets, ...range }, signal);
  return { question, series: found.filter((one) => one.key === metric), others: found.filter((one) => one.key === other) };
}
