"""`drupe metrics`: lists, histories and curves."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

from drupe.client import Client


def test_list_shows_latest_extremes_and_the_shape_of_the_curve(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("metrics", "list", "baseline")
    assert told.lines[0].split()[:6] == ["METRIC", "LAST", "STEP", "CURVE", "MIN", "MAX"]
    auc, loss = (line.split() for line in told.lines[2:])
    assert auc[:3] == ["auc", "0.8", "0"]
    assert loss[:3] == ["loss", "0.272532", "39"]
    assert loss[3][0] == "█"
    assert loss[3][-1] == "▁"
    assert loss[4:6] == ["0.272532", "1"]


def test_list_as_json_joins_latest_and_summary(drupe_cli: Any, three_runs: list[str]) -> None:
    loss = json.loads(drupe_cli("metrics", "list", "baseline", "--json").out)[1]
    assert (loss["key"], loss["step"], loss["count"], loss["argmin"]) == ("loss", 39, 40, 39)


def test_history_as_table_ends_with_the_last_points(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("metrics", "show", "baseline", "loss", "--limit", "2")
    assert told.lines[0].split() == ["STEP", "VALUE", "TIME"]
    assert [line.split()[:2] for line in told.lines[2:4]] == [["38", "0.281769"], ["39", "0.272532"]]
    assert told.lines[4].startswith("the last 2 of 40 values")


def test_history_as_csv_and_json_is_whole_and_exact(drupe_cli: Any, three_runs: list[str]) -> None:
    rows = list(csv.DictReader(io.StringIO(drupe_cli("metrics", "show", "baseline", "loss", "--output", "csv").out)))
    assert len(rows) == 40
    assert float(rows[3]["value"]) == math.exp(-0.1)
    assert (rows[3]["run"], rows[3]["key"], rows[3]["step"], rows[3]["timestamp"]) == (
        three_runs[0],
        "loss",
        "3",
        "2023-11-14T22:13:23.000Z",
    )
    points = json.loads(drupe_cli("metrics", "show", "baseline", "loss", "--json").out)
    assert points[3] == {"key": "loss", "value": math.exp(-0.1), "timestamp": 1_700_000_003_000, "step": 3, "run_id": three_runs[0]}


def test_plot_draws_the_curve_with_axes(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("metrics", "show", "baseline", "loss", "--plot", "--width", "60", "--height", "10")
    assert told.lines[0] == "loss of baseline"
    assert len(told.lines) == 1 + 10 + 3
    assert told.lines[1].startswith("  1 ┤⠑⠢⢄⡀")
    assert "└┬" in told.lines[11]
    assert told.lines[12].rstrip().endswith("step")
    assert told.lines[13].strip() == "loss  last 0.272532, min 0.272532 at 39, max 1 at 0"
    assert max(map(len, told.lines)) <= 60


def test_several_runs_are_drawn_with_marks_and_a_legend(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("metrics", "show", "baseline:loss", f"{three_runs[1][:6]}:loss", "--plot")
    assert told.lines[0] == "loss"
    assert told.lines[-2].strip().startswith("● baseline  last 0.272532")
    assert told.lines[-1].strip().startswith("○ deeper  last 0.0202419")


def test_a_plot_over_time_counts_from_the_start_of_the_run(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("metrics", "show", "baseline", "loss", "--plot", "--x", "time")
    assert told.lines[-2].split()[0] == "0"
    assert told.lines[-2].rstrip().endswith("seconds")


def test_values_that_cannot_be_drawn_are_counted(drupe_cli: Any, three_runs: list[str], store: Client) -> None:
    for step, value in enumerate((1.0, math.nan, 2.0, math.inf)):
        store.log_metric(three_runs[0], "odd", value, step=step)
    assert drupe_cli("metrics", "show", "baseline", "odd", "--plot").lines[-1] == "2 values are NaN or infinite: gaps in the curve"
    assert [point["value"] for point in json.loads(drupe_cli("metrics", "show", "baseline", "odd", "--json").out)] == [
        1.0,
        "NaN",
        2.0,
        "Infinity",
    ]


def test_a_misspelt_metric_gets_the_nearest(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("metrics", "show", "baseline", "los")
    assert told.code == 1
    assert "did you mean 'loss'?" in told.err


def test_a_run_without_a_metric_is_asked_for_one(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("metrics", "show", "baseline")
    assert told.code == 2
    assert "It has auc, loss." in told.err
