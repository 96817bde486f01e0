/** JSON as a tree that opens piece by piece; a table where it is one; its source otherwise. */
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { nameOf } from "../artifacts/files";
import { Icon } from "../parts/icon";
import { Fault, Waiting } from "../parts/states";
import { count, counted } from "../values/numbers";
import type { Json } from "../api/http";
import { RowsTable } from "./table";
import { Text, useText } from "./text";
import type { ViewerProps } from "./viewer";
import { useView, Views } from "./views";

const MOST = 8_000_000;
const CHILDREN = 100;

export function JsonViewer(props: ViewerProps) {
  const { asked, again } = useText(props.source, MOST);
  const { value, fault } = asked.value;
  const parsed = useMemo(() => (value && !value.isCut ? parse(value.text, props.file.path) : undefined), [value]);
  if (fault) return <Fault fault={fault} again={again} />;
  if (!value) return <Waiting what="the file" height={320} />;
  return <Parsed {...props} text={value.text} isCut={value.isCut} parsed={parsed} />;
}

function Parsed({ text, isCut, parsed, ...props }: ViewerProps & { text: string; isCut: boolean; parsed: { json: Json } | undefined }) {
  const views: Record<string, string> = parsed ? { ...(isTable(parsed.json) ? { table: "Table" } : {}), tree: "Tree", source: "Source" } : { source: "Source" };
  const view = useView(Object.keys(views));
  return (
    <div class="stack">
      {parsed && <Views chosen={view} views={views} />}
      {!parsed && !isCut && <p class="banner">This is no valid JSON; it is shown as text.</p>}
      {view === "table" ? (
        <RowsTable subject={props.subject} path={props.file.path} />
      ) : view === "tree" && parsed ? (
        <div class="json" role="group" aria-label="JSON" tabIndex={0}>
          <Node value={parsed.json} depth={0} />
        </div>
      ) : (
        <Text text={text.slice(0, 1_000_000)} name={nameOf(props.file.path)} cut={isCut || text.length > 1_000_000 ? props.file.size : null} />
      )}
    </div>
  );
}

function parse(text: string, path: string): { json: Json } | undefined {
  try {
    if (path.endsWith(".jsonl")) return { json: text.split("\n").filter((line) => line.trim()).map((line) => JSON.parse(line) as Json) };
    return { json: JSON.parse(text) as Json };
  } catch {
    return undefined;
  }
}

/** What `log_table` writes. */
function isTable(json: Json): boolean {
  return typeof json === "object" && json !== null && !Array.isArray(json) && Array.isArray(json["columns"]) && Array.isArray(json["data"]) && json["data"].every(Array.isArray);
}

function Node({ name, value, depth }: { name?: string; value: Json; depth: number }) {
  const isOpen = useSignal(depth < 2);
  const shown = useSignal(CHILDREN);
  const label = name === undefined ? null : <span class="json-key">{name}: </span>;
  if (typeof value !== "object" || value === null)
    return (
      <div class="json-line">
        {label}
        <Leaf value={value} />
      </div>
    );
  const entries = Array.isArray(value) ? value.map((one, at) => [String(at), one] as const) : Object.entries(value);
  const kind = Array.isArray(value) ? counted(entries.length, "item") : counted(entries.length, "key");
  if (entries.length === 0)
    return (
      <div class="json-line">
        {label}
        <span class="soft">{Array.isArray(value) ? "[]" : "{}"}</span>
      </div>
    );
  return (
    <div>
      <button type="button" class="json-line json-fold" aria-expanded={isOpen.value} onClick={() => (isOpen.value = !isOpen.value)}>
        <Icon name={isOpen.value ? "down" : "right"} size={12} />
        {label}
        <span class="soft">{kind}</span>
      </button>
      {isOpen.value && (
        <div class="json-inside">
          {entries.slice(0, shown.value).map(([key, one]) => (
            <Node key={key} name={key} value={one} depth={depth + 1} />
          ))}
          {entries.length > shown.value && (
            <button type="button" class="as-link" onClick={() => (shown.value += 10 * CHILDREN)}>
              Show more of {count(entries.length)}
            </button>
          )}
        </div>
      )}
    </div>
  );
}

function Leaf({ value }: { value: string | number | boolean | null }) {
  const isOpen = useSignal(false);
  if (typeof value !== "string") return <span class="json-plain">{String(value)}</span>;
  const isLong = value.length > 300;
  return (
    <span class="json-text" dir="auto">
      "{isLong && !isOpen.value ? `${value.slice(0, 300)}…` : value}"
      {isLong && (
        <button type="button" class="as-link" onClick={() => (isOpen.value = !isOpen.value)}>
          {isOpen.value ? "fold" : `all ${count(value.length)}`}
        </button>
      )}
    </span>
  );
}
