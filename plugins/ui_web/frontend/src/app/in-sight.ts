/** Keeps the chosen one of a row of links in sight where the row is wider than the screen, without moving the page. */
import { useLayoutEffect } from "preact/hooks";

/** How much of a neighbour is seen, too. */
const PEEK = 28;

/** Scrolls the row sideways when `chosen`, which names what `selector` finds, changes. */
export function useInSight(row: { readonly current: HTMLElement | null }, selector: string, chosen: string): void {
  useLayoutEffect(() => {
    const box = row.current?.getBoundingClientRect();
    const one = row.current?.querySelector(selector)?.getBoundingClientRect();
    if (!row.current || !box || !one) return;
    if (one.left < box.left + PEEK) row.current.scrollLeft += one.left - box.left - PEEK;
    else if (one.right > box.right - PEEK) row.current.scrollLeft += one.right - box.right + PEEK;
  }, [chosen]);
}
