/** One version of a registered model: what it is, where it comes from, its files, and how it differs from another. */
import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { useAsked } from "../api/asking";
import { onChange } from "../api/changes";
import { address, go, to } from "../app/router";
import { useTitle } from "../app/title";
import { ArtifactBrowser } from "../artifacts/browser";
import { extensionsOf, type Extension } from "../extensions/list";
import { Part } from "../extensions/part";
import { Sections } from "../model/card";
import { Lineage } from "../model/lineage";
import { readModel } from "../model/answer";
import { AddressFact, Fact, Facts } from "../parts/facts";
import { FormDialog } from "../parts/form-dialog";
import { Icon } from "../parts/icon";
import { Note } from "../parts/note";
import { Contained, Fault, Waiting } from "../parts/states";
import { Status } from "../parts/status";
import { chosenTab, Tabs } from "../parts/tabs";
import { Tags } from "../parts/tags";
import { When } from "../parts/time";
import { deleteVersion, deleteVersionTag, describeVersion, isOfModel, readVersion, setVersionTag, type Version } from "./answer";
import { CompareVersions } from "./compare";
import { Aliases } from "./aliases";
import { Alias } from "./labels";
import { StageOfVersion } from "./stage";

const TABS = [
  { key: "overview", title: "Overview" },
  { key: "files", title: "Files" },
  { key: "lineage", title: "Lineage" },
  { key: "compare", title: "Compare" },
] as const;

export function OneVersion({ name, version: number }: { name: string; version: string }) {
  useTitle(`${name} ${number}`);
  const { asked, again } = useAsked((signal) => readVersion(name, number, signal));
  useSignalEffect(() => onChange(isOfModel(name), again, 1000));
  const isDeleting = useSignal(false);
  const tab = useComputed(() => chosenTab("tab", TABS));
  const { value: version, fault } = asked.value;
  if (fault && !version) return <div class="page"><Fault fault={fault} again={again} /></div>;
  if (!version) return <div class="page"><Waiting what="the version" height={480} /></div>;
  return (
    <div class="page">
      <header class="thing-head">
        <nav class="crumbs" aria-label="Where this version belongs">
          <a href={address("models")}>Models</a>
          <a href={address(to("models", name))}>{name}</a>
        </nav>
        <div class="thing-title">
          <h1>Version {number}</h1>
          {version.status !== "READY" && <Status value={version.status} />}
          {(version.aliases ?? []).map((alias) => (
            <Alias key={alias} name={alias} />
          ))}
          <div class="actions">
            <StageOfVersion version={version} refresh={again} />
            <button type="button" class="button danger" onClick={() => (isDeleting.value = true)}>
              <Icon name="trash" size={14} /> Delete
            </button>
          </div>
        </div>
        <Facts>
          <Fact name="Created">
            <When ms={version.creation_timestamp} />
          </Fact>
          {version.user_id && <Fact name="By">{version.user_id}</Fact>}
          {version.run_id && (
            <Fact name="Run">
              <a href={address(to("runs", version.run_id))}>
                <code>{version.run_id.slice(0, 12)}</code>
              </a>
            </Fact>
          )}
          <AddressFact text={`models:/${name}/${number}`} />
        </Facts>
        {version.status_message && <p class="banner bad">{version.status_message}</p>}
      </header>
      {fault && <Fault fault={fault} again={again} />}
      <Tabs name="tab" tabs={TABS} label="Sides of this version" />
      <div id="panel" role="tabpanel" aria-labelledby={`tab-${tab.value}`}>
        <Contained what="This tab" key={tab.value}>
          {tab.value === "overview" ? (
            <Overview version={version} refresh={again} />
          ) : tab.value === "files" ? (
            <ArtifactBrowser subject={{ name, version: number }} empty="This version has no files here." />
          ) : tab.value === "lineage" ? (
            <Lineage subject={{ name, version: number }} />
          ) : (
            <CompareVersions name={name} version={number} />
          )}
        </Contained>
      </div>
      {isDeleting.value && (
        <FormDialog title={`Delete version ${number}?`} yes="Delete the version" isDanger act={() => deleteVersion(name, number).then(() => go(address(to("models", name))))} onClose={() => (isDeleting.value = false)}>
          <p>
            Version {number} of <strong>{name}</strong> is deleted for good, with its tags
            {(version.aliases ?? []).length > 0 ? ` and its aliases ${(version.aliases ?? []).map((alias) => `@${alias}`).join(", ")}` : ""}. Its number is not used again; its files stay where they are.
          </p>
          {version.current_stage === "Production" && <p class="banner bad">This version is in production.</p>}
        </FormDialog>
      )}
    </div>
  );
}

function Overview({ version, refresh }: { version: Version; refresh: () => void }) {
  const { name, version: number } = version;
  const { asked, again } = useAsked((signal) => readModel({ name, version: number }, "", signal));
  const { value: model, fault } = asked.value;
  return (
    <div class="columns-2">
      <div class="stack wide">
        <Note title="Description" text={version.description ?? ""} empty="Nobody has described this version." save={(text) => describeVersion(name, number, text).then(refresh)} />
        {fault && !model ? (
          <Fault fault={fault} again={again} />
        ) : !model ? (
          <Waiting what="the model's card" height={480} />
        ) : (
          <>
            {model.fault && <p class="banner">{model.fault}</p>}
            <Sections sections={model.sections} />
          </>
        )}
      </div>
      <aside class="stack wide" aria-label="About this version">
        <Aliases name={name} aliases={(version.aliases ?? []).map((alias) => ({ alias, version: number }))} versions={[number]} isOfVersion refresh={refresh} />
        {extensionsOf("registry-panel")?.map((panel) => (
          <Panel key={panel.key} panel={panel} version={version} />
        ))}
        <section class="block">
          <header class="block-head">
            <h2>Tags</h2>
          </header>
          <Tags
            tags={version.tags ?? []}
            set={(key, value) => setVersionTag(name, number, key, value).then(refresh)}
            remove={(key) => deleteVersionTag(name, number, key).then(refresh)}
          />
        </section>
        <section class="block">
          <header class="block-head">
            <h2>Source</h2>
          </header>
          <p class="source">
            {model?.model ? <a href={address(to("logged-models", model.model.model_id))}>{version.source}</a> : version.source}
          </p>
        </section>
      </aside>
    </div>
  );
}

/** Whether it may be promoted and where it runs: gates, approvals, deployments and what else plugins tell of a version. */
function Panel({ panel, version }: { panel: Extension; version: Version }) {
  return (
    <section class="block">
      <header class="block-head">
        <h2>{panel.title}</h2>
      </header>
      <Part extension={panel} context={useMemo(() => ({ version }), [version])} />
    </section>
  );
}
