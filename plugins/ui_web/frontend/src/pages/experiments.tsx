/** All experiments, as a tree of their names. */
import { computed, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { useAsked } from "../api/asking";
import { onChange } from "../api/changes";
import { get } from "../api/http";
import { listOf, toggleIn } from "../app/lists";
import { address, go, queryOf, setQuery } from "../app/router";
import { useTitle } from "../app/title";
import { Dialogs, restore, type Asked, type One } from "../experiments/dialogs";
import { rowsOf, size, treeOf, type By, type Experiments as Told, type Node } from "../experiments/tree";
import { Grid } from "../grid/grid";
import type { GridColumn } from "../grid/types";
import { Refusal, useActing } from "../parts/acting";
import { Icon } from "../parts/icon";
import { Menu, type MenuItem } from "../parts/menu";
import { Empty, Fault, Waiting } from "../parts/states";
import { When } from "../parts/time";
import { pathOf } from "../runs/which";
import { count, counted } from "../values/numbers";
import "../experiments/experiments.css";

const OPEN_MOST = 400;
const HELP = "Arrow keys move. Enter opens the runs, plus and minus open and close a folder, Space selects. M opens the menu of the row.";

const search = queryOf("search");
const view = queryOf("view");
const order = queryOf("order");
const fold = listOf("fold");
const viewAsked = computed(() => (view.value === "deleted" ? "deleted" : "active"));

export default function Experiments() {
  useTitle("Experiments");
  const isTrash = viewAsked.value === "deleted";
  const { asked, again } = useAsked((signal) => get<Told>("api/drupe/ui/experiments", { view: viewAsked.value }, signal));
  const dialog = useSignal<Asked | null>(null);
  const menu = useSignal<{ node: Node; anchor: HTMLElement } | null>(null);
  const selected = useSignal<ReadonlySet<string>>(new Set());
  const { act, refusal, isActing } = useActing();
  const box = useRef<HTMLInputElement>(null);
  const { value: told, fault } = asked.value;
  const [by, isDescending] = orderOf(order.value);
  const nodes = useMemo(() => (told ? treeOf(told, search.value, by, isDescending) : []), [told, search.value, order.value]);
  const folded = useMemo(() => new Set(fold.value), [fold.value]);
  const opensAll = useMemo(() => size(nodes) <= OPEN_MOST || search.value !== "", [nodes]);
  const isOpen = (node: Node) => opensAll !== folded.has(node.path);
  const rows = useMemo(() => rowsOf(nodes, isOpen), [nodes, folded, opensAll]);

  useEffect(() => onChange((change) => change.kind === "experiment" || change.kind === "run", again, 1500), []);
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || (event.target instanceof HTMLElement && event.target.closest("input, textarea, select, dialog"))) return;
      event.preventDefault();
      box.current?.focus();
    };
    addEventListener("keydown", focus);
    return () => removeEventListener("keydown", focus);
  }, []);

  const turn = (node: Node) => toggleIn("fold", node.path);
  const href = (node: Node) => address(pathOf(node.all.map((n) => told?.ids[n] ?? "")));
  const oneOf = (n: number): One => ({ id: told?.ids[n] ?? "", name: told?.names[n] ?? "" });
  const select = (node: Node) => {
    const next = new Set(selected.peek());
    const members = node.all.map((n) => told?.ids[n] ?? "");
    const removes = members.every((id) => next.has(id));
    for (const id of members) removes ? next.delete(id) : next.add(id);
    selected.value = next;
  };
  const isSelected = (node: Node) => node.all.every((n) => selected.value.has(told?.ids[n] ?? ""));
  const sort = (key: By): GridColumn["sort"] => (by === key && (order.value || key === "name") ? (isDescending ? "desc" : "asc") : undefined);
  const isNarrow = innerWidth < 640;
  const columns: GridColumn[] = [
    { key: "name", title: "Name", width: isNarrow ? 210 : 440, canSort: true, sort: sort("name") },
    { key: "runs", title: "Runs", width: 90, isNumber: true, canSort: true, sort: sort("runs") },
    { key: "newest", title: "Last run", width: 130, canSort: true, sort: sort("newest") },
    { key: "tags", title: "Tags", width: 320 },
    { key: "note", title: "Note", width: 320 },
  ];
  const cell = (row: number, column: number) => {
    const node = rows[row];
    if (!node || !told) return null;
    const own = node.experiment;
    switch (columns[column]?.key) {
      case "name":
        return (
          <div class="tree-name" style={{ paddingLeft: `${(node.level - 1) * 20}px` }}>
            {node.children.length > 0 ? (
              <button type="button" class="tree-turn" tabIndex={-1} aria-label={isOpen(node) ? `Close ${node.title}` : `Open ${node.title}`} onClick={() => turn(node)}>
                <Icon name={isOpen(node) ? "down" : "right"} size={14} />
              </button>
            ) : (
              <span class="tree-turn" />
            )}
            <input type="checkbox" class="tree-tick" tabIndex={-1} aria-label={`Select ${node.path}`} checked={isSelected(node)} onClick={() => select(node)} />
            {own === null && <Icon name="folder" />}
            <a class="one-line" href={href(node)} tabIndex={-1} title={own === null ? `All ${counted(node.all.length, "experiment")} in ${node.path}` : (told.names[own] ?? "")}>
              <bdi>{node.title}</bdi>
            </a>
            <button type="button" class="row-more" tabIndex={-1} aria-label={`Menu of ${node.path}`} aria-haspopup="menu" onClick={(event) => (menu.value = { node, anchor: event.currentTarget })}>
              <Icon name="more" size={14} />
            </button>
          </div>
        );
      case "runs":
        return <span class={node.runs === 0 ? "soft" : ""}>{count(node.runs)}</span>;
      case "newest":
        return <When ms={node.newest} />;
      case "tags":
        return own === null ? null : <Tags tags={told.tags[own] ?? {}} />;
      default:
        return own === null ? null : (
          <bdi class="one-line soft" title={told.notes[own]}>
            {told.notes[own]}
          </bdi>
        );
    }
  };

  return (
    <div class="tree-page">
      <div class="page-head">
        <h1>{isTrash ? "Deleted experiments" : "Experiments"}</h1>
        <span class="soft" role="status">
          {told ? `${counted(told.ids.length, "experiment")}, ${counted(told.runs.reduce((sum, n) => sum + n, 0), "run")}` : ""}
        </span>
        <span class="rest" />
        <input
          ref={box}
          class="field tree-search"
          type="search"
          aria-label="Search experiments"
          aria-keyshortcuts="/"
          placeholder="Search all names  ( / )"
          value={search.value}
          onInput={(event) => setQuery({ search: event.currentTarget.value })}
        />
        <button type="button" class={`button ${isTrash ? "is-on" : ""}`} aria-pressed={isTrash} onClick={() => ((selected.value = new Set()), setQuery({ view: isTrash ? undefined : "deleted" }))}>
          <Icon name="trash" /> Trash
        </button>
        {!isTrash && (
          <button type="button" class="button primary" onClick={() => (dialog.value = { kind: "create", begin: "" })}>
            <Icon name="plus" /> New experiment
          </button>
        )}
      </div>
      <Refusal text={refusal.value} />
      <div class="tree-body">
        {fault && !told ? (
          <Fault fault={fault} again={again} />
        ) : !told ? (
          <Waiting what="the experiments" height={400} />
        ) : rows.length === 0 ? (
          <Empty title={search.value ? "No experiment has this in its name" : isTrash ? "The trash is empty" : "No experiments yet"}>
            {search.value && (
              <button type="button" class="button" onClick={() => setQuery({ search: undefined })}>
                Clear the search
              </button>
            )}
          </Empty>
        ) : (
          <Grid
            label="Experiments"
            help={HELP}
            columns={columns}
            rows={rows.length}
            cell={cell}
            level={(row) => rows[row]?.level ?? 1}
            isSelected={(row) => rows[row] !== undefined && isSelected(rows[row])}
            isExpanded={(row) => (rows[row] && rows[row].children.length > 0 ? isOpen(rows[row]) : undefined)}
            onOpen={(row) => rows[row] && go(href(rows[row]))}
            onSelect={(row) => rows[row] && select(rows[row])}
            onSort={(key) => setQuery({ order: nextOrder(key, by, isDescending) })}
            onKey={(event, row) => {
              const node = rows[row];
              if (!node || event.ctrlKey || event.metaKey || event.altKey) return false;
              if ((event.key === "+" || event.key === "-") && node.children.length > 0) {
                if (isOpen(node) === (event.key === "-")) turn(node);
                return true;
              }
              if (event.key === "m" || event.key === "ContextMenu") {
                menu.value = { node, anchor: event.target as HTMLElement };
                return true;
              }
              return false;
            }}
          />
        )}
      </div>
      {selected.value.size > 0 && (
        <div class="selection" role="region" aria-label="Selected experiments">
          <strong role="status">{counted(selected.value.size, "experiment")} selected</strong>
          <a class="button primary" href={address(pathOf([...selected.value]))}>
            Show runs
          </a>
          {isTrash ? (
            <button type="button" class="button" disabled={isActing.value} onClick={() => void act(() => restore([...selected.value]).finally(again), () => (selected.value = new Set()))}>
              Restore
            </button>
          ) : (
            <button type="button" class="button danger" onClick={() => told && (dialog.value = { kind: "delete", all: told.ids.flatMap((id, n) => (selected.value.has(id) ? [oneOf(n)] : [])) })}>
              Delete…
            </button>
          )}
          <button type="button" class="button plain" onClick={() => (selected.value = new Set())}>
            Clear
          </button>
        </div>
      )}
      {menu.value && (
        <Menu label={menu.value.node.path} anchor={menu.value.anchor} items={itemsOf(menu.value.node)} onClose={() => (menu.value = null)} />
      )}
      {dialog.value && (
        <Dialogs
          asked={dialog.value}
          onClose={() => (dialog.value = null)}
          onDone={() => {
            selected.value = new Set();
            again();
          }}
        />
      )}
    </div>
  );

  function itemsOf(node: Node): MenuItem[] {
    const own = node.experiment;
    const items: MenuItem[] = [];
    if (own !== null) items.push({ label: "Show runs", href: address(`experiments/${told?.ids[own] ?? ""}`) });
    if (own === null || node.children.length > 0) items.push({ label: `Show runs of ${counted(node.all.length, "experiment")}`, href: href(node) });
    if (isTrash) items.push({ label: "Restore", isApart: true, act: () => void act(() => restore(node.all.map((n) => told?.ids[n] ?? "")).finally(again)) });
    else {
      items.push({ label: "New experiment in here…", isApart: true, act: () => (dialog.value = { kind: "create", begin: `${node.path}/` }) });
      if (own !== null) items.push({ label: "Rename…", act: () => (dialog.value = { kind: "rename", one: oneOf(own) }) });
      items.push({ label: own === null ? "Delete all in here…" : "Delete…", isDanger: true, act: () => (dialog.value = { kind: "delete", all: (own === null ? node.all : [own]).map(oneOf) }) });
    }
    return items;
  }
}

function Tags({ tags }: { tags: Readonly<Record<string, string>> }) {
  const told = Object.entries(tags);
  return (
    <span class="one-line" title={told.map(([key, value]) => `${key}: ${value}`).join("\n")}>
      {told.slice(0, 4).map(([key, value]) => (
        <span key={key} class="badge tree-tag">
          <bdi>
            {key}: {value}
          </bdi>
        </span>
      ))}
    </span>
  );
}

function orderOf(text: string): [By, boolean] {
  const [key = "", turn] = text.split(" ");
  return [key === "runs" || key === "newest" ? key : "name", turn === "DESC"];
}

function nextOrder(key: string, by: By, isDescending: boolean): string | undefined {
  const startsHigh = key !== "name";
  const next = key === by ? !isDescending : startsHigh;
  return key === "name" && !next ? undefined : `${key}${next ? " DESC" : ""}`;
}
