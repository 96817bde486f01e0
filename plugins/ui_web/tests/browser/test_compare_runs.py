"""Journeys over charts and comparisons, as a person makes them."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from plugins.ui_web.tests.browser.conftest import Shoot
from plugins.ui_web.tests.browser.looking import query_of
from plugins.ui_web.tests.browser.making import Home, Made, experiment, keep, run

CURVES = 20
POINTS = 100_000
SPIKE = 61_803


@pytest.fixture(scope="session")
def curves(server: Home) -> tuple[str, list[str]]:
    """An experiment of twenty runs with long curves; the last has one spike."""
    made = experiment(server, "curves")
    falling = [1 / (1 + step / 100) for step in range(POINTS)]
    runs = []
    for n in range(CURVES):
        values = [value + n for value in falling]
        if n == CURVES - 1:
            values[SPIKE] = 50.0
        runs.append(Made(f"curve-{n}", series={"loss": values}, params={"depth": str(2 * n), "optimizer": "adam" if n < 10 else "sgd"}))
    return made, keep(server, made, runs)


def test_a_spike_of_one_point_among_twenty_long_curves_is_seen_and_looked_at_closely(
    page: Page, server: Home, curves: tuple[str, list[str]], shoot: Shoot
) -> None:
    page.goto(f"{server.url}/compare?runs={','.join(curves[1])}&tab=charts&size=large&most=20")
    plot = page.get_by_role("img", name="loss of 20 runs")
    expect(plot).to_have_accessible_name(_has("to 50"))
    shoot(page, "compare-curves")
    box = plot.bounding_box()
    assert box is not None
    within = box["width"] - 60, box["x"] + 52  # the plot without its axis and edge
    for at in (0.59, 0.65):
        page.mouse.move(within[1] + at * within[0], box["y"] + box["height"] / 2, steps=3)
        page.mouse.down() if at < 0.6 else page.mouse.up()
    page.wait_for_function("() => new URLSearchParams(location.search).has('zoom')")
    low, high = (float(part) for part in query_of(page)["zoom"].split("~")[1:])
    assert 50_000 < low < SPIKE < high < 75_000
    expect(plot).to_have_accessible_name(_has("to 50"))
    shoot(page, "compare-curves-zoomed")
    page.get_by_role("button", name="Show all").click()
    page.wait_for_function("() => !new URLSearchParams(location.search).has('zoom')")
    plot.focus()
    for key in ("+", "+", "+", "+", "ArrowRight"):
        page.keyboard.press(key)
    expect(plot).to_have_accessible_name(_has("from "))
    low, high = (float(part) for part in query_of(page)["zoom"].split("~")[1:])
    assert 0 < low < high < POINTS


def test_the_table_of_a_zoomed_chart_tells_the_spike_and_each_step(page: Page, server: Home, curves: tuple[str, list[str]]) -> None:
    page.goto(f"{server.url}/compare?runs={','.join(curves[1])}&tab=charts&zoom=loss~{SPIKE - 40}~{SPIKE + 40}&twin=loss")
    row = page.get_by_role("row", name="curve-19")
    expect(row.get_by_role("cell").nth(2)).to_have_text("50")
    expect(row.get_by_role("cell").nth(3)).to_have_text(str(SPIKE + 40))
    page.get_by_role("button", name="Show all").click()
    expect(row.get_by_role("cell").nth(3)).to_have_text(str(POINTS - 1))
    assert "zoom" not in query_of(page)


def test_a_point_that_is_logged_stands_in_the_chart_soon(page: Page, server: Home, curves: tuple[str, list[str]]) -> None:
    living = run(server, curves[0], "living", loss=1.0)
    server.post("runs/log-metric", run_id=living, key="loss", value=2.0, timestamp=2, step=1)
    page.goto(f"{server.url}/runs/{living}?tab=charts&twin=loss")
    last = page.locator(".chart-twin td").last
    expect(last).to_have_text("1")
    server.post("runs/log-metric", run_id=living, key="loss", value=3.0, timestamp=5, step=77)
    expect(last).to_have_text("77")


def test_runs_side_by_side_can_be_cut_to_what_differs(page: Page, server: Home, curves: tuple[str, list[str]]) -> None:
    page.goto(f"{server.url}/compare?runs={','.join(curves[1][:2])}")
    grid = page.get_by_role("grid", name="Runs side by side")
    expect(grid.get_by_role("rowheader", name="optimizer")).to_be_visible()
    page.get_by_label("Differences only").check()
    expect(grid.get_by_role("rowheader", name="optimizer")).to_have_count(0)
    expect(grid.get_by_role("rowheader", name="depth")).to_be_visible()
    assert query_of(page)["same"] == "no"


def test_compared_and_related_runs_lead_back_to_their_experiment(page: Page, server: Home, curves: tuple[str, list[str]]) -> None:
    page.goto(f"{server.url}/compare?runs={','.join(curves[1][:2])}")
    origin = page.get_by_role("navigation", name="Where these runs belong").get_by_role("link", name="curves")
    expect(origin).to_have_attribute("href", f"/experiments/{curves[0]}")
    page.goto(f"{server.url}/compare?experiments={curves[0]}&filter=params.depth+%3E+'3'")
    origin.click()
    expect(page.get_by_role("heading", level=1, name="curves")).to_be_visible()
    assert query_of(page) == {"filter": "params.depth > '3'"}


def test_a_part_of_an_axis_is_chosen_by_keys_and_the_table_twin_shows_those_runs(
    page: Page, server: Home, curves: tuple[str, list[str]]
) -> None:
    page.goto(f"{server.url}/compare?runs={','.join(curves[1])}&tab=relations")
    axis = page.get_by_role("slider", name="Part of depth")
    axis.focus()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_text("10 of 20 runs chosen.")).to_be_visible()
    page.get_by_role("button", name="Parallel coordinates as a table").click()
    expect(page.get_by_role("group", name="Values of the runs").get_by_role("link")).to_have_count(10)


def test_a_view_of_charts_is_kept_with_the_experiment_and_found_again(page: Page, server: Home, curves: tuple[str, list[str]]) -> None:
    page.goto(f"{server.url}/experiments/{curves[0]}?tab=charts&log=y")
    page.get_by_role("button", name="Views").click()
    page.get_by_role("menuitem", name="Keep this view…").click()
    page.get_by_label("Name", exact=True).fill("by <b>log</b>")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("<b>log</b>")
    page.get_by_label("Name", exact=True).fill("by log")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.get_by_role("button", name="Views 1")).to_be_visible()
    page.goto(f"{server.url}/experiments/{curves[0]}?tab=charts")
    page.get_by_role("button", name="Views 1").click()
    page.get_by_role("menuitemradio", name="by log").click()
    expect(page.get_by_role("button", name="log y")).to_have_attribute("aria-pressed", "true")


def _has(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text))
