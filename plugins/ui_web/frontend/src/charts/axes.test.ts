import { expect, test } from "vitest";
import type uPlot from "uplot";
import { acrossText, axesOf } from "./axes";
import type { Across } from "./curves";

const WIDE = 1000;

function marksOf(across: Across, values: readonly number[]): unknown {
  const [x] = axesOf(across, "black", "grey", "11px x");
  return (x!.values as (...told: unknown[]) => unknown)(null, values, 0, 0, WIDE);
}

test("marks of steps are short, those of times since the run began have units", () => {
  expect(marksOf("step", [0, 500, 20_000, 3_000_000])).toEqual(["0", "500", "20k", "3M"]);
  expect(marksOf("relative", [0, 45, 150, 11_100])).toEqual(["0 s", "45 s", "2:30 min", "3:05 h"]);
  expect(acrossText("metric:loss", 0.25)).toBe("0.25");
});

test("on a logarithmic axis only powers of ten are told where there are several", () => {
  const [, y] = axesOf("step", "black", "grey", "11px x");
  const filter = y!.filter as (plot: uPlot, marks: number[]) => (number | null)[];
  const plot = (distr: number) => ({ scales: { y: { distr } } }) as unknown as uPlot;
  expect(filter(plot(3), [0.1, 0.2, 0.5, 1, 2])).toEqual([0.1, null, null, 1, null]);
  expect(filter(plot(3), [2, 3, 4])).toEqual([2, 3, 4]);
  expect(filter(plot(1), [0.1, 0.2, 1])).toEqual([0.1, 0.2, 1]);
});
