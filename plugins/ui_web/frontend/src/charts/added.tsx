/** Charts of plugins, below those of metrics: each is folded until somebody opens it, which the address keeps. */
import { useMemo } from "preact/hooks";
import type { ChartContext } from "../../../drupe_ui_web/extension_api";
import { toggleIn } from "../app/lists";
import { extensionsOf, type Extension } from "../extensions/list";
import { Part } from "../extensions/part";
import { Icon } from "../parts/icon";
import type { Charted } from "./answer";
import { openCharts } from "./view";

export function AddedCharts({ runs, colorOf }: { runs: Charted["runs"]; colorOf: (runId: string) => number }) {
  return (
    <>
      {extensionsOf("chart")?.map((one) => (
        <Added key={one.key} extension={one} runs={runs} colorOf={colorOf} />
      ))}
    </>
  );
}

function Added({ extension, runs, colorOf }: { extension: Extension; runs: Charted["runs"]; colorOf: (runId: string) => number }) {
  const context: ChartContext = useMemo(() => ({ runs: runs.map((run) => ({ ...run, color: `--series-${colorOf(run.run_id)}` })) }), [runs, colorOf]);
  const isOpen = openCharts.value.includes(extension.key);
  return (
    <section class="charts-section" aria-label={extension.title}>
      <h2>
        <button type="button" class="charts-fold" aria-expanded={isOpen} onClick={() => toggleIn("added", extension.key)}>
          <Icon name={isOpen ? "down" : "right"} />
          {extension.title}
        </button>
      </h2>
      {isOpen && <Part extension={extension} context={context} />}
    </section>
  );
}
