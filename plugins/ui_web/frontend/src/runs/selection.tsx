/** What can be done with the runs that are selected: a bar below the table, and the dialogs that it opens. */
import { useSignal, type Signal } from "@preact/signals";
import { address } from "../app/router";
import { Dialog } from "../parts/dialog";
import { FormDialog } from "../parts/form-dialog";
import { counted } from "../values/numbers";
import { actOn, type Act, type Done } from "./acting";
import { MoveDialog } from "./move";
import { trash } from "./view";

export type Asking = "tag" | "rename" | "move" | "delete" | null;

const COMPARED_MAX = 100;

interface Props {
  readonly selected: Signal<ReadonlySet<string>>;
  /** Which dialog is open; the table's keys open them, too. */
  readonly asking: Signal<Asking>;
  /** The name of a run, as far as it is known. */
  readonly nameOf: (runId: string) => string;
  readonly onDone: () => void;
}

export function SelectionBar({ selected, asking, nameOf, onDone }: Props) {
  const progress = useSignal<number | null>(null);
  const fault = useSignal<string>("");
  const ids = [...selected.value];
  if (ids.length === 0) return null;
  const act = async (what: Act, keeps: boolean): Promise<void> => {
    asking.value = null;
    fault.value = "";
    progress.value = 0;
    const done = await actOn(ids, what, (count) => (progress.value = count));
    progress.value = null;
    fault.value = inWords(done);
    if (!keeps && done.failed === 0) selected.value = new Set();
    onDone();
  };
  const compared = ids.slice(0, COMPARED_MAX).join(",");
  return (
    <div class="selection" role="region" aria-label="Selected runs">
      <strong role="status">{progress.value === null ? `${counted(ids.length, "run")} selected` : `${progress.value} of ${ids.length} done`}</strong>
      {ids.length > 1 && ids.length <= COMPARED_MAX && (
        <a class="button primary" href={address("compare", { runs: compared })}>
          Compare
        </a>
      )}
      {!trash.value && (
        <>
          <button type="button" class="button" onClick={() => (asking.value = "tag")}>
            Tag…
          </button>
          <button type="button" class="button" onClick={() => (asking.value = "move")}>
            Move…
          </button>
          {ids.length === 1 && (
            <button type="button" class="button" onClick={() => (asking.value = "rename")}>
              Rename…
            </button>
          )}
          <button type="button" class="button danger" onClick={() => (asking.value = "delete")}>
            Delete…
          </button>
        </>
      )}
      {trash.value && (
        <button type="button" class="button" onClick={() => void act({ kind: "restore" }, false)}>
          Restore
        </button>
      )}
      <button type="button" class="button plain" onClick={() => (selected.value = new Set())}>
        Clear
      </button>
      {fault.value && (
        <span class="selection-fault" role="alert">
          {fault.value}
        </span>
      )}
      {asking.value === "tag" && <TagDialog count={ids.length} onClose={() => (asking.value = null)} act={(what) => void act(what, true)} />}
      {asking.value === "rename" && <RenameDialog now={nameOf(ids[0]!)} onClose={() => (asking.value = null)} act={(what) => act(what, true)} />}
      {asking.value === "move" && <MoveDialog count={ids.length} onClose={() => (asking.value = null)} move={(to) => void act({ kind: "move", to }, false)} />}
      {asking.value === "delete" && (
        <FormDialog title={`Delete ${counted(ids.length, "run")}?`} yes="Delete" isDanger act={() => act({ kind: "delete" }, false)} onClose={() => (asking.value = null)}>
          <p>{ids.length === 1 ? "It moves" : "They move"} to the trash, and can be restored from there.</p>
        </FormDialog>
      )}
    </div>
  );
}

function TagDialog({ count, onClose, act }: { count: number; onClose: () => void; act: (what: Act) => void }) {
  const key = useSignal("");
  const value = useSignal("");
  return (
    <Dialog title={`Tag ${counted(count, "run")}`} onClose={onClose}>
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault();
          act({ kind: "tag", key: key.value, value: value.value });
        }}
      >
        <label>
          Name
          <input class="field" required value={key.value} onInput={(event) => (key.value = event.currentTarget.value)} />
        </label>
        <label>
          Value
          <input class="field" value={value.value} onInput={(event) => (value.value = event.currentTarget.value)} />
        </label>
        <div class="dialog-acts">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="button" class="button" disabled={!key.value} onClick={() => act({ kind: "untag", key: key.value })}>
            Remove this tag
          </button>
          <button type="submit" class="button primary">
            Set
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function RenameDialog({ now, onClose, act }: { now: string; onClose: () => void; act: (what: Act) => Promise<void> }) {
  const name = useSignal(now);
  return (
    <FormDialog title="Rename the run" yes="Rename" isReady={name.value.trim() !== ""} act={() => act({ kind: "rename", name: name.value.trim() })} onClose={onClose}>
      <label>
        Name
        <input class="field" required value={name.value} onInput={(event) => (name.value = event.currentTarget.value)} />
      </label>
    </FormDialog>
  );
}

function inWords({ count, failed, message }: Done): string {
  return failed === 0 ? "" : `${failed} of ${counted(count, "run")} failed: ${message}`;
}
