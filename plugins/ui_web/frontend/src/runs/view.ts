/** How a person wants to see a runs table: all of it is in the address, so that a copied address shows the same. */
import { computed, type ReadonlySignal } from "@preact/signals";
import { joined, listed, listOf, toggleIn, unescaped } from "../app/lists";
import { parts, place, queryOf, setQuery } from "../app/router";
import { colorsIn } from "../values/colors";
import { idsIn } from "./which";

export interface Order {
  readonly name: string;
  readonly isDescending: boolean;
}

/** Columns that nobody has chosen, or all that there are, or a list. */
export type Columns = "picked" | "all" | readonly string[];

/** Ids of the experiments in the address. */
export const experimentIds: ReadonlySignal<readonly string[]> = computed(() => idsIn(parts.value));

export const filter = queryOf("filter");
export const orderText = queryOf("order");
export const group = queryOf("group");
export const trash = computed(() => place.value.query.get("view") === "deleted");
export const pinned = listOf("pin");
export const hidden = listOf("hide");
export const opened = listOf("open");
export const colors = computed(() => colorsIn(place.value.query.get("color") ?? ""));
export const columns: ReadonlySignal<Columns> = computed(() => {
  const text = place.value.query.get("cols") ?? "";
  return text === "" ? "picked" : text === "*" ? "all" : listed(text);
});
export const widths: ReadonlySignal<ReadonlyMap<string, number>> = computed(() => {
  const found = new Map<string, number>();
  for (const part of (place.value.query.get("w") ?? "").split(",")) {
    const at = part.lastIndexOf("~");
    const width = Number(part.slice(at + 1));
    if (at > 0 && width >= 40 && width <= 2000) found.set(unescaped(part.slice(0, at)), width);
  }
  return found;
});
export const order: ReadonlySignal<Order | null> = computed(() => {
  const text = orderText.value;
  if (!text) return null;
  return { name: text.replace(/ (ASC|DESC)$/i, ""), isDescending: / DESC$/i.test(text) };
});

/** Sort by a column; null for the order that the server has by itself, the newest first. */
export function setOrder(to: Order | null): void {
  setQuery({ order: to ? `${to.name}${to.isDescending ? " DESC" : ""}` : undefined });
}

/** Show these columns. */
export function setColumns(to: Columns): void {
  setQuery({ cols: to === "picked" ? undefined : to === "all" ? "*" : joined(to) });
}

/** Give a column another width. */
export function setWidth(name: string, width: number): void {
  const next = new Map(widths.peek()).set(name, width);
  setQuery({ w: [...next].map(([key, wide]) => `${encodeURIComponent(key)}~${wide}`).join(",") });
}

/** Put one member into a list of the address, or take it out. */
export const toggle = (name: "pin" | "hide" | "open", member: string) => toggleIn(name, member);
