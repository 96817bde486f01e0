/** How a person wants to see charts: all of it is in the address, so that a copied address shows the same. */
import { computed, type ReadonlySignal } from "@preact/signals";
import { joined, listOf, unescaped } from "../app/lists";
import { place, setQuery } from "../app/router";
import { colorsIn } from "../values/colors";
import type { BandKind } from "./bands";
import type { Across, Extent } from "./curves";

export type Size = "small" | "medium" | "large";

const SIZES: readonly Size[] = ["small", "medium", "large"];
const SMOOTHEST = 0.999;

export const across: ReadonlySignal<Across> = computed(() => {
  const text = read("x");
  return text === "relative" || text === "wall" || (text.startsWith("metric:") && text.length > 7) ? (text as Across) : "step";
});
export const logAcross = computed(() => read("log").includes("x"));
export const logUp = computed(() => read("log").includes("y"));
export const smoothing = computed(() => {
  const factor = Number(read("smooth"));
  return factor > 0 && factor < 1 ? Math.min(factor, SMOOTHEST) : 0;
});
export const size: ReadonlySignal<Size> = computed(() => SIZES.find((one) => one === read("size")) ?? "medium");
export const find = computed(() => read("find"));
export const band: ReadonlySignal<BandKind | "lines"> = computed(() => (read("band") === "std" ? "std" : read("band") === "lines" ? "lines" : "range"));
/** What runs are grouped by for bands; where the table beside the charts is grouped, by the same. */
export const bandBy = computed(() => (read("bands") === "none" ? "" : read("bands") || read("group")));
/** Runs that the address names, and how many are drawn where it names none. */
export const namedRuns = listOf("runs");
export const MOST = 500;
export const most = computed(() => Math.min(MOST, Math.max(1, Math.trunc(Number(read("most"))) || 20)));
export const folded = listOf("fold");
export const hiddenCharts = listOf("off");
export const openCharts = listOf("added");
export const firstCharts = listOf("first");
export const asTables = listOf("twin");
export const chosenColors = computed(() => colorsIn(read("color")));

/** What each chart is zoomed to, by its metric. */
export const zooms: ReadonlySignal<ReadonlyMap<string, Extent>> = computed(() => {
  const found = new Map<string, Extent>();
  for (const part of read("zoom").split(",")) {
    const [key, low, high] = part.split("~");
    const extent = { low: Number(low), high: Number(high) };
    if (key && low && high && extent.low < extent.high) found.set(unescaped(key), extent);
  }
  return found;
});

/** Zoom the chart of a metric; null shows all of it. */
export function setZoom(metric: string, extent: Extent | null): void {
  const next = new Map(zooms.peek());
  if (extent) next.set(metric, extent);
  else next.delete(metric);
  setQuery({ zoom: [...next].map(([key, { low, high }]) => `${encodeURIComponent(key)}~${brief(low)}~${brief(high)}`).join(",") });
}

/** An extent as it comes back from the address, which keeps eight digits. */
export function asTold({ low, high }: Extent): Extent {
  return { low: Number(brief(low)), high: Number(brief(high)) };
}

/** Another x axis; zooms were of the old one. */
export function setAcross(to: Across): void {
  setQuery({ x: to === "step" ? undefined : to, zoom: undefined });
}

/** Logarithmic or not, each axis for itself. */
export function toggleLog(axis: "x" | "y"): void {
  const x = logAcross.peek() !== (axis === "x");
  const y = logUp.peek() !== (axis === "y");
  setQuery({ log: `${x ? "x" : ""}${y ? "y" : ""}` });
}

/** Write a list into the address. */
export function setList(name: "fold" | "off" | "added" | "twin" | "first", members: readonly string[]): void {
  setQuery({ [name]: joined(members) });
}

function read(name: string): string {
  return place.value.query.get(name) ?? "";
}

function brief(value: number): string {
  return Math.abs(value) > 1e9 ? String(Math.round(value)) : String(Number(value.toPrecision(8)));
}
