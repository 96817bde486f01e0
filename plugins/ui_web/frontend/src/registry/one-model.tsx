/** One registered model: what it is for, its aliases, and the table of its versions. */
import { useSignal, useSignalEffect } from "@preact/signals";
import { useAsked } from "../api/asking";
import { onChange } from "../api/changes";
import { usePages } from "../api/pages";
import { address, go, to } from "../app/router";
import { useTitle } from "../app/title";
import { Refusal } from "../parts/acting";
import { Fact, Facts } from "../parts/facts";
import { FormDialog } from "../parts/form-dialog";
import { Icon } from "../parts/icon";
import { Note } from "../parts/note";
import { Fault, Waiting } from "../parts/states";
import { Status } from "../parts/status";
import { Tags } from "../parts/tags";
import { Title } from "../parts/title";
import { When } from "../parts/time";
import { count, counted } from "../values/numbers";
import { deleteModel, deleteModelTag, describeModel, findVersions, isOfModel, readRegistered, renameModel, setModelTag, type Registered, type Version } from "./answer";
import { Aliases } from "./aliases";
import { Alias, Stage } from "./labels";

export function OneModel({ name }: { name: string }) {
  useTitle(name);
  const { asked, again } = useAsked((signal) => readRegistered(name, signal));
  const versions = usePages((token, signal) => findVersions(name, token, signal));
  const refresh = () => {
    again();
    versions.again();
  };
  useSignalEffect(() => onChange(isOfModel(name), refresh, 1000));
  const isDeleting = useSignal(false);
  const { value: model, fault } = asked.value;
  if (fault && !model) return <div class="page"><Fault fault={fault} again={again} /></div>;
  if (!model) return <div class="page"><Waiting what="the model" height={480} /></div>;
  const { items: all, hasMore } = versions;
  const { value: found, fault: versionsFault } = versions.first.value;
  return (
    <div class="page">
      <header class="thing-head">
        <nav class="crumbs" aria-label="Where this model belongs">
          <a href={address("models")}>Models</a>
        </nav>
        <div class="thing-title">
          <Title name={model.name} save={(wanted) => renameModel(name, wanted).then(() => go(address(to("models", wanted)), { replace: true }))} />
          <div class="actions">
            <button type="button" class="button danger" onClick={() => (isDeleting.value = true)}>
              <Icon name="trash" size={14} /> Delete
            </button>
          </div>
        </div>
        <Facts>
          <Fact name="Created">
            <When ms={model.creation_timestamp} />
          </Fact>
          <Fact name="Changed">
            <When ms={model.last_updated_timestamp} />
          </Fact>
        </Facts>
      </header>
      {fault && <Fault fault={fault} again={again} />}
      <div class="columns-2">
        <div class="stack wide">
          <Note title="Description" text={model.description ?? ""} empty="Nobody has described this model." save={(text) => describeModel(name, text).then(refresh)} />
          {versionsFault && !found ? (
            <Fault fault={versionsFault} again={versions.again} />
          ) : !found ? (
            <Waiting what="versions" height={240} />
          ) : (
            <Versions model={model} versions={all} hasMore={hasMore} />
          )}
          {hasMore && (
            <div>
              <button type="button" class="button" onClick={versions.more}>
                Show more versions
              </button>
              <Refusal text={versions.moreFault?.message ?? ""} />
            </div>
          )}
        </div>
        <aside class="stack wide" aria-label="About this model">
          <Aliases name={name} aliases={model.aliases ?? []} versions={all.map((version) => version.version)} refresh={refresh} />
          <section class="block">
            <header class="block-head">
              <h2>Tags</h2>
            </header>
            <Tags tags={model.tags ?? []} set={(key, value) => setModelTag(name, key, value).then(refresh)} remove={(key) => deleteModelTag(name, key).then(refresh)} />
          </section>
        </aside>
      </div>
      {isDeleting.value && (
        <FormDialog title="Delete this model?" yes="Delete the model" isDanger act={() => deleteModel(name).then(() => go(address("models")))} onClose={() => (isDeleting.value = false)}>
          <p>
            <strong>{name}</strong> is deleted for good, with {hasMore ? "all of its versions" : `its ${counted(all.length, "version")}`}, {counted((model.aliases ?? []).length, "alias", "aliases")} and tags.
          </p>
          <p>The files of its versions stay where they are. Who loads it by this name gets an error.</p>
          {all.some((version) => version.current_stage === "Production") && <p class="banner bad">A version of it is in production.</p>}
        </FormDialog>
      )}
    </div>
  );
}

function Versions({ model, versions, hasMore }: { model: Registered; versions: readonly Version[]; hasMore: boolean }) {
  const chosen = useSignal<readonly string[]>([]);
  const choose = (version: string, isChosen: boolean) => (chosen.value = isChosen ? [...chosen.value, version].slice(-2) : chosen.value.filter((one) => one !== version));
  const aliases = (version: string) => (model.aliases ?? []).filter((one) => one.version === version);
  const [one, other] = chosen.value;
  return (
    <section class="block" aria-labelledby="versions-title">
      <header class="block-head">
        <h2 id="versions-title">Versions</h2>
        <span class="count">
          {count(versions.length)}
          {hasMore ? "+" : ""}
        </span>
        {versions.length > 1 &&
          (one && other ? (
            <a class="button" href={address(to("models", model.name, one), { tab: "compare", with: other })}>
              <Icon name="columns" size={14} /> Compare {one} with {other}
            </a>
          ) : (
            <span class="soft small">choose two to compare them</span>
          ))}
      </header>
      {versions.length === 0 ? (
        <p class="soft">There are no versions yet.</p>
      ) : (
        <div class="card scrolls" tabIndex={0} role="group" aria-labelledby="versions-title">
          <table class="plain-table">
            <thead>
              <tr>
                <th scope="col">
                  <span class="for-readers">Compare</span>
                </th>
                <th scope="col">Version</th>
                <th scope="col">Stage</th>
                <th scope="col">Aliases</th>
                <th scope="col">Run</th>
                <th scope="col">Created</th>
                <th scope="col">Description</th>
              </tr>
            </thead>
            <tbody>
              {versions.map((version) => (
                <tr key={version.version}>
                  <td>
                    <input
                      type="checkbox"
                      aria-label={`Compare version ${version.version}`}
                      checked={chosen.value.includes(version.version)}
                      onChange={(event) => choose(version.version, event.currentTarget.checked)}
                    />
                  </td>
                  <th scope="row" class="version">
                    <a href={address(to("models", model.name, version.version))}>{version.version}</a> {version.status !== "READY" && <Status value={version.status} />}
                  </th>
                  <td>
                    <Stage stage={version.current_stage} />
                  </td>
                  <td>
                    <span class="row">
                      {aliases(version.version).map((alias) => (
                        <Alias key={alias.alias} name={alias.alias} />
                      ))}
                      {aliases(version.version).length === 0 && <span class="soft">–</span>}
                    </span>
                  </td>
                  <td>{version.run_id ? <a href={address(to("runs", version.run_id))}><code>{version.run_id.slice(0, 8)}</code></a> : <span class="soft">–</span>}</td>
                  <td>
                    <When ms={version.creation_timestamp} />
                  </td>
                  <td class="registry-about soft" dir="auto">
                    {version.description?.slice(0, 200)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
