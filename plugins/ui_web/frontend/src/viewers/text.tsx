/** Texts and code with line numbers, and markdown drawn. A long file is shown from its start, as far as people read. */
import { useEffect, useRef } from "preact/hooks";
import { useAsked } from "../api/asking";
import { getText } from "../api/http";
import { nameOf } from "../artifacts/files";
import { Markdown } from "../parts/markdown";
import { Fault, Waiting } from "../parts/states";
import { bytes } from "../values/numbers";
import { useQuery } from "../app/query";
import { base, setQuery } from "../app/router";
import { paint } from "./paint";
import type { ViewerProps } from "./viewer";
import { useView, Views } from "./views";

const MOST = 1_000_000;

/** A file's text, up to a million bytes of it. */
export function useText(source: string, most = MOST) {
  return useAsked((signal) => getText(source.slice(base.length), {}, most, signal));
}

export function TextViewer({ file, source }: ViewerProps) {
  const { asked, again } = useText(source);
  const { value, fault } = asked.value;
  if (fault) return <Fault fault={fault} again={again} />;
  if (!value) return <Waiting what="the text" height={320} />;
  return <Text text={value.text} name={nameOf(file.path)} cut={value.isCut ? file.size : null} />;
}

export function MarkdownViewer(props: ViewerProps) {
  const view = useView(["drawn", "source"]);
  const { asked, again } = useText(props.source);
  const { value, fault } = asked.value;
  if (fault) return <Fault fault={fault} again={again} />;
  if (!value) return <Waiting what="the text" height={320} />;
  return (
    <div class="stack">
      <Views chosen={view} views={{ drawn: "Drawn", source: "Source" }} />
      {view === "drawn" ? (
        <div class="viewer-paper">
          <Markdown text={value.text} />
        </div>
      ) : (
        <Text text={value.text} name={nameOf(props.file.path)} cut={value.isCut ? props.file.size : null} />
      )}
    </div>
  );
}

/** Lines with their numbers. `cut` is the whole size of a text that is longer than what is shown. */
export function Text({ text, name, cut = null }: { text: string; name: string; cut?: number | null }) {
  const wrap = useQuery("wrap");
  const wraps = wrap.value === "yes";
  const code = useRef<HTMLPreElement>(null);
  useEffect(() => paint(code.current, name), [text, name]);
  if (text.slice(0, 8000).includes("\0")) return <p class="soft">This file is no text, although its name says so. Download it to look into it.</p>;
  if (!text) return <p class="soft">This file is empty.</p>;
  const lines = text.endsWith("\n") ? text.slice(0, -1) : text;
  const count = lines.split("\n").length;
  return (
    <div class="stack">
      {cut !== null && (
        <p class="banner">
          The first {bytes(MOST)} of {bytes(cut)}. Download the file for the rest.
        </p>
      )}
      <label class="row soft">
        <input type="checkbox" checked={wraps} onChange={(event) => setQuery({ wrap: event.currentTarget.checked ? "yes" : undefined })} />
        Wrap long lines
      </label>
      <div class={`lines${wraps ? " wraps" : ""}`} tabIndex={0} role="group" aria-label="Text">
        {!wraps && (
          <pre class="line-numbers" aria-hidden="true">
            {Array.from({ length: count }, (_, at) => at + 1).join("\n")}
          </pre>
        )}
        <pre class="line-text" ref={code} dir="auto">
          {lines}
        </pre>
      </div>
    </div>
  );
}
