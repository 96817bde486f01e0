/** One parameter of the address as a signal that a component reads. */
import type { ReadonlySignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { queryOf } from "./router";

/** The parameter of that name; "" where the address has none. */
export function useQuery(name: string): ReadonlySignal<string> {
  return useMemo(() => queryOf(name), [name]);
}
