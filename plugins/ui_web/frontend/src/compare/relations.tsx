/** How params and metrics of many runs go together: importance, parallel coordinates, scatter with contour, and boxes by group. */
import { useSignal } from "@preact/signals";
import { useCallback, useMemo } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { useAsked } from "../api/asking";
import { hoveredRun } from "../app/hover";
import { joined, listed, unescaped } from "../app/lists";
import { address, place, setQuery, to } from "../app/router";
import { Icon } from "../parts/icon";
import { Empty, Fault, Waiting } from "../parts/states";
import { count, counted } from "../values/numbers";
import { Boxes } from "./boxes";
import { isWithin, Parallel, valueText, type Brush } from "./parallel";
import { readFields, readRelated, type FieldTold, type Related, type Which } from "./related";
import { axisOf, asNumber, type Axis } from "./scales";
import { Scatter } from "./scatter";
import { Weights } from "./weights";
import { whichOf } from "./which";
import "../charts/charts.css";
import "./compare.css";

const AXES = 8;
const AXES_NARROW = 4;
const AXES_MAX = 20;
const ROWS_MAX = 200;

export function Relations() {
  const which = whichOf();
  const whichText = JSON.stringify(which);
  const asking = useSignal(whichText);
  asking.value = whichText;
  const { asked, again } = useAsked((signal) => readFields(JSON.parse(asking.value) as Which, signal));
  const { value: told, fault } = asked.value;
  if (fault && !told) return <Fault fault={fault} again={again} />;
  if (!told) return <Waiting what="the runs" height={480} />;
  const metrics = told.fields.filter(([, , kind]) => kind === "metric");
  if (told.ids.length < 2 || metrics.length === 0) return <Empty title="Nothing to relate">At least two runs and a metric are needed.</Empty>;
  return <Chosen which={which} fields={told.fields} isCut={told.is_cut} />;
}

function Chosen({ which, fields, isCut }: { which: Which; fields: readonly FieldTold[]; isCut: boolean }) {
  const query = place.value.query;
  const names = new Set(fields.map(([name]) => name));
  const known = (name: string) => (names.has(query.get(name) ?? "") ? query.get(name)! : "");
  const params = fields.filter(([, , kind, differs]) => kind === "param" && differs).map(([name]) => name);
  const metrics = fields.filter(([, , kind, differs]) => kind === "metric" && differs).map(([name]) => name);
  const own = metrics.filter((name) => !name.includes("system/"));
  const metric = known("of") || own.find((name) => /val|test|eval/.test(name)) || own[0] || metrics[0] || fields.find(([, , kind]) => kind === "metric")![0];
  const x = known("px") || params[0] || metrics.find((name) => name !== metric) || metric;
  const y = known("py") || metric;
  const chosen = listed(query.get("axes") ?? "").filter((name) => names.has(name));
  const axisNames = chosen.length > 0 ? chosen.slice(0, AXES_MAX) : [...params.slice(0, (innerWidth < 640 ? AXES_NARROW : AXES) - 1), metric];
  const columns = [...new Set([...axisNames, metric, x, y])].sort();
  const question = useSignal("");
  question.value = JSON.stringify([which, columns]);
  const { asked, again } = useAsked((signal) => readRelated(...(JSON.parse(question.value) as [Which, string[]]), signal));
  const titles = useMemo(() => new Map(fields.map(([name, key]) => [name, key])), [fields]);
  const { value: related, fault } = asked.value;
  if (fault) return <Fault fault={fault} again={again} />;
  if (!related || columns.some((name) => !related.columns[name])) return <Waiting what="values of the runs" height={480} />;
  return <Drawn which={which} related={related} fields={fields} titles={titles} params={params} metric={metric} x={x} y={y} axisNames={axisNames} isCut={isCut} />;
}

interface DrawnProps {
  readonly which: Which;
  readonly related: Related;
  readonly fields: readonly FieldTold[];
  readonly titles: ReadonlyMap<string, string>;
  readonly params: readonly string[];
  readonly metric: string;
  readonly x: string;
  readonly y: string;
  readonly axisNames: readonly string[];
  readonly isCut: boolean;
}

function Drawn({ which, related, fields, titles, params, metric, x, y, axisNames, isCut }: DrawnProps) {
  const query = place.value.query;
  const linear = query.get("linear") === "yes";
  const axes = useMemo(() => new Map<string, Axis>(Object.entries(related.columns).map(([name, values]) => [name, axisOf(values, linear ? "linear" : undefined)])), [related, linear]);
  const shades = useMemo(() => (related.columns[metric] ?? []).map((value) => (Number.isFinite(asNumber(value)) ? axes.get(metric)!.at(value) : NaN)), [related, axes, metric]);
  const brushText = query.get("brush") ?? "";
  const brushes = useMemo(() => brushesIn(brushText), [brushText]);
  const isShown = useCallback((run: number) => isWithin(related, axes, brushes, run), [related, axes, brushes]);
  const inside = [...related.ids.keys()].filter(isShown);
  const twins = listed(query.get("twin") ?? "");
  const onBrush = (name: string, brush: Brush | null) => {
    const next = new Map(brushes);
    if (brush) next.set(name, brush);
    else next.delete(name);
    setQuery({ brush: [...next].map(([key, { low, high }]) => `${encodeURIComponent(key)}~${low.toFixed(3)}~${high.toFixed(3)}`).join(",") });
  };
  const table = <Values related={related} names={[...new Set([...axisNames, x, y, metric])]} titles={titles} runs={inside} />;
  return (
    <div class="relations">
      <div class="charts-toolbar">
        <Pick label="Metric" name="of" value={metric} fields={fields.filter(([, , kind]) => kind === "metric")} />
        <label class="compare-only">
          <input type="checkbox" checked={linear} onChange={(event) => setQuery({ linear: event.currentTarget.checked ? "yes" : undefined })} />
          Linear axes only
        </label>
        <span class="soft" role="status">
          {brushes.size > 0 ? `${count(inside.length)} of ${counted(related.ids.length, "run")} chosen. ` : `${counted(related.ids.length, "run")}. `}
          {isCut && "There are more; a filter brings others."}
        </span>
        {brushes.size > 0 && (
          <button type="button" class="button" onClick={() => setQuery({ brush: undefined })}>
            Choose all
          </button>
        )}
      </div>
      <Part title={`What tells of ${titles.get(metric)}`}>
        <Weights which={which} metric={metric} params={params} titles={titles} />
      </Part>
      <Part title="Parallel coordinates" twin="parallel" twins={twins} tools={<AxesPicker fields={fields} chosen={axisNames} />}>
        {twins.includes("parallel") ? table : <Parallel related={related} names={axisNames} titles={titles} axes={axes} brushes={brushes} onBrush={onBrush} shades={shades} />}
      </Part>
      <Part
        title="Scatter"
        twin="scatter"
        twins={twins}
        tools={
          <>
            <Pick label="X" name="px" value={x} fields={fields} />
            <Pick label="Y" name="py" value={y} fields={fields} />
            <label class="compare-only">
              <input type="checkbox" checked={query.get("contour") === "yes"} onChange={(event) => setQuery({ contour: event.currentTarget.checked ? "yes" : undefined })} />
              Contour
            </label>
          </>
        }
      >
        {twins.includes("scatter") ? table : <Scatter related={related} x={x} y={y} color={metric} titles={titles} axes={axes} shades={shades} hasContour={query.get("contour") === "yes"} isShown={isShown} />}
      </Part>
      <Part title={`${titles.get(metric)} by ${titles.get(x)}`} twin="boxes" twins={twins}>
        <Boxes related={related} by={x} metric={metric} titles={titles} isShown={isShown} asTable={twins.includes("boxes")} />
      </Part>
    </div>
  );
}

function Part({ title, twin, twins = [], tools, children }: { title: string; twin?: string; twins?: readonly string[]; tools?: ComponentChildren; children: ComponentChildren }) {
  const isTable = twin !== undefined && twins.includes(twin);
  const toggle = () => setQuery({ twin: (isTable ? twins.filter((one) => one !== twin) : [...twins, twin]).join(",") });
  return (
    <section class="card relation" aria-label={title}>
      <header class="relation-head">
        <h2>
          <bdi>{title}</bdi>
        </h2>
        {tools}
        {twin !== undefined && (
          <button type="button" class={`button plain square ${isTable ? "is-on" : ""}`} aria-pressed={isTable} aria-label={`${title} as a table`} title="As a table" onClick={toggle}>
            <Icon name="table" />
          </button>
        )}
      </header>
      {children}
    </section>
  );
}

function Pick({ label, name, value, fields }: { label: string; name: string; value: string; fields: readonly FieldTold[] }) {
  return (
    <label class="charts-label">
      <span>{label}</span>
      <select class="field" value={value} onChange={(event) => setQuery({ [name]: event.currentTarget.value })}>
        {(["param", "metric"] as const).map((kind) => {
          const own = fields.filter(([, , one]) => one === kind);
          return (
            own.length > 0 && (
              <optgroup label={`${kind}s`} key={kind}>
                {own.map(([one, key]) => (
                  <option value={one} key={one}>
                    {key}
                  </option>
                ))}
              </optgroup>
            )
          );
        })}
      </select>
    </label>
  );
}

/** Which axes there are: to add one, and to take one away. */
function AxesPicker({ fields, chosen }: { fields: readonly FieldTold[]; chosen: readonly string[] }) {
  const set = (names: readonly string[]) => setQuery({ axes: joined(names) });
  const free = fields.filter(([name]) => !chosen.includes(name));
  return (
    <>
      <select class="field" aria-label="Add an axis" value="" disabled={chosen.length >= AXES_MAX} onChange={(event) => event.currentTarget.value && set([...chosen, event.currentTarget.value])}>
        <option value="">Add an axis</option>
        {free.map(([name, key]) => (
          <option value={name} key={name}>
            {key}
          </option>
        ))}
      </select>
      <select class="field" aria-label="Remove an axis" value="" disabled={chosen.length <= 2} onChange={(event) => event.currentTarget.value && set(chosen.filter((name) => name !== event.currentTarget.value))}>
        <option value="">Remove an axis</option>
        {fields
          .filter(([name]) => chosen.includes(name))
          .map(([name, key]) => (
            <option value={name} key={name}>
              {key}
            </option>
          ))}
      </select>
    </>
  );
}

/** The chosen runs and their values, as a table. */
function Values({ related, names, titles, runs }: { related: Related; names: readonly string[]; titles: ReadonlyMap<string, string>; runs: readonly number[] }) {
  return (
    <div class="scrolls relation-values" tabIndex={0} role="group" aria-label="Values of the runs">
      <table class="plain-table">
        <thead>
          <tr>
            <th scope="col">Run</th>
            {names.map((name) => (
              <th scope="col" class="number" key={name}>
                {titles.get(name)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {runs.slice(0, ROWS_MAX).map((run) => (
            <tr key={run} onPointerEnter={() => (hoveredRun.value = related.ids[run]!)} onPointerLeave={() => (hoveredRun.value = "")}>
              <th scope="row">
                <a href={address(to("runs", related.ids[run]!))}>
                  <bdi>{related.names[run]}</bdi>
                </a>
              </th>
              {names.map((name) => (
                <td class="number" key={name}>
                  {valueText(related.columns[name]?.[run] ?? null)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {runs.length > ROWS_MAX && (
        <p class="soft">
          The first {ROWS_MAX} of {count(runs.length)}. Choose a part of an axis to see others; the table of runs has all.
        </p>
      )}
    </div>
  );
}

function brushesIn(text: string): ReadonlyMap<string, Brush> {
  const found = new Map<string, Brush>();
  for (const part of text.split(",")) {
    const [name, low, high] = part.split("~");
    const brush = { low: Number(low), high: Number(high) };
    if (name && low && high && brush.low <= brush.high) found.set(unescaped(name), brush);
  }
  return found;
}
