/**
 * A table of any length and width: only the rows and columns on screen are in the page. It knows nothing of runs; what stands in a cell is
 * told by its owner. One cell has the focus, and the keys move it, as ARIA describes for grids.
 */
import type { Range } from "@tanstack/virtual-core";
import { defaultRangeExtractor } from "@tanstack/virtual-core";
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { HeaderCell, widthWithin } from "./header";
import { moved, within, type Spot } from "./moves";
import { Row } from "./row";
import type { GridProps, Shown } from "./types";
import { useVirtual } from "./virtual";
import "./grid.css";

const ROW = 32;
const HEADER = 32;
const HEADER_WITH_KINDS = 44;
const STEP = 16;
const BORDER = 2;
const SCROLLBAR = 16;

export function Grid(props: GridProps) {
  const { columns, rows } = props;
  const box = useRef<HTMLDivElement>(null);
  const [spot, setSpot] = useState<Spot>({ row: rows > 0 ? 0 : -1, column: 0 });
  const wantsFocus = useRef(false);
  const help = useId();
  const now = within(spot, { row: rows - 1, column: columns.length - 1 });
  const first = columns[0]?.width ?? 0;
  const across = columns.slice(1);
  const shape = columns.map(({ key, width, isNumber }) => `${width}${isNumber ? "n" : "t"}${key}`).join("\n");
  const hasKinds = columns.some((column) => column.kind);
  const header = hasKinds ? HEADER_WITH_KINDS : HEADER;

  const down = useVirtual({
    count: rows,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    overscan: 6,
    paddingStart: header,
    scrollPaddingStart: header,
    rangeExtractor: (range) => including(range, now.row),
  });
  const right = useVirtual({
    horizontal: true,
    count: across.length,
    getScrollElement: () => box.current,
    estimateSize: (index) => across[index]?.width ?? 0,
    overscan: 2,
    paddingStart: first,
    scrollPaddingStart: first,
    rangeExtractor: (range) => including(range, now.column - 1),
  });
  useLayoutEffect(() => right.measure(), [shape]);

  const rowItems = down.getVirtualItems();
  const columnItems = right.getVirtualItems();
  // the same objects while nothing in them changes, so that rows can tell
  const owner = useRef(props);
  owner.current = props;
  const ofRows = useMemo(() => columns, [shape]);
  const places = useMemo(
    () => [{ index: -1, start: 0 }, ...columnItems].map(({ index, start }) => ({ index: index + 1, start })),
    [columnItems.map(({ index, start }) => `${index}:${start}`).join()],
  );
  const shown: Shown = {
    firstRow: down.range?.startIndex ?? rowItems[0]?.index ?? -1,
    lastRow: down.range?.endIndex ?? rowItems.at(-1)?.index ?? -1,
    firstColumn: right.range?.startIndex ?? columnItems[0]?.index ?? -1,
    lastColumn: right.range?.endIndex ?? columnItems.at(-1)?.index ?? -1,
  };
  useEffect(() => props.onShown?.(shown), [shown.firstRow, shown.lastRow, shown.firstColumn, shown.lastColumn, rows, columns.length]);

  useLayoutEffect(() => {
    if (!wantsFocus.current) return;
    wantsFocus.current = false;
    box.current?.querySelector<HTMLElement>(`[data-spot="${now.row}:${now.column}"]`)?.focus({ preventScroll: true });
  });

  const goTo = (to: Spot) => {
    wantsFocus.current = true;
    if (to.row >= 0) down.scrollToIndex(to.row, { align: "auto" });
    if (to.column > 0) right.scrollToIndex(to.column - 1, { align: "auto" });
    setSpot(to);
  };
  if (props.handle)
    props.handle.current = {
      scrollTo: (row) => down.scrollToIndex(row, { align: "start" }),
      focus: (row, column) => goTo(within({ row, column }, { row: rows - 1, column: columns.length - 1 })),
    };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target instanceof HTMLElement && event.target.closest("input:not([type=checkbox]), select, textarea, [popover]")) return;
    const column = columns[now.column];
    if (now.row < 0 && column && headerKey(event, column.key)) return event.preventDefault();
    const to = event.altKey ? null : moved(now, event, { rows, columns: columns.length, page: Math.max(1, shown.lastRow - shown.firstRow - 1) });
    if (to) {
      event.preventDefault();
      if (event.shiftKey && to.row !== now.row && to.row >= 0 && now.row >= 0) props.onSelect?.(to.row, true);
      return goTo(to);
    }
    if (now.row < 0) return;
    if (event.key === "Enter" && !event.ctrlKey) {
      event.preventDefault();
      props.onOpen?.(now.row);
    } else if (event.key === " ") {
      event.preventDefault();
      props.onSelect?.(now.row, event.shiftKey);
    } else if (props.onKey?.(event, now.row)) event.preventDefault();
  };

  const headerKey = (event: KeyboardEvent, key: string): boolean => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const column = columns[now.column]!;
    if (step !== undefined && event.altKey && now.column > 0 && props.onMove) {
      const to = Math.max(1, Math.min(columns.length - 1, now.column + step));
      if (to !== now.column) {
        props.onMove(key, to);
        goTo({ row: -1, column: to });
      }
      return true;
    }
    if (step !== undefined && event.shiftKey && props.onResize) {
      props.onResize(key, widthWithin(column.width + step * STEP));
      return true;
    }
    if ((event.key === "ArrowDown" && event.altKey) || event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) {
      const cell = box.current?.querySelector<HTMLElement>(`[data-spot="-1:${now.column}"]`);
      if (cell && column.hasMenu) props.onMenu?.(key, cell);
      return true;
    }
    if ((event.key === "Enter" || event.key === " ") && column.canSort) {
      props.onSort?.(key);
      return true;
    }
    return false;
  };

  const head = (index: number, left: number) => {
    const column = columns[index];
    return column && (
      <HeaderCell
        hasKinds={hasKinds}
        key={column.key}
        column={column}
        index={index}
        left={left}
        isFocused={now.row === -1 && now.column === index}
        onSort={props.onSort}
        onMenu={props.onMenu}
        onResize={props.onResize}
        onMove={props.onMove}
      />
    );
  };
  const width = `${right.getTotalSize()}px`;
  return (
    <div
      ref={box}
      class="grid-box"
      role={props.level ? "treegrid" : "grid"}
      aria-label={props.label}
      aria-rowcount={rows + 1}
      aria-colcount={columns.length}
      aria-multiselectable={props.onSelect ? "true" : undefined}
      aria-describedby={props.help ? help : undefined}
      style={{ maxHeight: `${down.getTotalSize() + BORDER + (right.getTotalSize() > (right.scrollRect?.width ?? 0) ? SCROLLBAR : 0)}px` }}
      onKeyDown={onKeyDown}
      onFocusIn={(event) => {
        const told = (event.target as HTMLElement).dataset["spot"];
        if (!told) return;
        const [row = 0, column = 0] = told.split(":").map(Number);
        if (row !== now.row || column !== now.column) setSpot({ row, column });
      }}
    >
      {props.help && (
        <div id={help} class="for-readers">
          {props.help}
        </div>
      )}
      <div role="rowgroup" class="grid-head" style={{ width, height: `${header}px` }}>
        <div role="row" class="grid-row" aria-rowindex={1} style={{ width, height: `${header}px` }}>
          {head(0, 0)}
          {columnItems.map((item) => head(item.index + 1, item.start))}
        </div>
      </div>
      <div role="rowgroup" class="grid-body" style={{ width, height: `${Math.max(0, down.getTotalSize() - header)}px` }}>
        {rowItems.map(({ index: row, start }) => (
          <Row
            key={row}
            row={row}
            owner={owner}
            drawn={props.drawn?.(row)}
            columns={ofRows}
            places={places}
            focused={row === now.row ? now.column : -1}
            class={props.rowClass?.(row) ?? ""}
            isSelected={props.onSelect ? (props.isSelected?.(row) ?? false) : undefined}
            isExpanded={props.isExpanded?.(row)}
            level={props.level?.(row)}
            top={start - header}
            width={width}
            height={ROW}
          />
        ))}
      </div>
    </div>
  );
}

/** The items of a range, and one more that must stay in the page because it has the focus. */
function including(range: Range, kept: number): number[] {
  const items = defaultRangeExtractor(range);
  if (kept < 0 || kept >= range.count || items.includes(kept)) return items;
  return kept < (items[0] ?? 0) ? [kept, ...items] : [...items, kept];
}
