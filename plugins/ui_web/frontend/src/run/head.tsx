/** The head of a run's page: where it belongs, its name, how it is doing, and what can be done with it. */
import { useSignal } from "@preact/signals";
import { address, go, to } from "../app/router";
import { Refusal, useActing } from "../parts/acting";
import { Code } from "../parts/code";
import { Fact, Facts } from "../parts/facts";
import { FormDialog } from "../parts/form-dialog";
import { Copy } from "../parts/copy";
import { Dialog } from "../parts/dialog";
import { Icon } from "../parts/icon";
import { Status } from "../parts/status";
import { Title } from "../parts/title";
import { When } from "../parts/time";
import { counted } from "../values/numbers";
import { deleteRun, renameRun, restoreRun, tagOf, type RunAnswer } from "./answer";
import { Life, RunDuration } from "./life";

type Open = "" | "delete" | "code" | "compare";

export function RunHead({ told, again }: { told: RunAnswer; again: () => void }) {
  const { info } = told.run;
  const open = useSignal<Open>("");
  const isDeleted = info.lifecycle_stage === "deleted";
  const close = () => (open.value = "");
  const { act, refusal, isActing } = useActing();
  return (
    <header class="thing-head">
      <nav class="crumbs" aria-label="Where this run belongs">
        <a href={address(to("experiments", told.experiment.experiment_id))}>{told.experiment.name}</a>
        {told.parent && <a href={address(to("runs", told.parent.run_id))}>{told.parent.name || told.parent.run_id}</a>}
      </nav>
      <div class="thing-title">
        <Title name={info.run_name} save={isDeleted ? undefined : (name) => renameRun(info.run_id, name).then(again)} />
        <Status value={info.status} />
        <Life told={told} />
        <div class="actions">
          <button type="button" class="button" onClick={() => (open.value = "code")}>
            <Icon name="copy" size={14} /> Code to load
          </button>
          <button type="button" class="button" onClick={() => (open.value = "compare")}>
            <Icon name="columns" size={14} /> Compare with…
          </button>
          {isDeleted ? (
            <button type="button" class="button" disabled={isActing.value} onClick={() => void act(() => restoreRun(info.run_id), again)}>
              Restore
            </button>
          ) : (
            <button type="button" class="button danger" onClick={() => (open.value = "delete")}>
              <Icon name="trash" size={14} /> Delete
            </button>
          )}
        </div>
      </div>
      <Facts>
        <Fact name="Started">
          <When ms={info.start_time} />
        </Fact>
        <Fact name={info.end_time ? "Took" : "For"}>
          <RunDuration told={told} />
        </Fact>
        {info.user_id && <Fact name="User">{info.user_id}</Fact>}
        {tagOf(told.run, "mlflow.source.name") && <Fact name="Source">{tagOf(told.run, "mlflow.source.name")}</Fact>}
        {tagOf(told.run, "mlflow.source.git.commit") && (
          <Fact name="Commit">
            <code>{tagOf(told.run, "mlflow.source.git.commit").slice(0, 10)}</code>
          </Fact>
        )}
        <Fact name="Id">
          <span class="row">
            <code>{info.run_id}</code>
            <Copy text={info.run_id} label="Copy the id" />
          </span>
        </Fact>
      </Facts>
      <Refusal text={refusal.value} />
      {isDeleted && <p class="banner">This run is in the trash. It can be restored until somebody empties that.</p>}
      {told.crash && (
        <p class="banner bad">
          This run has crashed{told.crash.signal ? ` with ${told.crash.signal}` : ""}
          {told.crash.last_step === null ? "" : ` after step ${told.crash.last_step}`}: {told.crash.reason || "no reason is known"}
        </p>
      )}
      {open.value === "delete" && (
        <FormDialog title="Delete this run?" yes="Delete the run" isDanger act={() => deleteRun(info.run_id).then(again)} onClose={close}>
          <p>
            <strong>{info.run_name}</strong> goes to the trash with its metrics, params, tags and files, and can be restored from there.
            {told.nested_count > 0 && ` Its ${counted(told.nested_count, "nested run")} stay${told.nested_count === 1 ? "s" : ""}.`}
            {told.versions.length > 0 && ` ${counted(told.versions.length, "registered version")} made of it stay${told.versions.length === 1 ? "s" : ""} as well.`}
          </p>
        </FormDialog>
      )}
      {open.value === "code" && (
        <Dialog title="Code to load this run" onClose={close}>
          <CodeToLoad told={told} onClose={close} />
        </Dialog>
      )}
      {open.value === "compare" && <CompareWith told={told} onClose={close} />}
    </header>
  );
}

function CodeToLoad({ told, onClose }: { told: RunAnswer; onClose: () => void }) {
  const server = new URL(".", document.baseURI).href.replace(/\/$/, "");
  const lines = ["import drupe", "", `drupe.set_tracking_uri("${server}")`, `run = drupe.get_run("${told.run.info.run_id}")`];
  const model = told.models[0];
  return (
    <div class="stack">
      <Code text={[...lines, "print(run.data.params, run.data.metrics)"].join("\n")} label="Copy the code" />
      {model && (
        <>
          <p>Its newest model, {model.name}:</p>
          <Code text={["import drupe", "", `drupe.set_tracking_uri("${server}")`, `model = drupe.load_model("models:/${model.model_id}")`].join("\n")} label="Copy the code" />
        </>
      )}
      <div class="row end">
        <button type="button" class="button" onClick={onClose}>
          Close
        </button>
      </div>
    </div>
  );
}

/** Asks for the other run by its id, or takes one of those beside this one. */
function CompareWith({ told, onClose }: { told: RunAnswer; onClose: () => void }) {
  const other = useSignal("");
  const near = [...(told.parent ? [told.parent] : []), ...told.nested].slice(0, 8);
  const compare = (runId: string) => go(address("compare", { runs: `${told.run.info.run_id},${runId}` }));
  return (
    <Dialog title="Compare with another run" onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          compare(other.value.trim());
        }}
      >
        <label class="stack">
          Id of the other run
          <input class="field" required pattern="[A-Za-z0-9_\-]+" value={other.value} onInput={(event) => (other.value = event.currentTarget.value)} />
        </label>
        {near.length > 0 && (
          <ul class="links">
            {near.map((run) => (
              <li key={run.run_id}>
                <a href={address("compare", { runs: `${told.run.info.run_id},${run.run_id}` })}>{run.name || run.run_id}</a>
              </li>
            ))}
          </ul>
        )}
        <p class="soft">
          Several runs are chosen in <a href={address(to("experiments", told.experiment.experiment_id))}>the table of the experiment</a>.
        </p>
        <div class="row end">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button primary">
            Compare
          </button>
        </div>
      </form>
    </Dialog>
  );
}
