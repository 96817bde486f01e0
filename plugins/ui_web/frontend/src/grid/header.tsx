/** The cells at the top of a grid: sorted by a click, wider and narrower by their edge, moved by dragging, with a menu of more. */
import { useRef } from "preact/hooks";
import { Icon } from "../parts/icon";
import type { GridColumn } from "./types";

export const NARROWEST = 64;
export const WIDEST = 900;

export interface HeaderActs {
  readonly onSort?: ((key: string) => void) | undefined;
  readonly onMenu?: ((key: string, anchor: HTMLElement) => void) | undefined;
  readonly onResize?: ((key: string, width: number) => void) | undefined;
  /** `to` is the place among all columns at which the column of `key` should stand. */
  readonly onMove?: ((key: string, to: number) => void) | undefined;
}

interface Props extends HeaderActs {
  readonly column: GridColumn;
  readonly index: number;
  readonly left: number;
  readonly isFocused: boolean;
  /** Whether some column says of which kind it is, above its title. */
  readonly hasKinds: boolean;
}

const DRAGGED = "application/x-drupe-column";

/** One cell of the header. The first column stays where it is. */
export function HeaderCell({ column, index, left, isFocused, hasKinds, onSort, onMenu, onResize, onMove }: Props) {
  const cell = useRef<HTMLDivElement>(null);
  const { key, title, kind, sort, width } = column;
  const canMove = index > 0 && onMove !== undefined;
  return (
    <div
      ref={cell}
      role="columnheader"
      class={`grid-cell grid-header ${index === 0 ? "grid-first" : ""} ${column.isNumber ? "number" : ""}`}
      style={{ width: `${width}px`, ...(index === 0 ? {} : { left: `${left}px` }) }}
      aria-colindex={index + 1}
      aria-sort={sort === "asc" ? "ascending" : sort === "desc" ? "descending" : column.canSort ? "none" : undefined}
      tabIndex={isFocused ? 0 : -1}
      data-spot={`-1:${index}`}
      title={column.hint ?? title}
      draggable={canMove}
      onDragStart={(event) => event.dataTransfer?.setData(DRAGGED, key)}
      onDragOver={(event) => {
        if (canMove && event.dataTransfer?.types.includes(DRAGGED)) event.preventDefault();
      }}
      onDrop={(event) => {
        const dragged = event.dataTransfer?.getData(DRAGGED);
        event.preventDefault();
        if (dragged && dragged !== key) onMove?.(dragged, index);
      }}
      onClick={() => column.canSort && onSort?.(key)}
      onContextMenu={(event) => {
        if (!onMenu || !column.hasMenu || !cell.current) return;
        event.preventDefault();
        const open = () => cell.current && onMenu(key, cell.current);
        // where menus are asked for by pressing, letting go would close it again
        if (event.buttons) addEventListener("pointerup", () => setTimeout(open), { once: true });
        else open();
      }}
    >
      {column.before}
      <span class="grid-title">
        {hasKinds && <span class="grid-kind">{kind ?? "\u00a0"}</span>}
        <span class="grid-name">
          <bdi class="one-line">{title}</bdi>
          {sort && <Icon name={sort === "asc" ? "up" : "down"} size={13} />}
        </span>
      </span>
      {column.hasMenu && onMenu && (
        <button
          type="button"
          class="grid-more"
          tabIndex={-1}
          aria-label={`Menu of ${title}`}
          aria-haspopup="menu"
          onClick={(event) => {
            event.stopPropagation();
            if (cell.current) onMenu(key, cell.current);
          }}
        >
          <Icon name="more" size={14} />
        </button>
      )}
      {onResize && <Edge width={width} onResize={(wide) => onResize(key, wide)} />}
    </div>
  );
}

/** The right edge, which is dragged. The keyboard does it with Shift and the arrows on the header. */
function Edge({ width, onResize }: { width: number; onResize: (width: number) => void }) {
  const from = useRef<{ x: number; width: number } | null>(null);
  return (
    <span
      class="grid-edge"
      aria-hidden="true"
      onMouseDown={(event) => event.preventDefault()} // or the browser may begin to drag the column
      onClick={(event) => event.stopPropagation()}
      onPointerDown={(event) => {
        event.stopPropagation();
        from.current = { x: event.clientX, width };
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => {
        if (from.current) onResize(widthWithin(from.current.width + event.clientX - from.current.x));
      }}
      onPointerUp={() => (from.current = null)}
      onPointerCancel={() => (from.current = null)}
    />
  );
}

/** A width that a column may have. */
export function widthWithin(width: number): number {
  return Math.round(Math.max(NARROWEST, Math.min(WIDEST, width)));
}
