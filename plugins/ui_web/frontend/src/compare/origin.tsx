/** Where compared runs come from: a link back to each of their experiments, or to the table whose runs are related. */
import { useSignal } from "@preact/signals";
import { useAsked } from "../api/asking";
import { post } from "../api/http";
import { address, to } from "../app/router";
import { pathOf } from "../runs/which";
import { count } from "../values/numbers";
import type { Which } from "./related";

/** So many experiments that the address names are told by name; the others stand in one table with them. */
const NAMED_MAX = 5;

type Told = readonly (readonly [id: string, name: string])[];

export function Origin({ which }: { which: Which }) {
  const text = JSON.stringify("runs" in which ? { runs: which.runs } : { experiments: which.experiments.slice(0, NAMED_MAX) });
  const form = useSignal(text);
  form.value = text;
  const { asked } = useAsked(async (signal) => (await post<{ experiments: Told }>("api/drupe/ui/origins", JSON.parse(form.value) as object, signal)).experiments);
  const found = asked.value.value ?? [];
  const query = "runs" in which ? {} : { filter: which.filter };
  return (
    <nav class="crumbs compare-origin" aria-label="Where these runs belong">
      {found.map(([id, name]) => (
        <a key={id} href={address(to("experiments", id), query)}>
          <bdi>{name}</bdi>
        </a>
      ))}
      {"experiments" in which && which.experiments.length > NAMED_MAX && <a href={address(pathOf(which.experiments), query)}>and {count(which.experiments.length - NAMED_MAX)} more</a>}
    </nav>
  );
}
