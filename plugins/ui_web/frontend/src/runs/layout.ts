/** Which row of the table shows what: runs in the order of the result, or groups with the members of those that are open between them. */

export type Line = { readonly group: number; readonly place?: undefined } | { readonly place: number; readonly group?: undefined };

export class Layout {
  /** The number of rows. */
  readonly rows: number;
  private readonly starts: number[] = [];
  private readonly firsts: number[] = [];

  /** `counts` are the members of each group, null without groups; `isOpen` says which show theirs. */
  constructor(
    total: number,
    private readonly counts: readonly number[] | null,
    isOpen: (group: number) => boolean,
  ) {
    let row = 0;
    let place = 0;
    for (const [group, count] of (counts ?? []).entries()) {
      this.starts.push(row);
      this.firsts.push(place);
      row += 1 + (isOpen(group) ? count : 0);
      place += count;
    }
    this.rows = counts ? row : total;
  }

  /** What a row shows. */
  at(row: number): Line {
    if (!this.counts) return { place: row };
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.starts[middle] ?? 0) <= row) low = middle;
      else high = middle - 1;
    }
    const inside = row - (this.starts[low] ?? 0);
    return inside === 0 ? { group: low } : { place: (this.firsts[low] ?? 0) + inside - 1 };
  }

  /** The places of runs among these rows, from the first to the last; null where there are only groups. */
  places(firstRow: number, lastRow: number): readonly [number, number] | null {
    let first: number | null = null;
    let last = 0;
    for (let row = firstRow; row <= lastRow; row += 1) {
      const { place } = this.at(row);
      if (place === undefined) continue;
      first ??= place;
      last = place;
    }
    return first === null ? null : [first, last];
  }

  /** The first and last place of the members of a group. */
  members(group: number): readonly [number, number] {
    const first = this.firsts[group] ?? 0;
    return [first, first + (this.counts?.[group] ?? 1) - 1];
  }
}
