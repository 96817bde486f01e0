"""The journey into one run: what it measured, its note and tags, its files one by one, its log, and the trash."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image

from plugins.ui_web.tests.browser.looking import settle
from plugins.ui_web.tests.browser.making import Home

HOSTILE = "<img src=x onerror=\"document.title='HACKED'\"> שלום 🍒 " + "long" * 60


@pytest.fixture
def run(server: Home) -> str:
    run = server.new_run(run_name="looked at")
    for step, value in enumerate([3.0, 1.0, 2.0]):
        server.post("runs/log-metric", run_id=run, key="val/loss", value=value, timestamp=step, step=step)
    server.post("runs/log-parameter", run_id=run, key="depth", value="3")
    server.post("runs/set-tag", run_id=run, key="team", value="vision")
    return run


def put(server: Home, run: str, path: str, content: bytes) -> None:
    assert server.put_file(f"0/{run}/artifacts/{path}", content).status == 200


def see(page: Any, server: Home, run: str, **query: str) -> None:
    page.goto(f"{server.url}/runs/{run}?" + "&".join(f"{name}={quote(text)}" for name, text in query.items()))
    page.get_by_role("tablist").wait_for()


def test_the_summary_tells_last_min_max_and_first(page: Any, server: Home, run: str) -> None:
    see(page, server, run)
    row = page.get_by_role("row").filter(has_text="val/loss")
    assert row.get_by_role("cell").all_inner_texts() == ["2", "1", "3", "3", "2", "3"]
    assert page.get_by_role("heading", name="looked at").is_visible()


def test_the_chosen_tab_and_section_are_in_sight_on_a_telephone(page: Any, server: Home, run: str) -> None:
    page.set_viewport_size({"width": 320, "height": 740})
    see(page, server, run, tab="lineage")
    inside = "(one) => { const { left, right } = one.getBoundingClientRect(); return 0 <= left && right <= innerWidth; }"
    assert page.get_by_role("tab", name="Lineage").evaluate(inside)
    page.get_by_role("tab", name="Lineage").focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("tab", name="Summary").evaluate(inside)
    page.goto(f"{server.url}/system")
    settle(page)
    assert page.get_by_role("link", name="System").evaluate(inside)


def test_name_note_and_tags_are_changed_where_they_stand(page: Any, server: Home, run: str) -> None:
    see(page, server, run)
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("Name", exact=True).fill("another name")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="another name").wait_for()
    page.get_by_role("button", name="Edit: Note").click()
    page.get_by_label("Note, in markdown").fill("# Found\n\nIt is **good**.")
    page.keyboard.press("Control+Enter")
    page.get_by_role("heading", name="Found").wait_for()
    page.get_by_role("button", name="Add tag").click()
    page.get_by_label("Name of the tag").fill("state")
    page.get_by_label("Value of the tag").fill("kept")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Remove tag state").wait_for()
    page.get_by_role("button", name="Remove tag team").click()
    page.get_by_text("vision").wait_for(state="detached")
    told = server.get("runs/get", run_id=run)["run"]
    tags = {tag["key"]: tag["value"] for tag in told["data"]["tags"]}
    assert told["info"]["run_name"] == "another name"
    assert (tags["state"], tags["mlflow.note.content"], tags.get("team")) == ("kept", "# Found\n\nIt is **good**.", None)


def test_a_deleted_run_says_so_and_comes_back(page: Any, server: Home, run: str) -> None:
    see(page, server, run)
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Delete the run").click()
    page.get_by_text("This run is in the trash").wait_for()
    assert server.get("runs/get", run_id=run)["run"]["info"]["lifecycle_stage"] == "deleted"
    page.get_by_role("button", name="Restore").click()
    page.get_by_text("This run is in the trash").wait_for(state="detached")
    assert server.get("runs/get", run_id=run)["run"]["info"]["lifecycle_stage"] == "active"


def test_files_are_walked_by_keyboard_and_shown_by_their_kind(page: Any, server: Home, run: str) -> None:
    put(server, run, "config/a.json", json.dumps({"model": {"layers": [1, 2]}}).encode())
    put(server, run, "table.csv", b"id,score\n" + b"".join(b"%d,%d.5\n" % (n, n) for n in range(120)))
    see(page, server, run, tab="artifacts")
    tree = page.get_by_role("tree")
    tree.get_by_role("treeitem", name="config").focus()
    page.keyboard.press("ArrowRight")
    tree.get_by_role("treeitem", name="a.json").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("group", name="JSON").get_by_text("layers").wait_for()
    assert "path=config%2Fa.json" in page.url
    tree.get_by_role("treeitem", name="table.csv").click()
    page.get_by_text("Rows 1–50").wait_for()
    page.get_by_role("button", name="Next").click()
    page.get_by_text("Rows 51–100").wait_for()
    assert "row=50" in page.url
    page.reload()
    page.get_by_text("Rows 51–100").wait_for()


def test_a_page_among_the_files_reaches_nothing_of_the_server(page: Any, server: Home, run: str) -> None:
    script = "try { parent.document.title = 'HACKED' } catch { document.body.append('kept apart') }"
    put(server, run, "plot.html", f"<body><script>{script}</script></body>".encode())
    see(page, server, run, tab="artifacts", path="plot.html")
    page.frame_locator("iframe").get_by_text("kept apart").wait_for()
    assert page.locator("iframe").get_attribute("sandbox") == "allow-scripts"
    assert "HACKED" not in page.title()


def test_pictures_over_steps_move_with_a_slider(page: Any, server: Home, run: str, tmp_path: Any) -> None:
    for step in (0, 10, 20):
        file = tmp_path / "picture.png"
        Image.new("RGB", (20 + step, 20), (step * 5, 0, 0)).save(file)
        put(server, run, f"images/masks+step+{step}+timestamp+{step}+11b4a110-8ebd-4bf7-a02b-d319d865cd9e.png", file.read_bytes())
    see(page, server, run, tab="artifacts", path="images")
    picture = page.get_by_role("img", name="masks at step 20")
    picture.wait_for()
    page.get_by_role("slider").focus()
    page.keyboard.press("Home")
    page.get_by_role("img", name="masks at step 0").wait_for()
    assert "step=0" in page.url
    page.wait_for_function("() => document.querySelector('.picture-ground img').naturalWidth === 20")


def test_the_log_is_followed_while_it_grows(page: Any, server: Home, run: str) -> None:
    put(server, run, "logs/console.0001.log", b"2026-11-26T14:03:00.123Z stdout F epoch 1\n")
    see(page, server, run, tab="log")
    page.get_by_text("epoch 1").wait_for()
    put(
        server,
        run,
        "logs/console.0001.log",
        b"2026-11-26T14:03:00.123Z stdout F epoch 1\n2026-11-26T14:03:01.123Z stderr F \x1b[31mepoch 2\x1b[0m\n",
    )
    page.get_by_text("epoch 2").wait_for()
    assert page.locator(".ink-red").inner_text() == "epoch 2"


def test_hostile_texts_stay_texts_on_every_tab(page: Any, server: Home) -> None:
    run = server.new_run(run_name=HOSTILE[:200])
    server.post("runs/log-parameter", run_id=run, key="param", value=HOSTILE)
    server.post("runs/set-tag", run_id=run, key="mlflow.note.content", value=HOSTILE)
    server.post("runs/set-tag", run_id=run, key="tag", value=HOSTILE)
    put(server, run, "a <b>bold<b>.txt", HOSTILE.encode())
    put(server, run, "logs/console.0001.log", f"2026-11-26T14:03:00.123Z stdout F {HOSTILE}\n".encode())
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        for tab in ("summary", "artifacts", "log", "code", "system", "lineage"):
            see(page, server, run, tab=tab, path="a <b>bold<b>.txt")
            settle(page)
            assert page.evaluate("window.hacked") is None
            assert page.locator("main img[src='x']").count() == 0
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_run_that_is_not_there_is_told(page: Any, server: Home) -> None:
    page.goto(f"{server.url}/runs/{'0' * 32}")
    page.get_by_role("alert").get_by_text("Not found").wait_for()


def test_what_is_logged_is_on_the_page_without_loading_it_again(page: Any, server: Home, run: str) -> None:
    see(page, server, run)
    server.post("runs/log-metric", run_id=run, key="val/loss", value=0.25, timestamp=9, step=9)
    page.get_by_role("row").filter(has_text="val/loss").get_by_role("cell", name="0.25").first.wait_for()
    server.post("runs/update", run_id=run, status="FINISHED", end_time=9)
    page.get_by_text("Finished", exact=True).wait_for()
