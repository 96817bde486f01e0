"""A real browser and its clock: what is loaded, and when the frame that shows something had been painted.

Times are taken in the page, never from outside: `WATCH` hears of every change of the page (MutationObserver) and of every stroke on a canvas, and
after the one that is waited for it takes the time when the next frame is out: a message that is sent in the frame's own callback arrives then.
Nothing asks again and again, and nothing sleeps.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["CHROMIUM", "Loaded", "act", "browser", "loaded", "page_of", "version"]

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WAIT_MS = 120_000

WATCH = """
globalThis.bench = (() => {
  const { stroke, lineTo } = CanvasRenderingContext2D.prototype;
  const read = Response.prototype.arrayBuffer;
  const told = { strokes: 0, answers: 0, highest: Infinity, hears: new Set() };
  const tell = () => told.hears.forEach((hear) => hear());
  CanvasRenderingContext2D.prototype.stroke = function (...path) {
    stroke.apply(this, path);
    if (this.lineJoin === "bevel") { told.strokes += 1; tell(); } // curves; frames and lines of axes are mitred
  };
  if (location.hash === "#lines") CanvasRenderingContext2D.prototype.lineTo = function (x, y) {
    if (this.lineJoin === "bevel" && y < told.highest) told.highest = y;
    lineTo.call(this, x, y);
  };
  Response.prototype.arrayBuffer = async function () {
    const body = await read.call(this);
    told.answers += 1;
    return body;
  };
  const painted = () => new Promise((done) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => done(performance.now());
    port2.postMessage(0);
  }));
  const shown = (isThere) => new Promise((done) => {
    const look = () => {
      if (!isThere()) return;
      watch.disconnect();
      told.hears.delete(look);
      painted().then(done);
    };
    const watch = new MutationObserver(look);
    watch.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
    told.hears.add(look);
    look();
  });
  const after = (kind, isThere) => {
    let began = NaN;
    addEventListener(kind, (event) => { began = event.timeStamp; }, { capture: true, once: true });
    return shown(() => !Number.isNaN(began) && isThere()).then((at) => at - began);
  };
  return { told, shown, after };
})();
"""


class Loaded(NamedTuple):
    """What a page needed, and the time from the start of the navigation until what was waited for had been painted."""

    shown_s: float
    bytes: int
    requests: int


@contextmanager
def browser() -> Iterator[Any]:
    """Chromium without a window. Raises SystemExit with what is missing."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise SystemExit("this needs Playwright: pip install playwright") from None
    if not CHROMIUM.exists():
        raise SystemExit(f"this needs {CHROMIUM}: apt-get install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        try:
            yield opened
        finally:
            opened.close()


def version(opened: Any) -> str:
    """The browser's name and version."""
    return f"Chromium {opened.version}"


@contextmanager
def page_of(opened: Any, first: str = "false") -> Iterator[Any]:
    """A page with an empty cache. `first` is a JavaScript expression that is true when what is waited for is in the page."""
    context = opened.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(WAIT_MS)
    context.add_init_script(f"{WATCH}; bench.first = bench.shown(() => {first});")
    try:
        yield context.new_page()
    finally:
        context.close()


def loaded(page: Any, address: str) -> Loaded:
    """Go to an address and wait for what `page_of` was told."""
    sizes: list[int] = []
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(address, wait_until="commit")
    shown_ms = page.evaluate("() => bench.first")
    return Loaded(shown_ms / 1000, sum(sizes), len(sizes))


def act(page: Any, kind: str, is_there: str, do: Any) -> float:
    """Seconds from an event of that kind, which `do` brings about, until the frame is out for which a JavaScript expression is true."""
    page.evaluate(f"() => {{ bench.done = bench.after({kind!r}, () => {is_there}); }}")
    do()
    return float(page.evaluate("() => bench.done")) / 1000
