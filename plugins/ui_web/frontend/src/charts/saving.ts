/** Files of what a chart shows: the picture, and every point of it. */
import type uPlot from "uplot";
import { readSeries, type Series } from "../api/series";
import { save } from "../values/save";
import { machineTime } from "../values/times";

const HEAD = 40;
const LEGEND = 22;
const SIDE = 12;

export interface Line {
  readonly name: string;
  readonly color: string;
}

/** The plot with its title and the names of its runs, as a PNG. */
export async function savePicture(plot: uPlot, title: string, lines: readonly Line[]): Promise<void> {
  const ratio = devicePixelRatio;
  const style = getComputedStyle(plot.root);
  const drawn = plot.ctx.canvas;
  const canvas = document.createElement("canvas");
  canvas.width = drawn.width;
  canvas.height = drawn.height + (HEAD + lines.length * LEGEND + SIDE) * ratio;
  const ctx = canvas.getContext("2d");
  if (!ctx) return;
  ctx.fillStyle = style.getPropertyValue("--surface");
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  ctx.drawImage(drawn, 0, HEAD * ratio);
  ctx.scale(ratio, ratio);
  ctx.fillStyle = style.getPropertyValue("--ink");
  ctx.textBaseline = "middle";
  ctx.font = `600 14px ${style.fontFamily}`;
  ctx.fillText(title, SIDE, HEAD / 2);
  ctx.font = `12px ${style.fontFamily}`;
  lines.forEach(({ name, color }, n) => {
    const middle = HEAD + drawn.height / ratio + (n + 0.5) * LEGEND;
    ctx.fillStyle = style.getPropertyValue(color);
    ctx.fillRect(SIDE, middle - 1.5, 16, 3);
    ctx.fillStyle = style.getPropertyValue("--ink");
    ctx.fillText(name, SIDE + 24, middle, canvas.width / ratio - SIDE - 36);
  });
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
  if (blob) save(blob, `${fileName(title)}.png`);
}

/** Every logged point in these steps, not only those that are drawn, as CSV. */
export async function saveTable(runIds: readonly string[], key: string, names: (runId: string) => string, steps: { low: number; high: number } | null): Promise<void> {
  const series = await readSeries({ runIds, keys: [key], firstStep: steps ? Math.ceil(steps.low) : undefined, lastStep: steps ? Math.floor(steps.high) : undefined });
  const parts = ["run_id,run,metric,step,time,value\n", ...series.map((one) => rows(one, names(one.runId)))];
  save(new Blob(parts), `${fileName(key)}.csv`);
}

function rows({ runId, key, steps, times, values }: Series, name: string): string {
  const head = [runId, name, key].map(quoted).join(",");
  let text = "";
  for (let n = 0; n < steps.length; n += 1) text += `${head},${steps[n]},${machineTime(times[n]!)},${values[n]}\n`;
  return text;
}

/** A text for CSV: quoted where it must be, and never read as a formula by a program for sheets. */
export function quoted(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function fileName(text: string): string {
  return text.replace(/[^\p{L}\p{N}._-]+/gu, "-").slice(0, 100) || "chart";
}
