/** A dialog that asks for something, or whether something shall be done: it says what will happen, does it, and shows why that failed. */
import type { ComponentChildren } from "preact";
import { Refusal, useActing } from "./acting";
import { Dialog } from "./dialog";

interface Props {
  readonly title: string;
  /** What the button says that does it. */
  readonly yes: string;
  readonly isDanger?: boolean;
  /** False while what is needed has not been said. */
  readonly isReady?: boolean;
  readonly act: () => Promise<unknown>;
  /** Called when it was done, and when nothing shall be. */
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

export function FormDialog({ title, yes, isDanger = false, isReady = true, act, onClose, children }: Props) {
  const acting = useActing();
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault();
          void acting.act(act, onClose);
        }}
      >
        {children}
        <Refusal text={acting.refusal.value} />
        <div class="dialog-acts">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class={`button ${isDanger ? "danger" : "primary"}`} disabled={acting.isActing.value || !isReady}>
            {yes}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
