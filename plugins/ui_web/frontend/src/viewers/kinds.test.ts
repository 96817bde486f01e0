import { expect, test } from "vitest";
import { kindOf, pictureOf } from "./kinds";

test("a kind is told by the name, whatever its case", () => {
  expect(["a.PY", "MLmodel", "x.parquet", "y.JSON", "z.htm", "w.bin", "Dockerfile", ".gitignore", "no"].map(kindOf)).toEqual([
    "text", "model", "table", "json", "page", "unknown", "text", "text", "unknown",
  ]);
});

test("a file that is named like what every object has is of no known kind", () => {
  expect(["constructor", "toString", "__proto__", "a.constructor"].map(kindOf)).toEqual(["unknown", "unknown", "unknown", "unknown"]);
});

test("names of logged images tell key, step and time", () => {
  expect(pictureOf("images/val~masks+step+10+timestamp+1795748182007+11b4a110-8ebd-4bf7-a02b-d319d865cd9e.png")).toEqual({
    path: "images/val~masks+step+10+timestamp+1795748182007+11b4a110-8ebd-4bf7-a02b-d319d865cd9e.png",
    key: "val/masks",
    step: 10,
    timestamp: 1795748182007,
    small: false,
  });
  expect(pictureOf("images/a+step+-1+timestamp+1+11b4a110-8ebd-4bf7-a02b-d319d865cd9e+compressed.webp")).toMatchObject({ key: "a", step: -1, small: true });
  expect(pictureOf("images/a.png")).toBe(null);
});
