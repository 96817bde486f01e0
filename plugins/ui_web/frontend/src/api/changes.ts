/**
 * What changes in the store, told by the server as it happens. One connection serves all who listen; it comes back by itself, and rests while
 * nobody sees the page: browsers open only six at a time to a server without TLS, for all of its tabs together.
 */
import { url } from "./http";

/** `kind` is what has changed: run, metric, param, tag, experiment, model (a registered one), logged_model, artifact; `missed` means that some were not heard, `unheard` that none are, and who wants to know has to look. */
export interface Change {
  readonly kind: string;
  readonly run_id?: string;
  readonly experiment_id?: string;
  readonly model_id?: string;
  /** Of a registered model. */
  readonly name?: string;
  /** Of an artifact: where it lies below the server's root. */
  readonly path?: string;
}

const RETRY_MS = 3000;
const SOON_MS = 100;
const listeners = new Set<(change: Change) => void>();
let source: EventSource | null = null;
let hasHeard = false;
let since = 0; // when the first of those who listen began to

/** Call `hear` for every change until the returned function is called. After a connection that was lost, rested or late it hears `missed`. */
export function listen(hear: (change: Change) => void): () => void {
  if (listeners.size === 0) since = performance.now();
  listeners.add(hear);
  connect();
  return () => {
    listeners.delete(hear);
    connect();
  };
}

/** Call `act` soon after something that `concerns` says yes to, at most once in `everyMs`. Who `looks` by itself need not be told that nothing is heard. */
export function onChange(concerns: (change: Change) => boolean, act: () => void, everyMs = 500, looks = false): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = listen((change) => {
    if (timer === undefined && (change.kind === "missed" || (change.kind === "unheard" ? !looks : concerns(change))))
      timer = setTimeout(() => {
        timer = undefined;
        act();
      }, everyMs);
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}

document.addEventListener("visibilitychange", connect);

/** Have a connection where somebody listens and sees the page, and none otherwise. */
function connect(): void {
  if (listeners.size === 0) hasHeard = false;
  if (listeners.size === 0 || document.hidden) {
    source?.close();
    source = null;
  } else source ??= opened();
}

function opened(): EventSource {
  const made = new EventSource(url("api/drupe/changes"));
  made.onopen = () => {
    // what a page shows was asked for when it began to listen: a server or browser that was busy since, or a page that nobody saw, missed some
    if (hasHeard || performance.now() - since > SOON_MS) tell({ kind: "missed" });
    hasHeard = true;
  };
  made.onmessage = (event: MessageEvent<string>) => tell(JSON.parse(event.data) as Change);
  made.onerror = () => {
    // browsers try again after a lost connection, but not after an answer that is none, as proxies give while a server starts anew
    if (made.readyState !== EventSource.CLOSED || made !== source) return;
    source = null;
    setTimeout(connect, RETRY_MS);
  };
  return made;
}

function tell(change: Change): void {
  for (const hear of [...listeners]) hear(change);
}
