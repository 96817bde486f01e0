"""`drupe runs compare`: marks, best values, blocks, and its forms for programs."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

import pytest

from drupe.cli.compare import goal_of, rows_of
from drupe.client import Client
from drupe.entities import Stat


def line(told: Any, key: str) -> str:
    return str(next(line for line in told.lines if line.split() and key in line.split()[:2]))


def test_rows_that_differ_and_best_values_are_marked(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("runs", "compare", "baseline", "deeper")
    assert told.code == 0
    assert told.lines[0].split() == ["baseline", "deeper", "CHANGE"]
    assert line(told, "lr").split() == ["≠", "lr", "0.1", "0.3"]
    assert line(told, "model").split() == ["model", "forest", "forest"]
    assert line(told, "auc").split() == ["≠", "auc", "0.8", "★", "0.8625", "+0.0625", "(+7.8%)"]
    assert line(told, "loss").split()[2:5] == ["0.272532", "★", "0.0202419"]
    assert told.lines[-1] == "≠ differs   ★ best (low is good for loss; high is good for auc)"


def test_sections_stand_in_order_without_system_tags(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("runs", "compare", "baseline", "deeper")
    assert [one for one in told.lines if one in ("run", "params", "metrics", "tags")] == ["run", "params", "metrics", "tags"]
    assert "mlflow.runName" not in told.out
    assert "mlflow.runName" in drupe_cli("runs", "compare", "baseline", "deeper", "--all").out


def test_only_differences_are_shown_when_asked(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("runs", "compare", "baseline", "deeper", "--diff-only", "--output", "csv")
    rows = list(csv.reader(io.StringIO(told.out)))
    assert rows[0] == ["section", "key", "differs", three_runs[0], three_runs[1]]
    assert [row[:3] for row in rows[1:]] == [["params", "lr", "1"], ["metrics", "auc", "1"], ["metrics", "loss", "1"]]


def test_json_names_the_best_run_of_each_metric(drupe_cli: Any, three_runs: list[str]) -> None:
    form = json.loads(drupe_cli("runs", "compare", "baseline", "deeper", "other", "--json").out)
    assert [run["run_name"] for run in form["runs"]] == ["baseline", "deeper", "other"]
    auc = next(row for row in form["metrics"] if row["key"] == "auc")
    assert auc == {"key": "auc", "differs": True, "values": [0.8, 0.8625, 0.925], "goal": "max", "best": [three_runs[2]]}
    assert next(row for row in form["params"] if row["key"] == "model") == {"key": "model", "differs": False, "values": ["forest"] * 3}


def test_another_value_of_the_series_can_be_compared(drupe_cli: Any, three_runs: list[str]) -> None:
    form = json.loads(drupe_cli("runs", "compare", "baseline", "deeper", "--stat", "max", "--json").out)
    assert next(row for row in form["metrics"] if row["key"] == "loss")["values"] == [1.0, 1.0]


def test_best_can_be_told_where_the_name_does_not_say(drupe_cli: Any, three_runs: list[str], store: Client) -> None:
    for run_id, value in zip(three_runs, (1.0, 2.0, 3.0), strict=True):
        store.log_metric(run_id, "seeds", value)
    assert "best" not in next(
        row for row in json.loads(drupe_cli("runs", "compare", "baseline", "deeper", "--json").out)["metrics"] if row["key"] == "seeds"
    )
    told = drupe_cli("runs", "compare", "baseline", "deeper", "--best", "seeds=min", "--json")
    assert next(row for row in json.loads(told.out)["metrics"] if row["key"] == "seeds")["best"] == [three_runs[0]]
    assert drupe_cli("runs", "compare", "baseline", "deeper", "--best", "seeds=lots").code == 1


def test_a_value_that_only_one_run_has_differs(drupe_cli: Any, three_runs: list[str], store: Client) -> None:
    store.log_param(three_runs[0], "depth", 3)
    assert line(drupe_cli("runs", "compare", "baseline", "deeper"), "depth").split() == ["≠", "depth", "3", "–"]


def test_nan_equals_nan_and_is_never_best(store: Client, three_runs: list[str]) -> None:
    for run_id, value in zip(three_runs, (math.nan, math.nan, 0.5), strict=True):
        store.log_metric(run_id, "error", value)
    runs = [store.get_run(run_id) for run_id in three_runs]
    assert not next(row for row in rows_of(runs[:2]) if row.key == "error").differs
    assert next(row for row in rows_of(runs) if row.key == "error").best == (2,)
    assert next(row for row in rows_of(runs, Stat.COUNT) if row.key == "error").values == (1, 1, 1)


def test_more_runs_than_fit_are_shown_in_blocks(drupe_cli: Any, store: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"run-{index}" for index in range(7)]
    for index, name in enumerate(names):
        store.log_param(store.create_run("0", run_name=name).info.run_id, "p", index)
    monkeypatch.setenv("COLUMNS", "60")
    told = drupe_cli("runs", "compare", *names)
    assert max(map(len, told.lines)) <= 60
    assert told.lines[0] == "runs 1 to 3 of 7"
    assert all(name in told.out for name in names)


def test_equal_runs_are_said_to_be_equal(drupe_cli: Any, store: Client) -> None:
    for name in ("a run", "its twin"):
        store.log_param(store.create_run("0", run_name=name).info.run_id, "p", 1)
    assert drupe_cli("runs", "compare", "a run", "its twin").err == "these runs do not differ in params, metrics or tags\n"


@pytest.mark.parametrize(
    ("key", "goal"),
    [
        ("loss", "min"),
        ("val_loss", "min"),
        ("valLoss", "min"),
        ("test/RMSE", "min"),
        ("accuracy_score", "max"),
        ("roc_auc", "max"),
        ("neg_mean_squared_error", "max"),
        ("epoch", None),
        ("glossary", None),
    ],
)
def test_the_words_of_a_name_say_what_is_good(key: str, goal: str | None) -> None:
    assert goal_of(key) == goal


def test_two_runs_stand_side_by_side_in_a_narrow_terminal(drupe_cli: Any, three_runs: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    told = drupe_cli("runs", "compare", *three_runs[:2])
    assert told.lines[0].split() == ["baseline", "deeper"]
    assert max(map(len, told.lines[:-1])) <= 50
    monkeypatch.setenv("COLUMNS", "80")
    assert drupe_cli("runs", "compare", *three_runs[:2]).lines[0].split() == ["baseline", "deeper", "CHANGE"]
