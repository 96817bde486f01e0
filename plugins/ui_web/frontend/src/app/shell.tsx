/** The frame around every page: the bar at the top, the page below, loaded when it is first seen. */
import { useSignal, useSignalEffect } from "@preact/signals";
import type { ComponentType } from "preact";
import { useRef } from "preact/hooks";
import { Contained, Fault, Waiting } from "../parts/states";
import { Icon } from "../parts/icon";
import { useInSight } from "./in-sight";
import mark from "./mark.svg";
import { hoveredRun } from "./hover";
import { SECTIONS, shown, type Page, type PageProps } from "./pages";
import { address } from "./router";
import { switchTheme, theme } from "./theme";
import { asError } from "../values/faults";

export function Shell() {
  const sections = useRef<HTMLElement>(null);
  useInSight(sections, "[aria-current]", shown.value.page.section);
  return (
    <div class="shell">
      <header class="top">
        <a class="skip" href="#main" data-leaves onClick={(event) => (event.preventDefault(), document.getElementById("main")?.focus())}>
          Skip to content
        </a>
        <a class="brand" href={address("")} aria-label="drupe: experiments">
          <img src={mark} alt="" width="22" height="22" />
          <span>drupe</span>
        </a>
        <nav ref={sections} aria-label="Sections">
          {SECTIONS.map((section) => (
            <a key={section.key} href={address(section.path)} aria-current={shown.value.page.section === section.key ? "page" : undefined}>
              {section.title}
            </a>
          ))}
        </nav>
        <button type="button" class="button plain square" aria-label={theme.value === "dark" ? "Use the light theme" : "Use the dark theme"} onClick={switchTheme}>
          <Icon name={theme.value === "dark" ? "sun" : "moon"} />
        </button>
      </header>
      <main id="main" tabIndex={-1}>
        <Current />
      </main>
    </div>
  );
}

interface Loaded {
  readonly page: Page;
  readonly View: ComponentType<PageProps> | null;
  readonly fault: Error | null;
}

function Current() {
  const loaded = useSignal<Loaded | null>(null);
  useSignalEffect(() => {
    const { page } = shown.value;
    hoveredRun.value = ""; // what was pointed at is gone
    if (loaded.peek()?.page === page) return;
    page.load().then(
      (module) => show(page, { page, View: module.default, fault: null }),
      (fault: unknown) => show(page, { page, View: null, fault: asError(fault) }),
    );
  });
  const show = (page: Page, next: Loaded) => {
    if (shown.value.page === page) loaded.value = next;
  };
  const now = loaded.value;
  if (!now || now.page !== shown.value.page) return <div class="page"><Waiting what="the page" height={320} /></div>;
  if (now.fault || !now.View) return <div class="page"><Fault fault={now.fault ?? new Error("The page is missing")} again={() => location.reload()} /></div>;
  return (
    <Contained what="The page" key={shown.value.first}>
      <now.View rest={shown.value.rest} />
    </Contained>
  );
}
