/** What a chart says, as a table: one row for each run, with what lies in the part that is shown. */
import { hoveredRun } from "../app/hover";
import { shortNumber } from "../values/numbers";
import { acrossText, acrossTitle } from "./axes";
import type { Across, Curve, Extent } from "./curves";

interface Props {
  readonly curves: readonly Curve[];
  readonly across: Across;
  readonly within: Extent | null;
  readonly nameOf: (runId: string) => string;
  readonly colorOf: (runId: string) => number;
  readonly height: number;
}

export function Twin({ curves, across, within, nameOf, colorOf, height }: Props) {
  return (
    <div class="scrolls chart-twin" style={{ height: `${height}px` }} tabIndex={0} role="group" aria-label="The chart as a table">
      <table class="plain-table">
        <thead>
          <tr>
            <th scope="col">Run</th>
            {["Last", "Min", "Max"].map((title) => (
              <th scope="col" class="number" key={title}>
                {title}
              </th>
            ))}
            <th scope="col" class="number">
              Last {acrossTitle(across)}
            </th>
          </tr>
        </thead>
        <tbody>
          {curves.map((curve) => {
            const told = figuresOf(curve, within);
            return (
              <tr key={curve.runId} class={hoveredRun.value === curve.runId ? "is-marked" : ""} onPointerEnter={() => (hoveredRun.value = curve.runId)} onPointerLeave={() => (hoveredRun.value = "")}>
                <th scope="row" class="chart-run">
                  <span class="swatch" style={{ background: `var(--series-${colorOf(curve.runId)})` }} />
                  <bdi class="one-line">{nameOf(curve.runId)}</bdi>
                </th>
                {[told?.last, told?.min, told?.max].map((value, n) => (
                  <td class="number" key={n}>
                    {value === undefined ? "–" : shortNumber(value)}
                  </td>
                ))}
                <td class="number">{told ? acrossText(across, told.x) : "–"}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** The last, lowest and highest value in a part of the x axis; undefined where there is none. */
export function figuresOf({ xs, ys }: Curve, within: Extent | null): { last: number; min: number; max: number; x: number } | undefined {
  let found: { last: number; min: number; max: number; x: number } | undefined;
  for (let n = 0; n < xs.length; n += 1) {
    const [x, y] = [xs[n]!, ys[n]!];
    if (within && !(x >= within.low && x <= within.high)) continue;
    const { min, max } = found ?? { min: y, max: y };
    found = { last: y, x, min: y < min || Number.isNaN(min) ? y : min, max: y > max || Number.isNaN(max) ? y : max };
  }
  return found;
}
