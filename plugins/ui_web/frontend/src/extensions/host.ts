/** The host API as extensions get it: see `drupe_ui_web/extension_api.d.ts`, which says what each part promises. */
import type { Host } from "../../../drupe_ui_web/extension_api";
import { get, post, withFields } from "../api/http";
import { address, go, place, setQuery } from "../app/router";
import { theme } from "../app/theme";
import { bytes, count, shortNumber } from "../values/numbers";
import { save } from "../values/save";
import { duration, time } from "../values/times";
import { keyOf, type Extension } from "./list";

/** What all extensions are given. `onContext` keeps listeners; `guard` contains what a listener throws. */
export function hostOf<C>(extension: Extension, signal: AbortSignal, onContext: (listener: (context: C) => void) => void, guard: (act: () => void) => void): Host<C> {
  return {
    api: 1,
    signal,
    fetchJson: <T>(path: string, { query = {}, body, method }: { query?: Record<string, string | number | boolean | readonly string[]>; body?: object; method?: string } = {}) => {
      const below = path.replace(/^\/+/, "");
      return body || (method && method !== "GET") ? post<T>(withFields(below, query), body ?? {}, signal, method) : get<T>(below, query, signal);
    },
    get theme() {
      return theme.peek();
    },
    onTheme: (listener) => signal.addEventListener("abort", theme.subscribe((now) => guard(() => listener(now)))),
    onContext,
    token: (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim(),
    address,
    navigate: (path, query) => go(address(path, query)),
    get view() {
      return place.peek().query.get(keyOf(extension)) ?? "";
    },
    setView: (text) => setQuery({ [keyOf(extension)]: text }),
    formatNumber: shortNumber,
    formatCount: count,
    formatBytes: bytes,
    formatTime: time,
    formatDuration: duration,
    download: (name, content) => save(content, name),
  };
}
