/** The grid of runs: rows from the server's result, columns from the address, groups between them. */
import { useSignal, type Signal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { hoveredRun } from "../app/hover";
import { go, address, to } from "../app/router";
import { Grid } from "../grid/grid";
import type { GridColumn, GridHandle, Shown } from "../grid/types";
import { Icon } from "../parts/icon";
import { inWords } from "../values/faults";
import { count } from "../values/numbers";
import { apart, colorNumber, keepColors } from "../values/colors";
import { GroupCell, RunCell, RunName } from "./cells";
import { ColumnMenu, RunMenu } from "./menus";
import type { GroupFigures } from "./figures";
import { Layout } from "./layout";
import { most } from "../charts/view";
import { kindWord, named, titleOf } from "./names";
import type { Asking } from "./selection";
import { colors, group, hidden, opened, order, pinned, setColumns, setOrder, setWidth, toggle, widths, type Order } from "./view";
import type { Groups, Question, RunRow, RunRows } from "./windows";

const FIRST = "run_name";
const CHAR = 7.6;
/** Of the longest that a number is written, with its margins. */
const NUMBER_WIDTH = 112;
const ATTRIBUTE_WIDTHS: Readonly<Record<string, number>> = { duration: 108, status: 112, experiment: 180 };
const HELP =
  "Arrow keys move. Space selects a run, Shift with the arrows selects several, Enter opens it. P pins it, H hides it in charts, M opens its menu. " +
  "In the header Enter sorts, Alt with the arrows moves a column, Shift with the arrows resizes it, Alt with down opens its menu.";

interface Props {
  readonly rows: RunRows;
  readonly figures: GroupFigures;
  readonly question: Question;
  readonly names: readonly string[];
  readonly experiments: ReadonlyMap<string, string>;
  readonly selected: Signal<ReadonlySet<string>>;
  readonly asking: Signal<Asking>;
  /** Why the last selection failed; "" where it did not. */
  readonly refusal: Signal<string>;
  readonly handle: RefObject<GridHandle | null>;
  readonly onShown: (shown: Shown) => void;
}

export function RunsTable({ rows, figures, question, names, experiments, selected, asking, refusal, handle, onShown }: Props) {
  const menu = useSignal<{ name: string; anchor: HTMLElement } | null>(null);
  const runMenu = useSignal<{ run: RunRow; anchor: HTMLElement } | null>(null);
  const lastSelected = useRef<number>(0);
  const seen = useRef<Shown>({ firstRow: 0, lastRow: 0, firstColumn: 0, lastColumn: 0 });
  rows.turn.value; // drawn again when rows or figures come
  const figuresTurn = figures.turn.value;
  const head = rows.head.value;
  const groups = head?.groups ?? null;
  const isOpen = new Set(opened.value);
  const layout = useMemo(() => new Layout(head?.total ?? 0, groups?.counts ?? null, (n) => isOpen.has(groupKey(groups, n))), [head, opened.value]);
  const sorted = order.value;
  const wide = widths.value;
  const isPinned = new Set(pinned.value);
  const isHidden = new Set(hidden.value);
  const chosen = colors.value;
  // those that charts draw, in the colours that they have there
  const drawnIds = Array.from({ length: Math.min(most.value, head?.total ?? 0) }, (_, place) => rows.row(place)?.id ?? "").filter((id) => id && !isHidden.has(id));
  const numbers = useMemo(() => apart(drawnIds, chosen), [drawnIds.join(), chosen]);
  useLayoutEffect(() => keepColors(numbers), [numbers]);
  const colorOf = (id: string) => `var(--series-${numbers.get(id) ?? colorNumber(id, chosen)})`;
  const picked = selected.value;
  const isAll = head !== null && picked.size > 0 && picked.size >= head.total;

  const columns: GridColumn[] = [
    {
      key: FIRST,
      title: "Run",
      width: wide.get(FIRST) ?? (innerWidth < 640 ? 168 : 260),
      canSort: true,
      sort: sorted?.name === FIRST ? (sorted.isDescending ? "desc" : "asc") : undefined,
      before: <Tick label="Select all runs" isOn={isAll} isPart={picked.size > 0 && !isAll} onTick={() => void selectAll()} />,
    },
    ...names.map((name) => column(name, wide.get(name), sorted, rows, groups !== null)),
  ];

  const read = () => {
    const { firstRow, lastRow, firstColumn, lastColumn } = seen.current;
    const places = layout.places(firstRow, lastRow);
    const near = names.slice(Math.max(0, firstColumn - 2), lastColumn + 4).filter((name) => named(name).kind !== "attribute");
    if (places && head) rows.need(places[0], places[1], near);
    if (groups && head) void figures.need(question, head.result, near);
  };
  useEffect(read, [head, layout, names.join("\n")]);

  /** Ids for a selection; null where they cannot be had, which is said. */
  const idsOf = async (first: number, last: number): Promise<readonly string[] | null> => {
    refusal.value = "";
    try {
      return await rows.ids(first, last);
    } catch (fault) {
      refusal.value = `Nothing more was selected. ${inWords(fault)}`;
      return null;
    }
  };
  const selectAll = async () => {
    if (!head) return;
    const ids = picked.size > 0 ? [] : await idsOf(0, head.total - 1);
    if (ids) selected.value = new Set(ids);
  };
  const select = async (row: number, through: boolean) => {
    const line = layout.at(row);
    const [first, last] = line.place === undefined ? layout.members(line.group) : through ? between(lastSelected.current, line.place) : [line.place, line.place];
    const known = last === first ? rows.row(first)?.id : undefined;
    const ids = known ? [known] : await idsOf(first, last);
    if (!ids) return;
    const next = new Set(selected.peek());
    const removes = !through && ids.every((id) => next.has(id));
    for (const id of ids) removes ? next.delete(id) : next.add(id);
    lastSelected.current = last;
    selected.value = next;
  };
  const openRow = (row: number) => {
    const line = layout.at(row);
    if (line.place === undefined) return toggle("open", groupKey(groups, line.group));
    const run = rows.row(line.place);
    if (run) go(address(to("runs", run.id)));
  };
  const onKey = (event: KeyboardEvent, row: number): boolean => {
    if (event.key === "Escape" && picked.size > 0) {
      selected.value = new Set();
      return true;
    }
    if ((event.ctrlKey || event.metaKey) && event.key === "a") {
      void selectAll();
      return true;
    }
    const { place, group: inGroup } = layout.at(row);
    const run = place === undefined ? undefined : rows.row(place);
    if (inGroup !== undefined && (event.key === "+" || event.key === "-")) {
      if (isOpen.has(groupKey(groups, inGroup)) === (event.key === "-")) toggle("open", groupKey(groups, inGroup));
      return true;
    }
    if (!run || event.ctrlKey || event.metaKey || event.altKey) return false;
    const acts: Record<string, () => void> = {
      p: () => toggle("pin", run.id),
      h: () => toggle("hide", run.id),
      m: () => (runMenu.value = { run, anchor: event.target as HTMLElement }),
      ContextMenu: () => (runMenu.value = { run, anchor: event.target as HTMLElement }),
      F2: () => ((selected.value = new Set([run.id])), (asking.value = "rename")),
      Delete: () => {
        if (!picked.has(run.id)) selected.value = new Set([run.id]);
        asking.value = "delete";
      },
    };
    const act = acts[event.key];
    act?.();
    return act !== undefined;
  };

  const cell = (row: number, index: number) => {
    const line = layout.at(row);
    const name = index === 0 ? FIRST : (names[index - 1] ?? "");
    if (line.place === undefined) {
      if (index === 0) return <GroupName groups={groups} index={line.group} isOpen={isOpen.has(groupKey(groups, line.group))} />;
      if (named(name).kind === "attribute") return null;
      return <GroupCell figures={figures.of(name)} group={line.group} members={groups?.counts[line.group] ?? 0} />;
    }
    const run = rows.row(line.place);
    if (!run) return <span class="runs-coming" />;
    if (index > 0) return <RunCell run={run} name={name} isNumeric={columns[index]?.isNumber ?? false} experiments={experiments} />;
    return (
      <div class={`runs-first ${groups ? "runs-member" : ""}`}>
        <Tick label={`Select ${run.name}`} isOn={picked.has(run.id)} onTick={(through) => void select(row, through)} />
        <RunName run={run} color={colorOf(run.id)} isPinned={isPinned.has(run.id)} isHidden={isHidden.has(run.id)} />
        <button
          type="button"
          class="row-more"
          tabIndex={-1}
          aria-label={`Menu of ${run.name}`}
          aria-haspopup="menu"
          onClick={(event) => (runMenu.value = { run, anchor: event.currentTarget })}
        >
          <Icon name="more" size={14} />
        </button>
      </div>
    );
  };

  return (
    <>
      <Grid
        label="Runs"
        help={HELP}
        handle={handle}
        columns={columns}
        rows={layout.rows}
        rowClass={(row) => {
          const { place } = layout.at(row);
          if (place === undefined) return "runs-group";
          const id = rows.row(place)?.id;
          return `${id && isHidden.has(id) ? "runs-hidden" : ""} ${head && head.pinned > 0 && place === head.pinned - 1 ? "runs-last-pinned" : ""}`;
        }}
        cell={cell}
        drawn={(row) => {
          const { place, group: inGroup } = layout.at(row);
          if (place === undefined) return [groups, inGroup, isOpen.has(groupKey(groups, inGroup)), figuresTurn];
          const run = rows.row(place);
          return run ? [run, groups, experiments.get(run.experiment), picked.has(run.id), isPinned.has(run.id), isHidden.has(run.id), colorOf(run.id)] : [];
        }}
        level={groups ? (row) => (layout.at(row).place === undefined ? 1 : 2) : undefined}
        isSelected={(row) => {
          const { place } = layout.at(row);
          const id = place === undefined ? undefined : rows.row(place)?.id;
          return id !== undefined && picked.has(id);
        }}
        isExpanded={(row) => {
          const { group: inGroup } = layout.at(row);
          return inGroup === undefined ? undefined : isOpen.has(groupKey(groups, inGroup));
        }}
        onHover={(row) => {
          const place = row === null ? undefined : layout.at(row).place;
          hoveredRun.value = place === undefined ? "" : (rows.row(place)?.id ?? "");
        }}
        onOpen={openRow}
        onSelect={(row, through) => void select(row, through)}
        onKey={onKey}
        onShown={(shown) => {
          seen.current = shown;
          read();
          onShown(shown);
        }}
        onSort={(name) => setOrder(nextOrder(name, sorted))}
        onMenu={(name, anchor) => (menu.value = { name, anchor })}
        onResize={setWidth}
        onMove={(name, place) => setColumns(movedTo(names, name, place - 1))}
      />
      {menu.value && <ColumnMenu name={menu.value.name} anchor={menu.value.anchor} names={names} groupNow={group.value} onClose={() => (menu.value = null)} />}
      {runMenu.value && (
        <RunMenu
          run={runMenu.value.run}
          anchor={runMenu.value.anchor}
          onClose={() => (runMenu.value = null)}
          onAsk={(what, run) => ((selected.value = new Set([run.id])), (asking.value = what))}
        />
      )}
    </>
  );
}

/** What stands in `open=` for a group: its value, or nothing known of it. */
export function groupKey(groups: Groups | null, index: number): string {
  const value = groups?.values[index] ?? null;
  return value === null ? "none" : `=${value}`;
}

function GroupName({ groups, index, isOpen }: { groups: Groups | null; index: number; isOpen: boolean }) {
  const value = groups?.values[index] ?? null;
  return (
    <button type="button" class="runs-group-name" tabIndex={-1} onClick={() => toggle("open", groupKey(groups, index))} title={value ?? "not set"}>
      <Icon name={isOpen ? "down" : "right"} size={14} />
      {value === null ? <span class="soft">not set</span> : <bdi class="one-line">{value === "" ? "“”" : value}</bdi>}
      <span class="badge">{count(groups?.counts[index] ?? 0)}</span>
    </button>
  );
}

function Tick({ label, isOn, isPart = false, onTick }: { label: string; isOn: boolean; isPart?: boolean; onTick: (through: boolean) => void }) {
  return (
    <input
      type="checkbox"
      class="runs-tick"
      tabIndex={-1}
      aria-label={label}
      checked={isOn}
      ref={(box) => {
        if (box) box.indeterminate = isPart;
      }}
      onClick={(event) => {
        event.stopPropagation();
        onTick(event.shiftKey);
      }}
    />
  );
}

function column(name: string, width: number | undefined, sorted: Order | null, rows: RunRows, isGrouped: boolean): GridColumn {
  const parts = named(name);
  const title = titleOf(parts);
  const isNumber = parts.kind === "metric" || name === "duration" || (parts.kind === "param" && rows.isNumeric(name));
  const least = parts.kind === "metric" ? (isGrouped ? 156 : NUMBER_WIDTH) : isNumber ? NUMBER_WIDTH : 128;
  const wide = parts.kind === "attribute" ? (ATTRIBUTE_WIDTHS[name] ?? 120) : Math.max(least, Math.min(220, Math.ceil(title.length * CHAR) + 44));
  return {
    key: name,
    title,
    kind: kindWord(parts),
    hint: parts.kind === "attribute" ? title : `${kindWord(parts)} ${title}`,
    width: width ?? wide,
    isNumber,
    canSort: name !== "experiment",
    hasMenu: true,
    sort: sorted?.name === name ? (sorted.isDescending ? "desc" : "asc") : undefined,
  };
}

/** A click sorts, another one turns that round, a third leaves it. Numbers and times begin with the highest. */
export function nextOrder(name: string, now: Order | null): Order | null {
  const startsHigh = name.startsWith("metrics.") || name === "duration" || name.endsWith("_time");
  if (now?.name !== name) return { name, isDescending: startsHigh };
  return now.isDescending === startsHigh ? { name, isDescending: !startsHigh } : null;
}

/** The names with one of them at another place. */
export function movedTo(names: readonly string[], name: string, place: number): string[] {
  const others = names.filter((one) => one !== name);
  return [...others.slice(0, place), name, ...others.slice(place)];
}

function between(one: number, other: number): [number, number] {
  return one < other ? [one, other] : [other, one];
}
