/** A part whose code is loaded when it is first drawn. */
import { useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useLayoutEffect } from "preact/hooks";
import { Fault, Waiting } from "./states";
import { asError } from "../values/faults";

/** `load` is called once; give the part a `key` where another one is to take its place. */
export function Later<P extends object>({ what, height, load, props }: { what: string; height?: number; load: () => Promise<ComponentType<P>>; props: P }) {
  const loaded = useSignal<{ View: ComponentType<P> } | Error | null>(null);
  useLayoutEffect(() => {
    load().then(
      (View) => (loaded.value = { View }),
      (fault: unknown) => (loaded.value = asError(fault)),
    );
  }, []);
  const now = loaded.value;
  if (now instanceof Error) return <Fault fault={now} again={() => location.reload()} />;
  if (!now) return <Waiting what={what} height={height ?? 160} />;
  return <now.View {...props} />;
}
