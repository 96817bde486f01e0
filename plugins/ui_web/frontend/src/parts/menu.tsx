/** A menu that opens at a button or a cell: arrow keys, Home and End, first letters, Escape; it gives the focus back. */
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { Icon } from "./icon";

export interface MenuItem {
  readonly label: string;
  readonly act?: () => void;
  /** An address, for items that are links. */
  readonly href?: string;
  readonly isDownload?: boolean;
  readonly isDisabled?: boolean;
  /** Drawn as chosen; undefined for items that are no choice. */
  readonly isChosen?: boolean;
  readonly isDanger?: boolean;
  /** A colour, drawn before the label. */
  readonly swatch?: string;
  /** A line above it. */
  readonly isApart?: boolean;
}

interface Props {
  readonly label: string;
  readonly anchor: HTMLElement;
  readonly items: readonly MenuItem[];
  readonly onClose: () => void;
}

export function Menu({ label, anchor, items, onClose }: Props) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const menu = box.current;
    if (!menu) return;
    menu.showPopover();
    const at = anchor.getBoundingClientRect();
    const { width, height } = menu.getBoundingClientRect();
    menu.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
    menu.style.top = `${at.bottom + height + 8 > innerHeight ? Math.max(8, at.top - height - 4) : at.bottom + 4}px`;
    entries(menu)[0]?.focus();
  }, []);
  useEffect(() => {
    const close = () => onClose();
    addEventListener("resize", close);
    return () => removeEventListener("resize", close);
  }, []);
  const closed = () => {
    onClose();
    anchor.focus({ preventScroll: true });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const menu = box.current;
    if (!menu) return;
    event.stopPropagation();
    const all = entries(menu);
    const at = all.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: (at + 1) % all.length, ArrowUp: (at - 1 + all.length) % all.length, Home: 0, End: all.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      all[to]?.focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      closed();
    } else if (event.key.length === 1 && event.key !== " ") {
      const typed = event.key.toLowerCase();
      [...all.slice(at + 1), ...all.slice(0, at + 1)].find((one) => one.textContent?.trim().toLowerCase().startsWith(typed))?.focus();
    }
  };
  return (
    <div ref={box} class="menu" role="menu" aria-label={label} popover="auto" onKeyDown={onKeyDown} onToggle={(event) => event.newState === "closed" && onClose()}>
      {items.map((item) => (
        <Entry key={item.label} item={item} closed={closed} />
      ))}
    </div>
  );
}

function Entry({ item, closed }: { item: MenuItem; closed: () => void }) {
  const looks = `menu-item ${item.isDanger ? "danger" : ""} ${item.isApart ? "apart" : ""}`;
  const inside: ComponentChildren = (
    <>
      <span class="menu-mark">{item.isChosen && <Icon name="check" size={14} />}</span>
      {item.swatch && <span class="swatch" style={{ background: item.swatch }} />}
      {item.label}
    </>
  );
  if (item.href !== undefined)
    return (
      <a class={looks} role="menuitem" tabIndex={-1} href={item.href} {...(item.isDownload ? { download: "" } : {})} onClick={closed}>
        {inside}
      </a>
    );
  return (
    <button
      type="button"
      class={looks}
      role={item.isChosen === undefined ? "menuitem" : "menuitemradio"}
      aria-checked={item.isChosen}
      tabIndex={-1}
      disabled={item.isDisabled}
      onClick={() => {
        closed();
        item.act?.();
      }}
    >
      {inside}
    </button>
  );
}

function entries(menu: HTMLElement): HTMLElement[] {
  return [...menu.querySelectorAll<HTMLElement>(".menu-item:not(:disabled)")];
}
