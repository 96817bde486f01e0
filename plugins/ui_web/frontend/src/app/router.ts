/**
 * Where the user is: the path below the server's base and the parameters of the address, as signals. All state of views lives here, so that
 * an address copied from the browser shows the same to somebody else.
 */
import { computed, signal, type ReadonlySignal } from "@preact/signals";

export interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

/** The path under which the server is seen, from "/" to "/". */
export const base = new URL(document.baseURI).pathname.replace(/[^/]*$/, "");

/** Stands for a part of a path that is no text. */
export const UNREADABLE = "\ufffd";

/** Paths that go on behind a `#`, where no server sees how many experiments there are. */
const CHOSEN: readonly string[] = ["experiments/chosen", "compare/chosen"];

const current = signal<Place>(read());

/** The place now. */
export const place: ReadonlySignal<Place> = current;

const path = computed(() => current.value.path);

/** Parts of the path, decoded: `["experiments", "3"]`. They change with the path alone, not with every parameter. */
export const parts: ReadonlySignal<readonly string[]> = computed(() => split(path.value));

/** The address of a place, for links. Parameters that are empty or undefined are left out; what a path has behind a `#` stays behind them. */
export function address(path: string, query: Record<string, string | undefined> | URLSearchParams = {}): string {
  const kept = query instanceof URLSearchParams ? query : new URLSearchParams(Object.entries(query).filter(told));
  const text = kept.toString();
  const [way = "", behind] = path.replace(/^\//, "").split("#");
  return base + way + (text ? `?${text}` : "") + (behind === undefined ? "" : `#${behind}`);
}

/** An address made of parts, each encoded. */
export function to(first: string, ...rest: readonly string[]): string {
  return [first, ...rest.map(encodeURIComponent)].join("/");
}

/** Go to an address of this UI; `replace` leaves no step in the browser's history. */
export function go(target: string, { replace = false, keepScroll = false } = {}): void {
  if (target !== location.pathname + location.search + behind(location)) history[replace ? "replaceState" : "pushState"](null, "", target);
  current.value = read();
  if (!keepScroll && !replace) window.scrollTo(0, 0);
}

/** Set parameters of the address and keep the others; undefined or "" removes one. */
export function setQuery(changes: Record<string, string | undefined>, { replace = true } = {}): void {
  const query = new URLSearchParams(current.value.query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === "") query.delete(name);
    else query.set(name, value);
  }
  go(address(current.value.path, query), { replace, keepScroll: true });
}

/** One parameter as a signal; "" when the address has none. */
export function queryOf(name: string): ReadonlySignal<string> {
  return computed(() => current.value.query.get(name) ?? "");
}

/** Listen to the browser's buttons and to clicks on links of this UI. Call once. */
export function start(): void {
  const old = fromHash(location.hash);
  if (old) history.replaceState(null, "", address(old.path, old.query));
  current.value = read();
  addEventListener("popstate", () => {
    current.value = read();
  });
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.target || link.hasAttribute("download") || link.origin !== location.origin || !link.pathname.startsWith(base)) return;
    if (link.dataset["leaves"] !== undefined) return;
    event.preventDefault();
    go(link.pathname + link.search + behind(link));
  });
}

/** The place that an address with a hash means, as MLflow's clients print it: `#/experiments/1/runs/abc`. */
export function fromHash(hash: string): Place | null {
  if (!hash.startsWith("#/")) return null;
  const [path = "", query = ""] = hash.slice(2).split("?");
  const steps = split(path);
  const [, , kind, id] = steps;
  if (steps[0] === "experiments" && id && (kind === "runs" || kind === "models"))
    return { path: to(kind === "runs" ? kind : "logged-models", id), query: new URLSearchParams() };
  if (steps[0] === "models" && steps[2] === "versions" && steps[3] && steps[1])
    return { path: to("models", steps[1], steps[3]), query: new URLSearchParams() };
  return { path, query: new URLSearchParams(query) };
}

function read(): Place {
  const path = location.pathname.startsWith(base) ? location.pathname.slice(base.length) : "";
  return { path: path + behind(location), query: new URLSearchParams(location.search) };
}

/** What an address has behind its `#`, where that is a part of the place. */
function behind({ pathname, hash }: { readonly pathname: string; readonly hash: string }): string {
  return CHOSEN.some((path) => pathname === base + path) ? hash : "";
}

function split(path: string): string[] {
  return path.split("/").filter(Boolean).map(decoded);
}

/** A part of a path in plain letters. A stray % that somebody typed stays as it is; what is no text has marks in it. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part.replace(/%(?![0-9a-f]{2})/gi, "%25"));
  } catch {
    return UNREADABLE;
  }
}

function told(entry: [string, string | undefined]): entry is [string, string] {
  return entry[1] !== undefined && entry[1] !== "";
}
