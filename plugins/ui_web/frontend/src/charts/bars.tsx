/** A metric of which runs have one point each, such as a score at the end: a bar for each run, with its value. It is its own table. */
import { hoveredRun } from "../app/hover";
import { shortNumber } from "../values/numbers";
import type { Curve } from "./curves";

interface Props {
  readonly curves: readonly Curve[];
  readonly nameOf: (runId: string) => string;
  readonly colorOf: (runId: string) => number;
  readonly height: number;
}

export function Bars({ curves, nameOf, colorOf, height }: Props) {
  const values = curves.map((curve) => curve.ys[0] ?? NaN);
  const places = barsOf(values);
  return (
    <div class="scrolls chart-bars" style={{ height: `${height}px` }} tabIndex={0} role="group" aria-label="The value of each run">
      <table class="plain-table">
        <tbody>
          {curves.map(({ runId }, n) => (
            <tr key={runId} class={hoveredRun.value === runId ? "is-marked" : ""} onPointerEnter={() => (hoveredRun.value = runId)} onPointerLeave={() => (hoveredRun.value = "")}>
              <th scope="row">
                <bdi class="one-line" title={nameOf(runId)}>
                  {nameOf(runId)}
                </bdi>
              </th>
              <td aria-hidden="true">
                <span class="chart-bar" style={{ marginInlineStart: `${places[n]!.from}%`, width: `${places[n]!.share}%`, background: `var(--series-${colorOf(runId)})` }} />
              </td>
              <td class="number">{shortNumber(values[n]!)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Where bars begin and how long they are, in percent of the room: from zero, which lies within it where values have both signs. */
export function barsOf(values: readonly number[]): readonly { readonly from: number; readonly share: number }[] {
  const finite = values.filter(Number.isFinite);
  const low = Math.min(0, ...finite);
  const room = Math.max(0, ...finite) - low || 1;
  return values.map((value) => (Number.isFinite(value) ? { from: ((Math.min(0, value) - low) / room) * 100, share: (Math.abs(value) / room) * 100 } : { from: 0, share: 0 }));
}
