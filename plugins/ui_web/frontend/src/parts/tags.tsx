/** Tags as a list that can be edited: set, change, remove. Those that drupe and MLflow keep for themselves are folded and left alone. */
import { useSignal } from "@preact/signals";
import { counted } from "../values/numbers";
import { Entries } from "./entries";
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

interface Draft extends Tag {
  readonly isNew: boolean;
}

/** Characters of a value that has its place beside a name in a narrow column. */
const LONG = 120;
const OF_SYSTEM = /^(mlflow|drupe)\./;

export function Tags({ tags, set, remove }: Props) {
  const isWhole = useSignal(false);
  const own = tags.filter((tag) => !OF_SYSTEM.test(tag.key));
  const others = tags.filter((tag) => OF_SYSTEM.test(tag.key));
  return (
    <div class="stack">
      <Entries<Tag, Draft>
        entries={own}
        keyOf={(tag) => tag.key}
        empty="No tags."
        fields={(draft, change) => (
          <>
            <input
              class="field"
              aria-label="Name of the tag"
              placeholder="name"
              required
              disabled={!draft.isNew}
              value={draft.key}
              ref={(input) => void (draft.isNew && !draft.key && input?.focus())}
              onInput={(event) => change({ ...draft, key: event.currentTarget.value })}
            />
            <input class="field" aria-label="Value of the tag" placeholder="value" value={draft.value} onInput={(event) => change({ ...draft, value: event.currentTarget.value })} />
          </>
        )}
        save={(draft) => set?.(draft.key.trim(), draft.value) ?? Promise.resolve()}
        fresh={set ? { label: "Add tag", draft: { key: "", value: "", isNew: true } } : null}
        edit={set && ((tag) => ({ label: `Edit tag ${tag.key}`, draft: { ...tag, isNew: false } }))}
        remove={remove && ((tag) => ({ label: `Remove tag ${tag.key}`, work: () => remove(tag.key) }))}
      >
        {(tag) => <TagText tag={tag} />}
      </Entries>
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
