import { expect, test } from "vitest";
import { bandsOf } from "./bands";
import { curvesOf, extentUp, held, nearest, rangeWidth, smoothed, stepsWithin, type Curve } from "./curves";
import { figuresOf } from "./twin";

const numbers = (...values: number[]) => Float64Array.from(values);
const series = (steps: Float64Array, values: Float64Array) => ({ runId: "r", key: "k", steps, times: steps.map((step) => 5000 + step * 1000), values, isSampled: false });
const curve = (runId: string, xs: Float64Array, ys: Float64Array): Curve => ({ runId, xs, ys, steps: xs, smooth: null, isOrdered: true });

test("relative time is in seconds since the run began", () => {
  const [one] = curvesOf([series(numbers(0, 1, 2), numbers(1, 2, 3))], "relative", new Map([["r", 4000]]));
  expect([...one!.xs]).toEqual([1, 2, 3]);
});

test("another metric has at a step the value that was logged last", () => {
  expect([...held(numbers(0, 5, 10, 15), series(numbers(5, 12), numbers(7, 8)))]).toEqual([NaN, 7, 7, 8]);
});

test("smoothing keeps a constant, passes over what is no number, and follows the values", () => {
  expect([...smoothed(numbers(0, 1, 2, 3), numbers(2, 2, NaN, 2), 0.9)].map((value) => Number(value.toFixed(9)))).toEqual([2, 2, NaN, 2]);
  const steps = Float64Array.from({ length: 1001 }, (_, n) => n);
  const found = smoothed(steps, steps.map((step) => (step < 500 ? 0 : 1)), 0.9);
  expect(found[499]).toBe(0);
  expect(found[500]).toBeCloseTo(0.1, 6);
  expect(found[520]).toBeCloseTo(1 - 0.9 ** 21, 6);
});

test("a spike that was chosen as the highest of its range does not pull the smoothed line", () => {
  const found = smoothed(numbers(0, 3, 7, 8, 12, 15), numbers(1, 900, 1, 1, -900, 1), 0.5, 8);
  expect([...found]).toEqual([1, 1, 1, 1, 1, 1]);
});

test("ranges are as wide as the server's", () => {
  expect(rangeWidth(0, 99_999, 1408)).toBe(128);
  expect(rangeWidth(50_000, 55_999, 1408)).toBe(8);
  expect(rangeWidth(5, 5, 1)).toBe(1);
});

test("the extent is of what is shown, without what a logarithm has no place for", () => {
  const one = curve("a", numbers(0, 1, 2, 3), numbers(-1, 4, Infinity, 9));
  expect(extentUp([one], { low: 0, high: 2 }, false)).toEqual({ low: -1, high: 4 });
  expect(extentUp([one], { low: 0, high: 3 }, true)).toEqual({ low: 4, high: 9 });
  expect(extentUp([one], { low: 7, high: 8 }, false)).toBeNull();
});

test("a part between two points is asked for with both of them", () => {
  expect(stepsWithin([curve("a", numbers(0, 10, 20, 30), numbers(1, 1, 1, 1))], { low: 12, high: 15 })).toEqual({ low: 10, high: 30 });
});

test("the nearest point is found among curves, ordered or not", () => {
  const loop: Curve = { ...curve("loop", numbers(5, 1, 5), numbers(0, 5, 9)), isOrdered: false };
  const same = (value: number) => value;
  expect(nearest([curve("a", numbers(0, 5, 10), numbers(3, 3, 3)), loop], 5, 8, same, same, 5)).toMatchObject({ place: 2, curve: { runId: "loop" } });
  expect(nearest([curve("a", numbers(0, 5, 10), numbers(3, 3, 3)), loop], 9, 2, same, same, 9)).toMatchObject({ place: 2, curve: { runId: "a" } });
});

test("a band has the mean of its members and keeps every spike", () => {
  const members = [curve("a", numbers(0, 50, 50.1, 50.2, 100), numbers(0, 0, 70, 0, 0)), curve("b", numbers(0, 100), numbers(2, 2))];
  const [band] = bandsOf(members, () => "g", "range");
  expect(band!.mean[0]).toBe(1);
  expect(Math.max(...band!.high)).toBe(70);
  expect(Math.min(...band!.low)).toBe(0);
  const [spread] = bandsOf(members, () => "g", "std");
  expect(spread!.high[0]! - spread!.mean[0]!).toBeCloseTo(Math.SQRT2, 9);
});

test("the table tells the last, lowest and highest of the part that is shown", () => {
  expect(figuresOf(curve("a", numbers(0, 1, 2, 3), numbers(8, NaN, 3, 5)), { low: 1, high: 3 })).toEqual({ last: 5, x: 3, min: 3, max: 5 });
  expect(figuresOf(curve("a", numbers(0), numbers(8)), { low: 1, high: 3 })).toBeUndefined();
});
