/** Tags as a list that can be edited: set, change, remove. Those that drupe and MLflow keep for themselves are folded and left alone. */
import { useSignal } from "@preact/signals";
import { counted } from "../values/numbers";
import { Refusal, useActing } from "./acting";
import { Icon } from "./icon";
import { LongText } from "./long-text";

export interface Tag {
  readonly key: string;
  readonly value: string;
}

interface Props {
  readonly tags: readonly Tag[];
  /** Undefined where they may not be changed. */
  readonly set?: ((key: string, value: string) => Promise<unknown>) | undefined;
  readonly remove?: ((key: string) => Promise<unknown>) | undefined;
}

/** Characters of a value that has its place beside a name in a narrow column. */
const LONG = 120;
const OF_SYSTEM = /^(mlflow|drupe)\./;

export function Tags({ tags, set, remove }: Props) {
  const isWhole = useSignal(false);
  const own = tags.filter((tag) => !OF_SYSTEM.test(tag.key));
  const others = tags.filter((tag) => OF_SYSTEM.test(tag.key));
  const draft = useSignal<{ key: string; value: string; isNew: boolean } | null>(null);
  const { act, refusal, isActing } = useActing();
  const done = () => (draft.value = null);
  const form = draft.value;
  return (
    <div class="stack">
      {own.length > 0 && (
        <ul class="tags">
          {own.map((tag) => (
            <li key={tag.key}>
              <TagText tag={tag} />
              {set && (
                <button type="button" class="button plain square small" aria-label={`Edit tag ${tag.key}`} onClick={() => (draft.value = { ...tag, isNew: false })}>
                  <Icon name="edit" size={13} />
                </button>
              )}
              {remove && (
                <button type="button" class="button plain square small" aria-label={`Remove tag ${tag.key}`} onClick={() => void act(() => remove(tag.key))}>
                  <Icon name="close" size={13} />
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      {own.length === 0 && !form && <p class="soft">No tags.</p>}
      {form ? (
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault();
            if (set) void act(() => set(form.key.trim(), form.value), done);
          }}
          onKeyDown={(event) => event.key === "Escape" && (draft.value = null)}
        >
          <input
            class="field"
            aria-label="Name of the tag"
            placeholder="name"
            required
            disabled={!form.isNew}
            value={form.key}
            ref={(input) => void (form.isNew && !form.key && input?.focus())}
            onInput={(event) => (draft.value = { ...form, key: event.currentTarget.value })}
          />
          <input class="field" aria-label="Value of the tag" placeholder="value" value={form.value} onInput={(event) => (draft.value = { ...form, value: event.currentTarget.value })} />
          <div class="row">
            <button type="submit" class="button primary" disabled={isActing.value}>
              Save
            </button>
            <button type="button" class="button" onClick={() => (draft.value = null)}>
              Cancel
            </button>
          </div>
        </form>
      ) : (
        set && (
          <div>
            <button type="button" class="button" onClick={() => (draft.value = { key: "", value: "", isNew: true })}>
              <Icon name="plus" size={14} /> Add tag
            </button>
          </div>
        )
      )}
      <Refusal text={refusal.value} />
      {others.length > 0 && (
        <div class="stack">
          <div>
            <button type="button" class="as-link" aria-expanded={isWhole.value} onClick={() => (isWhole.value = !isWhole.value)}>
              {isWhole.value ? "Hide" : "Show"} {counted(others.length, "tag")} of the system
            </button>
          </div>
          {isWhole.value && (
            <ul class="tags">
              {others.map((tag) => (
                <li key={tag.key}>
                  <TagText tag={tag} />
                </li>
              ))}
            </ul>
          )}
        </div>
      )}
    </div>
  );
}

function TagText({ tag }: { tag: Tag }) {
  return (
    <>
      <span class="tag-key" title={tag.key}>
        {tag.key}
      </span>
      <span class="tag-value">
        <LongText text={tag.value} most={LONG} />
      </span>
    </>
  );
}
