/** Parallel coordinates: an axis for each param and metric, a line for each run. A part of an axis can be chosen; runs outside of it fade. */
import { useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { hoveredRun } from "../app/hover";
import { shortNumber } from "../values/numbers";
import { cutTo, mixed, useCanvas, type Pen } from "./canvas";
import type { Related } from "./related";
import type { Axis, Value } from "./scales";

/** A part of an axis, from 0 to 1. */
export interface Brush {
  readonly low: number;
  readonly high: number;
}

interface Props {
  readonly related: Related;
  readonly names: readonly string[];
  readonly titles: ReadonlyMap<string, string>;
  readonly axes: ReadonlyMap<string, Axis>;
  readonly brushes: ReadonlyMap<string, Brush>;
  readonly onBrush: (name: string, brush: Brush | null) => void;
  /** The place from 0 to 1 of each run's colour. */
  readonly shades: readonly number[];
}

const HEIGHT = 380;
const TOP = 38;
const BOTTOM = 14;
const SIDE = 60;
const NEAR = 8;
const STEP = 0.05;
/** How close two texts at an axis may stand. */
const TEXT = 15;
/** How many lines may lie on each other before they are drawn paler, and how pale at most. */
const DENSE = 60;
const PALEST = 0.03;

export function Parallel(props: Props) {
  const { related, names, titles, axes, brushes, onBrush } = props;
  const start = useRef<number | null>(null);
  const told = useSignal<{ left: number; top: number; run: number } | null>(null);
  const marked = hoveredRun.value;
  const { canvas, width } = useCanvas(HEIGHT, (pen) => draw(pen, props, marked), [related, names.join(), axes, brushes, props.shades, marked]);
  const x = (n: number) => placeOf(n, names.length, width);
  const share = (event: PointerEvent) => {
    const box = canvas.current!.getBoundingClientRect();
    return Math.min(1, Math.max(0, 1 - (event.clientY - box.top - TOP) / (HEIGHT - TOP - BOTTOM)));
  };
  const point = (event: PointerEvent) => {
    const box = canvas.current!.getBoundingClientRect();
    const run = nearestRun(props, event.clientX - box.left, event.clientY - box.top, width);
    hoveredRun.value = run < 0 ? "" : related.ids[run]!;
    told.value = run < 0 ? null : { left: event.clientX - box.left, top: event.clientY - box.top, run };
  };
  const onKeyDown = (event: KeyboardEvent, name: string) => {
    const next = brushedBy(event, brushes.get(name) ?? null);
    if (next === undefined) return;
    event.preventDefault();
    onBrush(name, next);
  };
  return (
    <div class="relation-canvas" style={{ height: `${HEIGHT}px` }} onPointerMove={point} onPointerLeave={() => ((hoveredRun.value = ""), (told.value = null))}>
      <canvas ref={canvas} style={{ width: `${width}px`, height: `${HEIGHT}px` }} role="img" aria-label={`${related.ids.length} runs over ${names.map((name) => titles.get(name)).join(", ")}`} />
      {names.map((name, n) => (
        <div
          key={name}
          class="relation-axis"
          role="slider"
          tabIndex={0}
          aria-orientation="vertical"
          aria-label={`Part of ${titles.get(name)}`}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round((brushes.get(name)?.low ?? 0) * 100)}
          aria-valuetext={brushText(axes.get(name), brushes.get(name))}
          title="Drag to choose a part; double click for all. Keys: arrows move, Shift with arrows resizes, Escape for all"
          style={{ left: `${x(n) - 12}px`, top: `${TOP}px`, height: `${HEIGHT - TOP - BOTTOM}px` }}
          onKeyDown={(event) => onKeyDown(event, name)}
          onDblClick={() => onBrush(name, null)}
          onPointerDown={(event) => {
            start.current = share(event);
            event.currentTarget.setPointerCapture(event.pointerId);
          }}
          onPointerMove={(event) => {
            if (start.current === null) return;
            const now = share(event);
            if (Math.abs(now - start.current) > 0.01) onBrush(name, { low: Math.min(now, start.current), high: Math.max(now, start.current) });
          }}
          onPointerUp={() => (start.current = null)}
          onPointerCancel={() => (start.current = null)}
        />
      ))}
      {told.value && (
        <div class={`plot-tip ${told.value.left > width / 2 ? "at-left" : ""}`} style={{ left: `${told.value.left}px`, top: `${told.value.top}px` }}>
          <bdi class="one-line">
            <strong>{related.names[told.value.run]}</strong>
          </bdi>
          {names.map((name) => (
            <span class="one-line" key={name}>
              <span class="soft">{titles.get(name)}</span> {valueText(related.columns[name]?.[told.value!.run] ?? null)}
            </span>
          ))}
        </div>
      )}
    </div>
  );
}

/** A value in a table or beside a mark. */
export function valueText(value: Value): string {
  if (value === null) return "–";
  if (typeof value === "number") return shortNumber(value);
  const number = value.trim() === "" ? NaN : Number(value);
  return Number.isFinite(number) && value.length > 8 ? shortNumber(number) : value;
}

/** True for runs that lie in all chosen parts. */
export function isWithin(related: Related, axes: ReadonlyMap<string, Axis>, brushes: ReadonlyMap<string, Brush>, run: number): boolean {
  for (const [name, { low, high }] of brushes) {
    const column = related.columns[name];
    if (!column) continue;
    const at = axes.get(name)?.at(column[run] ?? null) ?? NaN;
    if (!(at >= low - 1e-9 && at <= high + 1e-9)) return false;
  }
  return true;
}

/** What a key makes of a brush; undefined for a key without a meaning. */
export function brushedBy(event: { key: string; shiftKey: boolean }, now: Brush | null): Brush | null | undefined {
  const step = { ArrowUp: STEP, ArrowDown: -STEP }[event.key];
  if (event.key === "Escape") return null;
  if (step === undefined) return undefined;
  const { low, high } = now ?? (step > 0 ? { low: 0, high: 0.5 } : { low: 0.5, high: 1 });
  if (!now) return { low, high };
  if (event.shiftKey) return { low, high: Math.min(1, Math.max(low + STEP, high + step)) };
  const moved = Math.min(1 - high, Math.max(-low, step));
  return { low: low + moved, high: high + moved };
}

function brushText(axis: Axis | undefined, brush: Brush | undefined): string {
  if (!brush || !axis) return "all";
  const inside = axis.marks.filter(({ at }) => at >= brush.low && at <= brush.high).map(({ value }) => valueText(value));
  return `from ${Math.round(brush.low * 100)} to ${Math.round(brush.high * 100)} percent${inside.length ? `: ${inside.join(", ")}` : ""}`;
}

function placeOf(n: number, count: number, width: number): number {
  const side = Math.min(SIDE, width / 6);
  return count > 1 ? side + (n * (width - 2 * side)) / (count - 1) : width / 2;
}

function draw({ ctx, width, height, color, font }: Pen, { related, names, titles, axes, brushes, shades }: Props, marked: string): void {
  const [from, to, faint] = [color("--series-2"), color("--series-3"), color("--line")];
  const y = (at: number) => TOP + (1 - at) * (height - TOP - BOTTOM);
  const columns = names.map((name) => ({ axis: axes.get(name)!, values: related.columns[name] ?? [] }));
  const line = (run: number) => {
    ctx.beginPath();
    let isDown = false;
    columns.forEach(({ axis, values }, n) => {
      const at = axis.at(values[run] ?? null);
      if (Number.isNaN(at)) isDown = false;
      else if (isDown) ctx.lineTo(placeOf(n, names.length, width), y(at));
      else ctx.moveTo(placeOf(n, names.length, width), y(at));
      isDown = !Number.isNaN(at);
    });
    ctx.stroke();
  };
  const runs = [...related.ids.keys()];
  const inside = runs.filter((run) => isWithin(related, axes, brushes, run));
  ctx.lineWidth = 1;
  ctx.strokeStyle = faint;
  if (inside.length < runs.length) {
    const kept = new Set(inside);
    for (const run of runs) if (!kept.has(run)) line(run);
  }
  ctx.globalAlpha = Math.max(PALEST, Math.min(0.85, DENSE / inside.length));
  for (const run of inside) {
    ctx.strokeStyle = Number.isNaN(shades[run]) ? color("--series-9") : mixed(from, to, shades[run] ?? 0);
    ctx.lineWidth = 1.5;
    line(run);
  }
  ctx.globalAlpha = 1;
  const run = marked ? related.ids.indexOf(marked) : -1;
  if (run >= 0) {
    ctx.lineWidth = 3;
    ctx.strokeStyle = color("--accent");
    line(run);
  }
  ctx.font = font;
  columns.forEach(({ axis }, n) => {
    const x = placeOf(n, names.length, width);
    const isLast = n === names.length - 1 && names.length > 1;
    ctx.strokeStyle = color("--line-strong");
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.moveTo(x, y(0));
    ctx.lineTo(x, y(1));
    ctx.stroke();
    const room = names.length > 1 ? Math.min(120, (width - 2 * Math.min(SIDE, width / 6)) / (names.length - 1) - 12) : width;
    ctx.textBaseline = "middle";
    ctx.textAlign = isLast ? "right" : "left";
    let last = Infinity;
    for (const { at, value } of axis.marks) {
      if (Math.abs(last - y(at)) < TEXT) continue;
      last = y(at);
      const text = cutTo(ctx, valueText(value), room);
      const left = isLast ? x - 8 : x + 8;
      const wide = ctx.measureText(text).width;
      ctx.globalAlpha = 0.78;
      ctx.fillStyle = color("--surface");
      ctx.fillRect(isLast ? left - wide - 2 : left - 2, y(at) - 7, wide + 4, 14);
      ctx.globalAlpha = 1;
      ctx.fillStyle = color("--soft");
      ctx.fillText(text, left, y(at));
    }
    ctx.textAlign = "center";
    ctx.fillStyle = color("--ink");
    const side = Math.min(SIDE, width / 6);
    ctx.fillText(cutTo(ctx, titles.get(names[n]!) ?? names[n]!, Math.max(20, Math.min(2 * side - 4, room + 4))), x, 14);
    const brush = brushes.get(names[n]!);
    if (!brush) return;
    ctx.fillStyle = ctx.strokeStyle = color("--accent");
    ctx.globalAlpha = 0.25;
    ctx.fillRect(x - 7, y(brush.high), 14, Math.max(2, y(brush.low) - y(brush.high)));
    ctx.globalAlpha = 1;
    ctx.strokeRect(x - 7, y(brush.high), 14, Math.max(2, y(brush.low) - y(brush.high)));
  });
}

/** The run whose line is nearest to a place between two axes; −1 when none is near. */
function nearestRun({ related, names, axes, brushes }: Props, left: number, top: number, width: number): number {
  const y = (at: number) => TOP + (1 - at) * (HEIGHT - TOP - BOTTOM);
  let n = 0;
  while (n < names.length - 2 && placeOf(n + 1, names.length, width) < left) n += 1;
  if (names.length < 2) return -1;
  const [from, to] = [placeOf(n, names.length, width), placeOf(n + 1, names.length, width)];
  const part = Math.min(1, Math.max(0, (left - from) / (to - from || 1)));
  const [one, other] = [names[n]!, names[n + 1]!];
  let best = -1;
  let least = NEAR;
  for (let run = 0; run < related.ids.length; run += 1) {
    const a = y(axes.get(one)?.at(related.columns[one]?.[run] ?? null) ?? NaN);
    const b = y(axes.get(other)?.at(related.columns[other]?.[run] ?? null) ?? NaN);
    const distance = Math.abs(a + (b - a) * part - top);
    if (distance < least && isWithin(related, axes, brushes, run)) {
      least = distance;
      best = run;
    }
  }
  return best;
}
