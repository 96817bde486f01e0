"""What charts and comparisons ask of a served store."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.server_rest.tests.served import Served

Ui = Any


def run(server: Served, name: str, params: dict[str, str], metrics: dict[str, list[float]], tags: dict[str, str] | None = None) -> str:
    made = server.new_run(run_name=name)
    points = [
        {"key": key, "value": value, "timestamp": 1 + step, "step": step}
        for key, values in metrics.items()
        for step, value in enumerate(values)
    ]
    pairs = [{"key": key, "value": value} for key, value in params.items()]
    told = [{"key": key, "value": value} for key, value in (tags or {}).items()]
    server.post("runs/log-batch", run_id=made, metrics=points, params=pairs, tags=told)
    return made


@pytest.fixture(scope="module")
def runs(server: Served) -> list[str]:
    return [
        run(server, "one", {"lr": "0.1", "depth": "2"}, {"loss": [3, 2, 1], "val/loss": [4]}, {"team": "a"}),
        run(server, "two", {"lr": "0.1", "depth": "4"}, {"loss": [3, 2]}, {"team": "a"}),
        run(server, "three", {"lr": "0.3", "depth": "8"}, {"loss": [9]}),
    ]


def test_charts_are_told_the_runs_in_the_order_asked_and_the_metrics_with_their_longest_series(ui: Ui, runs: list[str]) -> None:
    told = ui.post("charted", runs=[runs[1], "gone", runs[0]], group="params.depth")
    assert [(one["name"], one["group"], one["start_time"]) for one in told["runs"]] == [("two", "4", 1), ("one", "2", 1)]
    assert told["metrics"] == [["loss", 2, 3], ["val/loss", 1, 1]]


def test_runs_can_be_grouped_by_params_of_which_some_but_not_all_share_a_value(ui: Ui, runs: list[str]) -> None:
    assert ui.post("charted", runs=runs)["groups"] == [["params.lr", "lr"]]


def test_charts_of_a_table_are_told_its_first_runs_without_those_that_are_hidden(ui: Ui, runs: list[str]) -> None:
    question = {"experiments": ["0"], "order": "metrics.loss ASC"}
    told = ui.post("charted", question=question, count=2, hidden=[runs[0]])
    assert ([one["name"] for one in told["runs"]], told["found"], told["total"]) == (["two"], 2, 3)
    assert ui.post("charted", question=question, count=1, hidden=[runs[0]])["metrics"] == []
    assert [one["name"] for one in ui.post("charted", question={**question, "filter": "metrics.loss > 1"})["runs"]] == ["two", "three"]


def test_a_question_of_charts_that_is_none_is_refused_with_what_is_wrong(ui: Ui, runs: list[str]) -> None:
    assert ui.send("charted", question="all").error == "INVALID_PARAMETER_VALUE"
    assert ui.send("charted", question={}).error == "INVALID_PARAMETER_VALUE"
    assert ui.send("charted", question={"experiments": ["0"]}, count=0).error == "INVALID_PARAMETER_VALUE"
    assert ui.send("charted", question={"experiments": ["0"], "filter": "metrics."}).error == "INVALID_PARAMETER_VALUE"


def test_runs_side_by_side_have_a_row_for_each_fact_and_say_which_differ(ui: Ui, runs: list[str]) -> None:
    told = ui.post("compared", runs=runs)
    rows = {(row["section"], row["key"]): (row["values"], row["differs"]) for row in told["rows"]}
    assert rows["params", "lr"] == (["0.1", "0.1", "0.3"], True)
    assert rows["metrics", "loss"] == ([1.0, 2.0, 9.0], True)
    assert rows["metrics", "val/loss"] == ([4.0, None, None], True)
    assert rows["tags", "team"] == (["a", "a", None], True)
    assert rows["run", "experiment"] == (["Default"] * 3, False)


def test_compared_runs_are_told_their_experiments_once_each_and_experiments_their_names(ui: Ui, runs: list[str]) -> None:
    assert ui.post("origins", runs=[runs[0], "gone", runs[1]]) == {"experiments": [["0", "Default"]]}
    assert ui.post("origins", experiments=["0", "999"]) == {"experiments": [["0", "Default"]]}
    assert ui.post("origins") == {"experiments": []}


def test_environments_and_changes_come_from_the_files_of_the_runs(ui: Ui, runs: list[str]) -> None:
    for run_id, version in zip(runs[:2], ("1.26", "2.0"), strict=True):
        ui.put(run_id, "environment/environment.json", b'{"python": {"version": "3.12.1"}, "command": ["train.py"]}')
        ui.put(run_id, "environment/requirements.txt", f"# kept\nnumpy=={version}\n".encode())
    ui.put(runs[0], "environment/uncommitted.diff", b"diff --git a/x b/x\n+y\n")
    told = ui.post("compared-files", runs=runs)
    rows = {(row["section"], row["key"]): row["values"] for row in told["rows"]}
    assert rows["environment", "python.version"] == ["3.12.1", "3.12.1", None]
    assert rows["packages", "numpy"] == ["1.26", "2.0", None]
    assert [bool(diff) for diff in told["diffs"]] == [True, False, False]
    assert told["faults"] == ["", "", ""]


def test_related_columns_are_aligned_with_the_runs_and_the_fields_say_which_differ(ui: Ui, runs: list[str]) -> None:
    told = ui.post("related", runs=runs, columns=["params.depth", "metrics.loss"], with_fields=True)
    by_name = dict(zip(told["names"], zip(*told["columns"].values(), strict=True), strict=True))
    assert by_name == {"one": ("2", 1.0), "two": ("4", 2.0), "three": ("8", 9.0)}
    assert ["params.lr", "lr", "param", True] in told["fields"]


def test_related_runs_can_be_those_of_a_question(ui: Ui, runs: list[str]) -> None:
    told = ui.post("related", experiments=["0"], filter="params.lr = '0.1'", columns=[])
    assert set(told["ids"]) == set(runs[:2])


def test_importance_is_told_of_each_param_that_tells_anything(ui: Ui, runs: list[str]) -> None:
    told = ui.post("importance", runs=runs, metric="metrics.loss", params=["params.lr", "params.gone"])
    assert [one["name"] for one in told["params"]] == ["params.lr"]
    assert told["untold"] == 1


@pytest.mark.parametrize("what", ["charted", "compared", "compared-files"])
def test_no_runs_are_a_bad_request(ui: Ui, what: str) -> None:
    assert ui.send(what, runs=[]).error == "INVALID_PARAMETER_VALUE"
    assert ui.send(what, runs="abc").error == "INVALID_PARAMETER_VALUE"
