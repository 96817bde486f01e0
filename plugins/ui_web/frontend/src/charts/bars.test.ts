// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { sectionsOf } from "./answer";
import { barsOf } from "./bars";

test("bars begin at zero, wherever that lies, and what is no number has none", () => {
  expect(barsOf([1, 0.5, NaN])).toEqual([{ from: 0, share: 100 }, { from: 0, share: 50 }, { from: 0, share: 0 }]);
  expect(barsOf([-1, 3])).toEqual([{ from: 0, share: 25 }, { from: 25, share: 75 }]);
  expect(barsOf([0, 0])).toEqual([{ from: 0, share: 0 }, { from: 0, share: 0 }]);
});

test("sections with curves come before those of single values, and those of the machine at the end", () => {
  const keys = ["score", "eval/f1", "system/cpu", "train/loss", "val/loss"];
  expect(sectionsOf(keys, new Set(["train/loss", "val/loss", "system/cpu"])).map(([name]) => name)).toEqual(["train", "val", "", "eval", "system"]);
  expect(sectionsOf(keys).map(([name]) => name)).toEqual(["", "eval", "train", "val", "system"]);
});
