/** Dark or light: as the system has it, until the user chooses. */
import { effect, signal } from "@preact/signals";

export type Theme = "light" | "dark";

const KEPT = "drupe.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

/** The theme in use. */
export const theme = signal<Theme>(chosen() ?? ofSystem());

/** Switch to the other theme and keep that in this browser. */
export function switchTheme(): void {
  theme.value = theme.value === "dark" ? "light" : "dark";
  try {
    localStorage.setItem(KEPT, theme.value);
  } catch {
    // private windows may keep nothing
  }
}

/** Let the page follow. Call once, before anything is drawn. */
export function startTheme(): void {
  effect(() => {
    document.documentElement.dataset["theme"] = theme.value;
  });
  system.addEventListener("change", () => {
    if (!chosen()) theme.value = ofSystem();
  });
}

function ofSystem(): Theme {
  return system.matches ? "dark" : "light";
}

function chosen(): Theme | null {
  try {
    const kept = localStorage.getItem(KEPT);
    return kept === "dark" || kept === "light" ? kept : null;
  } catch {
    return null;
  }
}
