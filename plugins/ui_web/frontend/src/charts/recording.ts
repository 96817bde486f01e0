/** A canvas that writes down what is drawn, for tests: there is none without a browser. */

export interface Line {
  /** The places of one stroke, in the order of drawing. */
  readonly places: readonly (readonly [x: number, y: number])[];
  readonly color: string;
  readonly width: number;
  readonly alpha: number;
}

/** `lines` are the strokes of curves, which are told from those of axes by how their corners are cut. */
export function recording(): { readonly context: CanvasRenderingContext2D; readonly lines: Line[] } {
  const lines: Line[] = [];
  let places: [number, number][] = [];
  const place = (x: number, y: number) => void places.push([x, y]);
  const kept: Record<string, unknown> = {
    beginPath: () => void (places = []),
    moveTo: place,
    lineTo: place,
    stroke: () => {
      if (kept["lineJoin"] === "bevel") lines.push({ places, color: String(kept["strokeStyle"]), width: Number(kept["lineWidth"]), alpha: Number(kept["globalAlpha"]) });
    },
    restore: () => void delete kept["lineJoin"],
    measureText: (text: string) => ({ width: 6 * text.length }),
  };
  const context = new Proxy(kept, { get: (_, name) => kept[String(name)] ?? (() => undefined) });
  return { context: context as unknown as CanvasRenderingContext2D, lines };
}
