// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { follow } from "./live";

let newest = "first";
let renewed = 0;
let stop = () => {};

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", class { close = () => undefined; });
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(JSON.stringify({ runs: [{ info: { run_id: newest } }] }), { headers: { "content-type": "application/json" } })));
  [newest, renewed] = ["first", 0];
  stop = follow({ isOurs: () => true, isRunning: () => false, experiments: () => ["0"], refresh: () => undefined, renew: () => renewed++ });
});

afterEach(() => {
  stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a run that nobody tells of comes into the table, also when it is begun right after the page was opened", async () => {
  await vi.advanceTimersByTimeAsync(100);
  newest = "begun past the server";
  await vi.advanceTimersByTimeAsync(3000);
  expect(renewed).toBe(1);
  await vi.advanceTimersByTimeAsync(9000);
  expect(renewed).toBe(1);
});
