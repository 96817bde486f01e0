// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { boxesOf, quantile } from "./boxes";
import { brushedBy } from "./parallel";
import { axisOf } from "./scales";
import { linesOf } from "./sides";

test("an axis is logarithmic for positive numbers over two powers of ten, and not where that is not wanted", () => {
  const axis = axisOf(["0.001", "0.1", "1", null]);
  expect(axis.kind).toBe("log");
  expect(axis.at("0.1")).toBeCloseTo(2 / 3, 9);
  expect(axis.at(null)).toBeNaN();
  expect(axisOf(["0.001", "1"], "linear").kind).toBe("linear");
  expect(axisOf([0, 1000]).kind).toBe("linear");
});

test("texts have a place each, numbers in them in the order of numbers", () => {
  const axis = axisOf(["resnet50", "resnet101", "vit"]);
  expect(axis.marks.map(({ value }) => value)).toEqual(["resnet50", "resnet101", "vit"]);
  expect(axis.at("resnet101")).toBe(0.5);
});

test("marks of a linear axis are round", () => {
  expect(axisOf([0.13, 0.97]).marks.map(({ value }) => value)).toEqual([0.2, 0.4, 0.6, 0.8]);
  expect(axisOf([7, 7]).marks).toEqual([{ at: 0.5, value: 7 }]);
});

test("what is no number has no place, not even among equals, and the largest numbers have one each", () => {
  const axis = axisOf([7, null, "NaN", 7]);
  expect([7, null, "NaN", Infinity].map((value) => axis.at(value))).toEqual([0.5, NaN, NaN, NaN]);
  expect(axisOf(["NaN", null]).marks).toEqual([]);
  const wide = axisOf([-1e308, 0, 1e308]);
  expect([-1e308, 0, 1e308].map((value) => wide.at(value))).toEqual([0, 0.5, 1]);
  expect(wide.marks.length).toBeGreaterThan(2);
  const far = axisOf([5e-324, 1, 1.7e308]);
  expect([far.kind, far.at(5e-324), far.at(1.7e308)]).toEqual(["log", 0, 1]);
});

test("boxes have the quartiles, whiskers that reach 1.5 boxes, and what lies outside", () => {
  const [box] = boxesOf(Array(9).fill("a"), [1, 2, 3, 4, 5, 6, 7, 8, 40]);
  expect(box).toMatchObject({ count: 9, q1: 3, median: 5, q3: 7, low: 1, high: 8, outside: [40] });
  expect(quantile([1, 2], 0.25)).toBe(1.25);
});

test("whiskers go no nearer than the box, whose ends may lie between values", () => {
  const [box] = boxesOf(Array(4).fill("a"), [1, 10, 10, 10]);
  expect(box).toMatchObject({ q1: 7.75, q3: 10, low: 7.75, high: 10, outside: [1] });
});

test("ends of bins have three digits", () => {
  const by = Array.from({ length: 9 }, (_, n) => String(0.1234567 + n));
  expect(boxesOf(by, by.map(Number))[0]!.title).toBe("0.123 – 0.123");
});

test("many numbers are put into bins of as many runs, by number and not by text", () => {
  const by = Array.from({ length: 80 }, (_, n) => String(n));
  const boxes = boxesOf(by, by.map(Number));
  expect(boxes.map((box) => box.count)).toEqual(Array(8).fill(10));
  expect(boxes[1]!.title).toBe("10 – 19");
});

test("keys choose a part of an axis, move it, change it and let it go", () => {
  const up = { key: "ArrowUp", shiftKey: false };
  expect(brushedBy(up, null)).toEqual({ low: 0, high: 0.5 });
  expect(brushedBy(up, { low: 0.5, high: 1 })).toEqual({ low: 0.5, high: 1 });
  expect(brushedBy({ ...up, shiftKey: true }, { low: 0, high: 0.5 })).toEqual({ low: 0, high: 0.55 });
  expect(brushedBy({ key: "Escape", shiftKey: false }, { low: 0, high: 1 })).toBeNull();
  expect(brushedBy({ key: "a", shiftKey: false }, null)).toBeUndefined();
});

test("sections stand above their rows, and go with them where only differences are shown", () => {
  const row = (section: string, key: string, differs: boolean) => ({ section, key, values: [], differs });
  const rows = [row("params", "a", true), row("params", "b", false), row("tags", "c", false)];
  expect(linesOf(rows, false).map(({ key }) => key)).toEqual([null, "a", "b", null, "c"]);
  expect(linesOf(rows, true).map(({ key }) => key)).toEqual([null, "a"]);
});
