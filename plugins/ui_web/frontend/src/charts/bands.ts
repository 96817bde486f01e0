/** Runs of a group as one band: their mean, and around it the range from the lowest to the highest or one standard deviation. */
import { extentAcross, type Curve } from "./curves";

export type BandKind = "range" | "std";

export interface Band {
  readonly group: string;
  readonly xs: Float64Array;
  readonly mean: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
}

const PLACES = 240;

/**
 * One band for each group, over places at equal distances (equal ratios where x is logarithmic) where at least one member has values.
 * A member counts at a place between its first and last point, with the value on the straight line between its neighbours there. The range
 * takes every point of the members between two places, so that no spike is lost; the deviation is that of a sample, 0 for one member.
 */
export function bandsOf(curves: readonly Curve[], groupOf: (runId: string) => string | null, kind: BandKind, isLog = false): readonly Band[] {
  const groups = new Map<string, Curve[]>();
  for (const curve of curves) {
    const group = groupOf(curve.runId);
    if (group !== null && curve.isOrdered) groups.set(group, [...(groups.get(group) ?? []), curve]);
  }
  return [...groups].flatMap(([group, members]) => {
    const whole = extentAcross(members, isLog);
    return whole ? [banded(group, members, placesBetween(whole.low, whole.high, isLog), kind)] : [];
  });
}

function placesBetween(low: number, high: number, isLog: boolean): Float64Array {
  if (low === high) return Float64Array.of(low);
  const at = (share: number) => (isLog ? low * (high / low) ** share : low + (high - low) * share);
  return Float64Array.from({ length: PLACES }, (_, n) => (n === PLACES - 1 ? high : at(n / (PLACES - 1))));
}

function banded(group: string, members: readonly Curve[], xs: Float64Array, kind: BandKind): Band {
  const count = new Float64Array(xs.length);
  const sum = new Float64Array(xs.length);
  const squares = new Float64Array(xs.length);
  const low = new Float64Array(xs.length).fill(Infinity);
  const high = new Float64Array(xs.length).fill(-Infinity);
  for (const member of members) {
    const ys = member.smooth ?? member.ys;
    let n = 0;
    for (let at = 0; at < xs.length; at += 1) {
      const x = xs[at]!;
      while (n < ys.length && member.xs[n]! < x) {
        widen(low, high, at, ys[n]!);
        n += 1;
      }
      if (n >= ys.length || (n === 0 && member.xs[0]! > x)) continue;
      const value = between(member.xs, ys, n, x);
      if (!Number.isFinite(value)) continue;
      widen(low, high, at, value);
      count[at]! += 1;
      const gap = value - sum[at]!; // Welford's way: sums of squares of large values would lose the small differences
      sum[at]! += gap / count[at]!;
      squares[at]! += gap * (value - sum[at]!);
    }
  }
  const kept = [...xs.keys()].filter((at) => count[at]! > 0);
  const chosen = (column: Float64Array) => Float64Array.from(kept, (at) => column[at]!);
  const std = squares.map((square, at) => (count[at]! > 1 ? Math.sqrt(square / (count[at]! - 1)) : 0));
  const isRange = kind === "range";
  return {
    group,
    xs: chosen(xs),
    mean: chosen(sum),
    low: chosen(isRange ? low : sum.map((mean, at) => mean - std[at]!)),
    high: chosen(isRange ? high : sum.map((mean, at) => mean + std[at]!)),
  };
}

function between(xs: Float64Array, ys: Float64Array, n: number, x: number): number {
  if (n === 0 || xs[n] === x) return ys[n]!;
  const [before, after] = [xs[n - 1]!, xs[n]!];
  return ys[n - 1]! + ((ys[n]! - ys[n - 1]!) * (x - before)) / (after - before || 1);
}

function widen(low: Float64Array, high: Float64Array, at: number, value: number): void {
  if (value < low[at]!) low[at] = value;
  if (value > high[at]!) high[at] = value;
}
