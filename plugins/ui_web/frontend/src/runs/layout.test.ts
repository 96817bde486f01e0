import { expect, test } from "vitest";
import { Layout } from "./layout";

test("without groups each row is the run at its place", () => {
  const layout = new Layout(7, null, () => false);
  expect(layout.rows).toBe(7);
  expect(layout.at(6)).toEqual({ place: 6 });
  expect(layout.places(2, 5)).toEqual([2, 5]);
});

test("members of open groups lie between the groups", () => {
  const layout = new Layout(10, [3, 2, 5], (group) => group !== 1);
  expect(layout.rows).toBe(11);
  expect(Array.from({ length: 11 }, (_, row) => layout.at(row))).toEqual([
    { group: 0 },
    { place: 0 },
    { place: 1 },
    { place: 2 },
    { group: 1 },
    { group: 2 },
    { place: 5 },
    { place: 6 },
    { place: 7 },
    { place: 8 },
    { place: 9 },
  ]);
  expect(layout.places(4, 6)).toEqual([5, 5]);
  expect(layout.places(4, 5)).toBeNull();
  expect(layout.members(1)).toEqual([3, 4]);
});

test("a result without runs has no rows", () => {
  expect(new Layout(0, [], () => true).rows).toBe(0);
});
