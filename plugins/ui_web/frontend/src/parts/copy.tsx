/** A button that copies a text, and says that it did. */
import { useSignal } from "@preact/signals";
import { Icon } from "./icon";

export function Copy({ text, label }: { text: string; label: string }) {
  const told = useSignal<"" | "Copied" | "The browser did not let this be copied">("");
  const copy = async () => {
    told.value = (await copied(text)) ? "Copied" : "The browser did not let this be copied";
    setTimeout(() => (told.value = ""), 1500);
  };
  return (
    <button type="button" class="button plain square" aria-label={label} title={told.value || label} onClick={() => void copy()}>
      <Icon name={told.value === "" ? "copy" : told.value === "Copied" ? "check" : "close"} />
      <span class="for-readers" role="status">
        {told.value}
      </span>
    </button>
  );
}

/** Put a text on the clipboard; false where the browser does not let a page do that. */
async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedByOldWay(text); // there is no clipboard object on pages that came without TLS from another machine
  }
}

function copiedByOldWay(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "for-readers";
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  return isDone;
}
