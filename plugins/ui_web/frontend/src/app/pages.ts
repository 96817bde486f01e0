/** Which page an address shows. Pages are loaded when they are first needed, so that the first paint waits for one of them only. */
import type { ComponentType } from "preact";
import { computed } from "@preact/signals";
import { parts, UNREADABLE } from "./router";

export interface PageProps {
  /** What the address says after the first part, decoded. */
  readonly rest: readonly string[];
}

export interface Page {
  readonly section: string;
  readonly load: () => Promise<{ default: ComponentType<PageProps> }>;
}

const PAGES: ReadonlyMap<string, Page> = new Map(Object.entries<Page>({
  "": { section: "experiments", load: () => import("../pages/experiments") },
  experiments: { section: "experiments", load: () => import("../pages/runs") },
  runs: { section: "experiments", load: () => import("../pages/run") },
  "logged-models": { section: "models", load: () => import("../pages/logged-model") },
  compare: { section: "experiments", load: () => import("../pages/compare") },
  models: { section: "models", load: () => import("../pages/models") },
  system: { section: "system", load: () => import("../pages/system") },
  plugins: { section: "plugins", load: () => import("../pages/plugins") },
}));

const LOST: Page = { section: "", load: () => import("../pages/lost") };

/** What stands in the bar at the top. */
export const SECTIONS = [
  { key: "experiments", title: "Experiments", path: "" },
  { key: "models", title: "Models", path: "models" },
  { key: "plugins", title: "Plugins", path: "plugins" },
  { key: "system", title: "System", path: "system" },
] as const;

/** The page now, and what its address says further. */
export const shown = computed(() => {
  const [first = "", ...rest] = parts.value;
  const name = first === "experiments" && rest.length === 0 ? "" : first;
  const page = rest.includes(UNREADABLE) ? LOST : (PAGES.get(name) ?? LOST);
  return { page, first, rest };
});
