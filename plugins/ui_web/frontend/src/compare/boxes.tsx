/** A metric by the values of a param: for each a box from the lower to the upper quartile, with the median, whiskers and what lies outside. */
import { count, shortNumber } from "../values/numbers";
import { cutTo, useCanvas, type Pen } from "./canvas";
import { valueText } from "./parallel";
import type { Related } from "./related";
import { areNumbers, asNumber, axisOf, least, most, type Axis, type Value } from "./scales";

export interface Box {
  readonly title: string;
  readonly count: number;
  readonly q1: number;
  readonly median: number;
  readonly q3: number;
  /** The farthest values that lie within 1.5 times the quartiles' distance (Tukey 1977); no nearer than the quartiles, which may lie between values. */
  readonly low: number;
  readonly high: number;
  readonly outside: readonly number[];
}

interface Props {
  readonly related: Related;
  readonly by: string;
  readonly metric: string;
  readonly titles: ReadonlyMap<string, string>;
  readonly isShown: (run: number) => boolean;
  readonly asTable: boolean;
}

const HEIGHT = 320;
const LEFT = 64;
const RIGHT = 16;
const TOP = 20;
const BOTTOM = 44;
const BINS = 8;
const BOXES_MAX = 24;
const ROWS_MAX = 200;

export function Boxes({ related, by, metric, titles, isShown, asTable }: Props) {
  const every = boxesOf(related.columns[by] ?? [], related.columns[metric] ?? [], isShown);
  const boxes = every.slice(0, asTable ? ROWS_MAX : BOXES_MAX);
  const axis = axisOf(boxes.flatMap((box) => [box.low, box.high, ...box.outside]), "linear");
  const { canvas, width } = useCanvas(HEIGHT, (pen) => draw(pen, boxes, axis, titles.get(by) ?? by, titles.get(metric) ?? metric), [related, by, metric, boxes.map((box) => box.count).join(), asTable]);
  return (
    <>
      <div class="relation-canvas" style={asTable ? {} : { height: `${HEIGHT}px` }}>
        <canvas ref={canvas} hidden={asTable} style={{ width: `${width}px`, height: `${HEIGHT}px` }} role="img" aria-label={`${titles.get(metric)} by ${titles.get(by)}: ${boxes.map((box) => `${box.title} median ${shortNumber(box.median)}`).join("; ")}`} />
        {asTable && (
          <table class="plain-table">
            <thead>
              <tr>
                <th scope="col">{titles.get(by)}</th>
                {["Runs", "Min", "Lower quartile", "Median", "Upper quartile", "Max"].map((title) => (
                  <th scope="col" class="number" key={title}>
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {boxes.map((box) => (
                <tr key={box.title}>
                  <th scope="row">
                    <bdi>{box.title}</bdi>
                  </th>
                  <td class="number">{box.count}</td>
                  {[least([box.low, ...box.outside]), box.q1, box.median, box.q3, most([box.high, ...box.outside])].map((value, n) => (
                    <td class="number" key={n}>
                      {shortNumber(value)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
      {boxes.length < every.length && (
        <p class="soft small" role="status">
          The first {boxes.length} of {count(every.length)} values of {titles.get(by) ?? by}, in their order. {asTable ? "A filter" : "The table has more; a filter"} brings others.
        </p>
      )}
    </>
  );
}

/** The boxes of a metric: one for each value of the other column, or for each of `BINS` equally filled bins where that has more numbers. */
export function boxesOf(by: readonly Value[], metric: readonly Value[], isShown: (run: number) => boolean = () => true): readonly Box[] {
  const pairs = by.flatMap((value, run) => {
    const number = asNumber(metric[run] ?? null);
    return value === null || !Number.isFinite(number) || !isShown(run) ? [] : [{ value, number }];
  });
  const isNumeric = areNumbers(by);
  const numbers = new Map<Value, number[]>();
  for (const { value, number } of pairs) {
    const own = numbers.get(value);
    if (own) own.push(number);
    else numbers.set(value, [number]);
  }
  const different = [...numbers.keys()].sort((one, other) => (isNumeric ? asNumber(one) - asNumber(other) : String(one).localeCompare(String(other), undefined, { numeric: true })));
  if (!isNumeric || different.length <= BINS)
    return different.map((value) => boxOf(valueText(value), numbers.get(value)!));
  const sorted = [...pairs].sort((one, other) => asNumber(one.value) - asNumber(other.value));
  return Array.from({ length: BINS }, (_, n) => sorted.slice(Math.floor((n * sorted.length) / BINS), Math.floor(((n + 1) * sorted.length) / BINS)))
    .filter((bin) => bin.length > 0)
    .map((bin) => boxOf(`${endText(bin[0]!.value)} – ${endText(bin.at(-1)!.value)}`, bin.map(({ number }) => number)));
}

/** An end of a bin needs few digits. */
function endText(value: Value): string {
  return shortNumber(Number(asNumber(value).toPrecision(3)));
}

function boxOf(title: string, numbers: readonly number[]): Box {
  const sorted = [...numbers].sort((one, other) => one - other);
  const [q1, median, q3] = [0.25, 0.5, 0.75].map((share) => quantile(sorted, share)) as [number, number, number];
  const reach = 1.5 * (q3 - q1);
  const inside = sorted.filter((number) => number >= q1 - reach && number <= q3 + reach);
  return { title, count: sorted.length, q1, median, q3, low: Math.min(q1, inside[0]!), high: Math.max(q3, inside.at(-1)!), outside: sorted.filter((number) => number < q1 - reach || number > q3 + reach) };
}

/** On the straight line between the two nearest values (type 7 of Hyndman and Fan 1996). */
export function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)]!;
  return below + ((sorted[Math.ceil(at)] ?? below) - below) * (at - Math.floor(at));
}

function draw({ ctx, width, color, font }: Pen, boxes: readonly Box[], axis: Axis, by: string, metric: string): void {
  const y = (value: number) => HEIGHT - BOTTOM - (0.03 + axis.at(value) * 0.94) * (HEIGHT - BOTTOM - TOP);
  ctx.font = font;
  ctx.textBaseline = "middle";
  ctx.textAlign = "right";
  ctx.lineWidth = 1;
  for (const { value } of axis.marks) {
    const top = Math.round(y(value as number)) + 0.5;
    ctx.strokeStyle = color("--line");
    ctx.beginPath();
    ctx.moveTo(LEFT, top);
    ctx.lineTo(width - RIGHT, top);
    ctx.stroke();
    ctx.fillStyle = color("--soft");
    ctx.fillText(valueText(value), LEFT - 6, top);
  }
  const room = (width - LEFT - RIGHT) / Math.max(1, boxes.length);
  const wide = Math.min(56, room * 0.6);
  ctx.textAlign = "center";
  boxes.forEach((box, n) => {
    const middle = LEFT + (n + 0.5) * room;
    ctx.strokeStyle = ctx.fillStyle = color("--series-2");
    ctx.lineWidth = 1.5;
    ctx.beginPath();
    ctx.moveTo(middle, y(box.low));
    ctx.lineTo(middle, y(box.q1));
    ctx.moveTo(middle, y(box.q3));
    ctx.lineTo(middle, y(box.high));
    ctx.stroke();
    ctx.globalAlpha = 0.18;
    ctx.fillRect(middle - wide / 2, y(box.q3), wide, y(box.q1) - y(box.q3));
    ctx.globalAlpha = 1;
    ctx.strokeRect(middle - wide / 2, y(box.q3), wide, y(box.q1) - y(box.q3));
    ctx.lineWidth = 3;
    ctx.beginPath();
    ctx.moveTo(middle - wide / 2, y(box.median));
    ctx.lineTo(middle + wide / 2, y(box.median));
    ctx.stroke();
    for (const value of box.outside) {
      ctx.beginPath();
      ctx.arc(middle, y(value), 2, 0, 2 * Math.PI);
      ctx.fill();
    }
    ctx.fillStyle = color("--soft");
    ctx.fillText(cutTo(ctx, box.title, room - 4), middle, HEIGHT - BOTTOM + 12);
  });
  ctx.fillStyle = color("--ink");
  ctx.fillText(cutTo(ctx, by, width - LEFT - RIGHT), (LEFT + width - RIGHT) / 2, HEIGHT - 10);
  ctx.textAlign = "left";
  ctx.fillText(cutTo(ctx, metric, width / 2), 4, 7);
}
