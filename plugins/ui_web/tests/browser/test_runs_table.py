"""Journeys over the runs table, as a person makes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from plugins.ui_web.tests.browser.looking import query_of
from plugins.ui_web.tests.browser.making import Home, Made, experiment, keep, run

ODD_NAMES = ("<img src=x onerror=document.title='taken'>", "🍑" * 40, "ما اسم هذا النموذج", "a" * 300, "' OR 1=1 --", "=HYPERLINK(0)")


@pytest.fixture(scope="module")
def many(server: Home) -> str:
    """An experiment of 300 runs, the newest first being r299."""
    made = experiment(server, "vision/many")
    keep(server, made, [one_of_many(n) for n in range(300)])
    return made


def one_of_many(n: int) -> Made:
    loss = [(n * 7 % 300) / 300]
    return Made(f"r{n}", 1000 + n, {"loss": loss}, {"depth": str(n % 12), "optimizer": ("adam", "sgd", "lion")[n % 3]})


def open_table(page: Page, server: Home, ids: str, query: str = "") -> None:
    page.goto(f"{server.url}/experiments/{ids}{query}")
    page.wait_for_selector(".runs-name, .runs-group-name")


def names(page: Page) -> list[str]:
    """The names of the runs on screen, from the top."""
    found = page.evaluate(
        """() => [...document.querySelectorAll('.grid-body .grid-row')]
             .map((row) => [Number(row.getAttribute('aria-rowindex')), row.querySelector('.runs-name')?.textContent ?? ''])
             .sort((one, other) => one[0] - other[0]).map((one) => one[1])"""
    )
    return [str(name) for name in found]


def first_is(page: Page, name: str) -> None:
    page.wait_for_function(
        "name => document.querySelector('.grid-body .grid-row[aria-rowindex=\"2\"] .runs-name')?.textContent === name", arg=name
    )


def header(page: Page, title: str) -> Any:
    return page.get_by_role("columnheader").filter(has_text=title)


def test_a_table_of_many_runs_has_few_rows_in_the_page_and_all_in_reach(page: Page, server: Home, many: str) -> None:
    open_table(page, server, many)
    assert page.get_by_role("grid").get_attribute("aria-rowcount") == "301"
    assert page.locator(".grid-body .grid-row").count() < 60
    assert names(page)[0] == "r299"
    page.locator("[data-spot='0:1']").click()
    page.keyboard.press("Control+End")
    expect(page.locator("[data-spot^='299:']:focus")).to_have_count(1)
    expect(page.locator(".grid-row[aria-rowindex='301'] .runs-name")).to_have_text("r0")
    page.keyboard.press("Control+Home")
    page.keyboard.press("PageDown")
    page.wait_for_function("() => Number(document.activeElement.dataset.spot?.split(':')[0]) > 10")


def test_the_first_page_costs_little(browser: Browser, server: Home, many: str) -> None:
    page = browser.new_page()
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[int] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    open_table(page, server, many)
    page.wait_for_load_state("networkidle")
    assert sum(sizes) <= 150_000
    assert len(sizes) <= 16
    answer = page.request.post(f"{server.url}/api/drupe/ui/runs", data={"experiments": [many]})
    assert len(answer.body()) <= 40_000
    page.close()


def test_a_click_on_a_header_sorts_by_it_and_the_address_says_so(page: Page, server: Home, many: str) -> None:
    open_table(page, server, many)
    header(page, "loss").click()
    first_is(page, "r257")  # 257 * 7 % 300 is 299
    assert query_of(page)["order"] == "metrics.loss DESC"
    assert header(page, "loss").get_attribute("aria-sort") == "descending"
    header(page, "loss").click()
    first_is(page, "r0")
    header(page, "depth").click()
    first_is(page, "r288")
    header(page, "depth").click()
    first_is(page, "r299")  # depth 11, which as a text would come before 2
    page.reload()
    first_is(page, "r299")


def test_a_filter_is_completed_and_found_from_the_address_again(page: Page, server: Home, many: str) -> None:
    open_table(page, server, many)
    bar = page.get_by_role("combobox", name="Filter runs")
    bar.press_sequentially("opti")
    expect(page.get_by_role("option").first).to_contain_text("params.optimizer")
    bar.press("ArrowDown")
    bar.press("Enter")
    bar.press_sequentially("= ")
    expect(page.get_by_role("option")).to_have_count(3)
    bar.press_sequentially("li")
    bar.press("ArrowDown")
    bar.press("Enter")
    bar.press("Enter")
    expect(page.get_by_role("status").filter(has_text="runs")).to_have_text("100 runs")
    assert query_of(page)["filter"] == "params.optimizer = 'lion'"
    page.reload()
    first_is(page, "r299")
    assert bar.input_value() == "params.optimizer = 'lion'"


def test_a_filter_that_cannot_be_read_is_marked_where_it_is_wrong(page: Page, server: Home, many: str) -> None:
    open_table(page, server, many)
    bar = page.get_by_role("combobox", name="Filter runs")
    bar.fill("tags.a = '🍎' AND metrics.loss < 'x'")
    expect(page.locator(".runs-filter-mirror mark")).to_have_text("'x'")
    assert bar.get_attribute("aria-invalid") == "true"
    assert "filter" not in query_of(page)


def test_a_filter_of_the_address_that_cannot_be_read_is_told_with_a_way_back(page: Page, server: Home, many: str) -> None:
    page.goto(f"{server.url}/experiments/{many}?filter=metrics.loss+%3C")
    expect(page.get_by_role("heading", name="The filter cannot be read")).to_be_visible()
    page.get_by_role("button", name="Clear the filter").last.click()
    expect(page.get_by_role("grid", name="Runs")).to_be_visible()


def test_groups_show_means_and_open_to_their_members(page: Page, server: Home, many: str) -> None:
    open_table(page, server, many, "?group=params.optimizer")
    expect(page.locator(".runs-group-name")).to_have_count(3)
    row = page.locator(".runs-group").first
    expect(row).to_contain_text("±")
    page.locator("[data-spot='0:0']").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".grid-row[aria-rowindex='3'] .runs-name")).to_have_text("r299")
    assert row.get_attribute("aria-expanded") == "true"
    assert "open" in query_of(page)


def test_columns_are_chosen_moved_and_resized_by_keyboard(page: Page, server: Home, many: str) -> None:
    open_table(page, server, many)
    page.get_by_role("button", name="Columns", exact=False).first.click()
    page.get_by_role("searchbox", name="Search columns").fill("user")
    page.get_by_role("checkbox", name="User").check()
    page.get_by_role("button", name="Done").click()
    expect(header(page, "User")).to_be_visible()
    header(page, "Status").focus()
    page.keyboard.press("Alt+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_function("() => new URLSearchParams(location.search).get('w') === 'status~128'")
    assert query_of(page)["cols"].split(",")[:2] == ["start_time", "status"]
    page.keyboard.press("Alt+ArrowDown")
    page.get_by_role("menuitem", name="Hide this column").click()
    expect(header(page, "Status")).to_have_count(0)


def test_runs_are_selected_tagged_renamed_deleted_and_restored(page: Page, server: Home) -> None:
    made = experiment(server, "acts")
    for n in range(4):
        run(server, made, f"a{n}", start=n + 1)
    open_table(page, server, made)
    page.locator("[data-spot='0:0']").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowDown")
    bar = page.get_by_role("region", name="Selected runs")
    expect(bar).to_contain_text("2 runs selected")
    expect(bar.get_by_role("link", name="Compare")).to_have_attribute(
        "href", r"/compare?runs=" + "%2C".join(ids_of(server, made, "a3", "a2"))
    )
    bar.get_by_role("button", name="Tag…").click()
    page.get_by_role("textbox", name="Name").fill("verdict")
    page.get_by_role("textbox", name="Value").fill("good")
    page.get_by_role("button", name="Set").click()
    expect(bar.get_by_role("status")).to_have_text("2 runs selected")
    found = server.post("runs/search", experiment_ids=[made], filter="tags.verdict = 'good'")["runs"]
    assert sorted(one["info"]["run_name"] for one in found) == ["a2", "a3"]
    bar.get_by_role("button", name="Delete…").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    first_is(page, "a1")
    page.get_by_role("button", name="Trash").click()
    first_is(page, "a3")
    page.get_by_role("checkbox", name="Select all runs").click()
    bar.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("The trash is empty")).to_be_visible()
    page.get_by_role("button", name="Trash").click()
    first_is(page, "a3")
    page.locator("[data-spot='0:0']").focus()
    page.keyboard.press("F2")
    page.get_by_role("textbox", name="Name").fill("a3 again")
    page.get_by_role("button", name="Rename", exact=True).click()
    first_is(page, "a3 again")


def ids_of(server: Home, experiment_id: str, *wanted: str) -> list[str]:
    found = {one["info"]["run_name"]: one["info"]["run_id"] for one in server.post("runs/search", experiment_ids=[experiment_id])["runs"]}
    return [found[name] for name in wanted]


def test_pins_and_colours_are_in_the_address(page: Page, server: Home, many: str) -> None:
    open_table(page, server, many)
    page.locator("[data-spot='5:0']").focus()
    page.keyboard.press("p")
    first_is(page, "r294")
    page.locator("[data-spot='0:0']").focus()
    page.keyboard.press("h")
    page.keyboard.press("m")
    page.get_by_role("menuitemradio", name="Colour 4").click()
    pinned = query_of(page)["pin"]
    assert query_of(page)["hide"] == pinned
    assert query_of(page)["color"] == f"{pinned}:4"
    page.reload()
    first_is(page, "r294")
    expect(page.locator(".grid-row[aria-rowindex='2']")).to_have_class("grid-row runs-hidden runs-last-pinned")


def colors_in(page: Page, rows: str) -> dict[str, str]:
    """The names and the colours of runs in a list of them."""
    read = "found => Object.fromEntries(found.map(one => [one.textContent.trim(), getComputedStyle(one.querySelector('.swatch')).backgroundColor]))"
    found: dict[str, str] = page.locator(rows).evaluate_all(read)
    return found


def test_runs_have_the_colours_of_their_curves_and_keep_them_in_another_order(page: Page, server: Home) -> None:
    made = experiment(server, "colours")
    keep(server, made, [Made(f"c{n}", n + 1, {"loss": [0.5, 1 - n / 16]}) for n in range(10)])
    open_table(page, server, made)
    first_is(page, "c9")
    told = colors_in(page, ".grid-body .runs-first")
    assert (len(told), len(set(told.values()))) == (10, 10)
    page.get_by_role("tab", name="Charts").click()
    expect(page.locator(".legend .swatch")).to_have_count(10)
    assert colors_in(page, ".legend > *") == told
    page.get_by_role("tab", name="Table").click()
    header(page, "loss").click()
    first_is(page, "c0")
    assert colors_in(page, ".grid-body .runs-first") == told


def test_new_runs_come_by_themselves_and_never_move_what_is_read(page: Page, server: Home) -> None:
    made = experiment(server, "live")
    ids = keep(server, made, [Made(f"n{n}", n + 1, {"loss": [0.5]}) for n in range(120)])
    open_table(page, server, made)
    run(server, made, "newest", start=5000)
    first_is(page, "newest")
    page.locator("[data-spot='0:1']").click()
    page.keyboard.press("Control+End")
    expect(page.locator(".grid-row[aria-rowindex='122'] .runs-name")).to_have_text("n0")
    run(server, made, "later", start=6000)
    pill = page.get_by_role("button", name="1 new run")
    expect(pill).to_be_visible()
    expect(page.locator(".grid-row[aria-rowindex='122'] .runs-name")).to_have_text("n0")
    server.post("runs/log-metric", run_id=ids[0], key="loss", value=0.125, timestamp=2, step=1)
    expect(page.locator(".grid-row[aria-rowindex='122']")).to_contain_text("0.125")
    pill.click()
    first_is(page, "later")


def test_names_from_outside_stay_text(page: Page, server: Home) -> None:
    made = experiment(server, "<script>document.title='taken'</script>/🍑/اسم")
    for n, name in enumerate(ODD_NAMES):
        run(server, made, name, start=n + 1, note=name)
    open_table(page, server, made, "?group=params.note")
    assert page.locator(".runs-group-name").count() == len(ODD_NAMES)
    open_table(page, server, made)
    assert names(page) == list(reversed(ODD_NAMES))
    assert page.locator("img[src=x]").count() == 0
    assert "taken" not in page.title() or "script" in page.title()
    page.goto(f"{server.url}/")
    page.wait_for_selector(".tree-name")
    assert page.locator(".tree-body script").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_file_holds_the_whole_result(page: Page, server: Home, many: str, tmp_path: Path) -> None:
    open_table(page, server, many, "?order=metrics.loss")
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="All runs, as CSV").click()
    download.value.save_as(tmp_path / "runs.csv")
    lines = (tmp_path / "runs.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 301
    assert lines[1].split(",")[1] == "r0"


def test_what_is_not_there_is_said(page: Page, server: Home) -> None:
    page.goto(f"{server.url}/experiments/987654")
    expect(page.get_by_role("alert")).to_contain_text("987654")
    page.goto(f"{server.url}/experiments/fruit")
    expect(page.get_by_role("alert")).to_contain_text("fruit")


def test_the_table_can_be_used_on_a_telephone(page: Page, server: Home, many: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    open_table(page, server, many)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert json.loads(str(page.evaluate("JSON.stringify(document.querySelector('.grid-first').getBoundingClientRect().width)"))) < 180


def test_another_statistic_of_a_metric_is_read_when_it_is_chosen(page: Page, server: Home) -> None:
    made = experiment(server, "statistics")
    run_id = run(server, made, "s", loss=0.5)
    for step, value in enumerate((0.25, 0.75), start=1):
        server.post("runs/log-metric", run_id=run_id, key="loss", value=value, timestamp=1, step=step)
    open_table(page, server, made)
    row = page.locator(".grid-row[aria-rowindex='2']")
    expect(row).to_contain_text("0.75")
    header(page, "loss").click(button="right", delay=300)  # as long as a hand holds it
    page.get_by_role("menuitemradio", name="Lowest value").click()
    expect(header(page, "loss")).to_contain_text("metric, min")
    expect(row).to_contain_text("0.25")


def test_columns_are_moved_and_resized_with_the_mouse(page: Page, server: Home, many: str) -> None:
    open_table(page, server, many)
    box = header(page, "Status").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] - 3, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] + 57, box["y"] + 20, steps=4)
    page.mouse.up()
    wider = header(page, "Status").bounding_box()
    assert wider is not None
    assert wider["width"] == box["width"] + 60
    assert "order" not in query_of(page)
    header(page, "Duration").drag_to(header(page, "Status"))
    page.wait_for_function("() => new URLSearchParams(location.search).get('cols')?.startsWith('duration,status')")


def test_charts_draw_the_runs_of_the_table_and_come_only_when_they_are_looked_at(page: Page, server: Home, many: str) -> None:
    open_table(page, server, many)
    loaded = "performance.getEntriesByType('resource').map((entry) => entry.name).filter((name) => name.includes('charts'))"
    assert page.evaluate(loaded) == []
    page.get_by_role("tab", name="Charts").click()
    expect(page.get_by_role("group", name="The value of each run").first).to_contain_text("r299")  # each has one value
    assert query_of(page)["tab"] == "charts"
    page.get_by_role("tab", name="Table").click()
    first_is(page, "r299")


def test_a_metric_that_begins_later_gets_its_column_by_itself(page: Page, server: Home) -> None:
    made = experiment(server, "later")
    run_id = run(server, made, "only")
    open_table(page, server, made)
    expect(header(page, "late/loss")).to_have_count(0)
    server.post("runs/log-metric", run_id=run_id, key="late/loss", value=0.375, timestamp=1, step=0)
    expect(header(page, "late/loss")).to_be_visible()
    expect(page.locator(".grid-row[aria-rowindex='2']")).to_contain_text("0.375")


def test_selected_runs_move_to_an_experiment_that_is_found_by_its_name(page: Page, server: Home) -> None:
    here, there = experiment(server, "moves/draft"), experiment(server, 'moves/it\'s "final"')
    for n in range(3):
        run(server, here, f"m{n}", start=1000 + n, loss=n / 3)
    open_table(page, server, here)
    first_is(page, "m2")
    other = page.context.new_page()
    other.goto(f"{server.url}/experiments/{there}")
    for place in (0, 1):
        page.locator(".grid-body .grid-row input[type=checkbox]").nth(place).check()
    page.get_by_role("button", name="Move…").click()
    dialog = page.get_by_role("dialog", name="Move 2 runs")
    dialog.get_by_label("Search experiments").fill('s "final')
    expect(dialog.get_by_role("radio")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    first_is(page, "m0")
    first_is(other, "m2")  # a page that was open there hears of them
    assert names(other) == ["m2", "m1"]
    other.close()
