/** The bar in which a filter is written: completion as it is typed, and a mark under what the server cannot read. */
import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { setQuery } from "../app/router";
import { post } from "../api/http";
import { Icon } from "../parts/icon";
import { offers, spotAt, type Offered } from "./completion";
import type { KeysOfRuns } from "./keys";
import { inWords } from "../values/faults";
import { experimentIds, filter, trash } from "./view";

interface Wrong {
  readonly message: string;
  readonly position: number;
  readonly width: number;
}

type Checked = { readonly is_right: true } | ({ readonly is_right: false } & Wrong);

const PAUSE_MS = 450;
const ID = "runs-filter";

export function FilterBar({ keys }: { keys: KeysOfRuns }) {
  const input = useRef<HTMLInputElement>(null);
  const mirror = useRef<HTMLDivElement>(null);
  const text = useSignal(filter.peek());
  const wrong = useSignal<Wrong | null>(null);
  const offered = useSignal<readonly Offered[]>([]);
  const chosen = useSignal(-1);
  const isOpen = useSignal(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const typedAt = useRef("");

  useSignalEffect(() => {
    const told = filter.value; // changed elsewhere, such as by the back button
    if (told !== typedAt.current) {
      text.value = told;
      typedAt.current = told;
      if (told) void check(told, false);
      else wrong.value = null;
    }
  });
  useEffect(() => () => clearTimeout(timer.current), []);

  const view = () => (trash.peek() ? "deleted" : "active");
  const check = async (written: string, apply: boolean): Promise<void> => {
    const found = await post<Checked>("api/drupe/ui/check", { filter: written }).catch((problem: unknown): Checked => ({ is_right: false, message: inWords(problem), position: 0, width: 0 }));
    if (written !== text.peek()) return;
    wrong.value = found.is_right ? null : found;
    if (found.is_right && apply) {
      typedAt.current = written.trim();
      setQuery({ filter: written.trim() });
    }
  };
  const later = (written: string) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => void check(written, true), PAUSE_MS);
  };
  const offer = async (): Promise<void> => {
    const box = input.current;
    if (!box) return;
    const written = box.value;
    void keys.load(experimentIds.peek(), view());
    const spot = spotAt(written, box.selectionStart ?? written.length);
    const known = keys.known.peek();
    const all = [...(known?.all ?? []), ...(known?.attributes ?? []).map((name) => ({ name, kind: "attribute" as const }))];
    const isText = spot.wants === "value" && !spot.field.startsWith("metric") && !spot.field.endsWith("_time");
    const values = isText ? await keys.valuesOf(spot.field, experimentIds.peek(), view()) : [];
    if (box.value !== written) return;
    offered.value = offers(spot, all, values);
    chosen.value = -1;
  };
  useSignalEffect(() => {
    keys.known.value; // when they have come there is more to offer
    if (isOpen.peek()) void offer();
  });
  const take = (one: Offered) => {
    const box = input.current;
    if (!box) return;
    const spot = spotAt(box.value, box.selectionStart ?? box.value.length);
    const written = one.writes ?? one.text;
    text.value = box.value.slice(0, spot.from) + written + box.value.slice(spot.to).replace(/^ /, "");
    box.value = text.value;
    box.setSelectionRange(spot.from + written.length, spot.from + written.length);
    box.focus();
    later(text.value);
    void offer();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const list = offered.value;
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && list.length > 0) {
      event.preventDefault();
      isOpen.value = true;
      const step = event.key === "ArrowDown" ? 1 : -1;
      chosen.value = (chosen.value + step + list.length + (chosen.value < 0 && step < 0 ? 1 : 0)) % list.length;
      requestAnimationFrame(() => document.getElementById(`${ID}-${chosen.peek()}`)?.scrollIntoView({ block: "nearest" }));
    } else if (event.key === "Enter" || (event.key === "Tab" && isOpen.value && chosen.value >= 0)) {
      const one = isOpen.value ? list[chosen.value] : undefined;
      event.preventDefault();
      if (one) return take(one);
      isOpen.value = false;
      clearTimeout(timer.current);
      void check(text.value, true);
    } else if (event.key === "Escape" && isOpen.value) {
      event.preventDefault();
      isOpen.value = false;
    }
  };
  const isListed = isOpen.value && offered.value.length > 0;
  const fault = wrong.value;
  const isTold = fault && text.value.trim() !== filter.value.trim(); // where it is asked, the page tells what is wrong
  return (
    <div class="runs-filter" role="search">
      <Icon name="search" />
      <div class="runs-filter-box">
        <div ref={mirror} class="runs-filter-mirror" aria-hidden="true">
          {fault && marked(text.value, fault)}
        </div>
        <input
          ref={input}
          type="text"
          role="combobox"
          aria-label="Filter runs"
          aria-expanded={isListed}
          aria-controls={`${ID}-list`}
          aria-autocomplete="list"
          aria-activedescendant={isListed && chosen.value >= 0 ? `${ID}-${chosen.value}` : undefined}
          aria-invalid={fault ? "true" : undefined}
          aria-describedby={isTold ? `${ID}-fault` : undefined}
          placeholder="Filter: metrics.loss < 0.1 AND params.optimizer = 'adam'"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          value={text.value}
          onInput={(event) => {
            text.value = event.currentTarget.value;
            wrong.value = null;
            isOpen.value = true;
            later(text.value);
            void offer();
          }}
          onFocus={() => {
            isOpen.value = true;
            void offer();
          }}
          onClick={() => void offer()}
          onBlur={() => (isOpen.value = false)}
          onScroll={(event) => mirror.current && (mirror.current.scrollLeft = event.currentTarget.scrollLeft)}
          onKeyDown={onKeyDown}
        />
      </div>
      {text.value && (
        <button
          type="button"
          class="button plain square"
          aria-label="Clear the filter"
          onClick={() => {
            text.value = "";
            wrong.value = null;
            typedAt.current = "";
            setQuery({ filter: undefined });
            input.current?.focus();
          }}
        >
          <Icon name="close" />
        </button>
      )}
      {isListed && (
        <ul id={`${ID}-list`} class="runs-offers" role="listbox" aria-label="What could come here">
          {offered.value.map((one, n) => (
            <li
              key={one.text}
              id={`${ID}-${n}`}
              role="option"
              aria-selected={n === chosen.value}
              onPointerDown={(event) => {
                event.preventDefault();
                take(one);
              }}
            >
              <bdi class="one-line">{one.text}</bdi>
              <span class="soft small">{one.about}</span>
            </li>
          ))}
        </ul>
      )}
      {isTold && (
        <p id={`${ID}-fault`} class="runs-fault" role="status">
          {fault.message.replace(/^filter, column \d+: /, "")}
        </p>
      )}
    </div>
  );
}

/** The text again, invisible, with a line under what is wrong. Positions are told in code points. */
function marked(text: string, { position, width }: Wrong) {
  const points = [...text];
  if (width === 0) return null; // it is not known whether anything is wrong
  return (
    <>
      {points.slice(0, position).join("")}
      <mark>{points.slice(position, position + width).join("") || " "}</mark>
    </>
  );
}
