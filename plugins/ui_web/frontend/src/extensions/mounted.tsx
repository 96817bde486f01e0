/**
 * One extension in its place: its module is imported, checked and mounted, and whatever it does wrong stays here, with a note that names the
 * plugin. What it throws later, in its own listeners and promises, is known by the address of its module.
 */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { ExtensionModule } from "../../../drupe_ui_web/extension_api";
import { url } from "../api/http";
import { Fault, Waiting } from "../parts/states";
import { hostOf } from "./host";
import type { Extension } from "./list";
import type { PartProps } from "./part";

const API = 1;
const PATIENCE_MS = 8000;

export function Mounted<C>({ extension, context }: PartProps<C>) {
  const turn = useSignal(0);
  return <Once key={turn.value} turn={turn.value} extension={extension} context={context} again={() => (turn.value += 1)} />;
}

function Once<C>({ extension, context, turn, again }: PartProps<C> & { turn: number; again: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  const isThere = useSignal(false);
  const fault = useSignal<Error | null>(null);
  const isSlow = useSignal(false);
  const listeners = useRef(new Set<(context: C) => void>()).current;
  const latest = useRef(context);
  const tell = (problem: unknown) => {
    console.error(`${extension.title} of ${extension.plugin}`, problem);
    isSlow.value = false;
    fault.value = noted(extension, problem instanceof Error ? problem.message || problem.name : String(problem));
  };
  const guard = (act: () => void) => {
    try {
      act();
    } catch (problem) {
      tell(problem);
    }
  };
  useEffect(() => {
    const stop = new AbortController();
    const { signal } = stop;
    const address = new URL(url(extension.module), document.baseURI).href;
    const home = address.slice(0, address.lastIndexOf("/") + 1);
    let end: unknown;
    const later = (event: Event, problem: unknown) => {
      if (!(problem instanceof Error) || !problem.stack?.includes(home)) return;
      event.preventDefault();
      tell(problem);
    };
    addEventListener("error", (event) => later(event, event.error), { signal });
    addEventListener("unhandledrejection", (event) => later(event, event.reason), { signal });
    const slow = setTimeout(() => {
      isSlow.value = true;
      fault.value = noted(extension, `it has not answered for ${PATIENCE_MS / 1000} s, and is still waited for`);
    }, PATIENCE_MS);
    const begin = async () => {
      // a module that failed is kept by browsers as failed, so that another try needs another address
      const module = (await import(/* @vite-ignore */ turn ? `${address}?again=${turn}` : address)) as Partial<ExtensionModule<C>>;
      if (module.api !== API) throw new Error(`it was written for version ${String(module.api)} of the host API, and this UI has version ${API}; install a version of ${extension.plugin} that fits`);
      if (typeof module.mount !== "function") throw new Error("its module exports no function `mount`");
      if (signal.aborted || !box.current) return;
      const host = hostOf<C>(extension, signal, (listener) => void listeners.add(listener), guard);
      end = await module.mount(box.current, latest.current, host);
      if (signal.aborted) leave();
      isThere.value = true;
      fault.value = null;
    };
    const leave = () => {
      if (typeof end === "function") guard(end as () => void);
    };
    begin()
      .catch((problem: unknown) => {
        box.current?.replaceChildren();
        if (!signal.aborted) tell(problem);
      })
      .finally(() => clearTimeout(slow));
    return () => {
      clearTimeout(slow);
      stop.abort();
      leave();
    };
  }, []);
  useEffect(() => {
    if (latest.current === context) return;
    latest.current = context;
    listeners.forEach((listener) => guard(() => listener(context)));
  }, [context]);
  return (
    <div class="extension">
      {fault.value ? <Fault fault={fault.value} title={isSlow.value ? "This part takes long" : undefined} again={again} /> : !isThere.value && <Waiting what={extension.title} />}
      <div ref={box} />
    </div>
  );
}

function noted(extension: Extension, problem: string): Error {
  return new Error(`“${extension.title}” of the plugin ${extension.plugin} ${extension.version}: ${problem}`);
}
