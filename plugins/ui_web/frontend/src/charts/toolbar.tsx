/** How all charts of a page are drawn: the x axis, logarithms, smoothing, bands, size, and which metrics. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { place, setQuery } from "../app/router";
import { Icon } from "../parts/icon";
import { acrossTitle } from "./axes";
import type { Across } from "./curves";
import { across, band, bandBy, find, logAcross, logUp, setAcross, size, smoothing, toggleLog, type Size } from "./view";

interface Props {
  readonly metrics: readonly string[];
  /** What runs can be grouped by: names and keys. */
  readonly groups: readonly (readonly [name: string, key: string])[];
  readonly isGrouped: boolean;
  readonly children?: ComponentChildren;
}

const PLAIN: readonly Across[] = ["step", "relative", "wall"];
const SIZES: Record<Size, string> = { small: "S", medium: "M", large: "L" };
const SMOOTH_STEPS = 20;

export function ChartsToolbar({ metrics, groups, isGrouped, children }: Props) {
  const isOpen = useSignal(false);
  return (
    <div class="charts-toolbar" role="group" aria-label="How charts are drawn">
      <label class="charts-search">
        <Icon name="search" size={14} />
        <input class="field" type="search" placeholder="Find metrics" aria-label="Find metrics" value={find.value} onInput={(event) => setQuery({ find: event.currentTarget.value })} />
      </label>
      <button type="button" class="button charts-more" aria-expanded={isOpen.value} aria-controls="charts-options" onClick={() => (isOpen.value = !isOpen.value)}>
        <Icon name="columns" size={14} /> Options
      </button>
      <div id="charts-options" class={`charts-options ${isOpen.value ? "is-open" : ""}`}>
        <label class="charts-label">
          <span>X axis</span>
          <select class="field" value={across.value} onChange={(event) => setAcross(event.currentTarget.value as Across)}>
            {PLAIN.map((one) => (
              <option value={one} key={one}>
                {one === "relative" ? "relative time" : acrossTitle(one)}
              </option>
            ))}
            <optgroup label="Another metric">
              {metrics.map((key) => (
                <option value={`metric:${key}`} key={key}>
                  {key}
                </option>
              ))}
            </optgroup>
          </select>
        </label>
        <div class="charts-logs" role="group" aria-label="Logarithmic axes">
          <button type="button" class={`button ${logAcross.value ? "is-on" : ""}`} aria-pressed={logAcross.value} disabled={across.value === "wall"} onClick={() => toggleLog("x")}>
            log x
          </button>
          <button type="button" class={`button ${logUp.value ? "is-on" : ""}`} aria-pressed={logUp.value} onClick={() => toggleLog("y")}>
            log y
          </button>
        </div>
        <label class="charts-label">
          <span>Smoothing</span>
          <input
            type="range"
            min="0"
            max={SMOOTH_STEPS}
            step="1"
            value={Math.round(positionOf(smoothing.value) * SMOOTH_STEPS)}
            aria-valuetext={smoothing.value ? smoothing.value.toFixed(3) : "none"}
            onInput={(event) => setQuery({ smooth: factorAt(Number(event.currentTarget.value) / SMOOTH_STEPS) })}
          />
          <output class="number charts-smooth">{smoothing.value ? Number(smoothing.value.toFixed(3)) : "off"}</output>
        </label>
        {groups.length > 0 && (
          <label class="charts-label">
            <span>Group by</span>
            <select class="field" value={bandBy.value} onChange={(event) => setQuery({ bands: event.currentTarget.value || (place.peek().query.get("group") ? "none" : undefined) })}>
              <option value="">nothing</option>
              {bandBy.value && !groups.some(([name]) => name === bandBy.value) && <option value={bandBy.value}>{bandBy.value}</option>}
              {groups.map(([name, key]) => (
                <option value={name} key={name}>
                  {key}
                </option>
              ))}
            </select>
          </label>
        )}
        {isGrouped && (
          <label class="charts-label">
            <span>Groups as</span>
            <select class="field" value={band.value} onChange={(event) => setQuery({ band: event.currentTarget.value === "range" ? undefined : event.currentTarget.value })}>
              <option value="range">mean, min to max</option>
              <option value="std">mean ± std</option>
              <option value="lines">each run</option>
            </select>
          </label>
        )}
        {children}
        <div class="choice charts-sizes" role="group" aria-label="Size of charts">
          {Object.entries(SIZES).map(([key, title]) => (
            <button type="button" key={key} aria-pressed={size.value === key} aria-label={key} title={key} onClick={() => setQuery({ size: key === "medium" ? undefined : key })}>
              {title}
            </button>
          ))}
        </div>
      </div>
    </div>
  );
}

/** The slider goes from no smoothing to 0.999 with more room for strong factors, which is where they differ. */
function factorAt(position: number): string | undefined {
  return position === 0 ? undefined : String(Number((1 - 0.001 ** position).toFixed(4)));
}

function positionOf(factor: number): number {
  return factor === 0 ? 0 : Math.log(1 - factor) / Math.log(0.001);
}
