/** Lists of texts in one parameter of the address, whatever the texts hold. */
import { computed, type ReadonlySignal } from "@preact/signals";
import { place, queryOf, setQuery } from "./router";

/** Texts in one parameter. */
export function joined(texts: readonly string[]): string {
  return texts.map(encodeURIComponent).join(",");
}

/** The opposite of `joined`. */
export function listed(text: string): string[] {
  return text === "" ? [] : text.split(",").map(unescaped);
}

/** The list in a parameter; it changes only when that does. */
export function listOf(name: string): ReadonlySignal<readonly string[]> {
  const text = queryOf(name);
  return computed(() => listed(text.value));
}

/** Put a member into a list of the address, or take it out. */
export function toggleIn(name: string, member: string): void {
  const now = listed(place.peek().query.get(name) ?? "");
  setQuery({ [name]: joined(now.includes(member) ? now.filter((one) => one !== member) : [...now, member]) });
}

export function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // written by hand
  }
}
