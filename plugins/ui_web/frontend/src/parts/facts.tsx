/** The facts below the title of a page: each a name and what is true of this thing. */
import type { ComponentChildren } from "preact";
import { Copy } from "./copy";

export function Facts({ children }: { children: ComponentChildren }) {
  return <dl class="thing-facts">{children}</dl>;
}

export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The address under which programs load the thing, whole, with a button that copies it. */
export function AddressFact({ text }: { text: string }) {
  return (
    <div>
      <dt>Address</dt>
      <dd class="row whole">
        <code>{text}</code>
        <Copy text={text} label="Copy the address" />
      </dd>
    </div>
  );
}
