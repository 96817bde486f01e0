/** A canvas as wide as its place, sharp on every screen, drawn again when its size, its theme or what it shows changes. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { theme } from "../app/theme";

export interface Pen {
  readonly ctx: CanvasRenderingContext2D;
  readonly width: number;
  readonly height: number;
  /** The value of a property of the styles, such as `--ink`. */
  readonly color: (name: string) => string;
  readonly font: string;
}

export interface Sized {
  readonly canvas: { current: HTMLCanvasElement | null };
  readonly width: number;
}

/** Draws with `draw` after each change of `depends`; sizes are in CSS pixels. */
export function useCanvas(height: number, draw: (pen: Pen) => void, depends: readonly unknown[]): Sized {
  const canvas = useRef<HTMLCanvasElement | null>(null);
  const [width, setWidth] = useState(0);
  const look = theme.value;
  useLayoutEffect(() => {
    const box = canvas.current?.parentElement;
    if (!box) return undefined;
    const measure = () => setWidth(Math.floor(box.clientWidth));
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(box);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    const drawn = canvas.current;
    const ctx = drawn?.getContext("2d");
    if (!drawn || !ctx || width === 0) return;
    const ratio = devicePixelRatio;
    drawn.width = width * ratio;
    drawn.height = height * ratio;
    ctx.scale(ratio, ratio);
    const style = getComputedStyle(drawn);
    draw({ ctx, width, height, color: (name) => style.getPropertyValue(name).trim(), font: `11px ${style.fontFamily}` });
  }, [width, height, look, ...depends]);
  return { canvas, width };
}

/** A colour between two, `#rrggbb` each, at a place from 0 to 1. */
export function mixed(from: string, to: string, at: number): string {
  const part = (color: string, n: number) => parseInt(color.slice(1 + 2 * n, 3 + 2 * n), 16);
  const channels = [0, 1, 2].map((n) => Math.round(part(from, n) + (part(to, n) - part(from, n)) * Math.min(1, Math.max(0, at))));
  return `rgb(${channels.join(" ")})`;
}

/** A text cut to a width, with an ellipsis. */
export function cutTo(ctx: CanvasRenderingContext2D, text: string, width: number): string {
  if (ctx.measureText(text).width <= width) return text;
  let length = text.length;
  while (length > 1 && ctx.measureText(`${text.slice(0, length)}…`).width > width) length -= 1;
  return `${text.slice(0, length)}…`;
}
