"""A server that goes away while somebody looks at a table: what is there stays, what went wrong is said above it, and it goes on by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from plugins.ui_web.tests.browser.making import Home, Made, experiment, keep

NAMES = ["three", "two", "one"]


class Line:
    """The way to the server, which can be cut. What the page asks of it is refused as by a machine without that server."""

    def __init__(self, page: Page) -> None:
        self._page, self.is_cut = page, False
        page.route("**/*", self._pass)

    def _pass(self, route: Route, request: Request) -> None:
        if self.is_cut:
            route.abort("connectionrefused")
        else:
            route.continue_()


@pytest.fixture
def opened(visitor: Any, server: Home, tmp_path: Path) -> Iterator[tuple[Page, Line]]:
    """A table of three runs, and the way to its server; what the browser itself says of lost connections is no fault."""
    page = visitor.new_page()
    made = experiment(server, f"away {tmp_path.name}")
    keep(server, made, [Made(name, start=1000 + number) for number, name in enumerate(reversed(NAMES))])
    line = Line(page)
    page.goto(f"{server.url}/experiments/{made}")
    expect(page.locator(".runs-name")).to_have_text(NAMES)
    yield page, line
    page.close()


def sort(page: Page) -> None:
    page.get_by_role("columnheader").filter(has_text="Run").first.click()


def test_rows_stay_while_the_server_is_away_and_are_sorted_when_it_is_back(opened: tuple[Page, Line]) -> None:
    page, line = opened
    line.is_cut = True
    sort(page)
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer")
    expect(page.locator(".runs-name")).to_have_text(NAMES)
    line.is_cut = False
    expect(page.locator(".runs-name")).to_have_text(["one", "three", "two"])
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("how", ["key", "tick"])
def test_a_selection_of_all_that_fails_is_said_above_the_rows_and_goes_when_it_succeeds(opened: tuple[Page, Line], how: str) -> None:
    page, line = opened

    def select_all() -> None:
        if how == "tick":
            page.get_by_role("checkbox", name="Select all runs").click()
        else:
            page.locator("[data-spot='1:0']").focus()
            page.keyboard.press("Control+a")

    line.is_cut = True
    select_all()
    expect(page.get_by_role("alert")).to_contain_text("Nothing more was selected. The server does not answer")
    expect(page.locator(".runs-name")).to_have_text(NAMES)
    line.is_cut = False
    select_all()
    expect(page.get_by_role("region", name="Selected runs")).to_contain_text("3 runs selected")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_selection_that_the_server_refuses_is_said_in_its_words(opened: tuple[Page, Line]) -> None:
    page, _ = opened
    page.route("**/api/drupe/ui/ids", lambda route: route.continue_(post_data='{"experiments": []}'))
    page.get_by_role("checkbox", name="Select all runs").click()
    expect(page.get_by_role("alert")).to_contain_text("'experiments' is empty")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_role("alert")).to_have_count(0)
