"""One server for all journeys, on one worker, and a browser for each file of them: Playwright's event loop is the thread's while it is open, and
other tests that come after want their own. Each journey has a page of its own, and fails when the page tells of an error,
opens a dialog of the browser's, or asks anybody but its server for something. What is waited for is said as a function, `() => …`: an expression
is evaluated anew at each look, which the page's policy forbids from the second one on.

`DRUPE_SCREENSHOTS=folder` makes journeys write what they see, at three widths, light and dark; else nothing is written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from drupe_ui_web.building import BUILT, is_stale
from plugins.asgi.tests.asking import started
from plugins.ui_web.tests.browser.looking import WAIT_MS, settle
from plugins.ui_web.tests.browser.making import Home
from plugins.ui_web.tests.browser.own_browser import ARGUMENTS, NoBrowser, chromium

WIDE = {"width": 1440, "height": 900}
WIDTHS = (1440, 1024, 360)
FRAME = "/api/drupe/ui/frame?"
REFUSED = "status of 4"  # what a journey may be told of on purpose
OWN = ("data:", "blob:", "about:")

Shoot = Callable[[Any, str], None]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if not (BUILT / "index.html").is_file() or is_stale():
        _missing("the web UI is not built from these sources: python -m drupe_ui_web.building")
    try:
        path = chromium()
    except NoBrowser as reason:
        _missing(str(reason))
    sync_api.expect.set_options(timeout=WAIT_MS)
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A server of an empty store; journeys make experiments of their own."""
    folder = tmp_path_factory.mktemp("served")
    served = Home(*started(["drupe", "server"], folder), folder)
    yield served
    assert served.stop() == 0


@pytest.fixture(scope="module")
def visitor(browser: Any) -> Iterator[Any]:
    """One person's browser: what a page has loaded the next need not load again."""
    context = browser.new_context(viewport=WIDE, reduced_motion="reduce", accept_downloads=True)
    context.set_default_timeout(WAIT_MS)
    yield context
    context.close()


@pytest.fixture
def page(visitor: Any, server: Home) -> Iterator[Any]:
    """A page of 1440 × 900."""
    with watched(visitor, server) as (opened, faults):
        yield opened
    assert faults == []


@contextmanager
def watched(visitor: Any, server: Home) -> Iterator[tuple[Any, list[str]]]:
    """A page, and what it does that no page may do."""
    page = visitor.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if _is_fault(message) else None)
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("dialog", lambda dialog: (faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("requestfailed", lambda asked: faults.append(f"request: {asked.url}") if _is_foreign(asked, server) else None)
    page.on("requestfinished", lambda asked: faults.append(f"request: {asked.url}") if _is_foreign(asked, server) else None)
    yield page, faults
    if page.url.startswith(server.url):
        page.evaluate("localStorage.clear()")
    page.close()


@pytest.fixture(scope="session")
def shoot() -> Shoot:
    """Writes pictures of a page under a name, where somebody wants to look at them."""
    told = os.environ.get("DRUPE_SCREENSHOTS")
    if not told:
        return lambda page, name: None
    folder = Path(told)
    folder.mkdir(parents=True, exist_ok=True)

    def written(page: Any, name: str) -> None:
        for width in WIDTHS:
            page.set_viewport_size({**WIDE, "width": width})
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                settle(page)
                page.screenshot(path=folder / f"{name}-{width}-{scheme}.png")
        page.set_viewport_size(WIDE)
        page.emulate_media(color_scheme="light")

    return written


def _is_foreign(asked: Any, server: Home) -> bool:
    """True for requests to anybody else that the browser's own policy let out."""
    return not asked.url.startswith((server.url, *OWN)) and asked.failure != "csp"


def _is_fault(message: Any) -> bool:
    """True for errors of the page itself; what a file in a frame of its own is refused is told there, and rightly."""
    is_refused = REFUSED in message.text or FRAME in message.location["url"] or message.text.startswith("Framing ")
    return message.type == "error" and not is_refused


def _missing(reason: str) -> NoReturn:
    """A part that cannot start fails in CI; elsewhere its tests are skipped."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
