import { expect, test } from "vitest";
import { expression } from "./paint";

const found = (family: Parameters<typeof expression>[0], text: string) =>
  [...text.matchAll(expression(family))].map(({ 0: piece, groups = {} }) => [Object.keys(groups).find((kind) => groups[kind] !== undefined), piece]);

test("comments, texts, numbers and words of a language are found", () => {
  expect(found("py", 'if x == "#1": # no "text"\n  return 2.5')).toEqual([["word", "if"], ["text", '"#1"'], ["comment", '# no "text"'], ["word", "return"], ["number", "2.5"]]);
  expect(found("c", "/* a\n b */ int n; // end")).toEqual([["comment", "/* a\n b */"], ["word", "int"], ["comment", "// end"]]);
  expect(found("js", "`a\\`b` + `never closed")).toEqual([["text", "`a\\`b`"], ["text", "`never closed"]]);
  expect(found("data", "it's plain")).toEqual([]);
});

test("texts that are made to be slow are gone through before the test is over", () => {
  for (const family of ["py", "js", "sql", "sh", "c", "data"] as const)
    for (const piece of ['\\"', "/*", "'''x", "`\\\n", "'\\", "1 ", "--"]) found(family, `"${piece.repeat(50_000 / piece.length)}`);
});
