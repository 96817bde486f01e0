/** A note in markdown that can be edited where it stands. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Refusal, useActing } from "./acting";
import { Icon } from "./icon";
import { Markdown } from "./markdown";

interface Props {
  readonly text: string;
  /** Undefined where it may not be changed. */
  readonly save?: ((text: string) => Promise<unknown>) | undefined;
  readonly title: string;
  /** What an empty one says. */
  readonly empty: string;
}

export function Note({ text, save, title, empty }: Props) {
  const draft = useSignal<string | null>(null);
  const { act, refusal, isActing } = useActing();
  const area = useRef<HTMLTextAreaElement>(null);
  const isOpen = draft.value !== null;
  useEffect(() => {
    if (isOpen) area.current?.focus();
  }, [isOpen]);
  const close = () => (draft.value = null);
  const keep = () => {
    const written = draft.value;
    if (written !== null && save) void act(() => save(written), close);
  };
  return (
    <section class="block" aria-label={title}>
      <header class="block-head">
        <h2>{title}</h2>
        {save && !isOpen && (
          <button type="button" class="button plain square" aria-label={`Edit: ${title}`} title="Edit" onClick={() => (draft.value = text)}>
            <Icon name="edit" />
          </button>
        )}
      </header>
      {isOpen ? (
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault();
            keep();
          }}
          onKeyDown={(event) => {
            if (event.key === "Escape") close();
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) keep();
          }}
        >
          <textarea ref={area} class="field" rows={10} aria-label={`${title}, in markdown`} value={draft.value ?? ""} onInput={(event) => (draft.value = event.currentTarget.value)} />
          <Refusal text={refusal.value} />
          <div class="row">
            <button type="submit" class="button primary" disabled={isActing.value}>
              Save
            </button>
            <button type="button" class="button" onClick={close}>
              Cancel
            </button>
            <span class="soft small">Markdown · Ctrl+Enter saves</span>
          </div>
        </form>
      ) : text.trim() ? (
        <Markdown text={text} />
      ) : (
        <p class="soft">{empty}</p>
      )}
    </section>
  );
}
