/** Views that people keep: an address with a name, as a tag `drupe.view.<name>` of the experiment, so that everybody finds it there. */
import { useSignal } from "@preact/signals";
import { useAsked } from "../api/asking";
import { get, post } from "../api/http";
import { address, go, place } from "../app/router";
import { Refusal, useActing } from "../parts/acting";
import { Dialog } from "../parts/dialog";
import { FormDialog } from "../parts/form-dialog";
import { Menu, type MenuItem } from "../parts/menu";

const TAG = "drupe.view.";
const EXPERIMENTS = "ajax-api/2.0/mlflow/experiments";

interface Answer {
  readonly experiment: { readonly tags?: readonly { readonly key: string; readonly value: string }[] };
}

export function SavedViews({ experiment }: { experiment: string }) {
  const id = useSignal(experiment);
  id.value = experiment;
  const { asked, again } = useAsked((signal) => get<Answer>(`${EXPERIMENTS}/get`, { experiment_id: id.value }, signal));
  const menu = useSignal<HTMLElement | null>(null);
  const asking = useSignal<"keep" | "remove" | null>(null);
  const name = useSignal("");
  const { act, refusal, isActing } = useActing();
  const views = (asked.value.value?.experiment.tags ?? []).filter(({ key }) => key.startsWith(TAG)).map(({ key, value }) => ({ name: key.slice(TAG.length), query: value }));
  const now = place.value.query.toString();
  const items: MenuItem[] = [
    ...views.map((view) => ({ label: view.name, isChosen: view.query === now, act: () => go(address(place.peek().path, new URLSearchParams(view.query))) })),
    { label: "Keep this view…", isApart: views.length > 0, act: () => (asking.value = "keep") },
    ...(views.length > 0 ? [{ label: "Remove a view…", isDanger: true, act: () => (asking.value = "remove") }] : []),
  ];
  const change = (what: "set-experiment-tag" | "delete-experiment-tag", form: object) => post(`${EXPERIMENTS}/${what}`, { experiment_id: experiment, ...form }).then(again);
  const keep = () => change("set-experiment-tag", { key: TAG + name.value.trim(), value: place.peek().query.toString() });
  const close = () => (asking.value = null);
  return (
    <>
      <button type="button" class="button" aria-haspopup="menu" onClick={(event) => (again(), (menu.value = event.currentTarget))}>
        Views{views.length > 0 ? ` ${views.length}` : ""}
      </button>
      {menu.value && <Menu label="Views" anchor={menu.value} items={items} onClose={() => (menu.value = null)} />}
      {asking.value === "keep" && (
        <FormDialog title="Keep this view" yes="Keep" isReady={name.value.trim() !== ""} act={keep} onClose={close}>
          <label>
            Name
            <input class="field" required maxLength={200} value={name.value} onInput={(event) => (name.value = event.currentTarget.value)} />
          </label>
          <p class="soft">Everybody who sees the experiment finds it under this name; a view of the same name is replaced.</p>
        </FormDialog>
      )}
      {asking.value === "remove" && (
        <Dialog title="Remove a view" onClose={close}>
          <div class="dialog-form">
            {views.map((view) => (
              <button type="button" class="button danger" key={view.name} disabled={isActing.value} onClick={() => void act(() => change("delete-experiment-tag", { key: TAG + view.name }), close)}>
                <bdi>{view.name}</bdi>
              </button>
            ))}
            <Refusal text={refusal.value} />
          </div>
        </Dialog>
      )}
    </>
  );
}
