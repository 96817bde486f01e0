import { expect, test } from "vitest";
import { moved, within } from "./moves";

const EXTENT = { rows: 100, columns: 5, page: 20 };
const key = (name: string, ctrlKey = false) => ({ key: name, ctrlKey, metaKey: false });

test("arrows move by one cell and stop at the edges, the header being above the first row", () => {
  expect(moved({ row: 0, column: 0 }, key("ArrowDown"), EXTENT)).toEqual({ row: 1, column: 0 });
  expect(moved({ row: 0, column: 0 }, key("ArrowUp"), EXTENT)).toEqual({ row: -1, column: 0 });
  expect(moved({ row: -1, column: 0 }, key("ArrowUp"), EXTENT)).toEqual({ row: -1, column: 0 });
  expect(moved({ row: 3, column: 0 }, key("ArrowLeft"), EXTENT)).toEqual({ row: 3, column: 0 });
  expect(moved({ row: 3, column: 4 }, key("ArrowRight"), EXTENT)).toEqual({ row: 3, column: 4 });
});

test("Home and End go along the row, with Ctrl to the corners", () => {
  expect(moved({ row: 9, column: 2 }, key("Home"), EXTENT)).toEqual({ row: 9, column: 0 });
  expect(moved({ row: 9, column: 2 }, key("End"), EXTENT)).toEqual({ row: 9, column: 4 });
  expect(moved({ row: 9, column: 2 }, key("Home", true), EXTENT)).toEqual({ row: 0, column: 0 });
  expect(moved({ row: 9, column: 2 }, key("End", true), EXTENT)).toEqual({ row: 99, column: 4 });
});

test("a page is what fits on the screen", () => {
  expect(moved({ row: 9, column: 2 }, key("PageDown"), EXTENT)).toEqual({ row: 29, column: 2 });
  expect(moved({ row: 95, column: 2 }, key("PageDown"), EXTENT)).toEqual({ row: 99, column: 2 });
  expect(moved({ row: 9, column: 2 }, key("PageUp"), EXTENT)).toEqual({ row: 0, column: 2 });
});

test("other keys do not move", () => {
  expect(moved({ row: 9, column: 2 }, key("x"), EXTENT)).toBeNull();
});

test("a cell that is gone has a nearest one", () => {
  expect(within({ row: 12, column: 9 }, { row: 3, column: 4 })).toEqual({ row: 3, column: 4 });
  expect(within({ row: 2, column: 1 }, { row: -1, column: 4 })).toEqual({ row: -1, column: 1 });
});
