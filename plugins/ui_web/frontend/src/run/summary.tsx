/** The first tab of a run: its note, metrics and params, and beside them tags, data, models and runs inside it. */
import { address, to } from "../app/router";
import { Note } from "../parts/note";
import { Status } from "../parts/status";
import { Tags } from "../parts/tags";
import { When } from "../parts/time";
import { count } from "../values/numbers";
import { deleteTag, setTag, tagOf, type RunAnswer } from "./answer";
import { Datasets } from "./datasets";
import { MetricsTable } from "./metrics-table";
import { ParamsTable } from "./params-table";

const NOTE = "mlflow.note.content";
const SHOWN_ELSEWHERE = [NOTE, "mlflow.runName"];

export function RunSummary({ told, again }: { told: RunAnswer; again: () => void }) {
  const { run } = told;
  const runId = run.info.run_id;
  const canEdit = run.info.lifecycle_stage === "active";
  const tags = (run.data.tags ?? []).filter((tag) => !SHOWN_ELSEWHERE.includes(tag.key));
  return (
    <div class="columns-2">
      <div class="stack wide">
        <Note
          title="Note"
          text={tagOf(run, NOTE)}
          empty="Nobody has written anything about this run."
          save={canEdit ? (text) => setTag(runId, NOTE, text).then(again) : undefined}
        />
        <MetricsTable run={run} />
        <ParamsTable params={run.data.params ?? []} />
      </div>
      <aside class="stack wide" aria-label="About this run">
        <section class="block">
          <header class="block-head">
            <h2>Tags</h2>
          </header>
          <Tags
            tags={tags}
            set={canEdit ? (key, value) => setTag(runId, key, value).then(again) : undefined}
            remove={canEdit ? (key) => deleteTag(runId, key).then(again) : undefined}
          />
        </section>
        <Datasets inputs={run.inputs?.dataset_inputs ?? []} />
        <Models told={told} />
        <Nested told={told} />
      </aside>
    </div>
  );
}

function Models({ told }: { told: RunAnswer }) {
  if (told.models.length + told.input_models.length === 0) return null;
  return (
    <section class="block">
      <header class="block-head">
        <h2>Models</h2>
        <span class="count">{count(told.models.length + told.input_models.length)}</span>
      </header>
      <ul class="links">
        {told.models.map((model) => (
          <li key={model.model_id}>
            <span class="row">
              <a href={address(to("logged-models", model.model_id))}>{model.name}</a>
              {model.status !== "READY" && <Status value={model.status} />}
              {told.versions
                .filter((version) => version.source.includes(model.model_id) || version.source.endsWith(`/${model.name}`))
                .map((version) => (
                  <a class="badge" key={`${version.name}/${version.version}`} href={address(to("models", version.name, version.version))}>
                    {version.name} {version.version}
                  </a>
                ))}
            </span>
            <span class="soft small">
              {model.type || "model"} · <When ms={model.created} />
            </span>
          </li>
        ))}
        {told.input_models.map((model) => (
          <li key={`in-${model.model_id}`}>
            <a href={address(to("logged-models", model.model_id))}>{model.name}</a>
            <span class="soft small">used by this run</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Nested({ told }: { told: RunAnswer }) {
  if (told.nested.length === 0) return null;
  const ids = told.nested.map((run) => run.run_id);
  return (
    <section class="block">
      <header class="block-head">
        <h2>Nested runs</h2>
        <span class="count">{count(told.nested_count)}</span>
        {ids.length > 1 && ids.length <= 50 && (
          <a class="small" href={address("compare", { runs: ids.join(",") })}>
            compare them
          </a>
        )}
      </header>
      <ul class="links">
        {told.nested.map((run) => (
          <li key={run.run_id}>
            <span class="row">
              <a href={address(to("runs", run.run_id))}>{run.name || run.run_id}</a>
              <Status value={run.status} />
            </span>
          </li>
        ))}
      </ul>
      {told.nested_count > told.nested.length && <p class="soft">and {count(told.nested_count - told.nested.length)} more</p>}
    </section>
  );
}
