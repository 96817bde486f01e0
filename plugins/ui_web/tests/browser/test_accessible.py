"""For people who do not see, or have no mouse: what opens over a page, tables in place of charts, and a journey by keyboard alone.

Whole pages are in `test_every_page`.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from plugins.ui_web.tests.browser.axe import found_by_axe
from plugins.ui_web.tests.browser.looking import settle
from plugins.ui_web.tests.browser.making import Home, Made, experiment, keep

MOST_TABS = 60

Opening = Callable[[Page], None]


@pytest.fixture(scope="session")
def three(server: Home) -> tuple[str, list[str]]:
    """An experiment of three runs, the first of which has a file."""
    made = experiment(server, "accessible")
    series = {"loss": [1.0, 0.5, 0.25], "val/loss": [2.0, 1.5, 1.75], "system/cpu_utilization_percentage": [10.0, 20.0, 30.0]}
    runs = [Made(f"run-{n}", 1000 + n, series, {"depth": str(n), "lr": str(0.1 * n)}) for n in range(3)]
    ids = keep(server, made, runs)
    assert server.put_file(f"{made}/{ids[2]}/artifacts/notes.txt", b"kept by keyboard").status == 200
    return made, ids


def key_on_first_row(page: Page, *keys: str) -> None:
    page.locator("[data-spot='0:0']").focus()
    for key in keys:
        page.keyboard.press(key)


def button(name: str) -> Opening:
    return lambda page: page.get_by_role("button", name=name, exact=True).first.click()


def columns(page: Page) -> None:
    page.get_by_role("button", name="Columns", exact=False).first.click()


def header_menu(page: Page) -> None:
    page.get_by_role("columnheader").filter(has_text="loss").first.click(button="right")


def completions(page: Page) -> None:
    page.get_by_role("combobox", name="Filter runs").press_sequentially("lo")
    expect(page.get_by_role("option").first).to_be_visible()


def tagging(page: Page) -> None:
    key_on_first_row(page, "Space")
    page.get_by_role("button", name="Tag…").click()


OPENED: dict[str, tuple[str, Opening]] = {
    "new experiment": ("", button("New experiment")),
    "columns": ("experiments/{made}", columns),
    "export": ("experiments/{made}", button("Export")),
    "menu of a column": ("experiments/{made}", header_menu),
    "menu of a run": ("experiments/{made}", lambda page: key_on_first_row(page, "m")),
    "renaming": ("experiments/{made}", lambda page: key_on_first_row(page, "F2")),
    "deleting": ("experiments/{made}", lambda page: key_on_first_row(page, "Delete")),
    "tagging": ("experiments/{made}", tagging),
    "completions": ("experiments/{made}", completions),
    "code to load": ("runs/{run}", button("Code to load")),
    "comparing with another": ("runs/{run}", button("Compare with…")),
    "deleting a run": ("runs/{run}", button("Delete")),
    "a note": ("runs/{run}", button("Edit: Note")),
    "menu of a chart": ("runs/{run}?tab=charts", button("More for loss")),
    "views of charts": ("experiments/{made}?tab=charts", button("Views")),
}


@pytest.mark.parametrize("what", OPENED)
def test_axe_finds_nothing_serious_in_what_opens_over_a_page(page: Page, server: Home, three: tuple[str, list[str]], what: str) -> None:
    path, opening = OPENED[what]
    page.goto(f"{server.url}/{path.format(made=three[0], run=three[1][2])}")
    settle(page)
    opening(page)
    light = found_by_axe(page)
    page.emulate_media(color_scheme="dark")
    settle(page)
    assert (light, found_by_axe(page, "color-contrast")) == ([], [])


@pytest.mark.parametrize(
    "path",
    ["runs/{run}?tab=charts", "experiments/{made}?tab=charts", "compare?runs={runs}&tab=charts", "compare?runs={runs}&tab=relations"],
)
def test_every_chart_has_a_table_that_says_the_same(page: Page, server: Home, three: tuple[str, list[str]], path: str) -> None:
    page.goto(f"{server.url}/{path.format(made=three[0], run=three[1][2], runs=','.join(three[1]))}")
    drawn = page.locator("main canvas:visible")
    expect(drawn.first).to_be_visible()
    settle(page)
    charts = drawn.count()
    buttons = page.get_by_role("button", name="as a table")
    assert buttons.count() >= charts
    for one in buttons.all():
        one.click()
    expect(drawn).to_have_count(0)
    assert page.locator("main table").count() >= charts


def test_measures_of_the_system_and_lineage_have_tables_too(page: Page, server: Home, three: tuple[str, list[str]]) -> None:
    page.goto(f"{server.url}/runs/{three[1][2]}?tab=system")
    page.get_by_role("button", name="Table", exact=True).click()
    expect(page.get_by_role("group", name="Metrics of the system").get_by_role("rowheader").first).to_be_visible()


def test_a_file_of_a_run_is_reached_without_a_mouse(page: Page, server: Home, three: tuple[str, list[str]]) -> None:
    page.goto(f"{server.url}/?search=accessible")
    settle(page)
    tab_to(page, page.locator(".grid-box :focus"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".runs-name").first).to_have_text("run-2")
    tab_to(page, page.locator("[data-spot]:focus"))
    while page.locator("[data-spot='0:0']:focus").count() == 0:
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowDown")
    compare = page.get_by_role("link", name="Compare", exact=True)
    expect(compare).to_be_visible()
    tab_to(page, compare, backwards=True)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Compare 2 runs")).to_be_visible()
    settle(page)
    tab_to(page, page.locator(".compare-runs").get_by_role("link", name="run-2"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="run-2")).to_be_visible()
    tab_to(page, page.get_by_role("tab", name="Summary"))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    if page.get_by_role("tab", name="Artifacts").get_attribute("aria-selected") != "true":
        page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("treeitem", name="notes.txt"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("kept by keyboard")).to_be_visible()


def tab_to(page: Page, wanted: Locator, *, backwards: bool = False) -> None:
    """Press Tab until that has the focus."""
    for _ in range(MOST_TABS):
        if wanted.count() and wanted.first.evaluate("(one) => one === document.activeElement"):
            return
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
    raise AssertionError(f"{MOST_TABS} times Tab did not lead to {wanted}")
