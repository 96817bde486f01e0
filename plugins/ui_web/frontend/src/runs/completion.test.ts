import { expect, test } from "vitest";
import { quotedValue } from "../values/quoted";
import { offers, spotAt, type Key } from "./completion";

const KEYS: Key[] = [
  { name: "metrics.loss", kind: "metric", runs: 9 },
  { name: "metrics.val/loss", kind: "metric", runs: 4 },
  { name: "params.optimizer", kind: "param", runs: 9 },
  { name: "tags.`a b`", kind: "tag", runs: 1 },
  { name: "status", kind: "attribute" },
];
const texts = (text: string, values: [string, number][] = [], caret = text.length) => offers(spotAt(text, caret), KEYS, values).map((one) => one.text);

test("an empty filter wants a name", () => {
  expect(texts("")).toEqual(["metrics.loss", "metrics.val/loss", "params.optimizer", "tags.`a b`", "status"]);
});

test("what begins so comes before what has it in the middle, and the name of the run is offered last", () => {
  expect(texts("los")).toEqual(["metrics.loss", "metrics.val/loss", "run_name ILIKE '%los%'"]);
});

test("after a name come the operators of its kind", () => {
  expect(texts("metrics.loss ")).toEqual(["<", "<=", ">", ">=", "=", "!=", "IS NULL", "IS NOT NULL"]);
  expect(texts("params.optimizer L")).toEqual(["LIKE"]);
});

test("after an operator come values, quoted when taken", () => {
  const spot = spotAt("params.optimizer = 'a", 21);
  expect(spot).toMatchObject({ wants: "value", field: "params.optimizer", from: 19, to: 21 });
  expect(offers(spot, KEYS, [["adam", 5], ["sgd", 2]])).toEqual([{ text: "adam", about: "5", writes: "'adam' " }]);
});

test("in a list come values too", () => {
  expect(texts("params.optimizer IN ('sgd', ", [["adam", 5]])).toEqual(["adam"]);
});

test("after a comparison come AND and OR, and then a name again", () => {
  expect(texts("metrics.loss < 0.5 ")).toEqual(["AND", "OR"]);
  expect(texts("metrics.loss < 0.5 AND (NOT sta")).toEqual(["status", "run_name ILIKE '%sta%'"]);
  expect(texts("metrics.loss IS NOT NULL ")).toEqual(["AND", "OR"]);
});

test("a name in the middle of a text is replaced as a whole", () => {
  expect(spotAt("metrics.lo_x < 3", 10)).toMatchObject({ wants: "name", from: 0, to: 12, typed: "metrics.lo" });
});

test("a value with both quotes cannot be written", () => {
  expect(quotedValue("it's")).toBe('"it\'s"');
  expect(quotedValue("'\"")).toBeNull();
});
