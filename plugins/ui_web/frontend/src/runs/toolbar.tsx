/** What stands above the runs table: the filter, grouping, columns, files, the trash. */
import { useSignal, type Signal } from "@preact/signals";
import { setQuery } from "../app/router";
import { postForBytes, url, withFields } from "../api/http";
import { Icon } from "../parts/icon";
import { Menu, type MenuItem } from "../parts/menu";
import { inWords } from "../values/faults";
import { save } from "../values/save";
import { FilterBar } from "./filter";
import type { KeysOfRuns } from "./keys";
import { named, titleOf } from "./names";
import { Picker } from "./picker";
import { experimentIds, group, trash } from "./view";
import type { Question } from "./windows";

const GROUPED_MAX = 60;
const EXPORT = "api/drupe/ui/export";
/** Longer addresses are refused by some proxies. */
const ADDRESS_MAX = 6000;

interface Props {
  readonly keys: KeysOfRuns;
  readonly names: readonly string[];
  readonly question: Question;
  /** Why an export failed. */
  readonly refusal: Signal<string>;
}

export function Toolbar({ keys, names, question, refusal }: Props) {
  const isPicking = useSignal(false);
  const menu = useSignal<{ which: "group" | "export"; anchor: HTMLElement } | null>(null);
  const open = (which: "group" | "export") => (event: MouseEvent & { currentTarget: HTMLElement }) => {
    void keys.load(experimentIds.peek(), trash.peek() ? "deleted" : "active", true);
    menu.value = { which, anchor: event.currentTarget };
  };
  const known = keys.known.value;
  const groupItems = (): MenuItem[] => [
    { label: "No groups", isChosen: group.value === "", act: () => setQuery({ group: undefined, open: undefined }) },
    ...(known?.all ?? [])
      .filter((key) => key.kind !== "metric" && key.differs)
      .slice(0, GROUPED_MAX)
      .map((key): MenuItem => ({ label: `${key.key}${key.kind === "tag" ? " (tag)" : ""}`, isChosen: group.value === key.name, act: () => setQuery({ group: key.name, open: undefined }) })),
    { label: "Status", isChosen: group.value === "status", act: () => setQuery({ group: "status", open: undefined }) },
    { label: "User", isChosen: group.value === "user_id", act: () => setQuery({ group: "user_id", open: undefined }) },
  ];
  const exportItems = (): MenuItem[] =>
    (known?.exports ?? ["csv"]).map((kind) => {
      const label = kind === "csv" ? "All runs, as CSV" : "All runs, as Parquet";
      const href = url(EXPORT, { as: kind, of: JSON.stringify({ ...question, columns: names }) });
      if (href.length <= ADDRESS_MAX) return { label, href, isDownload: true };
      // the answer to a form cannot be streamed into a file, but the form may name any number of experiments
      const fetched = async () => save(new Blob([await postForBytes(withFields(EXPORT, { as: kind }), { ...question, columns: names })]), `runs.${kind}`);
      return { label, act: () => void fetched().catch((fault: unknown) => (refusal.value = `No file was made. ${inWords(fault)}`)) };
    });
  const grouped = group.value ? titleOf(named(group.value)) : "";
  return (
    <div class="runs-toolbar">
      <FilterBar keys={keys} />
      <div class="runs-acts">
        <button type="button" class={`button ${grouped ? "is-on" : ""}`} aria-haspopup="menu" onClick={open("group")}>
          <Icon name="folder" />
          <span class="one-line">{grouped ? `By ${grouped}` : "Group"}</span>
        </button>
        <button type="button" class="button" onClick={() => (isPicking.value = true)}>
          <Icon name="columns" /> Columns
        </button>
        <button type="button" class="button" aria-haspopup="menu" onClick={open("export")}>
          <Icon name="download" /> Export
        </button>
        <button type="button" class={`button ${trash.value ? "is-on" : ""}`} aria-pressed={trash.value} onClick={() => setQuery({ view: trash.value ? undefined : "deleted" })}>
          <Icon name="trash" /> Trash
        </button>
      </div>
      {isPicking.value && <Picker keys={keys} shown={names} onClose={() => (isPicking.value = false)} />}
      {menu.value && (
        <Menu
          key={known ? "known" : "waiting"}
          label={menu.value.which === "group" ? "Group by" : "Export"}
          anchor={menu.value.anchor}
          items={menu.value.which === "group" ? groupItems() : exportItems()}
          onClose={() => (menu.value = null)}
        />
      )}
    </div>
  );
}
