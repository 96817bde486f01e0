/** The dialog in which the experiment is picked that runs move to: a search over all names, and what it finds. */
import { useSignal } from "@preact/signals";
import { useAsked } from "../api/asking";
import { post } from "../api/http";
import { Dialog } from "../parts/dialog";
import { Fault } from "../parts/states";
import { counted } from "../values/numbers";
import { quoted } from "../values/quoted";
import { experimentIds } from "./view";
import "./picker.css";

interface Found {
  readonly experiments?: readonly { readonly experiment_id: string; readonly name: string }[];
}

const LISTED = 50;

export function MoveDialog({ count, onClose, move }: { count: number; onClose: () => void; move: (experimentId: string) => void }) {
  const search = useSignal("");
  const chosen = useSignal("");
  const { asked, again } = useAsked((signal) => {
    const words = search.value.trim();
    const filter = words ? `name ILIKE ${quoted(`%${words}%`)}` : undefined;
    return post<Found>("ajax-api/2.0/mlflow/experiments/search", { filter, max_results: LISTED + 1, order_by: ["last_update_time DESC"] }, signal);
  });
  const { value, fault } = asked.value;
  const here = experimentIds.value;
  const found = (value?.experiments ?? []).filter((one) => here.length !== 1 || one.experiment_id !== here[0]);
  return (
    <Dialog title={`Move ${counted(count, "run")}`} onClose={onClose}>
      <form
        class="picker"
        onSubmit={(event) => {
          event.preventDefault();
          const to = chosen.value || (found.length === 1 ? found[0]!.experiment_id : "");
          if (to) move(to);
        }}
      >
        <input
          class="field"
          type="search"
          aria-label="Search experiments"
          placeholder="Search experiments"
          value={search.value}
          onInput={(event) => {
            search.value = event.currentTarget.value;
            chosen.value = "";
          }}
        />
        {fault && <Fault fault={fault} again={again} />}
        <div class="picker-list" role="radiogroup" aria-label="Experiment">
          <div>
            {found.slice(0, LISTED).map(({ experiment_id, name }) => (
              <label key={experiment_id}>
                <input type="radio" name="to" checked={found.length === 1 || chosen.value === experiment_id} onChange={() => (chosen.value = experiment_id)} />
                <bdi>{name}</bdi>
              </label>
            ))}
          </div>
        </div>
        {value && (found.length === 0 || found.length > LISTED) && <p class="soft small">{found.length ? "There are more; search for them." : "No other experiment has this in its name."}</p>}
        <div class="dialog-acts">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button primary" disabled={!chosen.value && found.length !== 1}>
            Move
          </button>
        </div>
      </form>
    </Dialog>
  );
}
