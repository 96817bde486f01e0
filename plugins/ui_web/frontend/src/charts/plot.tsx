/** A plot of curves over uPlot, which does axes, scales and dragging; the lines are drawn by `painter`, since each curve has its own x. */
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { hoveredRun } from "../app/hover";
import { theme } from "../app/theme";
import { shortNumber } from "../values/numbers";
import { acrossText, acrossTitle, axesOf } from "./axes";
import type { Band } from "./bands";
import { extentAcross, extentUp, nearest, roomy, type Across, type Curve, type Extent } from "./curves";
import { paint, type Painted } from "./painter";

export interface PlotProps {
  readonly name: string;
  /** What is drawn; nothing where `bands` stand for the runs. */
  readonly curves: readonly Curve[];
  /** All runs: those of a band are drawn when it is pointed at. */
  readonly members: readonly Curve[];
  readonly bands: readonly Band[];
  readonly groupOf: (runId: string) => string;
  readonly across: Across;
  readonly isLogAcross: boolean;
  readonly isLogUp: boolean;
  readonly zoom: Extent | null;
  readonly onZoom: (extent: Extent | null) => void;
  readonly height: number;
  /** The number of a run's or a group's colour. */
  readonly colorOf: (id: string) => number;
  readonly nameOf: (runId: string) => string;
  /** Told the plot when it is there, for pictures of it. */
  readonly onPlot?: (plot: uPlot | null) => void;
}

const STEP = 0.2;
const NEAR = 40;

interface Pointed {
  readonly left: number;
  readonly top: number;
  readonly runId: string;
  readonly value: number;
  readonly raw: number | null;
  readonly step: number;
  readonly x: number;
}

export function Plot(props: PlotProps) {
  const { members, bands, across, isLogAcross, isLogUp, zoom, height } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const now = useRef(props);
  now.current = props;
  const pointed = useSignal<Pointed | null>(null);
  const extents = useRef<{ x: Extent; y: Extent }>({ x: { low: 0, high: 1 }, y: { low: 0, high: 1 } });
  const whole = useMemo(() => extentAcross(members, isLogAcross), [members, isLogAcross]);
  const x = zoom ?? (whole ? (whole.low < whole.high ? whole : roomy(whole, isLogAcross)) : { low: isLogAcross ? 1 : 0, high: isLogAcross ? 10 : 1 });
  const up = useMemo(() => extentUp(members, x, isLogUp), [members, x.low, x.high, isLogUp]);
  extents.current = { x, y: up ? roomy(up, isLogUp) : { low: isLogUp ? 0.1 : 0, high: 1 } };
  const look = theme.value;
  const marked = hoveredRun.value;

  useLayoutEffect(() => {
    const host = box.current!;
    const style = getComputedStyle(host);
    const color = (name: string) => style.getPropertyValue(name).trim();
    const palette = Array.from({ length: 11 }, (_, n) => color(`--series-${n || 1}`));
    const made = new uPlot(
      {
        width: host.clientWidth || 300,
        height,
        ms: 1,
        padding: [8, across === "step" ? 14 : 26, 0, 0],
        legend: { show: false },
        cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false, dist: 6 }, bind: { dblclick: () => null } },
        scales: {
          x: { time: across === "wall", distr: isLogAcross ? 3 : 1, range: () => [extents.current.x.low, extents.current.x.high] },
          y: { distr: isLogUp ? 3 : 1, range: () => [extents.current.y.low, extents.current.y.high] },
        },
        axes: axesOf(across, color("--soft"), color("--line"), `11px ${style.fontFamily}`),
        series: [{}, { scale: "y", paths: () => null, points: { show: false } }],
        hooks: {
          draw: [(self) => paint(self, painted(now.current, (number) => palette[number] ?? palette[1]!))],
          setSelect: [
            (self) => {
              const { left, width } = self.select;
              if (width < 6) return;
              self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
              now.current.onZoom({ low: self.posToVal(left, "x"), high: self.posToVal(left + width, "x") });
            },
          ],
          setCursor: [(self) => point(self)],
        },
      },
      bare(extents.current.x),
      host,
    );
    const point = (self: uPlot) => {
      const { left = -1, top = -1 } = self.cursor;
      // while a part is being dragged nothing is pointed at: marking a run would draw all curves again with each move
      const isDragging = self.select.width > 0;
      const found = left < 0 || isDragging ? null : nearest(now.current.members, left, top, (value) => self.valToPos(value, "x"), (value) => self.valToPos(value, "y"), self.posToVal(left, "x"));
      if (!found) {
        pointed.value = null;
        if (isDragging) hoveredRun.value = "";
        return;
      }
      const { curve, place } = found;
      const value = (curve.smooth ?? curve.ys)[place]!;
      const at = { left: self.valToPos(curve.xs[place]!, "x"), top: self.valToPos(value, "y") };
      const isNear = Math.hypot(at.left - left, at.top - top) <= NEAR;
      hoveredRun.value = isNear ? curve.runId : "";
      pointed.value = isNear
        ? {
            left: at.left + self.bbox.left / devicePixelRatio,
            top: at.top + self.bbox.top / devicePixelRatio,
            runId: curve.runId,
            value,
            raw: curve.smooth ? curve.ys[place]! : null,
            step: curve.steps[place]!,
            x: curve.xs[place]!,
          }
        : null;
    };
    made.over.addEventListener("dblclick", () => now.current.onZoom(null));
    made.over.addEventListener("pointerleave", () => {
      pointed.value = null;
      hoveredRun.value = "";
    });
    plot.current = made;
    now.current.onPlot?.(made);
    const watch = new ResizeObserver(() => {
      if (host.clientWidth && host.clientWidth !== made.width) made.setSize({ width: host.clientWidth, height: now.current.height });
    });
    watch.observe(host);
    return () => {
      watch.disconnect();
      now.current.onPlot?.(null);
      made.destroy();
      plot.current = null;
    };
  }, [across, isLogAcross, isLogUp, look]);

  useLayoutEffect(() => {
    if (plot.current && plot.current.height !== height) plot.current.setSize({ width: box.current!.clientWidth, height });
  }, [height]);
  useLayoutEffect(() => plot.current?.setData(bare(extents.current.x)), [members, bands, zoom?.low, zoom?.high, across, isLogAcross, isLogUp, look]);
  useLayoutEffect(() => plot.current?.redraw(false), [marked, props.colorOf]);

  const onKeyDown = (event: KeyboardEvent) => {
    const next = moved(event.key, extents.current.x, isLogAcross, whole);
    if (next === undefined) return;
    event.preventDefault();
    props.onZoom(next);
  };
  const told = pointed.value;
  return (
    <div class="plot">
      <div ref={box} class="plot-canvas" style={{ height: `${height}px` }} role="img" tabIndex={0} aria-label={inWords(props, up)} aria-keyshortcuts="+ - ArrowLeft ArrowRight 0" onKeyDown={onKeyDown} />
      {told && (
        <div class={`plot-tip ${told.left > (box.current?.clientWidth ?? 0) / 2 ? "at-left" : ""}`} style={{ left: `${told.left}px`, top: `${told.top}px` }}>
          <span class="plot-tip-name">
            <span class="swatch" style={{ background: `var(--series-${props.colorOf(told.runId)})` }} />
            <bdi class="one-line">{props.nameOf(told.runId)}</bdi>
          </span>
          <strong>{shortNumber(told.value)}</strong>
          {told.raw !== null && <span class="soft">raw {shortNumber(told.raw)}</span>}
          <span class="soft">
            step {shortNumber(told.step)}
            {across !== "step" && <>, {acrossText(across, told.x)}</>}
          </span>
        </div>
      )}
      {members.length > 0 && !up && <p class="plot-note">Nothing to draw here{isLogUp || isLogAcross ? ": a logarithmic axis has no place for values that are not above 0" : ""}.</p>}
      {up && !isDrawable(up) && <p class="plot-note">These values are too far apart, or too close together, to be drawn; the table tells them.</p>}
    </div>
  );
}

/** False for values at the ends of what floats hold, whose distance they do not. */
function isDrawable({ low, high }: Extent): boolean {
  return low === high || (Number.isFinite(high - low) && high - low > 1e-300);
}

/** The data that uPlot is given: it needs the x axis only. */
function bare({ low, high }: Extent): uPlot.AlignedData {
  return [
    [low, high],
    [null, null],
  ];
}

/** Where a key leads: closer, farther, along; null for all, undefined for a key without a meaning. */
function moved(key: string, now: Extent, isLog: boolean, whole: Extent | null): Extent | null | undefined {
  const low = isLog ? Math.log10(now.low) : now.low;
  const high = isLog ? Math.log10(now.high) : now.high;
  const span = high - low;
  const to = (from: number, until: number): Extent => (isLog ? { low: 10 ** from, high: 10 ** until } : { low: from, high: until });
  if (key === "+" || key === "=") return to(low + span * STEP, high - span * STEP);
  if (key === "-") {
    const wider = to(low - (span * STEP) / (1 - 2 * STEP), high + (span * STEP) / (1 - 2 * STEP));
    return whole && wider.low <= whole.low && wider.high >= whole.high ? null : wider;
  }
  if (key === "ArrowLeft") return to(low - span * STEP, high - span * STEP);
  if (key === "ArrowRight") return to(low + span * STEP, high + span * STEP);
  return key === "0" || key === "Escape" ? null : undefined;
}

/** With the members of the band whose run is pointed at. */
function painted({ curves, members, bands, groupOf, colorOf }: PlotProps, color: (number: number) => string): Painted {
  const run = hoveredRun.peek();
  if (bands.length === 0) return { curves, bands, colorOf: (id) => color(colorOf(id)), marked: run };
  const isKnown = run !== "" && members.some((member) => member.runId === run);
  const group = isKnown ? groupOf(run) : "";
  return {
    curves: isKnown ? members.filter((member) => groupOf(member.runId) === group) : [],
    bands,
    colorOf: (id) => color(colorOf(id)),
    marked: isKnown ? run : "",
  };
}

function inWords({ name, members, across, zoom }: PlotProps, up: Extent | null): string {
  const runs = members.length === 1 ? "one run" : `${members.length} runs`;
  const range = up ? `, values from ${shortNumber(up.low)} to ${shortNumber(up.high)}` : "";
  const part = zoom ? `, from ${acrossText(across, zoom.low)} to ${acrossText(across, zoom.high)}` : "";
  return `${name} of ${runs} over ${acrossTitle(across)}${part}${range}. Plus and minus zoom, arrows move, 0 shows all.`;
}
