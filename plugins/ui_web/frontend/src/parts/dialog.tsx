/** A dialog of the browser's own kind: it takes the focus and gives it back, and Escape closes it. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const opened = box.current;
    opened?.showModal();
    return () => opened?.close();
  }, []);
  return (
    <dialog ref={box} aria-label={title} onClose={onClose} onClick={(event) => event.target === box.current && onClose()}>
      <h2>{title}</h2>
      {children}
    </dialog>
  );
}
