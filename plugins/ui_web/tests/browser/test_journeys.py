"""What people come for, each from the first look to the answer: the best of a thousand runs, what tells of a metric, a training that goes on,
a model that is promoted.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from plugins.ui_web.tests.browser.conftest import Shoot
from plugins.ui_web.tests.browser.looking import query_of
from plugins.ui_web.tests.browser.making import Home, Made, experiment, keep

RUNS = 1000
ENDED_S = 60.0
TRAINING = """\
import sys
import drupe

drupe.set_tracking_uri(sys.argv[1])
drupe.set_experiment("trained elsewhere")
with drupe.start_run(run_name="training") as run:
    print(run.info.run_id, flush=True)
    for step in map(int, sys.stdin):
        drupe.log_metric("loss", 1 / (1 + step), step=step)
"""


def tried(n: int) -> Made:
    """A run whose loss is least where the learning rate is 0.01, whatever the depth."""
    chance = Random(n)
    power, depth = chance.uniform(-4, 0), chance.randint(1, 9)
    loss = (power + 2) ** 2 + chance.uniform(0, 0.05)
    params = {"lr": f"{10**power:.3g}", "depth": str(depth), "optimizer": chance.choice(("adam", "sgd"))}
    return Made(f"try-{n}", 1000 + n, {"loss": [loss + 1, loss]}, params)


@pytest.fixture(scope="session")
def thousand(server: Home) -> tuple[str, list[Made]]:
    made, runs = experiment(server, "search/learning-rates"), [tried(n) for n in range(RUNS)]
    keep(server, made, runs)
    return made, runs


def test_the_best_of_a_thousand_runs_is_found_and_opened(page: Page, server: Home, thousand: tuple[str, list[Made]], shoot: Shoot) -> None:
    _, runs = thousand
    wanted = [run for run in runs if run.params["optimizer"] == "adam" and int(run.params["depth"]) < 4]
    best = min(wanted, key=lambda run: run.series["loss"][-1])
    page.goto(f"{server.url}/")
    page.get_by_role("link", name="learning-rates").click()
    loss = page.get_by_role("columnheader").filter(has_text="loss")
    loss.click()
    loss.click()
    expect(loss).to_have_attribute("aria-sort", "ascending")
    bar = page.get_by_role("combobox", name="Filter runs")
    bar.fill("params.optimizer = 'adam' AND params.depth IN ('1', '2', '3')")
    bar.press("Enter")
    expect(page.get_by_role("status").filter(has_text="runs")).to_have_text(f"{len(wanted)} runs")
    first = page.locator(".grid-row[aria-rowindex='2'] .runs-name")
    expect(first).to_have_text(best.name)
    shoot(page, "best-of-a-thousand")
    first.click()
    expect(page.get_by_role("heading", level=1, name=best.name)).to_be_visible()
    assert page.url.startswith(f"{server.url}/runs/{best.run_id}")
    page.go_back()
    expect(first).to_have_text(best.name)
    assert query_of(page)["order"] == "metrics.loss"


def test_which_param_tells_of_a_metric_is_seen_and_its_best_part_chosen(
    page: Page, server: Home, thousand: tuple[str, list[Made]], shoot: Shoot
) -> None:
    page.goto(f"{server.url}/compare?experiments={thousand[0]}&tab=relations&px=params.lr&py=metrics.loss")
    weights = page.get_by_role("group", name="Importance of params").get_by_role("rowheader")
    expect(weights.first).to_have_text("lr")
    scatter = page.get_by_role("img", name="runs: loss over lr")
    expect(scatter).to_have_accessible_name(re.compile(f"^{RUNS} runs"))
    axis = page.get_by_role("slider", name="Part of loss")
    axis.scroll_into_view_if_needed()
    box = axis.bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2
    page.mouse.move(middle, box["y"] + box["height"] - 1)
    page.mouse.down()
    page.mouse.move(middle, box["y"] + 0.6 * box["height"], steps=3)
    page.mouse.up()
    expect(page.get_by_text(re.compile(rf"^\d+ of 1[, ]?{RUNS % 1000:03d} runs chosen"))).to_be_visible()
    expect(scatter).not_to_have_accessible_name(re.compile(f"^{RUNS} runs"))
    page.get_by_label("Contour").check()
    expect(scatter).to_have_accessible_name(re.compile("with its contour$"))
    shoot(page, "relations")
    page.get_by_role("button", name="Scatter as a table").click()
    rates = page.get_by_role("group", name="Values of the runs").get_by_role("row")
    chosen = {run.run_id: run for run in thousand[1]}
    for link in page.get_by_role("group", name="Values of the runs").get_by_role("link").all()[:5]:
        told = chosen[str(link.get_attribute("href")).rsplit("/", 1)[-1]]
        assert 0.0001 < float(told.params["lr"]) < 1
    expect(rates.nth(1)).to_be_visible()


def test_a_training_in_another_process_is_watched_as_it_goes(page: Page, server: Home, tmp_path: Path) -> None:
    environ = {name: text for name, text in os.environ.items() if not name.startswith(("DRUPE_", "MLFLOW_"))}
    with subprocess.Popen(
        [sys.executable, "-c", TRAINING, server.url], cwd=tmp_path, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as training:
        assert training.stdin is not None
        assert training.stdout is not None
        run_id = training.stdout.readline().strip()
        page.goto(f"{server.url}/runs/{run_id}")
        expect(page.get_by_text("Running", exact=True)).to_be_visible()
        row = page.get_by_role("row").filter(has_text="loss")
        for step, told in ((0, "1"), (1, "0.5"), (3, "0.25")):
            training.stdin.write(f"{step}\n")
            training.stdin.flush()
            expect(row.get_by_role("cell").first).to_have_text(told)
        training.stdin.close()
        expect(page.get_by_text("Finished", exact=True)).to_be_visible()
        assert training.wait(ENDED_S) == 0


def test_a_model_of_a_run_is_registered_and_promoted_from_the_page_of_the_run(page: Page, server: Home, shoot: Shoot) -> None:
    name, run = f"reader {uuid4().hex[:6]}", server.new_run(run_name="maker of the reader")
    made = server.post("logged-models", experiment_id="0", name="model", source_run_id=run)["model"]["info"]["model_id"]
    page.goto(f"{server.url}/runs/{run}")
    page.get_by_role("link", name="model", exact=True).click()
    page.get_by_role("button", name="Register").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    shoot(page, "register")
    dialog.get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", level=1, name="Version 1")).to_be_visible()
    page.get_by_role("button", name="Add alias").click()
    page.get_by_label("Alias", exact=True).fill("champion")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Remove @champion")).to_be_visible()
    page.get_by_label("Stage").select_option("Production")
    page.get_by_role("dialog").get_by_role("button", name="Move to Production").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    shoot(page, "version")
    page.get_by_role("navigation", name="Where this version belongs").get_by_role("link", name=name).click()
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="1"))
    expect(row).to_contain_text("champion")
    expect(row).to_contain_text("Production")
    told = server.get("model-versions/get", name=name, version="1")["model_version"]
    assert (told["current_stage"], told["aliases"], told["run_id"], told["source"]) == ("Production", ["champion"], run, f"models:/{made}")


def test_a_registered_model_gets_another_version(page: Page, server: Home) -> None:
    name, run = f"reader {uuid4().hex[:6]}", server.new_run()
    for number in (1, 2):
        made = server.post("logged-models", experiment_id="0", name="model", source_run_id=run)["model"]["info"]["model_id"]
        page.goto(f"{server.url}/logged-models/{made}")
        page.get_by_role("button", name="Register").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Name").fill(name)
        if number == 2:
            expect(dialog).to_contain_text("another version")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1, name=f"Version {number}")).to_be_visible()
