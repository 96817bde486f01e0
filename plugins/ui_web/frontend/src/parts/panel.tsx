/** What stands below tabs whose code is loaded when they are first looked at: the one that the address names. */
import { useSignal, useSignalEffect } from "@preact/signals";
import type { ComponentType } from "preact";
import { Contained, Fault, Waiting } from "./states";
import { chosenTab, type Tab } from "./tabs";
import { asError } from "../values/faults";

export interface LazyTab<P> extends Tab {
  readonly load: () => Promise<ComponentType<P>>;
}

interface Loaded<P> {
  readonly key: string;
  readonly View: ComponentType<P> | Error | null;
}

interface Props<P> {
  /** The tabs that there are now; what it reads of signals is followed. */
  readonly tabs: () => readonly LazyTab<P>[];
  /** What the chosen one is drawn with. */
  readonly props: P;
  /** A tab whose code is here, so that it is drawn at once. */
  readonly ready?: { readonly key: string; readonly View: ComponentType<P> };
}

export function Panel<P extends object>({ tabs, props, ready = undefined }: Props<P>) {
  const loaded = useSignal<Loaded<P>>(ready ?? { key: "", View: null });
  const chosen = () => chosenTab("tab", tabs());
  useSignalEffect(() => {
    const key = chosen();
    if (loaded.peek().key === key) return;
    const tell = (View: ComponentType<P> | Error) => {
      if (chosen() === key) loaded.value = { key, View }; // another may have been chosen, and be here already
    };
    tabs()
      .find((tab) => tab.key === key)
      ?.load()
      .then(tell, (fault: unknown) => tell(asError(fault)));
  });
  const now = chosen();
  const { key, View } = loaded.value;
  return (
    <div id="panel" role="tabpanel" aria-labelledby={`tab-${now}`}>
      {key !== now || !View ? (
        <Waiting what="this tab" height={320} />
      ) : View instanceof Error ? (
        <Fault fault={View} again={() => location.reload()} />
      ) : (
        <Contained what="This tab" key={key}>
          <View {...props} />
        </Contained>
      )}
    </div>
  );
}
