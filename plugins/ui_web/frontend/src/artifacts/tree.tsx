/** The tree of files: only rows in sight are drawn, so that folders of thousands stay quick; keys as ARIA describes them for trees. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../parts/icon";
import { bytes } from "../values/numbers";
import { folderOf } from "./files";
import type { Folders, Row } from "./folders";

const ROW = 28;
const MORE = 8;

interface Props {
  readonly folders: Folders;
  readonly chosen: string;
  readonly choose: (path: string) => void;
}

export function Tree({ folders, chosen, choose }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const top = useSignal(0);
  const height = useSignal(480);
  const active = useSignal(chosen);
  const typed = useRef({ text: "", at: 0 });
  const rows = folders.rows();
  const at = Math.max(
    0,
    rows.findIndex((row) => row.path === active.value),
  );

  useEffect(() => {
    const watched = box.current;
    if (!watched) return;
    const observer = new ResizeObserver(() => (height.value = watched.clientHeight));
    observer.observe(watched);
    return () => observer.disconnect();
  }, []);
  const index = rows.findIndex((row) => row.path === chosen);
  useEffect(() => {
    active.value = chosen;
    if (index >= 0) see(index);
  }, [chosen, index >= 0]);

  const see = (index: number) => {
    const seen = box.current;
    if (!seen) return;
    if (index * ROW < seen.scrollTop) seen.scrollTop = index * ROW;
    else if ((index + 1) * ROW > seen.scrollTop + seen.clientHeight) seen.scrollTop = (index + 1) * ROW - seen.clientHeight;
  };
  const move = (index: number) => {
    const row = rows[Math.min(Math.max(index, 0), rows.length - 1)];
    if (!row) return;
    active.value = row.path;
    see(rows.indexOf(row));
    requestAnimationFrame(() => box.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const row = rows[at];
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(height.value / ROW) - 1);
    const steps: Record<string, () => void> = {
      ArrowDown: () => move(at + 1),
      ArrowUp: () => move(at - 1),
      PageDown: () => move(at + page),
      PageUp: () => move(at - page),
      Home: () => move(0),
      End: () => move(rows.length - 1),
      ArrowRight: () => (row.is_dir && !row.isOpen ? folders.toggle(row.path, true) : row.is_dir && move(at + 1)),
      ArrowLeft: () => (row.isOpen ? folders.toggle(row.path, false) : move(rows.findIndex((one) => one.path === folderOf(row.path)))),
      Enter: () => press(row),
      " ": () => press(row),
    };
    const step = steps[event.key];
    if (step) {
      event.preventDefault();
      step();
    } else if (event.key.length === 1) {
      const now = Date.now();
      typed.current = { text: (now - typed.current.at < 600 ? typed.current.text : "") + event.key.toLowerCase(), at: now };
      const from = typed.current.text.length > 1 ? at : at + 1;
      const next = [...rows.slice(from), ...rows.slice(0, from)].find((one) => one.name.toLowerCase().startsWith(typed.current.text));
      if (next) move(rows.indexOf(next));
    }
  };
  const press = (row: Row) => {
    active.value = row.path;
    if (row.is_dir) folders.toggle(row.path, !(row.isOpen && row.path === chosen));
    choose(row.path);
  };

  const first = Math.max(0, Math.floor(top.value / ROW) - MORE);
  const last = Math.min(rows.length, Math.ceil((top.value + height.value) / ROW) + MORE);
  return (
    <div
      class="tree"
      ref={box}
      role="tree"
      aria-label="Files"
      onKeyDown={onKeyDown}
      onScroll={(event) => (top.value = event.currentTarget.scrollTop)}
    >
      <div role="presentation" style={{ height: `${rows.length * ROW}px`, position: "relative" }}>
        {rows.slice(first, last).map((row, index) => (
          <div
            key={row.path}
            role="treeitem"
            class={`tree-row${row.path === chosen ? " chosen" : ""}`}
            style={{ top: `${(first + index) * ROW}px`, paddingLeft: `${8 + (row.level - 1) * 16}px` }}
            tabIndex={first + index === at ? 0 : -1}
            aria-level={row.level}
            aria-setsize={row.siblings}
            aria-posinset={row.position}
            aria-selected={row.path === chosen}
            aria-expanded={row.is_dir ? row.isOpen : undefined}
            title={row.name}
            onClick={() => press(row)}
          >
            <span class="file-turn">{row.is_dir && <Icon name={row.isOpen ? "down" : "right"} size={12} />}</span>
            <Icon name={row.is_dir ? "folder" : "file"} size={14} />
            <span class="one-line file-name">{row.name}</span>
            <span class="soft small number">{row.note || (row.size === null ? "" : bytes(row.size))}</span>
          </div>
        ))}
      </div>
    </div>
  );
}
