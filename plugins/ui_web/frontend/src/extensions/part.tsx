/** The place of an extension on a page. What mounts extensions is loaded with the first that is opened. */
import type { ComponentType } from "preact";
import { Later } from "../parts/later";
import type { Extension } from "./list";

export interface PartProps<C> {
  readonly extension: Extension;
  /** Another object tells the extension of a change. */
  readonly context: C;
}

export function Part<C>(props: PartProps<C>) {
  return <Later what={props.extension.title} load={async (): Promise<ComponentType<PartProps<C>>> => (await import("./mounted")).Mounted} props={props} />;
}
