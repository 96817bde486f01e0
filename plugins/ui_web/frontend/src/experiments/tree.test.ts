import { expect, test } from "vitest";
import { rowsOf, treeOf, type Experiments } from "./tree";

function told(names: string[], runs: number[] = names.map(() => 1)): Experiments {
  return {
    ids: names.map((_, n) => String(n)),
    names,
    updated: names.map(() => 0),
    runs,
    newest: runs.map((count, n) => (count ? 1000 + n : null)),
    notes: names.map(() => ""),
    tags: names.map(() => ({})),
    is_cut: false,
  };
}
const paths = (names: string[], search = "") => rowsOf(treeOf(told(names), search, "name", false), () => true).map((node) => `${node.level} ${node.path}`);

test("slashes make folders, sorted as people count", () => {
  expect(paths(["b/x10", "b/x9", "a", "b/deep/er"])).toEqual(["1 a", "1 b", "2 b/deep", "3 b/deep/er", "2 b/x9", "2 b/x10"]);
});

test("an experiment may be a folder, too, and folders sum up", () => {
  const [node] = treeOf(told(["a", "a/b", "a/c"], [3, 4, 0]), "", "name", false);
  expect(node).toMatchObject({ experiment: 0, runs: 7, newest: 1001, all: [0, 1, 2] });
});

test("names with empty parts stay whole, so that no two are one", () => {
  expect(paths(["a//b", "/a", "a/"])).toEqual(["1 /a", "1 a/", "1 a//b"]);
});

test("a search keeps the folders around what it finds", () => {
  expect(paths(["vision/detector", "vision/segmenter", "nlp/tagger"], "SEG")).toEqual(["1 vision", "2 vision/segmenter"]);
});

test("folders are sorted by their sums", () => {
  const nodes = treeOf(told(["a/x", "a/y", "b"], [2, 2, 3]), "", "runs", true);
  expect(nodes.map((node) => node.path)).toEqual(["a", "b"]);
});
