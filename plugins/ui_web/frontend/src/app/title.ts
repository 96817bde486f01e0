/** What the browser's tab and the history are called. */
import { useEffect } from "preact/hooks";

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · drupe` : "drupe";
  }, [title]);
}
