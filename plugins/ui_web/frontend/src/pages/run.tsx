/** The page of one run: its head, and a tab for each side of it. Loads what the tabs share; each tab asks for the rest itself. */
import type { ComponentType } from "preact";
import { useSignalEffect } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { onChange } from "../api/changes";
import { useAsked } from "../api/asking";
import { place } from "../app/router";
import { useTitle } from "../app/title";
import type { PageProps } from "../app/pages";
import { extensionsOf, keyOf, type Extension } from "../extensions/list";
import { Part } from "../extensions/part";
import { Panel, type LazyTab } from "../parts/panel";
import { Fault, Waiting } from "../parts/states";
import { Tabs } from "../parts/tabs";
import { readRun, type RunAnswer } from "../run/answer";
import { RunHead } from "../run/head";
import { RunSummary } from "../run/summary";
import "../styles/pages.css";
import "../styles/run.css";

const FOLLOW_MS = 1000;

export interface RunTabProps {
  readonly told: RunAnswer;
  readonly again: () => void;
}

type RunTab = LazyTab<RunTabProps>;

const READY = { key: "summary", View: RunSummary };
const TABS: readonly RunTab[] = [
  { key: "summary", title: "Summary", load: async () => RunSummary },
  {
    key: "charts",
    title: "Charts",
    load: async () => (await import("../run/charts-tab")).ChartsTab,
    prepare: () => Promise.all([import("../run/charts-tab"), import("../charts/plot")]).catch(() => undefined),
  },
  { key: "artifacts", title: "Artifacts", load: async () => (await import("../run/artifacts-tab")).ArtifactsTab },
  { key: "log", title: "Log", load: async () => (await import("../run/log-tab")).LogTab },
  { key: "system", title: "System", load: async () => (await import("../run/system-tab")).SystemTab },
  { key: "code", title: "Code", load: async () => (await import("../run/code-tab")).CodeTab },
  { key: "lineage", title: "Lineage", load: async () => (await import("../run/lineage-tab")).LineageTab },
];

/** The tabs now: our own, and those of plugins. While these are not known yet, one that the address names is waited for. */
function tabsNow(): readonly RunTab[] {
  const asked = place.value.query.get("tab") ?? "";
  const added = extensionsOf("run-tab");
  if (!added) return asked.startsWith("x-") ? [...TABS, { key: asked, title: "…", load: () => new Promise(() => undefined) }] : TABS;
  return [...TABS, ...added.map((one) => ({ key: keyOf(one), title: one.title, load: async () => tabOf(one) }))];
}

function tabOf(extension: Extension): ComponentType<RunTabProps> {
  return ({ told }) => <Part extension={extension} context={useMemo(() => ({ run: told.run }), [told])} />;
}

export default function RunPage({ rest }: PageProps) {
  const runId = rest[0] ?? "";
  return <OneRun key={runId} runId={runId} />;
}

function OneRun({ runId }: { runId: string }) {
  const { asked, again } = useAsked((signal) => readRun(runId, signal));
  useSignalEffect(() => onChange((change) => change.run_id === runId, again, FOLLOW_MS));
  useEffect(() => {
    // programs that write into the store's file past the server are not told of
    const timer = setInterval(() => {
      const { value, isWaiting } = asked.peek();
      if (value?.run.info.status === "RUNNING" && !isWaiting && !document.hidden) again();
    }, FOLLOW_MS);
    return () => clearInterval(timer);
  }, []);
  const { value: told, fault } = asked.value;
  const tabs = tabsNow();
  useTitle(told?.run.info.run_name ?? "Run");
  if (fault && !told) return <div class="page"><Fault fault={fault} again={again} /></div>;
  if (!told)
    return (
      <div class="page">
        <Waiting what="the run" height={92} />
        <Waiting what="its summary" height={480} />
      </div>
    );
  return (
    <div class="page">
      <RunHead told={told} again={again} />
      {fault && <Fault fault={fault} again={again} />}
      <Tabs name="tab" tabs={tabs} label="Sides of this run" />
      <Panel tabs={tabsNow} props={{ told, again }} ready={READY} />
    </div>
  );
}
