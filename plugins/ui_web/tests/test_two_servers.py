"""Two servers over one store, as far as that goes: of one file there is one server alone; a second one shows the first one's store, and what
is made and changed on either side is seen on the other. A program may write into the file past both.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from drupe import MlflowClient
from plugins.asgi.tests.asking import started
from plugins.server_rest.tests.served import Served, start

from .conftest import Ui

Sides = tuple[Ui, Ui]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the store."""
    return f"sqlite:///{tmp_path_factory.mktemp('first')}/runs.db"


@pytest.fixture(scope="module")
def first(file: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    served = start(tmp_path_factory.mktemp("served"), "--store", file)
    yield Ui(served)
    assert served.stop() == 0


@pytest.fixture(scope="module")
def second(first: Ui, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    """`drupe ui` on the address of the first."""
    served = Served(*started(["drupe", "ui", "--no-browser", "--store", first.server.url], tmp_path_factory.mktemp("second")))
    yield Ui(served)
    assert served.stop() == 0


@pytest.fixture(params=["to the second", "to the first"])
def sides(request: pytest.FixtureRequest, first: Ui, second: Ui) -> Sides:
    """The side that writes and the one that looks."""
    return (first, second) if request.param == "to the second" else (second, first)


@pytest.fixture
def experiment(sides: Sides, request: pytest.FixtureRequest) -> str:
    """A new experiment, made by the side that writes."""
    return str(sides[0].server.post("experiments/create", name=f"made for {request.node.name}")["experiment_id"])


@pytest.fixture
def heard(first: Ui) -> Iterator[Callable[[], Any]]:
    """The next change that the first server tells its pages of."""
    connection = http.client.HTTPConnection(first.server.address.hostname or "", first.server.address.port, timeout=60)
    connection.request("GET", "/api/drupe/changes")
    reply = connection.getresponse()
    assert reply.readline() == b": listening\n"
    lines = (line.removeprefix(b"data: ") for line in reply if line.startswith(b"data: "))
    yield lambda: json.loads(next(lines))
    connection.close()


def test_of_one_file_there_is_one_server_and_the_other_says_who_it_is(first: Ui, file: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "drupe", "ui", "--no-browser", "--port", "0", "--store", file]
    other = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert other.returncode == 1
    assert f"is served already, by process {first.server.process.pid}. Point clients there" in other.stderr


def test_experiments_and_runs_are_seen_on_the_other_side(sides: Sides, experiment: str) -> None:
    here, there = sides
    told = there.get("experiments")
    assert told["runs"][told["ids"].index(experiment)] == 0
    before = there.post("runs", experiments=[experiment])
    assert before["total"] == 0
    run_id = here.server.new_run(experiment, run_name="new")
    after = there.post("runs", experiments=[experiment], since=before["result"])
    assert (after["ids"], after["new"], after["attributes"]["run_name"]) == ([run_id], 1, ["new"])


def test_values_of_a_result_that_is_kept_are_those_of_now(sides: Sides, experiment: str) -> None:
    here, there = sides
    run_id = here.server.new_run(experiment, run_name="old name")
    here.server.post("runs/log-metric", run_id=run_id, key="loss", value=1, timestamp=1, step=0)
    columns = ["metrics.loss", "tags.state"]
    kept = there.post("runs", experiments=[experiment], columns=columns)
    assert kept["columns"] == {"metrics.loss": [1.0], "tags.state": [None]}
    here.server.post("runs/update", run_id=run_id, run_name="new name", status="FINISHED", end_time=5)
    here.server.post("runs/log-metric", run_id=run_id, key="loss", value=2, timestamp=2, step=1)
    here.server.post("runs/set-tag", run_id=run_id, key="state", value="kept")
    now = there.post("runs", experiments=[experiment], columns=columns, result=kept["result"])
    assert now["columns"] == {"metrics.loss": [2.0], "tags.state": ["kept"]}
    assert (now["attributes"]["run_name"], now["attributes"]["status"]) == (["new name"], ["FINISHED"])
    assert there.get("run", run_id=run_id)["run"]["info"]["run_name"] == "new name"
    here.server.post("runs/delete", run_id=run_id)
    assert there.post("runs", experiments=[experiment])["total"] == 0


def test_saved_views_and_notes_are_shared_and_go_when_they_are_removed(sides: Sides, experiment: str) -> None:
    here, there = sides
    for key, value in (("drupe.view.mine", "tab=charts"), ("mlflow.note.content", "about it")):
        here.server.post("experiments/set-experiment-tag", experiment_id=experiment, key=key, value=value)
    tags = there.server.get("experiments/get", experiment_id=experiment)["experiment"]["tags"]
    assert {"key": "drupe.view.mine", "value": "tab=charts"} in tags
    told = there.get("experiments")
    assert told["notes"][told["ids"].index(experiment)] == "about it"
    here.server.post("experiments/delete-experiment-tag", experiment_id=experiment, key="drupe.view.mine")
    tags = there.server.get("experiments/get", experiment_id=experiment)["experiment"]["tags"]
    assert [tag["key"] for tag in tags] == ["mlflow.note.content"]


def test_files_and_the_log_are_read_and_written_through_both(sides: Sides, experiment: str) -> None:
    here, there = sides
    run_id = here.server.new_run(experiment)
    assert there.get("files", run_id=run_id)["files"] == []
    where = f"{experiment}/{run_id}/artifacts"
    assert here.server.put_file(f"{where}/table.csv", b"a,b\n1,2\n").status == 200
    assert here.server.put_file(f"{where}/logs/console.0001.log", b"2026-11-26T14:03:00.123Z stdout F hello\n").status == 200
    assert [file["path"] for file in there.get("files", run_id=run_id)["files"]] == ["logs", "table.csv"]
    assert there.server.get_file(f"{where}/table.csv").body == b"a,b\n1,2\n"
    assert there.get("preview", run_id=run_id, path="table.csv")["rows"] == [["1", "2"]]
    assert [line[3] for line in there.get("log", run_id=run_id)["lines"]] == ["hello"]
    assert here.server.put_file(f"{where}/table.csv", b"a,b\n3,4\n").status == 200
    assert there.get("preview", run_id=run_id, path="table.csv")["rows"] == [["3", "4"]]


def test_versions_and_aliases_are_seen_on_the_other_side(sides: Sides, experiment: str) -> None:
    here, there = sides
    run_id = here.server.new_run(experiment)
    name = f"model {experiment}"
    here.server.post("registered-models/create", name=name)
    here.server.post("model-versions/create", name=name, source=f"runs:/{run_id}/model", run_id=run_id)
    here.server.post("registered-models/alias", name=name, alias="best", version="1")
    assert [version["aliases"] for version in there.get("run", run_id=run_id)["versions"]] == [["best"]]


def test_nothing_that_pages_ask_is_kept_by_browsers(first: Ui, second: Ui) -> None:
    for side in (first, second):
        assert side.ask("experiments").headers["cache-control"] == "no-store"


def test_changes_that_come_through_the_second_are_told_by_the_first(second: Ui, heard: Callable[[], Any]) -> None:
    run_id = second.server.new_run()
    assert heard() == {"kind": "run", "experiment_id": "0", "run_id": run_id}
    second.server.post("runs/set-tag", run_id=run_id, key="state", value="kept")
    assert heard()["run_id"] == run_id


def test_what_a_program_writes_into_the_file_is_seen_on_both_sides(first: Ui, second: Ui, file: str) -> None:
    program = MlflowClient(tracking_uri=file)
    experiment = program.create_experiment("by a program")
    before = [side.post("runs", experiments=[experiment], columns=["metrics.loss"]) for side in (first, second)]
    run_id = program.create_run(experiment, run_name="alone").info.run_id
    program.log_metric(run_id, "loss", 0.5)
    for side, earlier in zip((first, second), before, strict=True):
        now = side.post("runs", experiments=[experiment], columns=["metrics.loss"], since=earlier["result"])
        assert (now["ids"], now["new"], now["columns"]) == ([run_id], 1, {"metrics.loss": [0.5]})
    program.set_terminated(run_id)
    for side in (first, second):
        assert side.get("run", run_id=run_id)["run"]["info"]["status"] == "FINISHED"


def test_what_another_server_does_not_tell_is_none_and_not_zero(second: Ui) -> None:
    store = second.get("system")["store"]
    assert (store["size_bytes"], store["schema"]) == (None, None)
    assert store["experiments"] >= 1


def test_what_another_server_keeps_of_experiments_is_said_not_to_be_told(second: Ui) -> None:
    told = second.post("storage/measure")
    while told["state"] == "running":
        told = second.get("storage")
    assert (told["state"], told["is_told"], told["kept"]) == ("done", False, [])
    assert told["artifacts"]["is_whole"] is True
