// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { whichOf } from "../compare/which";
import { address, go, parts, setQuery } from "../app/router";
import { experimentIds } from "./view";
import { pathOf, relationsOf } from "./which";

const THOUSAND = Array.from({ length: 1000 }, (_, n) => `${90_000_000 + n}`);

test("a few experiments are in the path, very many where no server sees them", () => {
  expect(pathOf(["1", "2"])).toBe("experiments/1,2");
  go(address(pathOf(THOUSAND), { filter: "a = 1" }));
  expect(location.pathname + location.search).toBe("/experiments/chosen?filter=a+%3D+1");
  expect(experimentIds.value).toEqual(THOUSAND);
});

test("very many stay chosen while the view of them changes, and what is read of the path stays the same", () => {
  go(address(pathOf(THOUSAND)));
  const before = parts.value;
  setQuery({ order: "metrics.loss" });
  expect(location.search).toBe("?order=metrics.loss");
  expect(experimentIds.value).toEqual(THOUSAND);
  expect(parts.value).toBe(before);
});

test("what another page has behind a # is none of its place", () => {
  go("/models/x#experiments");
  expect(parts.value).toEqual(["models", "x"]);
  expect(experimentIds.value).toEqual([]);
});

test("how the runs of very many go together has such an address, too", () => {
  go(relationsOf(["1", "2"], "a = 1"));
  expect(location.search).toBe("?experiments=1%2C2&filter=a+%3D+1");
  expect(whichOf()).toEqual({ experiments: ["1", "2"], filter: "a = 1" });
  go(relationsOf(THOUSAND, "a = 1"));
  expect(location.pathname + location.search).toBe("/compare/chosen?filter=a+%3D+1");
  expect(whichOf()).toEqual({ experiments: THOUSAND, filter: "a = 1" });
});
