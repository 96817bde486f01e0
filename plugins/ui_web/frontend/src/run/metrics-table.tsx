/** Metrics of a run with what is known of their series. Those of the system have a tab of their own. */
import { useSignal } from "@preact/signals";
import { useQuery } from "../app/query";
import { address, setQuery, to } from "../app/router";
import { count, shortNumber } from "../values/numbers";
import { numberOf, type Run, type Value } from "./answer";

const SHOWN = 200;

export function isOfSystem(key: string): boolean {
  return key.startsWith("system/");
}

export function MetricsTable({ run }: { run: Run }) {
  const search = useQuery("metric");
  const isWhole = useSignal(false);
  const summaries = run.data.summaries ?? {};
  const all = (run.data.metrics ?? []).filter((metric) => !isOfSystem(metric.key)).sort((one, other) => (one.key < other.key ? -1 : 1));
  const found = all.filter((metric) => metric.key.toLowerCase().includes(search.value.trim().toLowerCase()));
  const shown = isWhole.value ? found : found.slice(0, SHOWN);
  return (
    <section class="block" aria-labelledby="metrics-title">
      <header class="block-head">
        <h2 id="metrics-title">Metrics</h2>
        <span class="count">{count(all.length)}</span>
        {all.length > 8 && (
          <input class="field" type="search" placeholder="Find a metric" aria-label="Find a metric" value={search.value} onInput={(event) => setQuery({ metric: event.currentTarget.value })} />
        )}
      </header>
      {all.length === 0 ? (
        <p class="soft">No metrics were logged.</p>
      ) : (
        <div class="card scrolls" tabIndex={0} role="group" aria-labelledby="metrics-title">
          <table class="plain-table">
            <thead>
              <tr>
                <th scope="col">Metric</th>
                <th scope="col" class="number">
                  Last
                </th>
                <th scope="col" class="number">
                  Min
                </th>
                <th scope="col" class="number">
                  Max
                </th>
                <th scope="col" class="number">
                  First
                </th>
                <th scope="col" class="number">
                  Step
                </th>
                <th scope="col" class="number">
                  Points
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map((metric) => {
                const known = summaries[metric.key];
                return (
                  <tr key={metric.key}>
                    <th scope="row" class="name">
                      <a href={address(to("runs", run.info.run_id), { tab: "charts", find: metric.key })}>{metric.key}</a>
                    </th>
                    <Figure value={metric.value} />
                    <Figure value={known?.min} note={known?.argmin} />
                    <Figure value={known?.max} note={known?.argmax} />
                    <Figure value={known?.first} />
                    <td class="number">{count(metric.step)}</td>
                    <td class="number">{known?.count ? count(known.count) : "–"}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
      {all.length > 0 && found.length === 0 && <p class="soft">No metric is called like that.</p>}
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

function Figure({ value, note }: { value: Value | undefined; note?: number | null | undefined }) {
  if (value === undefined) return <td class="number soft">–</td>;
  const number = numberOf(value);
  return (
    <td class="number" title={`${String(value)}${note === undefined || note === null ? "" : ` at step ${note}`}`}>
      {shortNumber(number)}
    </td>
  );
}
