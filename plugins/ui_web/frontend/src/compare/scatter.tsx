/** A point for each run, over two fields, coloured by a third; behind the points, on request, what the third is likely to be between them. */
import { useSignal } from "@preact/signals";
import { hoveredRun } from "../app/hover";
import { address, go, to } from "../app/router";
import { cutTo, mixed, useCanvas, type Pen } from "./canvas";
import { valueText } from "./parallel";
import type { Related } from "./related";
import type { Axis } from "./scales";

interface Props {
  readonly related: Related;
  readonly x: string;
  readonly y: string;
  readonly color: string;
  readonly titles: ReadonlyMap<string, string>;
  readonly axes: ReadonlyMap<string, Axis>;
  readonly shades: readonly number[];
  readonly hasContour: boolean;
  readonly isShown: (run: number) => boolean;
}

const HEIGHT = 380;
const LEFT = 64;
const RIGHT = 16;
const TOP = 14;
const BOTTOM = 40;
const REACH = 18;
const LEVELS = 8;
const CELL = 8;
const INNER = 0.04;
/** How far from a point the contour goes at most: so many times the distance that points would have on a grid, and so many pixels. */
const FAR = 1.5;
const FAR_PX = 110;

export function Scatter(props: Props) {
  const { related, x, y, titles, color } = props;
  const told = useSignal<{ left: number; top: number; run: number } | null>(null);
  const marked = hoveredRun.value;
  const { canvas, width } = useCanvas(HEIGHT, (pen) => draw(pen, props, marked), [related, x, y, color, props.axes, props.shades, props.hasContour, props.isShown, marked]);
  const spots = spotsOf(props, width);
  const point = (event: PointerEvent) => {
    const box = canvas.current!.getBoundingClientRect();
    const [left, top] = [event.clientX - box.left, event.clientY - box.top];
    const near = spots.reduce<{ run: number; distance: number } | null>((best, spot) => {
      const distance = Math.hypot(spot.left - left, spot.top - top);
      return distance < (best?.distance ?? REACH) ? { run: spot.run, distance } : best;
    }, null);
    hoveredRun.value = near ? related.ids[near.run]! : "";
    const spot = near && spots.find(({ run }) => run === near.run);
    told.value = spot ? { left: spot.left, top: spot.top, run: spot.run } : null;
  };
  const shown = told.value;
  return (
    <div class="relation-canvas" style={{ height: `${HEIGHT}px` }} onPointerMove={point} onPointerLeave={() => ((hoveredRun.value = ""), (told.value = null))} onClick={() => shown && go(address(to("runs", related.ids[shown.run]!)))}>
      <canvas
        ref={canvas}
        style={{ width: `${width}px`, height: `${HEIGHT}px` }}
        role="img"
        aria-label={`${spots.length} runs: ${titles.get(y)} over ${titles.get(x)}, coloured by ${titles.get(color)}${props.hasContour ? ", with its contour" : ""}`}
      />
      {shown && (
        <div class={`plot-tip ${shown.left > width / 2 ? "at-left" : ""}`} style={{ left: `${shown.left}px`, top: `${shown.top}px` }}>
          <bdi class="one-line">
            <strong>{related.names[shown.run]}</strong>
          </bdi>
          {[...new Set([x, y, color])].map((name) => (
            <span class="one-line" key={name}>
              <span class="soft">{titles.get(name)}</span> {valueText(related.columns[name]?.[shown.run] ?? null)}
            </span>
          ))}
        </div>
      )}
    </div>
  );
}

interface Spot {
  readonly run: number;
  readonly left: number;
  readonly top: number;
}

function spotsOf({ related, x, y, axes, isShown }: Props, width: number): readonly Spot[] {
  const [across, up] = [axes.get(x), axes.get(y)];
  if (!across || !up) return [];
  return [...related.ids.keys()].flatMap((run) => {
    const left = placed(across.at(related.columns[x]?.[run] ?? null), LEFT, width - RIGHT);
    const top = placed(up.at(related.columns[y]?.[run] ?? null), HEIGHT - BOTTOM, TOP);
    return Number.isNaN(left) || Number.isNaN(top) || !isShown(run) ? [] : [{ run, left, top }];
  });
}

/** A place from 0 to 1 on the screen, with some room at both ends. */
function placed(at: number, from: number, to: number): number {
  return from + (INNER + at * (1 - 2 * INNER)) * (to - from);
}

function draw(pen: Pen, props: Props, marked: string): void {
  const { ctx, width, color, font } = pen;
  const { related, x, y, titles, axes, shades, hasContour } = props;
  const spots = spotsOf(props, width);
  const [from, to] = [color("--series-2"), color("--series-3")];
  if (hasContour) contour(pen, spots, shades, from, to);
  ctx.font = font;
  ctx.strokeStyle = color("--line");
  ctx.fillStyle = color("--soft");
  ctx.lineWidth = 1;
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  for (const { at, value } of axes.get(y)?.marks ?? []) {
    const top = Math.round(placed(at, HEIGHT - BOTTOM, TOP)) + 0.5;
    line(ctx, LEFT, top, width - RIGHT, top);
    ctx.fillText(cutTo(ctx, valueText(value), LEFT - 12), LEFT - 6, top);
  }
  ctx.textAlign = "center";
  const marks = axes.get(x)?.marks ?? [];
  const room = (width - LEFT - RIGHT) / Math.max(1, marks.length) - 4;
  for (const { at, value } of marks) {
    const left = Math.round(placed(at, LEFT, width - RIGHT)) + 0.5;
    line(ctx, left, TOP, left, HEIGHT - BOTTOM);
    const text = cutTo(ctx, valueText(value), room);
    const half = ctx.measureText(text).width / 2 + 2;
    ctx.fillText(text, Math.min(width - half, Math.max(half, left)), HEIGHT - BOTTOM + 11);
  }
  ctx.fillStyle = color("--ink");
  ctx.fillText(cutTo(ctx, titles.get(x) ?? x, width - LEFT - RIGHT), (LEFT + width - RIGHT) / 2, HEIGHT - 8);
  ctx.textAlign = "left";
  ctx.fillText(cutTo(ctx, titles.get(y) ?? y, width / 2), 4, 6);
  const size = spots.length > 1000 ? 2.5 : 4;
  ctx.globalAlpha = spots.length > 1000 ? 0.6 : 0.9;
  for (const { run, left, top } of spots) {
    ctx.fillStyle = Number.isNaN(shades[run]) ? color("--series-9") : mixed(from, to, shades[run] ?? 0);
    dot(ctx, left, top, size);
    if (!hasContour) continue;
    ctx.strokeStyle = color("--surface");
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
  const at = spots.find(({ run }) => related.ids[run] === marked);
  if (!at) return;
  ctx.strokeStyle = color("--accent");
  ctx.lineWidth = 2.5;
  dot(ctx, at.left, at.top, size + 3, false);
  ctx.stroke();
}

/**
 * Between the points the colour's place is their mean, weighted with one over the square of the distance (Shepard 1968), in `LEVELS` levels.
 * Only the points themselves are known: what lies between is a guess, which fades away from them, and nothing is drawn where there are fewer than three.
 */
function contour({ ctx, width }: Pen, spots: readonly Spot[], shades: readonly number[], from: string, to: string): void {
  const known = spots.filter(({ run }) => !Number.isNaN(shades[run])).slice(0, 1500);
  if (known.length < 3) return;
  const far = Math.min(FAR_PX, FAR * Math.sqrt(((width - LEFT - RIGHT) * (HEIGHT - TOP - BOTTOM)) / known.length));
  for (let left = LEFT; left < width - RIGHT; left += CELL)
    for (let top = TOP; top < HEIGHT - BOTTOM; top += CELL) {
      let sum = 0;
      let weights = 0;
      let nearest = Infinity;
      for (const spot of known) {
        const square = (spot.left - left - CELL / 2) ** 2 + (spot.top - top - CELL / 2) ** 2;
        const weight = 1 / (square + 1);
        nearest = Math.min(nearest, square);
        sum += weight * shades[spot.run]!;
        weights += weight;
      }
      if (nearest > far ** 2) continue;
      ctx.globalAlpha = 0.38 * Math.min(1, 2 - (2 * Math.sqrt(nearest)) / far);
      ctx.fillStyle = mixed(from, to, (Math.min(LEVELS - 1, Math.floor((sum / weights) * LEVELS)) + 0.5) / LEVELS);
      ctx.fillRect(left, top, Math.min(CELL, width - RIGHT - left), Math.min(CELL, HEIGHT - BOTTOM - top));
    }
  ctx.globalAlpha = 1;
}

function line(ctx: CanvasRenderingContext2D, left: number, top: number, right: number, bottom: number): void {
  ctx.beginPath();
  ctx.moveTo(left, top);
  ctx.lineTo(right, bottom);
  ctx.stroke();
}

function dot(ctx: CanvasRenderingContext2D, left: number, top: number, size: number, isFilled = true): void {
  ctx.beginPath();
  ctx.arc(left, top, size, 0, 2 * Math.PI);
  if (isFilled) ctx.fill();
}
