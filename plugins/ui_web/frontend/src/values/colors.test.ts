import { expect, test } from "vitest";
import { apart, colorNumber, colorsIn, colorsText, keepColors, SERIES } from "./colors";

test("a run has the same colour every time, one of those that there are", () => {
  const number = colorNumber("9c0d944f0a2b648c89038f8101bf609c");
  expect(number).toBe(colorNumber("9c0d944f0a2b648c89038f8101bf609c"));
  expect(number).toBeGreaterThanOrEqual(1);
  expect(number).toBeLessThanOrEqual(SERIES);
});

test("the address decides, and what it cannot mean is passed over", () => {
  const chosen = colorsIn("a:3,b:99,c,:4,d:x,e:10");
  expect([...chosen]).toEqual([["a", 3], ["e", 10]]);
  expect(colorNumber("a", chosen)).toBe(3);
  expect(colorsText(chosen)).toBe("a:3,e:10");
});

test("runs that are drawn together have colours apart, as long as there are some, and keep chosen ones", () => {
  const ids = Array.from({ length: 25 }, (_, n) => `run-${n}`);
  const few = apart(ids.slice(0, SERIES), new Map([["run-9", 4]]));
  expect(new Set(few.values()).size).toBe(SERIES);
  expect(few.get("run-9")).toBe(4);
  const uses = new Map<number, number>();
  for (const number of apart(ids, new Map()).values()) uses.set(number, (uses.get(number) ?? 0) + 1);
  expect([...uses.values()].sort()).toEqual([2, 2, 2, 2, 2, 3, 3, 3, 3, 3]);
});

test("a colour that a run was given beside others is its own from then on, alone and in another order", () => {
  const ids = Array.from({ length: SERIES }, (_, n) => `kept-${n}`);
  const numbers = apart(ids, new Map());
  expect(ids.some((id) => numbers.get(id) !== colorNumber(id))).toBe(true);
  keepColors(numbers);
  expect(ids.map((id) => colorNumber(id))).toEqual(ids.map((id) => numbers.get(id)));
  expect(apart([...ids].reverse(), new Map())).toEqual(numbers);
  expect(colorNumber("kept-0", new Map([["kept-0", 5]]))).toBe(5);
});
