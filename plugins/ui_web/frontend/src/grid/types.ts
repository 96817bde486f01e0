/** What a grid is told and what it tells. */
import type { ComponentChildren, RefObject } from "preact";
import type { HeaderActs } from "./header";

export interface GridColumn {
  readonly key: string;
  readonly title: string;
  readonly width: number;
  /** A word above the title, such as "metric". */
  readonly kind?: string | undefined;
  /** Shown when the pointer rests on the title. */
  readonly hint?: string | undefined;
  readonly isNumber?: boolean | undefined;
  readonly canSort?: boolean | undefined;
  readonly hasMenu?: boolean | undefined;
  readonly sort?: "asc" | "desc" | undefined;
  /** Stands before the title, such as a box that selects all. */
  readonly before?: ComponentChildren;
}

/** What is on screen: the first and last row and the first and last column that scrolls, −1 for none. */
export interface Shown {
  readonly firstRow: number;
  readonly lastRow: number;
  readonly firstColumn: number;
  readonly lastColumn: number;
}

export interface GridHandle {
  /** Show a row at the top of the grid. */
  readonly scrollTo: (row: number) => void;
  /** Put the focus on a cell; row −1 is the header. */
  readonly focus: (row: number, column: number) => void;
}

export interface GridProps extends HeaderActs {
  readonly label: string;
  readonly columns: readonly GridColumn[];
  readonly rows: number;
  readonly rowClass?: ((row: number) => string) | undefined;
  readonly cell: (row: number, column: number) => ComponentChildren;
  /** All that the cells of a row are drawn from, besides their columns: while none of it changes, they stay. Without it they are drawn with the grid. */
  readonly drawn?: ((row: number) => readonly unknown[]) | undefined;
  readonly isSelected?: ((row: number) => boolean) | undefined;
  readonly isExpanded?: ((row: number) => boolean | undefined) | undefined;
  /** How deep a row lies, from 1, where the rows are a tree. */
  readonly level?: ((row: number) => number) | undefined;
  readonly onOpen?: ((row: number) => void) | undefined;
  readonly onSelect?: ((row: number, withAll: boolean) => void) | undefined;
  /** A key that the grid itself has no use for, pressed on a row; true when it was used. */
  readonly onKey?: ((event: KeyboardEvent, row: number) => boolean) | undefined;
  /** The row that is pointed at; null when it is none any more. */
  readonly onHover?: ((row: number | null) => void) | undefined;
  readonly onShown?: ((shown: Shown) => void) | undefined;
  readonly handle?: RefObject<GridHandle | null> | undefined;
  /** Text for people who cannot see it: which keys do what. */
  readonly help?: string | undefined;
}
