/** The menus of the runs table: of a column, and of a run. */
import { Menu, type MenuItem } from "../parts/menu";
import { address, setQuery, to } from "../app/router";
import { colorNumber, colorsText, SERIES } from "../values/colors";
import { nameOf, named, STATS, titleOf } from "./names";
import type { Asking } from "./selection";
import { colors, hidden, pinned, setColumns, setOrder, toggle, trash } from "./view";
import type { RunRow } from "./windows";

const STAT_WORDS = { last: "Last value", min: "Lowest value", max: "Highest value", mean: "Mean of the values" } as const;

interface ColumnProps {
  readonly name: string;
  readonly anchor: HTMLElement;
  /** All columns, in order. */
  readonly names: readonly string[];
  readonly groupNow: string;
  readonly onClose: () => void;
}

export function ColumnMenu({ name, anchor, names, groupNow, onClose }: ColumnProps) {
  const parts = named(name);
  const at = names.indexOf(name);
  const swapped = (step: number) => {
    const next = [...names];
    [next[at], next[at + step]] = [next[at + step]!, next[at]!];
    setColumns(next);
  };
  const items: MenuItem[] = [];
  if (name !== "experiment")
    items.push(
      { label: "Sort, lowest first", act: () => setOrder({ name, isDescending: false }) },
      { label: "Sort, highest first", act: () => setOrder({ name, isDescending: true }) },
    );
  if (parts.kind === "metric")
    for (const [n, stat] of STATS.entries()) {
      const other = nameOf({ ...parts, stat });
      if (other === null) continue;
      items.push({
        label: STAT_WORDS[stat],
        isChosen: stat === parts.stat,
        isApart: n === 0,
        act: () => setColumns([...new Set(names.map((one) => (one === name ? other : one)))]),
      });
    }
  if (parts.kind === "param" || parts.kind === "tag" || name === "status" || name === "user_id")
    items.push({ label: groupNow === name ? "Do not group" : `Group by ${titleOf(parts)}`, isApart: true, act: () => setQuery({ group: groupNow === name ? undefined : name, open: undefined }) });
  items.push(
    { label: "Move to the left", isApart: true, isDisabled: at <= 0, act: () => swapped(-1) },
    { label: "Move to the right", isDisabled: at === names.length - 1, act: () => swapped(1) },
    { label: "Hide this column", act: () => setColumns(names.filter((one) => one !== name)) },
  );
  return <Menu label={`Column ${titleOf(parts)}`} anchor={anchor} items={items} onClose={onClose} />;
}

interface RunProps {
  readonly run: RunRow;
  readonly anchor: HTMLElement;
  readonly onClose: () => void;
  readonly onAsk: (what: Asking, run: RunRow) => void;
}

export function RunMenu({ run, anchor, onClose, onAsk }: RunProps) {
  const now = colorNumber(run.id, colors.value);
  const items: MenuItem[] = [
    { label: "Open", href: address(to("runs", run.id)) },
    { label: pinned.value.includes(run.id) ? "Unpin" : "Pin to the top", act: () => toggle("pin", run.id) },
    { label: hidden.value.includes(run.id) ? "Show in charts" : "Hide in charts", act: () => toggle("hide", run.id) },
  ];
  if (!trash.value)
    items.push({ label: "Rename…", isApart: true, act: () => onAsk("rename", run) }, { label: "Tag…", act: () => onAsk("tag", run) }, { label: "Move…", act: () => onAsk("move", run) }, { label: "Delete…", isDanger: true, act: () => onAsk("delete", run) });
  for (let n = 1; n <= SERIES; n += 1)
    items.push({
      label: `Colour ${n}`,
      isApart: n === 1,
      isChosen: n === now,
      swatch: `var(--series-${n})`,
      act: () => setQuery({ color: colorsText(new Map(colors.peek()).set(run.id, n)) }),
    });
  return <Menu label={run.name} anchor={anchor} items={items} onClose={onClose} />;
}
