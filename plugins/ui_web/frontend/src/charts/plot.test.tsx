// @vitest-environment happy-dom
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { hoveredRun } from "../app/hover";
import type { Curve } from "./curves";
import { Plot, type PlotProps } from "./plot";
import { recording } from "./recording";

const { context, lines } = recording();
let root: HTMLElement;

beforeEach(() => {
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(context as never);
  vi.stubGlobal("Path2D", class {});
  root = document.body.appendChild(document.createElement("div"));
  lines.length = 0;
});

afterEach(() => {
  act(() => render(null, root));
  root.remove();
  hoveredRun.value = "";
  vi.restoreAllMocks();
});

const curve = (runId: string, ...ys: number[]): Curve => {
  const xs = Float64Array.from(ys, (_, n) => n);
  return { runId, xs, ys: Float64Array.from(ys), steps: xs, smooth: null, isOrdered: true };
};
const nothing = () => undefined;
const same = { name: "loss", bands: [], groupOf: () => "", across: "step", isLogAcross: false, isLogUp: false, zoom: null, onZoom: nothing, height: 240, colorOf: () => 1, nameOf: String } as const;

async function drawn(props: Partial<PlotProps> & { readonly curves: readonly Curve[] }): Promise<number> {
  lines.length = 0;
  await act(async () => render(<Plot {...same} members={props.curves} {...props} />, root));
  return lines.length;
}

test("each answer is drawn once, in the turn in which it comes, and nothing is drawn where nothing has changed", async () => {
  const first = [curve("a", 1, 2), curve("b", 2, 1)];
  expect(await drawn({ curves: first })).toBe(2);
  expect(await drawn({ curves: first })).toBe(0);
  expect(await drawn({ curves: [curve("a", 1, 2, 9)] })).toBe(1);
  expect(await drawn({ curves: first, zoom: { low: 0.25, high: 0.5 } })).toBe(2);
});

test("what is drawn is told in words: runs, values, and the part that is seen", async () => {
  const curves = [curve("a", 1, 2, 50), curve("b", 2, 1, 0)];
  await drawn({ curves });
  expect(root.querySelector("[role=img]")!.getAttribute("aria-label")).toContain("loss of 2 runs over step, values from 0 to 50.");
  await drawn({ curves, zoom: { low: 0, high: 1 } });
  expect(root.querySelector("[role=img]")!.getAttribute("aria-label")).toContain("from 0 to 1, values from 1 to 2.");
});

test("a run that is pointed at elsewhere is marked at once", async () => {
  const curves = [curve("a", 1, 2), curve("b", 2, 1)];
  await drawn({ curves });
  lines.length = 0;
  await act(async () => void (hoveredRun.value = "a"));
  expect(lines.map(({ width }) => width)).toEqual([1.5, 2.5]);
});

test("keys zoom and move", async () => {
  const asked: unknown[] = [];
  await drawn({ curves: [curve("a", ...Array.from({ length: 101 }, (_, n) => n))], zoom: { low: 20, high: 70 }, onZoom: (extent) => asked.push(extent) });
  for (const key of ["+", "ArrowRight", "0"]) root.querySelector("[role=img]")!.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  expect(asked).toEqual([{ low: 30, high: 60 }, { low: 30, high: 80 }, null]);
});
