/** One logged model, before and apart from any registration: its card, its files, where it comes from. */
import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useAsked } from "../api/asking";
import { onChange } from "../api/changes";
import { post } from "../api/http";
import type { PageProps } from "../app/pages";
import { address, go, to } from "../app/router";
import { useTitle } from "../app/title";
import { ArtifactBrowser } from "../artifacts/browser";
import { readModel, type ModelAnswer } from "../model/answer";
import { Sections } from "../model/card";
import { Flavors } from "../model/flavors";
import { Lineage } from "../model/lineage";
import { RegisterDialog } from "../model/register";
import { AddressFact, Fact, Facts } from "../parts/facts";
import { FormDialog } from "../parts/form-dialog";
import { Icon } from "../parts/icon";
import { Contained, Fault, Waiting } from "../parts/states";
import { Status } from "../parts/status";
import { chosenTab, Tabs } from "../parts/tabs";
import { Tags } from "../parts/tags";
import { When } from "../parts/time";
import { Alias, Stage } from "../registry/labels";
import { bytes, counted } from "../values/numbers";
import "../styles/pages.css";
import "../styles/run.css";
import "../styles/registry.css";

const TABS = [
  { key: "card", title: "Card" },
  { key: "flavors", title: "Flavors" },
  { key: "files", title: "Files" },
  { key: "lineage", title: "Lineage" },
] as const;

export default function LoggedModelPage({ rest }: PageProps) {
  const modelId = rest[0] ?? "";
  return <OneLoggedModel key={modelId} modelId={modelId} />;
}

function OneLoggedModel({ modelId }: { modelId: string }) {
  const { asked, again } = useAsked((signal) => readModel({ model_id: modelId }, "", signal));
  useSignalEffect(() => onChange((change) => (change.kind === "logged_model" && change.model_id === modelId) || change.kind === "model", again, 1000));
  const isDeleting = useSignal(false);
  const tab = useComputed(() => chosenTab("tab", TABS));
  const { value: told, fault } = asked.value;
  useTitle(told?.title ?? "Model");
  if (fault && !told) return <div class="page"><Fault fault={fault} again={again} /></div>;
  if (!told) return <div class="page"><Waiting what="the model" height={480} /></div>;
  const { model, run } = told;
  return (
    <div class="page">
      <header class="thing-head">
        <nav class="crumbs" aria-label="Where this model belongs">
          {model && <a href={address(to("experiments", model.experiment_id))}>{model.experiment}</a>}
          {run && <a href={address(to("runs", run.run_id))}>{run.name || run.run_id}</a>}
        </nav>
        <div class="thing-title">
          <h1>{told.title}</h1>
          {model && <Status value={model.status} />}
          <span class="soft">{told.subtitle}</span>
          {model && (
            <div class="actions">
              <button type="button" class="button danger" onClick={() => (isDeleting.value = true)}>
                <Icon name="trash" size={14} /> Delete
              </button>
            </div>
          )}
        </div>
        <Facts>
          {model && (
            <Fact name="Created">
              <When ms={model.created} />
            </Fact>
          )}
          {told.files_count > 0 && (
            <Fact name="Size">
              {bytes(told.size_bytes)} in {counted(told.files_count, "file")}
            </Fact>
          )}
          <AddressFact text={told.address} />
        </Facts>
        {told.fault && <p class="banner">{told.fault}</p>}
        {model?.status_message && <p class="banner bad">{model.status_message}</p>}
      </header>
      {fault && <Fault fault={fault} again={again} />}
      <Tabs name="tab" tabs={TABS} label="Sides of this model" />
      <div id="panel" role="tabpanel" aria-labelledby={`tab-${tab.value}`}>
        <Contained what="This tab" key={tab.value}>
          {tab.value === "card" ? (
            <Card told={told} modelId={modelId} again={again} />
          ) : tab.value === "flavors" ? (
            <Flavors flavors={told.flavors} />
          ) : tab.value === "files" ? (
            <ArtifactBrowser subject={{ model_id: modelId }} empty="The files of this model are not here." />
          ) : (
            <Lineage subject={{ model_id: modelId }} />
          )}
        </Contained>
      </div>
      {isDeleting.value && model && (
        <FormDialog
          title="Delete this model?"
          yes="Delete the model"
          isDanger
          act={() => post(`ajax-api/2.0/mlflow/logged-models/${encodeURIComponent(modelId)}`, {}, undefined, "DELETE").then(() => go(run ? address(to("runs", run.run_id)) : address("")))}
          onClose={() => (isDeleting.value = false)}
        >
          <p>
            <strong>{told.title}</strong> is shown no more, and its files wait with other deleted things until somebody cleans up.
            {told.versions.length > 0 && ` It is registered as ${told.versions.map((version) => `${version.name} ${version.version}`).join(", ")}, which can then not be loaded.`}
          </p>
        </FormDialog>
      )}
    </div>
  );
}

function Card({ told, modelId, again }: { told: ModelAnswer; modelId: string; again: () => void }) {
  const isRegistering = useSignal(false);
  const tagsPath = `ajax-api/2.0/mlflow/logged-models/${encodeURIComponent(modelId)}/tags`;
  return (
    <div class="columns-2">
      <div class="stack wide">
        <Sections sections={told.sections} />
      </div>
      <aside class="stack wide" aria-label="About this model">
        <section class="block">
          <header class="block-head">
            <h2>Registered as</h2>
          </header>
          {isRegistering.value && <RegisterDialog modelId={modelId} runId={told.run?.run_id} onClose={() => (isRegistering.value = false)} />}
          {told.versions.length === 0 ? (
            <p class="soft">Not registered.</p>
          ) : (
            <ul class="links">
              {told.versions.map((version) => (
                <li key={`${version.name} ${version.version}`}>
                  <span class="row">
                    <a href={address(to("models", version.name, version.version))}>
                      {version.name} {version.version}
                    </a>
                    {version.stage !== "None" && <Stage stage={version.stage} />}
                    {version.aliases.map((alias) => (
                      <Alias key={alias} name={alias} />
                    ))}
                  </span>
                </li>
              ))}
            </ul>
          )}
          {told.model && (
            <button type="button" class="button" onClick={() => (isRegistering.value = true)}>
              <Icon name="plus" size={14} /> Register
            </button>
          )}
        </section>
        <section class="block">
          <header class="block-head">
            <h2>Tags</h2>
          </header>
          <Tags
            tags={told.model?.tags ?? []}
            set={(key, value) => post(tagsPath, { tags: [{ key, value }] }, undefined, "PATCH").then(again)}
            remove={(key) => post(`${tagsPath}/${encodeURIComponent(key)}`, {}, undefined, "DELETE").then(again)}
          />
        </section>
      </aside>
    </div>
  );
}
