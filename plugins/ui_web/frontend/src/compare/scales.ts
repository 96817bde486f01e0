/** How values of a param or metric lie along an axis: as numbers, as their logarithms, or each different text in a place of its own. */

export type Value = string | number | null;

export interface Axis {
  readonly kind: "linear" | "log" | "category";
  /** The place of a value from 0 to 1; NaN where it has none. */
  readonly at: (value: Value) => number;
  /** What to write along the axis: a place from 0 to 1 and its text's value. */
  readonly marks: readonly { readonly at: number; readonly value: Value }[];
}

const CATEGORIES_MAX = 40;
const LOG_RATIO = 100;
const MARKS = 5;

/** A value as a number; NaN when it is none. */
export function asNumber(value: Value): number {
  return value === null || (typeof value === "string" && value.trim() === "") ? NaN : Number(value);
}

/** True where all values that there are read as numbers. */
export function areNumbers(values: readonly Value[]): boolean {
  return values.some((value) => value !== null) && values.every((value) => value === null || value === "NaN" || !Number.isNaN(asNumber(value)));
}

/** The axis of some values; logarithmic when that is asked for, or when not said and they are positive and spread over two powers of ten. */
export function axisOf(values: readonly Value[], wanted?: "linear" | "log"): Axis {
  if (!areNumbers(values)) return categories(values);
  const numbers = values.map(asNumber).filter(Number.isFinite);
  const low = least(numbers);
  const high = most(numbers);
  const isLog = low > 0 && wanted !== "linear" && (wanted === "log" || high / low >= LOG_RATIO);
  return isLog ? logarithmic(low, high) : linear(low, high);
}

/** The lowest of many numbers; Infinity for none. */
export function least(numbers: readonly number[]): number {
  return numbers.reduce((low, number) => Math.min(low, number), Infinity);
}

/** The highest of many numbers; −Infinity for none. */
export function most(numbers: readonly number[]): number {
  return numbers.reduce((high, number) => Math.max(high, number), -Infinity);
}

function linear(low: number, high: number): Axis {
  // halves, since the distance of the largest numbers is none itself
  const at = (value: number) => (high > low ? (value / 2 - low / 2) / (high / 2 - low / 2) : 0.5);
  const step = niceStep(high / MARKS - low / MARKS);
  const first = Math.ceil(low / step - 1e-9) * step;
  const count = high > low ? Math.floor(high / step - first / step + 1e-9) + 1 : 1;
  const values = high > low ? Array.from({ length: count }, (_, n) => Number((first + n * step).toPrecision(12))) : [low];
  return { kind: "linear", at: (value) => placed(asNumber(value), at), marks: marked(values, at) };
}

function logarithmic(low: number, high: number): Axis {
  const at = (value: number) => (high > low ? (Math.log(value) - Math.log(low)) / (Math.log(high) - Math.log(low)) : 0.5);
  const powers: number[] = [];
  for (let power = Math.ceil(Math.log10(low) - 1e-9); power <= Math.log10(high) + 1e-9; power += 1) powers.push(Number(`1e${power}`));
  const every = Math.max(1, Math.ceil(powers.length / (MARKS + 1)));
  const values = powers.length > 1 ? powers.filter((_, n) => n % every === 0) : [...new Set([low, ...powers, high])];
  return { kind: "log", at: (value) => placed(asNumber(value), at), marks: marked(values, at) };
}

function categories(values: readonly Value[]): Axis {
  const different = [...new Set(values.filter((value) => value !== null).map(String))].sort((one, other) => one.localeCompare(other, undefined, { numeric: true }));
  const place = new Map(different.map((text, n) => [text, different.length > 1 ? n / (different.length - 1) : 0.5]));
  const every = Math.ceil(different.length / CATEGORIES_MAX);
  return {
    kind: "category",
    at: (value) => (value === null ? NaN : place.get(String(value)) ?? NaN),
    marks: different.filter((_, n) => n % every === 0).map((text) => ({ at: place.get(text)!, value: text })),
  };
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough || 1));
  return ([1, 2, 5, 10].find((factor) => factor * power >= rough - 1e-12) ?? 10) * power;
}

/** The place of a number; NaN of what is none, even where all others are equal and stand in the middle. */
function placed(number: number, at: (number: number) => number): number {
  const place = Number.isFinite(number) ? at(number) : NaN;
  return Number.isFinite(place) ? place : NaN;
}

function marked(values: readonly number[], at: (number: number) => number): Axis["marks"] {
  return values.filter(Number.isFinite).map((value) => ({ at: at(value), value }));
}
