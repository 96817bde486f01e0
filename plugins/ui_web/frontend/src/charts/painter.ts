/** Draws curves and bands into the canvas of a plot: straight from their columns, through the scales that the plot has worked out. */
import type uPlot from "uplot";
import type { Band } from "./bands";
import { firstAtOrAfter, type Curve } from "./curves";

export interface Painted {
  readonly curves: readonly Curve[];
  readonly bands: readonly Band[];
  /** The colour of a run or a band. */
  readonly colorOf: (id: string) => string;
  /** The run that stands out; "" for none. */
  readonly marked: string;
}

const DOTS_MAX = 24;
const FAINT = 0.22;
const PALE = 0.16;
const PIECE = 100;

/** A place on the canvas from a value, without the plot's checks for each point. */
export function placing(plot: uPlot, scale: "x" | "y"): (value: number) => number {
  const { min, max, distr } = plot.scales[scale]!;
  const { left, top, width, height } = plot.bbox;
  const isLog = distr === 3;
  const low = isLog ? Math.log10(min!) : min!;
  const high = isLog ? Math.log10(max!) : max!;
  const [from, size] = scale === "x" ? [left, width] : [top + height, -height];
  const factor = size / (high - low || 1);
  return isLog ? (value) => (value > 0 ? from + (Math.log10(value) - low) * factor : NaN) : (value) => from + (value - low) * factor;
}

/** Draw all; what is marked comes last and strongest. */
export function paint(plot: uPlot, { curves, bands, colorOf, marked }: Painted): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const px = placing(plot, "x");
  const py = placing(plot, "y");
  const isKnown = marked !== "" && curves.some((curve) => curve.runId === marked);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.lineJoin = "bevel";
  for (const band of bands) {
    ctx.fillStyle = colorOf(band.group);
    ctx.globalAlpha = isKnown ? PALE / 2 : PALE;
    area(ctx, band, px, py);
  }
  for (const band of bands) {
    ctx.strokeStyle = colorOf(band.group);
    ctx.globalAlpha = isKnown ? FAINT : 1;
    ctx.lineWidth = 2 * ratio;
    line(ctx, band.xs, band.mean, px, py);
  }
  const ordered = isKnown ? [...curves.filter((curve) => curve.runId !== marked), ...curves.filter((curve) => curve.runId === marked)] : curves;
  for (const curve of ordered) {
    const isMarked = curve.runId === marked;
    ctx.strokeStyle = ctx.fillStyle = colorOf(curve.runId);
    const [from, to] = shownOf(plot, curve);
    const xs = curve.xs.subarray(from, to);
    const ys = curve.ys.subarray(from, to);
    const smooth = curve.smooth?.subarray(from, to);
    const strength = isKnown && !isMarked ? FAINT : 1;
    if (smooth) {
      ctx.globalAlpha = strength * 0.3;
      ctx.lineWidth = ratio;
      line(ctx, xs, ys, px, py);
    }
    ctx.globalAlpha = strength;
    ctx.lineWidth = (isMarked ? 2.5 : 1.5) * ratio;
    line(ctx, xs, smooth ?? ys, px, py);
    if (xs.length <= DOTS_MAX) dots(ctx, xs, smooth ?? ys, px, py, 2.25 * ratio);
  }
  ctx.restore();
}

/** From which to before which point a curve is on screen, with one more on each side, so that the line goes on to the frame. */
function shownOf(plot: uPlot, { xs, isOrdered }: Curve): readonly [number, number] {
  if (!isOrdered) return [0, xs.length];
  const { min, max } = plot.scales["x"]!;
  return [Math.max(0, firstAtOrAfter(xs, min!) - 1), Math.min(xs.length, firstAtOrAfter(xs, max!) + 2)];
}

/**
 * One line; what is no number breaks it. Of the points in one column of pixels the first, the lowest, the highest and the last are drawn, which
 * look the same as all; and the line is stroked piece by piece, since one long path over itself takes much longer to fill.
 */
function line(ctx: CanvasRenderingContext2D, xs: Float64Array, ys: Float64Array, px: (x: number) => number, py: (y: number) => number): void {
  let column = NaN;
  let left = 0;
  let last = NaN;
  let [low, high] = [Infinity, -Infinity];
  let count = 0;
  let isDown = false;
  const flush = () => {
    if (Number.isNaN(column)) return;
    if (low < last) ctx.lineTo(left, low);
    if (high > last) ctx.lineTo(left, high);
    ctx.lineTo(left, last);
    column = NaN;
  };
  ctx.beginPath();
  for (let n = 0; n < xs.length; n += 1) {
    const y = py(ys[n]!);
    const x = px(xs[n]!);
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      flush();
      isDown = false;
      continue;
    }
    if (isDown && Math.floor(x) === column) {
      if (y < low) low = y;
      if (y > high) high = y;
      last = y;
      continue;
    }
    flush();
    if (count >= PIECE) {
      ctx.stroke();
      ctx.beginPath();
      if (isDown) ctx.moveTo(left, last);
      count = 0;
    }
    if (isDown) ctx.lineTo(x, y);
    else ctx.moveTo(x, y);
    isDown = true;
    column = Math.floor(x);
    left = x;
    low = high = last = y;
    count += 1;
  }
  flush();
  ctx.stroke();
}

function dots(ctx: CanvasRenderingContext2D, xs: Float64Array, ys: Float64Array, px: (x: number) => number, py: (y: number) => number, size: number): void {
  ctx.beginPath();
  for (let n = 0; n < xs.length; n += 1) {
    const x = px(xs[n]!);
    const y = py(ys[n]!);
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
    ctx.moveTo(x + size, y);
    ctx.arc(x, y, size, 0, 2 * Math.PI);
  }
  ctx.fill();
}

function area(ctx: CanvasRenderingContext2D, { xs, low, high }: Band, px: (x: number) => number, py: (y: number) => number): void {
  ctx.beginPath();
  for (let n = 0; n < xs.length; n += 1) ctx.lineTo(px(xs[n]!), py(high[n]!));
  for (let n = xs.length - 1; n >= 0; n -= 1) ctx.lineTo(px(xs[n]!), py(low[n]!));
  ctx.fill();
}
