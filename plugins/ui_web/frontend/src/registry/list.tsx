/** All registered models, with a search by name; the search is in the address. */
import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { onChange } from "../api/changes";
import { usePages } from "../api/pages";
import { useQuery } from "../app/query";
import { address, setQuery, to } from "../app/router";
import { useTitle } from "../app/title";
import { Refusal } from "../parts/acting";
import { Empty, Fault, Waiting } from "../parts/states";
import { When } from "../parts/time";
import { findModels, isOfModel, type Registered } from "./answer";
import { Alias, Stage } from "./labels";

const WAIT_MS = 200;

export function ModelList() {
  useTitle("Models");
  const search = useQuery("search");
  const typed = useSignal(search.value);
  const { first, items: models, hasMore, more, moreFault, again } = usePages((token, signal) => findModels(search.value, token, signal));
  useSignalEffect(() => onChange(isOfModel(), again, 1000));
  useSignalEffect(() => {
    if (search.value !== typed.peek().trim()) typed.value = search.value; // changed elsewhere, such as by the back button
  });
  useEffect(() => {
    const wanted = typed.value.trim();
    if (wanted === search.peek()) return undefined;
    const timer = setTimeout(() => setQuery({ search: wanted }), WAIT_MS);
    return () => clearTimeout(timer);
  }, [typed.value]);
  const { value, fault } = first.value;
  return (
    <div class="page">
      <div class="page-head">
        <h1>Models</h1>
        <span class="rest" />
        <input class="field" type="search" placeholder="Find a model" aria-label="Find a model by its name" value={typed.value} onInput={(event) => (typed.value = event.currentTarget.value)} />
      </div>
      {fault && !value ? (
        <Fault fault={fault} again={again} />
      ) : !value ? (
        <Waiting what="models" height={480} />
      ) : models.length === 0 ? (
        search.value ? (
          <Empty title="No model found">
            <p>No registered model has “{search.value}” in its name.</p>
          </Empty>
        ) : (
          <Empty title="No registered models">
            <p>A model is registered when it is logged with a name for its versions:</p>
            <pre>drupe.sklearn.log_model(model, name="model", registered_model_name="churn")</pre>
          </Empty>
        )
      ) : (
        <ModelsTable models={models} />
      )}
      {hasMore && (
        <div class="row">
          <button type="button" class="button" onClick={more}>
            Show more
          </button>
          <Refusal text={moreFault?.message ?? ""} />
        </div>
      )}
    </div>
  );
}

function ModelsTable({ models }: { models: readonly Registered[] }) {
  return (
    <div class="card scrolls" tabIndex={0} role="group" aria-label="Registered models">
      <table class="plain-table">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col" class="number">
              Newest
            </th>
            <th scope="col">Stages</th>
            <th scope="col">Aliases</th>
            <th scope="col">Tags</th>
            <th scope="col">Description</th>
            <th scope="col">Changed</th>
          </tr>
        </thead>
        <tbody>
          {models.map((model) => (
            <ModelRow key={model.name} model={model} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ModelRow({ model }: { model: Registered }) {
  const newest = Math.max(0, ...(model.latest_versions ?? []).map((version) => Number(version.version)));
  const staged = (model.latest_versions ?? []).filter((version) => version.current_stage !== "None");
  const tags = model.tags ?? [];
  return (
    <tr>
      <th scope="row" class="name">
        <a href={address(to("models", model.name))} dir="auto">
          {model.name}
        </a>
      </th>
      <td class="number">{newest ? <a href={address(to("models", model.name, String(newest)))}>{newest}</a> : <span class="soft">–</span>}</td>
      <td>
        <span class="row">
          {staged.map((version) => (
            <a key={version.version} href={address(to("models", model.name, version.version))} title={`Version ${version.version}`}>
              <Stage stage={version.current_stage} />
            </a>
          ))}
          {staged.length === 0 && <span class="soft">–</span>}
        </span>
      </td>
      <td>
        <span class="row registry-aliases">
          {(model.aliases ?? []).slice(0, 4).map((one) => (
            <a key={one.alias} class="registry-alias" href={address(to("models", model.name, one.version))} title={`Version ${one.version}`}>
              <Alias name={one.alias} />
              {one.version}
            </a>
          ))}
          {(model.aliases ?? []).length > 4 && <span class="soft">and {(model.aliases ?? []).length - 4} more</span>}
          {(model.aliases ?? []).length === 0 && <span class="soft">–</span>}
        </span>
      </td>
      <td class="registry-tags">
        {tags.slice(0, 3).map((tag) => (
          <span class="badge" key={tag.key} title={`${tag.key}: ${tag.value}`}>
            <span class="one-line">{tag.value ? `${tag.key}: ${tag.value}` : tag.key}</span>
          </span>
        ))}
        {tags.length > 3 && <span class="soft"> +{tags.length - 3}</span>}
      </td>
      <td class="registry-about soft" dir="auto">
        {model.description?.slice(0, 200)}
      </td>
      <td class="number">
        <When ms={model.last_updated_timestamp} />
      </td>
    </tr>
  );
}
