import { expect, test } from "vitest";
import { bytes, count, shortNumber } from "./numbers";

test("numbers have at most six digits, and no zeros that say nothing", () => {
  expect([0, 0.1, 1 / 3, 100, 999_999, 1_000_000, 1_234_567, 9_999_999.5, 1e7, 0.00012, 0.00001, 1e308, 5e-324, -2.5].map(shortNumber)).toEqual([
    "0", "0.1", "0.333333", "100", "999999", "1e6", "1.23457e6", "1e7", "1e7", "0.00012", "1e−5", "1e308", "4.941e−324", "−2.5",
  ]);
  expect([NaN, Infinity, -Infinity].map(shortNumber)).toEqual(["NaN", "∞", "−∞"]);
});

test("sizes have three digits, and the unit that fits what they are rounded to", () => {
  expect([0, 999, 1000, 1234, 999_499, 999_500, 999_999, 1_000_000, 1.5e15, 2e21].map(bytes)).toEqual([
    "0 B", "999 B", "1 kB", "1.23 kB", "999 kB", "1 MB", "1 MB", "1 MB", "1.5 PB", "2e+6 PB",
  ]);
});

test("whole numbers have spaces between thousands", () => {
  expect([0, 999, 1000, -1234567].map(count)).toEqual(["0", "999", "1 000", "-1 234 567"]);
});
