/** The charts of some runs, each metric its own, in sections by prefix. Reads which metrics there are itself, and follows runs that go on. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { useAsked } from "../api/asking";
import { toggleIn } from "../app/lists";
import { setQuery } from "../app/router";
import { Icon } from "../parts/icon";
import type { MenuItem } from "../parts/menu";
import { Contained, Empty, Fault, Waiting } from "../parts/states";
import { apart, colorNumber, keepColors, SERIES } from "../values/colors";
import { counted } from "../values/numbers";
import { AddedCharts } from "./added";
import { inFront, readCharted, sectionsOf, type Asked, type Charted } from "./answer";
import { useFollowing } from "./following";
import { GroupLegend, Legend } from "./legend";
import { LineChart, type Manner } from "./line-chart";
import { ChartsToolbar } from "./toolbar";
import { across, asTables, band, bandBy, chosenColors, find, firstCharts, folded, hiddenCharts, logAcross, logUp, setList, setZoom, size, smoothing, zooms } from "./view";
import "./charts.css";

interface Surroundings {
  /** Colours that somebody has chosen, by run; else those of the address. */
  readonly colors?: ReadonlyMap<string, number>;
  /** What else stands in the bar above the charts. */
  readonly tools?: ComponentChildren;
  /** What stands above all, where the runs are known. */
  readonly head?: (told: Charted) => ComponentChildren;
}

const HEIGHTS = { small: 180, medium: 240, large: 420 } as const;
const SECTION_MAX = 60;

export function RunCharts({ runIds, ...around }: { readonly runIds: readonly string[] } & Surroundings) {
  return runIds.length === 0 ? <Empty title="No runs to draw" /> : <ChartsOf asked={{ runs: runIds }} {...around} />;
}

/** The same, of the runs that are asked for. Those that a question has found stay, whatever else it would find later. */
export function ChartsOf({ asked: form, colors, tools, head }: { readonly asked: Asked } & Surroundings) {
  const text = useSignal("");
  text.value = JSON.stringify(form);
  const known = useRef<{ readonly text: string; readonly told: Charted } | null>(null);
  const turn = useSignal(0);
  const { asked, again } = useAsked(async (signal) => {
    const now = text.value;
    const before = known.current?.text === now ? known.current.told : null;
    const runs = before?.runs.map((run) => run.run_id) ?? [];
    const told = await readCharted(runs.length > 0 ? { runs } : (JSON.parse(now) as Asked), bandBy.value, signal);
    known.current = { text: now, told: before && runs.length > 0 ? { ...before, ...told } : told };
    return known.current.told;
  });
  const { value: told, fault } = asked.value;
  useFollowing(() => known.current?.told.runs.map((run) => run.run_id) ?? [], told, () => (turn.value += 1), again);
  if (fault && !told) return <Fault fault={fault} again={again} />;
  if (!told) return <Waiting what="the charts" height={420} />;
  return (
    <>
      {head?.(told)}
      {told.runs.length === 0 ? <Empty title={"runs" in form ? "These runs are gone" : "No runs to draw"} /> : <Sections told={told} turn={turn.value} chosen={colors} tools={tools} />}
    </>
  );
}

function Sections({ told, turn, chosen, tools }: { told: Charted; turn: number; chosen: ReadonlyMap<string, number> | undefined; tools: ComponentChildren }) {
  const isGrouped = bandBy.value !== "" && told.runs.some((run) => run.group !== null);
  const own = chosen ?? chosenColors.value;
  const numbers = useMemo(() => colorsOf(told, own, isGrouped && band.value !== "lines"), [told.runs, own, isGrouped, band.value]);
  useLayoutEffect(() => {
    if (!isGrouped || band.value === "lines") keepColors(numbers);
  }, [numbers]);
  const manner: Manner = useMemo(
    () => ({
      across: across.value,
      isLogAcross: logAcross.value && across.value !== "wall",
      isLogUp: logUp.value,
      smoothing: smoothing.value,
      band: band.value,
      isGrouped,
      height: HEIGHTS[size.value],
      colorOf: (id) => numbers.get(id) ?? colorNumber(id),
    }),
    [across.value, logAcross.value, logUp.value, smoothing.value, band.value, isGrouped, size.value, numbers],
  );
  const wanted = find.value.trim().toLowerCase();
  const hidden = new Set(hiddenCharts.value);
  const all = told.metrics.map(([key]) => key);
  const curves = new Set(told.metrics.filter(([, , points]) => points > 1).map(([key]) => key));
  const shown = all.filter((key) => !hidden.has(key) && key.toLowerCase().includes(wanted));
  return (
    <div class={`charts size-${size.value}`}>
      {all.length > 0 && (
        <ChartsToolbar metrics={all} groups={told.groups} isGrouped={isGrouped}>
          {tools}
        </ChartsToolbar>
      )}
      {isGrouped && band.value !== "lines" ? <GroupLegend runs={told.runs} colorOf={manner.colorOf} /> : told.runs.length > 1 && <Legend runs={told.runs} colorOf={manner.colorOf} />}
      {shown.length === 0 && (all.length ? <Empty title="No metric is called like that" /> : <Empty title="No metrics yet">They appear here as soon as one is logged.</Empty>)}
      {sectionsOf(shown, curves).map(([name, keys]) => (
        <Section key={name} name={name} keys={inFront(keys, firstCharts.value)} told={told} manner={manner} turn={turn} />
      ))}
      <AddedCharts runs={told.runs} colorOf={manner.colorOf} />
      {hidden.size > 0 && (
        <p class="soft charts-hidden">
          {counted(hidden.size, "chart")} hidden.{" "}
          <button type="button" class="button" onClick={() => setQuery({ off: undefined })}>
            Show all
          </button>
        </p>
      )}
      {told.is_cut && <p class="soft">There are more metrics than can be told at once; these are the first {all.length} by name.</p>}
    </div>
  );
}

function Section({ name, keys, told, manner, turn }: { name: string; keys: readonly string[]; told: Charted; manner: Manner; turn: number }) {
  const most = useSignal(SECTION_MAX);
  const id = `charts-${encodeURIComponent(name)}`;
  const isOpen = !folded.value.includes(name || ".");
  const singles = new Map(told.metrics.filter(([, , points]) => points <= 1).map(([one, runs]) => [one, runs]));
  const isAlone = name === "" && sectionsOf(told.metrics.map(([key]) => key)).length === 1;
  return (
    <section class="charts-section" aria-label={name || "Metrics"}>
      {!isAlone && (
        <h2>
          <button type="button" class="charts-fold" aria-expanded={isOpen} aria-controls={id} onClick={() => toggleIn("fold", name || ".")}>
            <Icon name={isOpen ? "down" : "right"} />
            <bdi>{name || "Metrics"}</bdi>
            <span class="count">{keys.length}</span>
          </button>
        </h2>
      )}
      {isOpen && (
        <div class="charts-grid" id={id}>
          {keys.slice(0, most.value).map((key) => (
            <Contained what={key} key={key}>
              <LineChart
                metric={key}
                runs={told.runs}
                manner={manner}
                turn={turn}
                zoom={zooms.value.get(key) ?? null}
                onZoom={(extent) => setZoom(key, extent)}
                singles={singles.get(key) ?? 0}
                isTable={asTables.value.includes(key)}
                onTable={() => toggleIn("twin", key)}
                acts={actsOn(key, keys)}
              />
            </Contained>
          ))}
        </div>
      )}
      {isOpen && keys.length > most.value && (
        <button type="button" class="button" onClick={() => (most.value += SECTION_MAX)}>
          Show {Math.min(SECTION_MAX, keys.length - most.value)} more
        </button>
      )}
    </section>
  );
}

/** To move a chart in its section, and to hide it. */
function actsOn(key: string, keys: readonly string[]): readonly MenuItem[] {
  const at = keys.indexOf(key);
  const place = (to: number) => {
    const order = keys.filter((one) => one !== key);
    order.splice(to, 0, key);
    setList("first", [...firstCharts.peek().filter((one) => !keys.includes(one)), ...order]);
  };
  return [
    { label: "Move to the front", isApart: true, isDisabled: at === 0, act: () => place(0) },
    { label: "Move back by one", isDisabled: at === keys.length - 1, act: () => place(at + 1) },
    { label: "Move on by one", isDisabled: at === 0, act: () => place(at - 1) },
    { label: "Hide this chart", isApart: true, act: () => toggleIn("off", key) },
  ];
}

/** The number of each run's colour: its own, or another where that is taken and one is free; or that of its group where groups are drawn. */
function colorsOf(told: Charted, chosen: ReadonlyMap<string, number>, byGroup: boolean): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const groups = [...new Set(told.runs.map((run) => run.group ?? ""))].sort();
  groups.forEach((group, n) => found.set(group, (n % SERIES) + 1));
  if (!byGroup) return apart(told.runs.map((run) => run.run_id), chosen);
  for (const { run_id, group } of told.runs) found.set(run_id, found.get(group ?? "") ?? 1);
  return found;
}
