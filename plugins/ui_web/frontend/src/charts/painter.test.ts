import { expect, test } from "vitest";
import type uPlot from "uplot";
import type { Curve } from "./curves";
import { paint, placing } from "./painter";
import { recording } from "./recording";

const numbers = (length: number, at: (n: number) => number) => Float64Array.from({ length }, (_, n) => at(n));
const curve = (runId: string, xs: Float64Array, ys: Float64Array): Curve => ({ runId, xs, ys, steps: xs, smooth: null, isOrdered: true });

/** A plot of 100 by 50 pixels whose left upper corner is at (10, 20). */
function plotOf(x: readonly [number, number], y: readonly [number, number], distr: 1 | 3 = 1) {
  const { context, lines } = recording();
  const scales = { x: { min: x[0], max: x[1], distr: 1 }, y: { min: y[0], max: y[1], distr } };
  return { plot: { ctx: context, bbox: { left: 10, top: 20, width: 100, height: 50 }, scales } as unknown as uPlot, lines };
}

Object.assign(globalThis, { devicePixelRatio: 1 });

test("the lowest value of a scale is at the left or the bottom, the highest at the right or the top", () => {
  const { plot } = plotOf([0, 10], [-1, 1]);
  expect([0, 5, 10].map(placing(plot, "x"))).toEqual([10, 60, 110]);
  expect([-1, 0, 1].map(placing(plot, "y"))).toEqual([70, 45, 20]);
});

test("on a logarithmic scale powers of ten are equally far apart, and what is not above zero has no place", () => {
  const { plot } = plotOf([0, 10], [0.1, 10], 3);
  expect([0.1, 1, 10].map(placing(plot, "y")).map(Math.round)).toEqual([70, 45, 20]);
  expect([0, -1].map(placing(plot, "y"))).toEqual([NaN, NaN]);
});

test("of thousands of points in one column of pixels the spike is drawn, up and down, and far fewer places than points", () => {
  const { plot, lines } = plotOf([0, 99_999], [0, 10]);
  const ys = numbers(100_000, (n) => (n === 54_321 ? 10 : n === 12_345 ? 0 : 5));
  paint(plot, { curves: [curve("a", numbers(100_000, (n) => n), ys)], bands: [], colorOf: () => "red", marked: "" });
  const places = lines.flatMap((line) => line.places);
  expect(places.some(([x, y]) => Math.floor(x) === 64 && y === 20)).toBe(true);
  expect(places.some(([x, y]) => Math.floor(x) === 22 && y === 70)).toBe(true);
  expect(places.length).toBeLessThan(420);
});

test("a value that is no number breaks the line", () => {
  const { plot, lines } = plotOf([0, 3], [0, 1]);
  const broken = [0, 1, NaN, 1];
  paint(plot, { curves: [curve("a", numbers(4, (n) => n), numbers(4, (n) => broken[n]!))], bands: [], colorOf: () => "red", marked: "" });
  expect(lines.flatMap((line) => line.places).every(([x, y]) => Number.isFinite(x) && Number.isFinite(y))).toBe(true);
  expect(lines.flatMap((line) => line.places).some(([x]) => Math.round(x) === 77)).toBe(false);
});

test("the marked curve is drawn last and strongest, the others faintly; of what lies beside the frame only the next points are drawn", () => {
  const { plot, lines } = plotOf([40, 60], [0, 1]);
  const xs = numbers(101, (n) => n);
  const curves = ["a", "b", "c"].map((runId) => curve(runId, xs, numbers(101, () => 0.5)));
  paint(plot, { curves, bands: [], colorOf: (id) => id, marked: "a" });
  expect(lines.map(({ color, width, alpha }) => [color, width, alpha])).toEqual([["b", 1.5, 0.22], ["c", 1.5, 0.22], ["a", 2.5, 1]]);
  expect(Math.min(...lines[0]!.places.map(([x]) => x))).toBe(5);
  expect(Math.max(...lines[0]!.places.map(([x]) => x))).toBe(115);
});
