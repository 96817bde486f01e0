/** The heading of a page that can be changed where it stands. */
import { useSignal } from "@preact/signals";
import { Refusal, useActing } from "./acting";
import { Icon } from "./icon";

export function Title({ name, save }: { name: string; save: ((name: string) => Promise<unknown>) | undefined }) {
  const draft = useSignal<string | null>(null);
  const { act, refusal, isActing } = useActing();
  const done = () => (draft.value = null);
  const keep = () => {
    const wanted = draft.value?.trim();
    if (!wanted || wanted === name || !save) done();
    else void act(() => save(wanted), done);
  };
  if (draft.value === null)
    return (
      <>
        <h1>{name}</h1>
        {save && (
          <button type="button" class="button plain square" aria-label="Rename" title="Rename" onClick={() => (draft.value = name)}>
            <Icon name="edit" />
          </button>
        )}
      </>
    );
  return (
    <form
      class="row"
      style={{ flex: "1 1 320px" }}
      onSubmit={(event) => {
        event.preventDefault();
        keep();
      }}
    >
      <input
        class="field"
        aria-label="Name"
        value={draft.value}
        ref={(input) => void (document.activeElement?.tagName !== "INPUT" && input?.select())}
        onInput={(event) => (draft.value = event.currentTarget.value)}
        onKeyDown={(event) => event.key === "Escape" && (draft.value = null)}
      />
      <button type="submit" class="button primary" disabled={isActing.value}>
        Save
      </button>
      <Refusal text={refusal.value} />
    </form>
  );
}
