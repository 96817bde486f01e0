/** A text that is folded when it is long, and can be copied then. */
import { useSignal } from "@preact/signals";
import { count } from "../values/numbers";
import { Copy } from "./copy";

const LONG = 240;

/** `most` is how many characters are shown unfolded. */
export function LongText({ text, most = LONG }: { text: string; most?: number }) {
  const isOpen = useSignal(false);
  if (text.length <= most) return <span dir="auto">{text || <span class="soft">empty</span>}</span>;
  return (
    <>
      <span class={isOpen.value ? "" : "long"} dir="auto">
        {isOpen.value ? text : text.slice(0, 2000)}
      </span>
      <span class="row">
        <button type="button" class="as-link" aria-expanded={isOpen.value} onClick={() => (isOpen.value = !isOpen.value)}>
          {isOpen.value ? "Fold" : `Show all ${count(text.length)} characters`}
        </button>
        <Copy text={text} label="Copy the value" />
      </span>
    </>
  );
}
