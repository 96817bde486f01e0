// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { seriesIn } from "./series";

const file = (key: string, step: number, rest = ".png") => ({ path: `images/${key}+step+${step}+timestamp+5+11b4a110-8ebd-4bf7-a02b-d319d865cd9e${rest}`, is_dir: false, size: 1 });

test("series are by step as numbers, without small twins and other files", () => {
  const found = seriesIn([file("a", 10), file("a", 2), file("a", 2, "+compressed.webp"), file("b", 0), { path: "images/x.png", is_dir: false, size: 1 }]);
  expect([...found].map(([key, series]) => [key, series.map((one) => one.step)])).toEqual([["a", [2, 10]], ["b", [0]]]);
});
