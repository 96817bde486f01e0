"""On a telephone what matters stands on the first screen; at a desk it takes the room that there is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from plugins.ui_web.tests.browser.conftest import WIDE
from plugins.ui_web.tests.browser.making import Home, Made, experiment, keep

TELEPHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def two(server: Home) -> str:
    """An experiment whose runs have two metrics, and params of which one tells."""
    made = experiment(server, "telephone")
    names = [(f"run {number}", number, "rate of learning" if number % 2 else "another") for number in range(8)]
    series = {"val/loss": [1.0, 0.5], "val/accuracy": [0.25, 0.5]}
    keep(
        server,
        made,
        [
            Made(
                name,
                start=number + 1,
                series={key: [value * (number + 1) for value in values] for key, values in series.items()},
                params={"a name that is longer than a column": str(number), "kind": kind},
            )
            for name, number, kind in names
        ],
    )
    return made


@pytest.fixture
def phone(page: Page) -> Iterator[Page]:
    page.set_viewport_size(TELEPHONE)
    yield page
    page.set_viewport_size(WIDE)


def test_how_charts_are_drawn_is_folded_until_somebody_asks(phone: Page, server: Home, two: str) -> None:
    phone.goto(f"{server.url}/experiments/{two}?tab=charts")
    chart = phone.locator(".chart").first
    expect(chart).to_be_visible()
    box = chart.bounding_box()
    assert box is not None
    assert box["y"] < TELEPHONE["height"] / 2
    expect(phone.get_by_label("X axis")).to_be_hidden()
    phone.get_by_role("button", name="Options").press("Enter")
    phone.get_by_label("X axis").select_option("relative")
    expect(phone.get_by_label("X axis")).to_have_value("relative")
    phone.get_by_role("button", name="Options", expanded=True).click()
    expect(phone.get_by_label("X axis")).to_be_hidden()


def test_importance_stands_in_the_width_of_a_telephone(phone: Page, server: Home, two: str) -> None:
    phone.goto(f"{server.url}/compare?experiments={two}")
    table = phone.get_by_role("group", name="Importance of params")
    expect(table.get_by_role("row")).to_have_count(3)
    assert table.evaluate("(box) => box.scrollWidth - box.clientWidth") == 0
    cells = table.locator("tbody tr").first.locator("th, td")
    assert cells.evaluate_all("(all) => all.every((cell) => cell.getBoundingClientRect().width > 20)")


def test_two_charts_fill_the_width_of_a_desk(page: Page, server: Home, two: str) -> None:
    page.goto(f"{server.url}/experiments/{two}?tab=charts")
    expect(page.get_by_label("X axis")).to_be_visible()
    expect(page.get_by_role("button", name="Options")).to_be_hidden()
    expect(page.locator(".chart")).to_have_count(2)
    last, grid = page.locator(".chart").last.bounding_box(), page.locator(".charts-grid").bounding_box()
    assert last is not None
    assert grid is not None
    assert abs(last["x"] + last["width"] - grid["x"] - grid["width"]) < 2
