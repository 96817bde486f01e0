// @vitest-environment happy-dom
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { RunAnswer } from "./answer";
import { Life, RunDuration } from "./life";

let root: HTMLElement;

beforeEach(() => {
  vi.useFakeTimers();
  root = document.createElement("div");
});

afterEach(() => {
  render(null, root);
  vi.useRealTimers();
});

function told(life: RunAnswer["life"], end?: number): RunAnswer {
  const info = { run_id: "r", run_name: "n", experiment_id: "0", status: end ? "FINISHED" : "RUNNING", start_time: 90_000, lifecycle_stage: "active", artifact_uri: "", ...(end ? { end_time: end } : {}) };
  return { run: { info, data: {} }, now: 100_000, life, crash: null, experiment: { experiment_id: "0", name: "", lifecycle_stage: "active" }, parent: null, nested: [], nested_count: 0, models: [], input_models: [], versions: [] };
}

const BEAT = { life: "alive", at: 96_000, host: "box", pid: 7, interval: 10_000 } as const;

test("the age of a sign of life is counted on from the server's clock", async () => {
  await act(() => render(<Life told={told(BEAT)} />, root));
  expect(root.textContent).toBe("alive 4 s ago");
  await act(() => void vi.advanceTimersByTime(3000));
  expect(root.textContent).toBe("alive 7 s ago");
});

test("a run that is silent or gone says so", async () => {
  await act(() => render(<Life told={told({ ...BEAT, life: "dead", at: 10_000 })} />, root));
  expect(root.textContent).toBe("gone, last heard 1 min 30 s ago");
});

test("a run that gave no sign says nothing", async () => {
  await act(() => render(<Life told={told(null)} />, root));
  expect(root.textContent).toBe("");
});

test("the duration goes on while the run does, and stands when it has ended", async () => {
  await act(() => render(<RunDuration told={told(BEAT)} />, root));
  await act(() => void vi.advanceTimersByTime(2000));
  expect(root.textContent).toBe("12 s");
  await act(() => render(<RunDuration told={told(null, 92_500)} />, root));
  await act(() => void vi.advanceTimersByTime(2000));
  expect(root.textContent).toBe("2.5 s");
});
