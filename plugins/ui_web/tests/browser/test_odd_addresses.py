"""Addresses that are broken, and addresses of very many experiments."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from playwright.sync_api import Page, expect

from plugins.ui_web.tests.browser.looking import query_of
from plugins.ui_web.tests.browser.making import Home, Made, experiment, keep

MANY = 1000


def test_an_address_that_is_no_text_says_that_there_is_no_page(page: Page, server: Home) -> None:
    page.goto(f"{server.url}/runs/%E0%A4%A")
    expect(page.get_by_role("heading", name="There is no page at this address")).to_be_visible()
    page.get_by_role("link", name="All experiments").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Experiments")


def test_the_runs_of_a_thousand_experiments_are_opened_changed_copied_and_exported(page: Page, server: Home) -> None:
    made = [experiment(server, f"thousand/{number:04}") for number in range(MANY)]
    for number in (0, MANY - 1):
        keep(server, made[number], [Made(f"run {number}", start=number + 1, series={"loss": [number / 8]}, params={"depth": str(number)})])
    page.goto(f"{server.url}/?search=thousand")
    page.wait_for_selector(".tree-name")
    page.get_by_role("row", name="thousand").first.get_by_role("link").click()
    expect(page.locator(".runs-name")).to_have_text([f"run {MANY - 1}", "run 0"])
    expect(page.get_by_role("heading", level=1)).to_have_text("thousand/0000, thousand/0001, thousand/0002 and 997 more")
    assert len(page.url.partition("#")[0]) < 100
    page.get_by_role("columnheader").filter(has_text="Run").first.click()
    expect(page.locator(".runs-name")).to_have_text(["run 0", f"run {MANY - 1}"])
    assert query_of(page) == {"order": "run_name"}
    page.goto(page.url)  # as somebody else who got this address
    page.reload()
    expect(page.locator(".runs-name")).to_have_text(["run 0", f"run {MANY - 1}"])
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as coming:
        page.get_by_role("menuitem", name="CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(coming.value.path()).read_text())))
    assert [row["run_name"] for row in rows] == ["run 0", f"run {MANY - 1}"]
    page.get_by_role("tab", name="Charts").click()
    expect(page.get_by_role("tabpanel", name="Charts")).to_be_visible()
    page.get_by_role("link", name="Relations").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Relations of runs")
    expect(page.get_by_text("2 runs.")).to_be_visible()
    assert len(page.url.partition("#")[0]) < 100
    expect(page.get_by_role("link", name="and 995 more")).to_be_visible()
    page.go_back()
    page.go_back()
    expect(page.get_by_role("tabpanel", name="Table")).to_be_visible()
    expect(page.locator(".runs-name")).to_have_text(["run 0", f"run {MANY - 1}"])


def test_more_experiments_than_one_table_takes_are_said_to_be_too_many(page: Page, server: Home) -> None:
    page.goto(f"{server.url}/experiments/chosen#{','.join(map(str, range(10_001)))}")
    expect(page.get_by_role("heading", name="These are too many experiments to be shown together")).to_be_visible()
