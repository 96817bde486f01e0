/** The dialog in which columns are chosen: all keys that runs have, with a search over their names. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Dialog } from "../parts/dialog";
import { Fault, Waiting } from "../parts/states";
import { count, counted } from "../values/numbers";
import type { KeysOfRuns } from "./keys";
import { titleOf, named, type Kind } from "./names";
import { columns, experimentIds, setColumns, trash } from "./view";
import "./picker.css";

interface Entry {
  readonly name: string;
  readonly title: string;
  readonly kind: Kind;
  readonly about: string;
}

const ATTRIBUTES = ["status", "start_time", "end_time", "duration", "user_id", "experiment"];
const HEADS: Record<Kind, string> = { attribute: "Every run", metric: "Metrics", param: "Params", tag: "Tags" };
const KINDS: readonly Kind[] = ["attribute", "metric", "param", "tag"];
const LISTED = 300;

/** `shown` are the names of the columns that are in the table now. */
export function Picker({ keys, shown, onClose }: { keys: KeysOfRuns; shown: readonly string[]; onClose: () => void }) {
  const search = useSignal("");
  useEffect(() => void keys.load(experimentIds.peek(), trash.peek() ? "deleted" : "active", true), []);
  const known = keys.known.value;
  const ticked = new Set(shown);
  const toggle = (name: string) => setColumns(ticked.has(name) ? shown.filter((one) => one !== name) : [...shown, name]);
  return (
    <Dialog title="Columns" onClose={onClose}>
      <div class="picker">
        <input
          class="field"
          type="search"
          aria-label="Search columns"
          placeholder="Search all names"
          value={search.value}
          onInput={(event) => (search.value = event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || !known) return;
            const found = entries(known.all, search.value)[0];
            if (found) toggle(found.name);
          }}
        />
        <div class="picker-acts">
          <button type="button" class="button" aria-pressed={columns.value === "picked"} onClick={() => setColumns("picked")}>
            Those that differ
          </button>
          <button type="button" class="button" aria-pressed={columns.value === "all"} onClick={() => setColumns("all")}>
            All
          </button>
          <button type="button" class="button" onClick={() => setColumns(["status", "start_time"])}>
            Few
          </button>
        </div>
        {keys.fault.value && <Fault fault={keys.fault.value} again={() => void keys.load(experimentIds.peek(), trash.peek() ? "deleted" : "active")} />}
        {!known && !keys.fault.value && <Waiting what="the names" height={240} />}
        {known && <List all={entries(known.all, search.value)} ticked={ticked} toggle={toggle} />}
        {known?.lookedAt && <p class="soft small">Names that the newest {counted(known.lookedAt, "run")} have.</p>}
        <div class="dialog-acts">
          <button type="button" class="button primary" onClick={onClose}>
            Done
          </button>
        </div>
      </div>
    </Dialog>
  );
}

function List({ all, ticked, toggle }: { all: readonly Entry[]; ticked: ReadonlySet<string>; toggle: (name: string) => void }) {
  if (all.length === 0) return <p class="soft">No name has this in it.</p>;
  return (
    <div class="picker-list">
      {KINDS.map((kind) => {
        const found = all.filter((entry) => entry.kind === kind);
        if (found.length === 0) return null;
        return (
          <fieldset key={kind}>
            <legend>
              {HEADS[kind]} <span class="soft small">{count(found.length)}</span>
            </legend>
            {found.slice(0, LISTED).map((entry) => (
              <label key={entry.name}>
                <input type="checkbox" checked={ticked.has(entry.name)} onChange={() => toggle(entry.name)} />
                <bdi class="one-line" title={entry.title}>
                  {entry.title}
                </bdi>
                <span class="soft small">{entry.about}</span>
              </label>
            ))}
            {found.length > LISTED && <p class="soft small">{count(found.length - LISTED)} more; search for them above</p>}
          </fieldset>
        );
      })}
    </div>
  );
}

function entries(keys: readonly { name: string; key: string; kind: Kind; runs: number; differs: boolean | null }[], search: string): Entry[] {
  const wanted = search.trim().toLowerCase();
  const every: Entry[] = [
    ...ATTRIBUTES.map((name): Entry => ({ name, title: titleOf(named(name)), kind: "attribute", about: "" })),
    ...keys.map(({ name, key, kind, runs, differs }): Entry => ({ name, title: key, kind, about: `${counted(runs, "run")}${differs === false ? ", all the same" : ""}` })),
  ];
  return wanted ? every.filter((entry) => entry.title.toLowerCase().includes(wanted)) : every;
}
