/** Series as curves: what stands on the x axis, smoothing, extents, and which point is the nearest. Numbers only; nothing is drawn here. */
import type { Series } from "../api/series";

/** What the x axis shows: steps, seconds since the run began, the clock, or another metric (`metric:<key>`). */
export type Across = "step" | "relative" | "wall" | `metric:${string}`;

export interface Curve {
  readonly runId: string;
  readonly xs: Float64Array;
  readonly ys: Float64Array;
  readonly steps: Float64Array;
  /** The smoothed values; null without smoothing. */
  readonly smooth: Float64Array | null;
  /** True where `xs` never falls, so that it can be searched by halving. */
  readonly isOrdered: boolean;
}

export interface Extent {
  readonly low: number;
  readonly high: number;
}

/** A factor of smoothing means the same whatever the number of points: it is what is kept over this share of the shown width. */
const SMOOTHED_SHARE = 1 / 1000;

/** The last number below 2^63: no step is further from zero. */
const STEP_MAX = 2 ** 63 - 1024;

/** Curves of series; `starts` are the begins of runs in ms, `others` the series of the metric that is the x axis. */
export function curvesOf(
  series: readonly Series[],
  across: Across,
  starts: ReadonlyMap<string, number | null>,
  others: readonly Series[] = [],
  smoothing: { readonly factor: number; readonly buckets: number } = { factor: 0, buckets: 1 },
): readonly Curve[] {
  const byRun = new Map(others.map((one) => [one.runId, one]));
  return series.flatMap((one) => {
    const xs = acrossOf(one, across, starts.get(one.runId) ?? one.times[0] ?? 0, byRun.get(one.runId));
    if (!xs) return [];
    const isOrdered = neverFalls(xs);
    const width = one.isSampled ? rangeWidth(one.steps[0] ?? 0, one.steps.at(-1) ?? 0, smoothing.buckets) : 1;
    const smooth = smoothing.factor > 0 && one.values.length > 2 ? smoothed(one.steps, one.values, smoothing.factor, width) : null;
    return [{ runId: one.runId, xs, ys: one.values, steps: one.steps, smooth, isOrdered }];
  });
}

function acrossOf(one: Series, across: Across, start: number, other: Series | undefined): Float64Array | null {
  if (across === "step") return one.steps;
  if (across === "wall") return one.times;
  if (across === "relative") return one.times.map((at) => (at - start) / 1000);
  return other ? held(one.steps, other) : null;
}

/** The values that another metric had at these steps: the last that was logged there or before; NaN before the first. */
export function held(steps: Float64Array, other: Series): Float64Array {
  let at = -1;
  return steps.map((step) => {
    while (at + 1 < other.steps.length && other.steps[at + 1]! <= step) at += 1;
    return at < 0 ? NaN : other.values[at]!;
  });
}

/**
 * An exponential moving average whose memory is measured along the steps: over a gap of `d` steps the old average keeps the weight
 * `factor ** (d / (span / 1000))`, with the bias of the first values taken out as Adam does (Kingma and Ba 2015, section 3). Of each range of
 * `width` steps only the last point counts, for the lowest and highest that stand beside it were chosen and say nothing of the mean. Values
 * that are not finite are passed over and stay as they are.
 */
export function smoothed(steps: Float64Array, values: Float64Array, factor: number, width = 1): Float64Array {
  const found = new Float64Array(values.length);
  const span = (steps.at(-1) ?? 0) - (steps[0] ?? 0);
  const unit = Math.max(span * SMOOTHED_SHARE, 1e-9);
  const least = Math.max(width, span / Math.max(1, values.length - 1));
  let sum = 0;
  let weight = 0;
  let before = NaN;
  for (let n = 0; n < values.length; n += 1) {
    const value = values[n]!;
    if (!Number.isFinite(value)) {
      found[n] = value;
      continue;
    }
    const isLast = n === values.length - 1 || Math.floor(steps[n + 1]! / width) !== Math.floor(steps[n]! / width) || width === 1;
    if (isLast || weight === 0) {
      const gap = weight === 0 ? least : Math.max(steps[n]! - before, 0);
      const kept = factor ** (gap / unit);
      before = steps[n]!;
      sum = sum * kept + value * (1 - kept);
      weight = weight * kept + (1 - kept);
    }
    found[n] = weight > 0 ? sum / weight : value;
  }
  return found;
}

/** The width of the ranges that a server cuts a series into: the least power of two whose multiples make at most `buckets` of them. */
export function rangeWidth(low: number, high: number, buckets: number): number {
  let width = 1;
  while (Math.floor(high / width) - Math.floor(low / width) >= buckets) width *= 2;
  return width;
}

/** Steps widened to whole ranges of a chart: a server then need not open what lies beside them. */
export function inRanges({ low, high }: Extent, buckets: number): Extent {
  const [first, last] = [Math.floor(low), Math.ceil(high)];
  const width = rangeWidth(first, last, buckets);
  const begin = Math.floor(first / width) * width;
  const end = (Math.floor(last / width) + 1) * width - 1;
  return { low: Math.max(begin, -STEP_MAX), high: Math.min(end, STEP_MAX) };
}

/** From where to where the curves go along x; null where they have no point. */
export function extentAcross(curves: readonly Curve[], isLog: boolean): Extent | null {
  return extent(curves.map((curve) => curve.xs), isLog);
}

/** From where to where the curves go along y, as far as x is in `within`. */
export function extentUp(curves: readonly Curve[], within: Extent, isLog: boolean): Extent | null {
  let low = Infinity;
  let high = -Infinity;
  for (const { xs, ys, smooth } of curves)
    for (let n = 0; n < xs.length; n += 1) {
      const x = xs[n]!;
      if (!(x >= within.low && x <= within.high)) continue;
      const y = ys[n]!;
      if (Number.isFinite(y) && !(isLog && y <= 0)) {
        if (y < low) low = y;
        if (y > high) high = y;
      }
      const s = smooth?.[n];
      if (s !== undefined && Number.isFinite(s) && !(isLog && s <= 0)) {
        if (s < low) low = s;
        if (s > high) high = s;
      }
    }
  return low <= high ? { low, high } : null;
}

/** With room on both sides, so that no line lies on the frame; a single value stands in the middle. */
export function roomy({ low, high }: Extent, isLog: boolean, share = 0.05): Extent {
  if (isLog) {
    const room = low === high ? 2 : (high / low) ** share;
    return { low: low / room, high: high * room };
  }
  const room = low === high ? Math.abs(low) * 0.1 || 1 : (high - low) * share;
  return { low: low - room, high: high + room };
}

/** The steps of the points whose x is within an extent: what is to be asked for again to see it closely. */
export function stepsWithin(curves: readonly Curve[], within: Extent): Extent | null {
  let low = Infinity;
  let high = -Infinity;
  for (const { xs, steps } of curves) {
    let last = NaN;
    for (let n = 0; n < xs.length; n += 1) {
      const isIn = xs[n]! >= within.low && xs[n]! <= within.high;
      const wasPassed = xs[n]! > within.high && last < within.low;
      if (isIn || wasPassed) {
        low = Math.min(low, steps[Math.max(0, n - 1)]!);
        high = Math.max(high, steps[Math.min(steps.length - 1, n + 1)]!);
      }
      last = xs[n]!;
    }
  }
  return low <= high ? { low, high } : null;
}

export interface Nearest {
  readonly curve: Curve;
  readonly place: number;
}

/** The point nearest to a place on the screen; `px` and `py` say where on it a value is drawn. */
export function nearest(curves: readonly Curve[], left: number, top: number, px: (x: number) => number, py: (y: number) => number, x: number, reach = 28): Nearest | null {
  let best: Nearest | null = null;
  let least = Infinity;
  for (const curve of curves) {
    const { xs } = curve;
    const ys = curve.smooth ?? curve.ys;
    const look = (n: number): boolean => {
      const across = px(xs[n]!) - left;
      const distance = Math.hypot(across, py(ys[n]!) - top);
      if (distance < least) {
        least = distance;
        best = { curve, place: n };
      }
      return Math.abs(across) <= reach;
    };
    if (!curve.isOrdered) {
      for (let n = 0; n < xs.length; n += 1) look(n);
      continue;
    }
    const middle = firstAtOrAfter(xs, x);
    for (let n = middle; n < xs.length && look(n); n += 1);
    for (let n = middle - 1; n >= 0 && look(n); n -= 1);
  }
  return best;
}

/** The place of the first number that is not below `x`. */
export function firstAtOrAfter(xs: Float64Array, x: number): number {
  let low = 0;
  let high = xs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xs[middle]! < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

function extent(columns: readonly Float64Array[], isLog: boolean): Extent | null {
  let low = Infinity;
  let high = -Infinity;
  for (const column of columns)
    for (const value of column) {
      if (!Number.isFinite(value) || (isLog && value <= 0)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  return low <= high ? { low, high } : null;
}

function neverFalls(xs: Float64Array): boolean {
  for (let n = 1; n < xs.length; n += 1) if (!(xs[n]! >= xs[n - 1]!)) return false;
  return true;
}
