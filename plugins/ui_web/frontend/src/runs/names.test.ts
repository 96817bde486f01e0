import { expect, test } from "vitest";
import { nameOf, named, type Named } from "./names";

test.each<[string, Named]>([
  ["params.lr", { kind: "param", key: "lr", stat: "last" }],
  ["metrics.val/loss", { kind: "metric", key: "val/loss", stat: "last" }],
  ["metrics.`loss`.min", { kind: "metric", key: "loss", stat: "min" }],
  ["metrics.`loss.min`", { kind: "metric", key: "loss.min", stat: "last" }],
  ["tags.`a b`", { kind: "tag", key: "a b", stat: "last" }],
  ["params.\"a`b\"", { kind: "param", key: "a`b", stat: "last" }],
  ["params.`naïve 🍑`", { kind: "param", key: "naïve 🍑", stat: "last" }],
  ["start_time", { kind: "attribute", key: "start_time", stat: "last" }],
])("%s is taken apart and made again", (name, parts) => {
  expect(named(name)).toEqual(parts);
  expect(nameOf(parts)).toBe(name);
});

test("a metric whose name ends like a statistic is quoted, a param is not", () => {
  expect(nameOf({ kind: "metric", key: "loss.min", stat: "last" })).toBe("metrics.`loss.min`");
  expect(nameOf({ kind: "param", key: "loss.min", stat: "last" })).toBe("params.loss.min");
});

test("a key with every quote has no name", () => {
  expect(nameOf({ kind: "tag", key: "`'\"", stat: "last" })).toBeNull();
});
