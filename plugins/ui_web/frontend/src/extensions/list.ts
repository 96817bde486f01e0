/** Which extensions plugins have for a place of the UI. The server is asked once for each load of the page; modules are not loaded for it. */
import { signal } from "@preact/signals";
import { get } from "../api/http";

export type PlaceOfExtension = "run-tab" | "artifact-viewer" | "chart" | "registry-panel";

export interface Extension {
  readonly key: string;
  readonly plugin: string;
  readonly version: string;
  readonly place: PlaceOfExtension;
  readonly title: string;
  /** The address of the module below the server. */
  readonly module: string;
  /** Expressions that its paths fit, each with the number of characters that it fixes. */
  readonly patterns: readonly (readonly [expression: string, fixes: number])[];
  readonly max_bytes: number | null;
}

const told = signal<readonly Extension[] | undefined>(undefined);
let isAsked = false;

/** Those of a place; undefined until the server has told. Where it does not, there are none. */
export function extensionsOf(place: PlaceOfExtension): readonly Extension[] | undefined {
  if (!isAsked) {
    isAsked = true;
    get<{ extensions: readonly Extension[] }>("api/drupe/ui/extensions").then(
      (answer) => (told.value = answer.extensions),
      (fault: unknown) => {
        console.error("UI extensions are not known", fault);
        told.value = [];
      },
    );
  }
  return told.value?.filter((one) => one.place === place);
}

/** What an extension is called in addresses: no name of our own begins like this. */
export function keyOf(extension: Extension): string {
  return `x-${extension.key}`;
}

/** Viewers that fit a path, those first that fix more of it; `fixes` is how much that is. */
export function fitting(viewers: readonly Extension[], path: string): readonly (Extension & { readonly fixes: number })[] {
  return viewers
    .map((one) => ({ ...one, fixes: Math.max(-1, ...one.patterns.map(([expression, fixes]) => (new RegExp(expression, "i").test(path) ? fixes : -1))) }))
    .filter(({ fixes }) => fixes >= 0)
    .sort((one, other) => other.fixes - one.fixes);
}
