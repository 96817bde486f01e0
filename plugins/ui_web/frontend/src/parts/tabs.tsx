/** Tabs whose choice is in the address, with the arrow keys as ARIA describes them. */
import { useRef } from "preact/hooks";
import { useInSight } from "../app/in-sight";
import { address, place, go } from "../app/router";

export interface Tab {
  readonly key: string;
  readonly title: string;
  /** Loads what the tab needs: called when somebody points at it, before the click. */
  readonly prepare?: () => unknown;
}

/** Links to the same page with another `name=` in the address. The panel that is shown should have `id="panel"` and role tabpanel. */
export function Tabs({ name, tabs, label }: { name: string; tabs: readonly Tab[]; label: string }) {
  const row = useRef<HTMLDivElement>(null);
  const chosen = chosenTab(name, tabs);
  useInSight(row, "[aria-selected=true]", chosen);
  const href = (key: string) => {
    const query = new URLSearchParams(place.value.query);
    query.set(name, key);
    return address(place.value.path, query);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = tabs[(tabs.findIndex((tab) => tab.key === chosen) + step + tabs.length) % tabs.length];
    if (!next) return;
    go(href(next.key), { replace: true });
    requestAnimationFrame(() => document.getElementById(`tab-${next.key}`)?.focus());
  };
  return (
    <div ref={row} class="tabs" role="tablist" aria-label={label} onKeyDown={onKeyDown}>
      {tabs.map((tab) => (
        <a key={tab.key} id={`tab-${tab.key}`} role="tab" href={href(tab.key)} aria-selected={tab.key === chosen} aria-controls="panel" tabIndex={tab.key === chosen ? 0 : -1} onPointerEnter={tab.prepare} onFocus={tab.prepare}>
          {tab.title}
        </a>
      ))}
    </div>
  );
}

/** The key of the tab that the address names, or of the first. */
export function chosenTab(name: string, tabs: readonly Tab[]): string {
  const asked = place.value.query.get(name);
  return tabs.some((tab) => tab.key === asked) ? asked! : (tabs[0]?.key ?? "");
}
