/** Where the focus goes in a grid: keys to cells, as the ARIA pattern describes. Row −1 is the header. */

export interface Spot {
  readonly row: number;
  readonly column: number;
}

export interface Extent {
  readonly rows: number;
  readonly columns: number;
  /** How many rows fit on the screen. */
  readonly page: number;
}

export interface Pressed {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
}

/** The next cell, or null for a key that does not move. */
export function moved(from: Spot, pressed: Pressed, { rows, columns, page }: Extent): Spot | null {
  const far = pressed.ctrlKey || pressed.metaKey;
  const { row, column } = from;
  const last = { row: rows - 1, column: columns - 1 };
  switch (pressed.key) {
    case "ArrowUp":
      return within({ row: far ? (row > 0 ? 0 : -1) : row - 1, column }, last);
    case "ArrowDown":
      return within({ row: far ? last.row : row + 1, column }, last);
    case "ArrowLeft":
      return within({ row, column: far ? 0 : column - 1 }, last);
    case "ArrowRight":
      return within({ row, column: far ? last.column : column + 1 }, last);
    case "Home":
      return within({ row: far ? 0 : row, column: 0 }, last);
    case "End":
      return within({ row: far ? last.row : row, column: last.column }, last);
    case "PageUp":
      return within({ row: row < 0 ? row : Math.max(0, row - page), column }, last);
    case "PageDown":
      return within({ row: row + page, column }, last);
    default:
      return null;
  }
}

/** The nearest cell that exists. */
export function within({ row, column }: Spot, last: Spot): Spot {
  return { row: Math.max(-1, Math.min(row, last.row)), column: Math.max(0, Math.min(column, last.column)) };
}
