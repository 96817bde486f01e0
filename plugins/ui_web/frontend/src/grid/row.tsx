/** A row of a grid, drawn again only when what it shows changes: most of the time of a large table would go into rows that stay as they are. */
import { Component, type RefObject } from "preact";
import type { GridColumn, GridProps } from "./types";

interface Props {
  readonly row: number;
  /** The grid's props now; a row that was not drawn again still reaches its owner as it is. */
  readonly owner: RefObject<GridProps>;
  /** See `GridProps.drawn`. */
  readonly drawn: readonly unknown[] | undefined;
  readonly columns: readonly GridColumn[];
  /** Which columns are in the page, and how far from the left. */
  readonly places: readonly { readonly index: number; readonly start: number }[];
  /** The column that has the focus, −1 for none in this row. */
  readonly focused: number;
  readonly class: string;
  readonly isSelected: boolean | undefined;
  readonly isExpanded: boolean | undefined;
  readonly level: number | undefined;
  readonly top: number;
  readonly width: string;
  readonly height: number;
}

export class Row extends Component<Props> {
  override shouldComponentUpdate(next: Props): boolean {
    const { drawn, ...now } = this.props;
    return !drawn || !next.drawn || !alike(drawn, next.drawn) || Object.entries(now).some(([name, value]) => value !== next[name as keyof Props]);
  }

  override render({ row, owner, columns, places, focused, isSelected, isExpanded, level, top, width, height, ...props }: Props) {
    const { cell, onHover } = owner.current!;
    return (
      <div
        role="row"
        class={`grid-row ${props.class}`}
        aria-rowindex={row + 2}
        aria-selected={isSelected}
        aria-expanded={isExpanded}
        aria-level={level}
        onPointerEnter={onHover && (() => owner.current?.onHover?.(row))}
        onPointerLeave={onHover && (() => owner.current?.onHover?.(null))}
        style={{ width, height: `${height}px`, transform: `translateY(${top}px)` }}
      >
        {places.map(({ index, start }) => {
          const column = columns[index];
          return (
            column && (
              <div
                key={column.key}
                role={index === 0 ? "rowheader" : "gridcell"}
                class={`grid-cell ${index === 0 ? "grid-first" : ""} ${column.isNumber ? "number" : ""}`}
                aria-colindex={index + 1}
                tabIndex={index === focused ? 0 : -1}
                data-spot={`${row}:${index}`}
                style={{ width: `${column.width}px`, ...(index === 0 ? {} : { left: `${start}px` }) }}
              >
                {cell(row, index)}
              </div>
            )
          );
        })}
      </div>
    );
  }
}

function alike(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((value, n) => value === other[n]);
}
