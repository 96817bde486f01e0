/** The dialogs of the experiments page: making, renaming and deleting. */
import { useSignal } from "@preact/signals";
import { post } from "../api/http";
import { FormDialog } from "../parts/form-dialog";
import { counted } from "../values/numbers";

const API = "ajax-api/2.0/mlflow/experiments";

export interface One {
  readonly id: string;
  readonly name: string;
}

/** What is asked about; the name for a new one may be begun with that of a folder. */
export type Asked = { readonly kind: "create"; readonly begin: string } | { readonly kind: "rename"; readonly one: One } | { readonly kind: "delete"; readonly all: readonly One[] };

export function Dialogs({ asked, onClose, onDone }: { asked: Asked; onClose: () => void; onDone: () => void }) {
  if (asked.kind === "delete") return <DeleteDialog all={asked.all} onClose={onClose} onDone={onDone} />;
  return <NameDialog asked={asked} onClose={onClose} onDone={onDone} />;
}

/** Take experiments out of the trash. */
export async function restore(ids: readonly string[]): Promise<void> {
  for (const experiment_id of ids) await post(`${API}/restore`, { experiment_id });
}

function NameDialog({ asked, onClose, onDone }: { asked: Exclude<Asked, { kind: "delete" }>; onClose: () => void; onDone: () => void }) {
  const name = useSignal(asked.kind === "rename" ? asked.one.name : asked.begin);
  const save = async () => {
    if (asked.kind === "rename") await post(`${API}/update`, { experiment_id: asked.one.id, new_name: name.value });
    else await post(`${API}/create`, { name: name.value });
    onDone();
  };
  return (
    <FormDialog
      title={asked.kind === "rename" ? "Rename the experiment" : "New experiment"}
      yes={asked.kind === "rename" ? "Rename" : "Create"}
      isReady={name.value.trim() !== ""}
      act={save}
      onClose={onClose}
    >
      <label>
        Name
        <input class="field" required maxLength={500} value={name.value} onInput={(event) => (name.value = event.currentTarget.value)} />
      </label>
      <p class="soft small">Slashes make folders: team/project/name</p>
    </FormDialog>
  );
}

function DeleteDialog({ all, onClose, onDone }: { all: readonly One[]; onClose: () => void; onDone: () => void }) {
  const remove = async () => {
    try {
      for (const { id } of all) await post(`${API}/delete`, { experiment_id: id });
    } finally {
      onDone(); // some may be gone, even where one could not be deleted
    }
  };
  return (
    <FormDialog title={all.length === 1 ? "Delete the experiment?" : `Delete ${counted(all.length, "experiment")}?`} yes="Delete" isDanger act={remove} onClose={onClose}>
      <p>
        <bdi>{all.slice(0, 5).map((one) => one.name).join(", ")}</bdi>
        {all.length > 5 && ` and ${all.length - 5} more`} and all runs in {all.length === 1 ? "it" : "them"} move to the trash. They can be restored from there.
      </p>
    </FormDialog>
  );
}
