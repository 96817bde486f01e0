/** What stands in for content: while it is waited for, when there is none, and when it failed. */
import { Component, type ComponentChildren } from "preact";
import { ApiError } from "../api/http";
import { asError } from "../values/faults";

/** A grey box as high as what will come, so that nothing jumps. */
export function Waiting({ what, height = 160 }: { what: string; height?: number }) {
  return (
    <div class="waiting" style={{ minHeight: `${height}px` }} role="status">
      <span class="for-readers">Loading {what}</span>
    </div>
  );
}

/** Nothing is there, and what would change that. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="notice">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Something failed: the server's words, and a way on. */
export function Fault({ fault, title = titleOf(fault), again }: { fault: Error; title?: string | undefined; again?: (() => void) | undefined }) {
  return (
    <div class="notice fault" role="alert">
      <h2>{title}</h2>
      <p>{fault.message}</p>
      {again && (
        <button type="button" class="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

function titleOf(fault: Error): string {
  if (!(fault instanceof ApiError)) return "This part failed";
  if (fault.isMissing) return "Not found";
  return fault.status === 0 ? "No connection" : fault.status < 500 ? "The server refused this" : "The server failed";
}

/** Contains what its children throw while they are drawn: the rest of the page goes on. */
export class Contained extends Component<{ what: string; children: ComponentChildren }, { fault: Error | null }> {
  override state = { fault: null };

  static override getDerivedStateFromError(fault: unknown): { fault: Error } {
    return { fault: asError(fault) };
  }

  override componentDidCatch(fault: unknown): void {
    console.error(`${this.props.what} failed`, fault);
  }

  override render() {
    if (this.state.fault) return <Fault fault={this.state.fault} again={() => this.setState({ fault: null })} />;
    return this.props.children;
  }
}
