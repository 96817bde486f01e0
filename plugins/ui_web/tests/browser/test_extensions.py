"""Journeys through parts of the UI that plugins add: they are shown in their places, and what they do wrong stays there."""

from __future__ import annotations

import json
import re
import struct
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from safetensors.numpy import save

from plugins.asgi.tests.asking import started
from plugins.ui_web.tests.acme_ui import install, with_plugin
from plugins.ui_web.tests.browser.looking import WAIT_MS, beyond_the_edge, query_of
from plugins.ui_web.tests.browser.making import Home

PAGE = Path(__file__).parents[4] / "docs/how-to/write-a-viewer.md"
HOSTILE = "<img src=x onerror=\"document.title='HACKED'\">"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A server of its own, which has more plugins than that of the other journeys."""
    site = tmp_path_factory.mktemp("site")
    install(site)
    install_from_page(site)
    folder = tmp_path_factory.mktemp("served")
    served = Home(*started(["drupe", "server"], folder, env=with_plugin(site)), folder)
    yield served
    assert served.stop() == 0


def install_from_page(site: Path) -> None:
    """The files of the how-to page, and what an installer would make of its `pyproject.toml`."""
    files = dict(re.findall(r"^```\w+ title=\"viewer-confusion/([^\"]+)\"\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL))
    project = tomllib.loads(files["pyproject.toml"])["project"]
    doors = "".join(f"{name} = {module}\n" for name, module in project["entry-points"]["drupe.plugins"].items())
    files["drupe_viewer_confusion-0.1.0.dist-info/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    files["drupe_viewer_confusion-0.1.0.dist-info/entry_points.txt"] = f"[drupe.plugins]\n{doors}"
    for name, text in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)


@pytest.fixture
def run(server: Home) -> str:
    run = server.new_run(run_name="extended")
    server.post("runs/log-metric", run_id=run, key="loss", value=0.5, timestamp=1, step=1)
    return run


@pytest.fixture
def told(browser: Any) -> Iterator[Any]:
    """A page that is allowed to tell of errors: those of extensions are told in the console."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    page.thrown = []
    page.on("pageerror", lambda fault: page.thrown.append(str(fault)))
    yield page
    context.close()


def see(page: Any, server: Home, run: str, **query: str) -> None:
    page.goto(f"{server.url}/runs/{run}?" + "&".join(f"{name}={quote(text)}" for name, text in query.items()))
    page.get_by_role("tablist").wait_for()


def put(server: Home, run: str, path: str, content: bytes) -> None:
    assert server.put_file(f"0/{run}/artifacts/{path}", content).status == 200


def row(page: Any, text: str) -> list[str]:
    found = page.get_by_role("row").filter(has_text=text)
    return [*found.get_by_role("rowheader").all_inner_texts(), *found.get_by_role("cell").all_inner_texts()]


def test_the_tensors_of_a_real_file_are_told_sorted_and_filtered(page: Any, server: Home, run: str) -> None:
    tensors = {
        "layer.0.weight": np.zeros((300, 20), np.float32),
        "layer.0.bias": np.zeros(20, np.float32),
        "ids": np.zeros((2, 3, 4), np.int64),
    }
    put(server, run, "model/weights.safetensors", save(tensors, {"format": "np", "author": HOSTILE}))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.headers.get("range", "")) if "mlflow-artifacts" in request.url else None)
    see(page, server, run, tab="artifacts", path="model/weights.safetensors")
    page.get_by_role("rowheader", name="layer.0.weight").wait_for()
    assert row(page, "layer.0.weight") == ["layer.0.weight", "F32", "300 × 20", "6 000", "24 kB"]
    assert row(page, "ids") == ["ids", "I64", "2 × 3 × 4", "24", "192 B"]
    facts = page.locator(".viewer dl").first
    assert facts.locator("dd").all_inner_texts()[:3] == ["3", "6 044", "24.3 kB"]
    assert page.get_by_text(HOSTILE).is_visible()
    page.get_by_role("button", name="Size").click()
    assert page.get_by_role("rowheader").all_inner_texts() == ["layer.0.weight", "ids", "layer.0.bias"]
    assert page.get_by_role("columnheader", name="Size").get_attribute("aria-sort") == "descending"
    page.get_by_label("Filter tensors by name or type").fill("layer")
    page.get_by_role("status").get_by_text("2 of 3: 6 020 parameters, 24.1 kB").wait_for()
    page.reload()
    page.get_by_role("rowheader", name="layer.0.bias").wait_for()
    assert page.get_by_role("rowheader").all_inner_texts() == ["layer.0.weight", "layer.0.bias"]
    assert set(asked) == {"bytes=0-" + str(len(save(tensors, {"format": "np", "author": HOSTILE})) - 1)}


def test_a_file_of_ten_gigabytes_opens_by_its_header_alone(page: Any, server: Home, run: str) -> None:
    size = 10_000_000_000
    header = json.dumps({"weight": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    put(server, run, "big.safetensors", b"")
    (place,) = server.folder.rglob("big.safetensors")
    with place.open("wb") as file:  # a file with a hole takes no room
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + size)
    see(page, server, run, tab="artifacts", path="big.safetensors")
    page.get_by_role("rowheader", name="weight").wait_for()
    assert row(page, "weight") == ["weight", "U8", "10000000000", "10 000 000 000", "10 GB"]


def test_hostile_and_damaged_headers_are_told_as_text(page: Any, server: Home, run: str) -> None:
    form = {HOSTILE: {"dtype": HOSTILE, "shape": [2], "data_offsets": [0, 3]}, "__metadata__": {HOSTILE: HOSTILE}, "b": 7}
    text = json.dumps(form).encode()
    put(server, run, "odd.safetensors", struct.pack("<Q", len(text)) + text + b"123")
    put(server, run, "long.safetensors", struct.pack("<Q", 2**60) + b"{}")
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        see(page, server, run, tab="artifacts", path="odd.safetensors")
        page.get_by_role("alert").get_by_text("b: is no object with dtype, shape and data_offsets").wait_for()
        assert page.get_by_role("rowheader").inner_text() == HOSTILE
        assert page.locator("main img[src='x']").count() == 0
        assert "HACKED" not in page.title()
        assert beyond_the_edge(page) == []
    see(page, server, run, tab="artifacts", path="long.safetensors")
    page.get_by_role("alert").get_by_text("its header has 1152921504606846976 bytes, but only 2 follow").wait_for()


def test_the_viewer_that_fixes_more_is_shown_and_the_reader_may_choose_another(page: Any, server: Home, run: str) -> None:
    put(server, run, "note.txt", b"one two three")
    put(server, run, "a.json", b'{"a": 1}')
    put(server, run, "long.txt", b"x" * 1001)
    see(page, server, run, tab="artifacts", path="note.txt")
    page.get_by_text("3 words in note.txt; bytes 101,32,116").wait_for()
    choice = page.get_by_role("group", name="Viewer")
    assert choice.get_by_role("button").all_inner_texts() == ["Words", "Any file", "Built-in"]
    choice.get_by_role("button", name="Built-in").click()
    page.get_by_label("Text", exact=True).get_by_text("one two three").wait_for()
    assert query_of(page)["viewer"] == "built-in"
    page.reload()
    page.get_by_label("Text", exact=True).get_by_text("one two three").wait_for()
    page.get_by_role("tree").get_by_role("treeitem", name="a.json").click()
    page.get_by_role("group", name="JSON").wait_for()  # a viewer of any file does not come before the built-in one
    assert choice.get_by_role("button").all_inner_texts() == ["Built-in", "Any file"]
    page.get_by_role("tree").get_by_role("treeitem", name="long.txt").click()
    page.get_by_text("“Words” shows files up to 1 kB.").wait_for()


def test_the_viewer_of_the_how_to_page_shows_its_file_and_says_what_is_wrong_with_another(told: Any, server: Home, run: str) -> None:
    put(server, run, "confusion_matrix.json", json.dumps({"labels": ["cat", HOSTILE], "matrix": [[40, 2], [5, 33]]}).encode())
    put(server, run, "odd_confusion_matrix.json", b"{}")
    see(told, server, run, tab="artifacts", path="confusion_matrix.json")
    told.get_by_role("cell", name="33").wait_for()
    assert told.locator(".viewer tr").last.inner_text().split("\t") == [HOSTILE, "5", "33"]
    see(told, server, run, tab="artifacts", path="odd_confusion_matrix.json")
    told.get_by_role("alert").get_by_text(
        "“Confusion matrix” of the plugin viewer-confusion 0.1.0: odd_confusion_matrix.json has no labels and matrix"
    ).wait_for()
    told.get_by_role("group", name="Viewer").get_by_role("button", name="Built-in").click()
    told.get_by_role("group", name="JSON").wait_for()


def test_a_tab_is_told_of_changes_keeps_its_view_in_the_address_and_ends_when_it_is_left(page: Any, server: Home, run: str) -> None:
    see(page, server, run)
    page.get_by_role("tab", name="Facts", exact=True).click()
    page.get_by_text("Default, 1.23 MB, view").wait_for()
    page.get_by_text("last 0.5").wait_for()
    server.post("runs/log-metric", run_id=run, key="loss", value=0.25, timestamp=2, step=2)
    page.get_by_text("last 0.25").wait_for()
    page.get_by_role("button", name="Use the dark theme").click()
    page.get_by_text("theme dark").wait_for()
    page.get_by_role("button", name="Note it").click()
    page.reload()
    page.get_by_text("view noted").wait_for()
    page.get_by_role("tab", name="Summary").click()
    page.wait_for_function("() => document.body.dataset.left === 'yes'")


def test_a_chart_and_a_panel_stand_in_their_places(page: Any, server: Home, run: str) -> None:
    page.goto(f"{server.url}/compare?runs={run}&tab=charts")
    page.get_by_role("button", name="Last values").click()
    page.get_by_text("drawn: extended #").wait_for()
    server.post("registered-models/create", name="gated")
    server.post("model-versions/create", name="gated", source=f"runs:/{run}/model", run_id=run)
    page.goto(f"{server.url}/models/gated/1")
    page.get_by_text("gates of gated 1").wait_for()
    assert page.get_by_role("heading", name="Gates").is_visible()


def test_what_throws_is_named_in_its_place_and_tried_again(told: Any, server: Home, run: str) -> None:
    see(told, server, run, tab="x-THROWS")
    told.get_by_role("alert").get_by_text("“Throws” of the plugin acme-ui 1.5: no luck").wait_for()
    assert told.get_by_text("half").count() == 0
    told.evaluate("globalThis.mended = true")
    told.get_by_role("button", name="Try again").click()
    told.get_by_text("half done").wait_for()
    told.get_by_role("tab", name="Summary").click()
    told.get_by_role("row").filter(has_text="loss").wait_for()
    assert told.thrown == []


@pytest.mark.parametrize(
    ("tab", "words"),
    [
        ("OTHER_API", "“Other API” of the plugin acme-ui 1.5: it was written for version 2 of the host API, and this UI has version 1"),
        ("NO_MOUNT", "“No mount” of the plugin acme-ui 1.5: its module exports no function `mount`"),
        ("NO_SYNTAX", "“No syntax” of the plugin acme-ui 1.5: Unexpected token"),
    ],
)
def test_a_module_that_cannot_be_used_says_why(told: Any, server: Home, run: str, tab: str, words: str) -> None:
    see(told, server, run, tab=f"x-{tab}")
    told.get_by_role("alert").get_by_text(words).wait_for()
    assert told.get_by_role("heading", name="extended").is_visible()
    assert told.thrown == []


def test_what_is_thrown_later_is_told_above_the_part_and_the_page_goes_on(told: Any, server: Home, run: str) -> None:
    see(told, server, run, tab="x-LATER")
    for button, words in (("In a listener", "thrown in a listener"), ("In a promise", "thrown in a promise")):
        told.get_by_role("button", name=button).click()
        told.get_by_role("alert").get_by_text(f"“Throws later” of the plugin acme-ui 1.5: {words}").wait_for()
        assert told.get_by_role("button", name=button).is_visible()
    told.get_by_role("button", name="Use the dark theme").click()
    told.get_by_role("alert").get_by_text("thrown in the dark").wait_for()
    told.get_by_role("tab", name="Charts").click()  # its end throws, too
    told.get_by_role("heading", name="extended").wait_for()
    told.get_by_role("tab", name="Charts", selected=True).wait_for()
    assert told.thrown == []


def test_one_that_never_answers_is_waited_for_and_named_after_a_while(told: Any, server: Home, run: str) -> None:
    told.clock.install()
    see(told, server, run, tab="x-ENDLESS")
    told.get_by_text("Loading Endless").wait_for(state="attached")
    told.clock.fast_forward(9000)
    told.get_by_role("alert").get_by_text(
        "“Endless” of the plugin acme-ui 1.5: it has not answered for 8 s, and is still waited for"
    ).wait_for()
    told.get_by_role("tab", name="Summary").click()
    told.get_by_role("row").filter(has_text="loss").wait_for()


def test_a_module_is_loaded_when_its_part_is_opened_and_not_before(page: Any, server: Home, run: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/extensions/" in request.url else None)
    see(page, server, run)
    page.get_by_role("tab", name="Facts", exact=True).wait_for()
    assert asked == []
    page.get_by_role("tab", name="Facts", exact=True).click()
    page.get_by_text("last 0.5").wait_for()
    assert [url.rpartition("/")[2] for url in asked] == ["facts.js", "line.js"]
