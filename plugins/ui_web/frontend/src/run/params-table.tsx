/** Params of a run, long values folded until they are wanted. */
import { useSignal } from "@preact/signals";
import { useQuery } from "../app/query";
import { setQuery } from "../app/router";
import { LongText } from "../parts/long-text";
import { count } from "../values/numbers";
import type { Pair } from "./answer";

const SHOWN = 200;

export function ParamsTable({ params, title = "Params" }: { params: readonly Pair[]; title?: string }) {
  const search = useQuery("param");
  const isWhole = useSignal(false);
  const wanted = search.value.trim().toLowerCase();
  const found = params.filter((param) => param.key.toLowerCase().includes(wanted) || param.value.toLowerCase().includes(wanted));
  const shown = isWhole.value ? found : found.slice(0, SHOWN);
  return (
    <section class="block" aria-label={title}>
      <header class="block-head">
        <h2>{title}</h2>
        <span class="count">{count(params.length)}</span>
        {params.length > 8 && (
          <input class="field" type="search" placeholder="Find a param" aria-label="Find a param" value={search.value} onInput={(event) => setQuery({ param: event.currentTarget.value })} />
        )}
      </header>
      {params.length === 0 ? (
        <p class="soft">No params were logged.</p>
      ) : (
        <div class="card">
          <table class="plain-table">
            <thead class="for-readers">
              <tr>
                <th scope="col">Param</th>
                <th scope="col">Value</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((param) => (
                <tr key={param.key}>
                  <th scope="row" class="name wraps">
                    {param.key}
                  </th>
                  <td class="text">
                    <LongText text={param.value} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {params.length > 0 && found.length === 0 && <p class="soft">No param is called like that, or has that value.</p>}
      {found.length > shown.length && (
        <div>
          <button type="button" class="button" onClick={() => (isWhole.value = true)}>
            Show all {count(found.length)}
          </button>
        </div>
      )}
    </section>
  );
}
