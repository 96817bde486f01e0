/** Something to copy: a text in a fixed width with a button. */
import { Copy } from "./copy";

export function Code({ text, label = "Copy" }: { text: string; label?: string }) {
  return (
    <div class="code-copy">
      <pre class="code-block" tabIndex={0}>
        {text}
      </pre>
      <Copy text={text} label={label} />
    </div>
  );
}
