/** Several runs side by side: what differs, their charts, and how their params tell of their metrics. */
import { listed } from "../app/lists";
import { place } from "../app/router";
import { useTitle } from "../app/title";
import { Origin } from "../compare/origin";
import { whichOf } from "../compare/which";
import { Panel, type LazyTab } from "../parts/panel";
import { Empty } from "../parts/states";
import { Tabs } from "../parts/tabs";
import { counted } from "../values/numbers";
import "../styles/pages.css";

const TABS: readonly LazyTab<{ runIds: readonly string[] }>[] = [
  { key: "sides", title: "Side by side", load: async () => (await import("../compare/sides")).Sides },
  {
    key: "charts",
    title: "Charts",
    load: async () => (await import("../charts/run-charts")).RunCharts,
    prepare: () => Promise.all([import("../charts/run-charts"), import("../charts/plot")]).catch(() => undefined),
  },
  { key: "relations", title: "Relations", load: async () => (await import("../compare/relations")).Relations },
];
/** Of runs that a question finds: too many to stand side by side. */
const MANY = TABS.filter(({ key }) => key === "relations");

export default function Compare() {
  const runIds = [...new Set(listed(place.value.query.get("runs") ?? ""))];
  useTitle("Compare runs");
  const which = whichOf();
  const isMany = "experiments" in which && which.experiments.length > 0;
  const tabs = isMany ? MANY : TABS;
  if (runIds.length === 0 && !isMany)
    return (
      <div class="page">
        <Empty title="No runs to compare">Select some in the table of an experiment, and choose “Compare”.</Empty>
      </div>
    );
  return (
    <div class="page">
      <header class="thing-head">
        <Origin which={which} />
        <h1>{isMany ? "Relations of runs" : runIds.length === 1 ? "Compare runs" : `Compare ${counted(runIds.length, "run")}`}</h1>
      </header>
      <Tabs name="tab" tabs={tabs} label="Ways to compare" />
      <Panel key={tabs.length} tabs={() => tabs} props={{ runIds }} />
    </div>
  );
}
