/** How much each param tells of a metric, as bars in a table. */
import { useSignal } from "@preact/signals";
import { useAsked } from "../api/asking";
import { Fault, Waiting } from "../parts/states";
import { count, counted } from "../values/numbers";
import { readImportance, type Which } from "./related";

interface Props {
  readonly which: Which;
  readonly metric: string;
  readonly params: readonly string[];
  readonly titles: ReadonlyMap<string, string>;
}

const PARAMS_MAX = 200;

export function Weights({ which, metric, params, titles }: Props) {
  const question = useSignal("");
  question.value = JSON.stringify([which, metric, params.slice(0, PARAMS_MAX)]);
  const { asked, again } = useAsked((signal) => {
    const [runs, of, names] = JSON.parse(question.value) as [Which, string, string[]];
    return readImportance(runs, of, names, signal);
  });
  const { value: told, fault } = asked.value;
  if (fault && !told) return <Fault fault={fault} again={again} />;
  if (!told) return <Waiting what="importances" height={160} />;
  if (told.params.length === 0)
    return <p class="soft">No param tells anything: at least three runs with different values of a param and of {titles.get(metric) ?? metric} are needed.</p>;
  return (
    <>
      <div class="scrolls" tabIndex={0} role="group" aria-label="Importance of params">
        <table class="plain-table weights">
          <thead>
            <tr>
              <th scope="col">Param</th>
              <th scope="col">Importance</th>
              <th scope="col" class="number">
                <span class="for-readers">Importance as a number</span>
              </th>
              <th scope="col" class="number" title="Spearman's correlation of ranks">
                Correlation
              </th>
              <th scope="col" class="number">
                Runs
              </th>
            </tr>
          </thead>
          <tbody>
            {told.params.map((one) => (
              <tr key={one.name}>
                <th scope="row">
                  <bdi class="one-line" title={titles.get(one.name) ?? one.name}>
                    {titles.get(one.name) ?? one.name}
                  </bdi>
                </th>
                <td class="weights-bar">
                  <span style={{ width: `${one.strength * 100}%` }} />
                </td>
                <td class="number">{one.strength.toFixed(2)}</td>
                <td class="number">{one.correlation === null ? "–" : one.correlation.toFixed(2).replace("-", "−").replace(/^(?!−)/, "+")}</td>
                <td class="number">{count(one.runs)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="soft small">
        Importance is the share of the variance of {titles.get(metric) ?? metric}’s ranks that lies between the values of a param (or eight bins of many numbers), without what chance alone would give. Correlation is Spearman’s. Params that always change together cannot be told apart.
        {told.untold > 0 && ` ${counted(told.untold, "param")} with too few runs or values ${told.untold === 1 ? "is" : "are"} left out.`}
      </p>
    </>
  );
}
