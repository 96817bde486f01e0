// @vitest-environment happy-dom
import { beforeEach, expect, test } from "vitest";
import { go } from "../app/router";
import { toggleIn } from "../app/lists";
import { across, asTables, logAcross, logUp, most, setAcross, setZoom, size, smoothing, toggleLog, zooms } from "./view";

beforeEach(() => go("/compare?runs=a,b"));

test("what an address says wrongly is as if it said nothing", () => {
  go("/compare?x=fruit&smooth=7&size=huge&most=-3&zoom=loss~9~1,b~x~2");
  expect([across.value, smoothing.value, size.value, most.value, zooms.value.size]).toEqual(["step", 0, "medium", 1, 0]);
});

test("each chart has a zoom of its own, found again whatever its metric is called", () => {
  setZoom("a b/c:d, e%", { low: -1.5, high: 1e12 });
  setZoom("loss", { low: 0, high: 10 });
  expect([...zooms.value]).toEqual([
    ["a b/c:d, e%", { low: -1.5, high: 1e12 }],
    ["loss", { low: 0, high: 10 }],
  ]);
  setZoom("a b/c:d, e%", null);
  expect([...zooms.value.keys()]).toEqual(["loss"]);
});

test("another x axis forgets zooms, which were of the old one", () => {
  setZoom("loss", { low: 0, high: 10 });
  setAcross("wall");
  expect([across.value, zooms.value.size]).toEqual(["wall", 0]);
  setAcross("step");
  expect(location.search).toBe("?runs=a%2Cb");
});

test("axes are logarithmic each for itself", () => {
  toggleLog("y");
  toggleLog("x");
  expect([logAcross.value, logUp.value]).toEqual([true, true]);
  toggleLog("y");
  expect([logAcross.value, logUp.value]).toEqual([true, false]);
});

test("tables in place of charts are in the address", () => {
  toggleIn("twin", "val/loss, last");
  toggleIn("twin", "b");
  expect(asTables.value).toEqual(["val/loss, last", "b"]);
  toggleIn("twin", "b");
  expect(asTables.value).toEqual(["val/loss, last"]);
});
