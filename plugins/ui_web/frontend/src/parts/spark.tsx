/** A small line over time with its range and its last value; pointing at it reads a moment. */
import { useSignal } from "@preact/signals";
import { shortNumber } from "../values/numbers";
import { time } from "../values/times";

export interface Moment {
  readonly at: number;
  readonly value: number;
}

const WIDTH = 300;
const HEIGHT = 96;

export function Spark({ title, unit, points }: { title: string; unit: string; points: readonly Moment[] }) {
  const pointed = useSignal<number | null>(null);
  const drawn = points.filter((point) => Number.isFinite(point.value));
  const values = drawn.map((point) => point.value);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const first = drawn[0]?.at ?? 0;
  const last = drawn.at(-1)?.at ?? 0;
  const x = (at: number) => (last > first ? ((at - first) / (last - first)) * WIDTH : WIDTH / 2);
  const y = (value: number) => (high > low ? HEIGHT - 3 - ((value - low) / (high - low)) * (HEIGHT - 6) : HEIGHT / 2);
  const path = drawn.length === 1 ? `M0 ${HEIGHT / 2}H${WIDTH}` : drawn.map((point, at) => `${at ? "L" : "M"}${x(point.at).toFixed(1)} ${y(point.value).toFixed(1)}`).join("");
  const read = pointed.value === null ? drawn.at(-1) : drawn[pointed.value];
  const onMove = (event: PointerEvent & { currentTarget: SVGSVGElement }) => {
    const box = event.currentTarget.getBoundingClientRect();
    const at = first + ((event.clientX - box.left) / box.width) * (last - first);
    pointed.value = drawn.reduce((best, point, index) => (Math.abs(point.at - at) < Math.abs((drawn[best]?.at ?? 0) - at) ? index : best), 0);
  };
  return (
    <figure class="spark card">
      <figcaption>
        <span class="one-line" title={title}>
          {title}
        </span>
        <strong class="number">{read ? `${shortNumber(read.value)} ${unit}` : "–"}</strong>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={drawn.length ? `${title}: from ${shortNumber(low)} to ${shortNumber(high)} ${unit}, last ${shortNumber(values.at(-1) ?? 0)}` : `${title}: no values`}
        onPointerMove={onMove}
        onPointerLeave={() => (pointed.value = null)}
      >
        <path class="spark-line" d={path} />
        {pointed.value !== null && read && <path class="spark-mark" d={`M${x(read.at)} 0V${HEIGHT}`} />}
      </svg>
      <div class="spark-foot">
        <span>{drawn.length ? `${shortNumber(low)} – ${shortNumber(high)}` : "no values"}</span>
        <span>{read ? time(read.at).slice(11) : ""}</span>
      </div>
    </figure>
  );
}
