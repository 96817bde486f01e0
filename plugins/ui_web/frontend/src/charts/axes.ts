/** The axes of a plot: what stands at their marks, in which steps they go, and how much room they take. */
import type uPlot from "uplot";
import { shortNumber } from "../values/numbers";
import { time } from "../values/times";
import type { Across } from "./curves";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const SECONDS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 5 * DAY, 10 * DAY, 20 * DAY, 50 * DAY, 100 * DAY,
];
const WHOLE = [1, 2, 5].flatMap((n) => Array.from({ length: 16 }, (_, power) => n * 10 ** power)).sort((a, b) => a - b);

/** A value of the x axis in words. */
export function acrossText(across: Across, value: number): string {
  if (across === "wall") return time(value);
  if (across === "relative") return since(value);
  return shortNumber(value);
}

/** What the x axis is, for labels. */
export function acrossTitle(across: Across): string {
  if (across === "step") return "step";
  if (across === "wall") return "time";
  return across === "relative" ? "time since the run began" : across.slice("metric:".length);
}

/** The options of both axes, in the colours of the page. */
export function axesOf(across: Across, ink: string, lines: string, font: string): uPlot.Axis[] {
  const looks = { stroke: ink, font, grid: { stroke: lines, width: 1 }, ticks: { show: false }, border: { show: false } };
  const x: uPlot.Axis = { ...looks, size: 24, gap: 4, space: 70, grid: { show: false }, border: { show: true, stroke: lines, width: 1 } };
  if (across === "relative") Object.assign(x, { incrs: SECONDS });
  if (across === "step") Object.assign(x, { incrs: WHOLE });
  const text = across === "relative" ? since : marked;
  x.values = (_, marks, __, ___, increment) => marks.map((mark) => (mark === null ? "" : across === "wall" ? clock(mark, increment) : text(mark)));
  return [
    x,
    {
      ...looks,
      grid: { stroke: lines, width: 1, filter: (plot, marks) => (plot.scales["y"]?.distr === 3 ? decades(marks) : [...marks]) },
      filter: (plot, marks) => (plot.scales["y"]?.distr === 3 ? decades(marks) : [...marks]),
      gap: 6,
      space: 34,
      size: (_, texts) => 14 + Math.max(24, ...(texts ?? []).map((text) => (text?.length ?? 0) * 6.6)),
      values: (_, marks) => marks.map((mark) => (mark === null ? "" : marked(Number(mark.toPrecision(4))))),
    },
  ];
}

/**
 * Of the marks of a logarithmic axis the powers of ten, where there are several: lines for all of them would hide the curves. Where there are
 * not, those of one digit: the ends of the axis are none.
 */
function decades(marks: readonly number[]): (number | null)[] {
  const isPower = (value: number) => Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-9;
  const isRound = (value: number) => Math.abs(Number(value.toPrecision(1)) / value - 1) < 1e-9;
  const isKept = marks.filter(isPower).length < 2 ? (marks.filter(isRound).length < 2 ? () => true : isRound) : isPower;
  return marks.map((mark) => (isKept(mark) ? mark : null));
}

/** Numbers at marks: thousands and millions in short. */
function marked(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e12 || (size > 0 && size < 1e-4)) return shortNumber(value);
  for (const [unit, letter] of [[1e9, "G"], [1e6, "M"], [1e4, "k"]] as const)
    if (size >= unit) return `${shortNumber(value / (letter === "k" ? 1e3 : unit))}${letter}`;
  return shortNumber(value);
}

/** A moment at a mark, as closely as the marks stand; midnights are told as days. */
function clock(ms: number, increment: number): string {
  const [date = "", hours = ""] = time(ms).split(" ");
  if (increment >= DAY * 1000 || hours === "00:00:00") return date;
  if (increment >= MINUTE * 1000) return hours.slice(0, 5);
  return increment >= 1000 ? hours : `${hours.slice(3)}.${String(Math.floor(ms % 1000)).padStart(3, "0")}`;
}

/** Seconds as `0.2 s`, `45 s`, `2:30 min`, `3:05 h`, `2.5 d`. */
function since(seconds: number): string {
  const size = Math.abs(seconds);
  const sign = seconds < 0 ? "−" : "";
  if (size < MINUTE) return `${sign}${shortNumber(Number(size.toPrecision(4)))} s`;
  if (size < HOUR) return `${sign}${pair(size, MINUTE, 1)} min`;
  if (size < DAY) return `${sign}${pair(size, HOUR, MINUTE)} h`;
  return `${sign}${shortNumber(Number((size / DAY).toFixed(2)))} d`;
}

function pair(seconds: number, large: number, small: number): string {
  const whole = Math.floor(seconds / large);
  const rest = Math.floor((seconds % large) / small);
  return rest === 0 ? String(whole) : `${whole}:${String(rest).padStart(2, "0")}`;
}
