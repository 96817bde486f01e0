// @vitest-environment happy-dom
import { beforeEach, expect, test } from "vitest";
import { joined, listed } from "../app/lists";
import { go, place } from "../app/router";
import { columns, experimentIds, opened, order, pinned, setColumns, setOrder, setWidth, toggle, trash, widths } from "./view";

const HARD = ["metrics.a,b", "params.`x~y`", "100%", "é&=#"];
const reload = () => go(place.value.path === "" ? "/" : `/${place.value.path}${location.search}`);

beforeEach(() => go("/experiments/3,4,3"));

test("an address without parameters shows what nobody has chosen", () => {
  expect(experimentIds.value).toEqual(["3", "4"]);
  expect([columns.value, order.value, trash.value, widths.value.size, pinned.value]).toEqual(["picked", null, false, 0, []]);
});

test("names with every mark that an address knows come back as they were", () => {
  expect(listed(joined(HARD))).toEqual(HARD);
  setColumns(HARD);
  reload();
  expect(columns.value).toEqual(HARD);
  setColumns("all");
  expect(columns.value).toBe("all");
  setColumns("picked");
  expect(location.search).toBe("");
});

test("widths are kept for names with marks, and those that nobody could want are left out", () => {
  HARD.forEach((name, n) => setWidth(name, 100 + n));
  reload();
  expect([...widths.value]).toEqual(HARD.map((name, n) => [name, 100 + n]));
  go("/experiments/3?w=a~5,b~90000,c~x,~100,d~80");
  expect([...widths.value]).toEqual([["d", 80]]);
});

test("an order names its column even where the name ends like a direction", () => {
  setOrder({ name: "metrics.`x DESC`", isDescending: true });
  expect(order.value).toEqual({ name: "metrics.`x DESC`", isDescending: true });
  setOrder({ name: "metrics.loss", isDescending: false });
  expect([location.search, order.value]).toEqual(["?order=metrics.loss", { name: "metrics.loss", isDescending: false }]);
  setOrder(null);
  expect(order.value).toBeNull();
});

test("a member goes into its list and out again", () => {
  toggle("pin", "a");
  toggle("pin", "b");
  toggle("open", "adam, 3");
  toggle("pin", "a");
  expect([pinned.value, opened.value]).toEqual([["b"], ["adam, 3"]]);
});
