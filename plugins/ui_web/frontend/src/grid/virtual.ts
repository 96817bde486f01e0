/** TanStack's virtualizer as a hook: which items of a long list are on screen. It draws again when that changes. */
import { elementScroll, observeElementOffset, observeElementRect, Virtualizer, type VirtualizerOptions } from "@tanstack/virtual-core";
import { useLayoutEffect, useReducer, useRef } from "preact/hooks";

type Options = VirtualizerOptions<HTMLElement, HTMLElement>;
type Given = Omit<Options, "observeElementRect" | "observeElementOffset" | "scrollToFn" | "onChange" | "initialRect">;

/** One axis of a scrolling element. Sizes come from `estimateSize`; call `measure()` of what is returned when they change. */
export function useVirtual(given: Given): Virtualizer<HTMLElement, HTMLElement> {
  const [, draw] = useReducer((turn: number, _: undefined) => turn + 1, 0);
  const kept = useRef<Virtualizer<HTMLElement, HTMLElement> | null>(null);
  const options: Options = {
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    // so that the first drawing has rows already, before the element is measured
    initialRect: { width: innerWidth, height: innerHeight },
    onChange: () => draw(undefined),
    ...given,
  };
  if (kept.current) kept.current.setOptions(options);
  else kept.current = new Virtualizer(options);
  const virtual = kept.current;
  useLayoutEffect(() => virtual._didMount(), []);
  useLayoutEffect(() => virtual._willUpdate());
  return virtual;
}
