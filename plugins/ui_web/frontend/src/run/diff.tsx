/** A difference as git writes it, line by line in colours; signs stay, so that it reads without colours too. */
import { useSignal } from "@preact/signals";
import { count } from "../values/numbers";
import "../styles/run.css";

const SHOWN = 2000;

export function Diff({ text }: { text: string }) {
  const shown = useSignal(SHOWN);
  const lines = text.replace(/\n$/, "").split("\n");
  return (
    <>
      <div class="diff" tabIndex={0} role="group" aria-label="Difference">
        {lines.slice(0, shown.value).map((line, at) => (
          <div key={at} class={lookOf(line)}>
            {line || " "}
          </div>
        ))}
      </div>
      {lines.length > shown.value && (
        <div>
          <button type="button" class="button" onClick={() => (shown.value += 5 * SHOWN)}>
            Show more of {count(lines.length)} lines
          </button>
        </div>
      )}
    </>
  );
}

function lookOf(line: string): string {
  if (line.startsWith("diff ")) return "diff-file";
  if (line.startsWith("@@")) return "diff-at";
  if (/^(index |--- |\+\+\+ |new file|deleted file|similarity|rename|old mode|new mode)/.test(line)) return "soft";
  return line.startsWith("+") ? "diff-add" : line.startsWith("-") ? "diff-del" : "";
}
