"""The journey of a version: found in the list of models, compared with another, described, given an alias and a stage, deleted."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from plugins.ui_web.tests.browser.looking import settle
from plugins.ui_web.tests.browser.making import Home

MLMODEL = """\
flavors:
  sklearn:
    sklearn_version: {release}
model_uuid: 0123456789abcdef0123456789abcdef
run_id: {run}
utc_time_created: '2026-11-27 02:57:00.000000'
"""


@pytest.fixture
def model(server: Home) -> str:
    name = f"churn {uuid4().hex[:6]}"
    server.post("registered-models/create", name=name)
    for release, depth in (("1.8.0", "3"), ("1.9.1", "4")):
        run = server.new_run()
        server.post("runs/log-parameter", run_id=run, key="depth", value=depth)
        server.put_file(f"0/{run}/artifacts/model/MLmodel", MLMODEL.format(release=release, run=run).encode())
        server.post("model-versions/create", name=name, source=f"runs:/{run}/model", run_id=run)
    return name


def test_a_model_is_found_by_a_part_of_its_name(page: Any, server: Home, model: str) -> None:
    page.goto(f"{server.url}/models")
    page.get_by_role("searchbox").fill(model[2:].upper())
    page.get_by_role("link", name=model).click()
    page.get_by_role("heading", name=model).wait_for()
    assert page.get_by_role("rowheader").all_inner_texts() == ["2", "1"]


def test_two_versions_are_compared_with_what_differs_marked(page: Any, server: Home, model: str) -> None:
    page.goto(f"{server.url}/models/{model}")
    page.get_by_label("Compare version 1").check()
    page.get_by_label("Compare version 2").check()
    page.get_by_role("link", name="Compare 1 with 2").click()
    row = page.get_by_role("row").filter(has_text="depth")
    row.wait_for()
    assert row.get_by_role("cell").all_inner_texts() == ["≠", "3", "4"]
    page.get_by_label("Only what differs").check()
    assert "same=no" in page.url


def test_a_version_is_described_and_promoted(page: Any, server: Home, model: str) -> None:
    page.goto(f"{server.url}/models/{model}/2")
    page.get_by_role("button", name="Edit: Description").click()
    page.get_by_label("Description, in markdown").fill("Trained on *all*.")
    page.get_by_role("button", name="Save").click()
    page.locator("em", has_text="all").wait_for()
    page.get_by_role("button", name="Add alias").click()
    page.get_by_label("Alias", exact=True).fill("champion")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Remove @champion").wait_for()
    page.get_by_label("Stage").select_option("Production")
    page.get_by_role("dialog").get_by_role("button", name="Move to Production").click()
    page.get_by_role("dialog").wait_for(state="detached")
    page.wait_for_function("() => document.querySelector('.actions select').value === 'Production'")
    told = server.get("model-versions/get", name=model, version="2")["model_version"]
    assert (told["description"], told["current_stage"], told["aliases"]) == ("Trained on *all*.", "Production", ["champion"])


def test_deleting_a_version_names_what_goes(page: Any, server: Home, model: str) -> None:
    page.goto(f"{server.url}/models/{model}/1")
    page.get_by_role("button", name="Delete", exact=True).click()
    dialog = page.get_by_role("dialog")
    assert model in dialog.inner_text()
    dialog.get_by_role("button", name="Delete the version").click()
    page.get_by_role("heading", name=model).wait_for()
    assert server.call("GET", "model-versions/get", {"name": model, "version": "1"}).status == 404


def test_deleting_a_model_leads_back_to_the_list(page: Any, server: Home, model: str) -> None:
    page.goto(f"{server.url}/models/{model}")
    page.get_by_role("button", name="Delete", exact=True).click()
    dialog = page.get_by_role("dialog")
    assert "2 versions" in dialog.inner_text()
    dialog.get_by_role("button", name="Delete the model").click()
    page.get_by_role("heading", name="Models").wait_for()
    assert server.call("GET", "registered-models/get", {"name": model}).status == 404


def test_plugins_and_system_are_shown(page: Any, server: Home) -> None:
    page.goto(f"{server.url}/plugins")
    page.get_by_role("heading", name="ui-web").wait_for()
    page.get_by_role("searchbox").fill("store-sqlite")
    page.get_by_role("heading", name="ui-web").wait_for(state="detached")
    page.goto(f"{server.url}/system")
    page.get_by_text("SqliteTrackingStore").wait_for()


def test_long_and_hostile_texts_stay_texts_in_their_place(page: Any, server: Home) -> None:
    hostile = '<img src=x onerror="window.hacked=1"> שלום 🍒 ' + "long" * 60
    name = "m" * 180 + uuid4().hex[:6]
    server.post("registered-models/create", name=name, description=hostile, tags=[{"key": "t" * 100, "value": hostile}])
    run = server.new_run(run_name=hostile[:200])
    server.post("runs/log-parameter", run_id=run, key="p" * 200, value=hostile)
    server.post("model-versions/create", name=name, source=f"runs:/{run}/model", run_id=run, description=hostile)
    server.post("registered-models/alias", name=name, alias="a" * 200, version="1")
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        for path in (
            f"models?search={name}",
            f"models/{name}",
            f"models/{name}/1",
            f"models/{name}/1?tab=lineage",
            f"models/{name}/1?tab=compare",
        ):
            page.goto(f"{server.url}/{path}")
            page.get_by_role("heading").first.wait_for()
            settle(page)
            assert page.evaluate("window.hacked") is None
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
