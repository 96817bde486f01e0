"""Whole series: logged at once, read of many runs at once, in the forms of other libraries."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import drupe
from drupe.client import Client
from drupe.errors import InvalidValue, MissingRequirement, RunNotFound


@pytest.fixture
def runs() -> list[str]:
    """Two runs: the first with `loss` 9, 8, … 0 over steps 0 to 9 and one `acc`, the second with `loss` alone."""
    ids = []
    for number in range(2):
        with drupe.start_run() as run:
            drupe.log_series("loss", range(10), [9.0 - step + number for step in range(10)], timestamps=range(100, 110))
            if number == 0:
                drupe.log_series("acc", [3], [math.nan], timestamps=[7])
        ids.append(run.info.run_id)
    return ids


def test_a_series_goes_to_the_active_run_and_counts_as_logged_points() -> None:
    with drupe.start_run() as run:
        drupe.log_series("loss", np.arange(5), np.linspace(1.0, 0.0, 5))
        drupe.log_metric("loss", -1.0, step=5)
    found = drupe.get_run(run.info.run_id)
    assert found.data.metrics == {"loss": -1.0}
    assert [(point.step, point.value) for point in drupe.get_metric_history(run.info.run_id, "loss")] == [
        (0, 1.0),
        (1, 0.75),
        (2, 0.5),
        (3, 0.25),
        (4, 0.0),
        (5, -1.0),
    ]


def test_points_without_a_time_are_of_now(tmp_path: Path) -> None:
    client = Client(f"sqlite:///{tmp_path}/clock.db", clock=lambda: 1234)
    run_id = client.create_run("0").info.run_id
    client.log_series(run_id, "loss", [0, 1], [0.5, 0.25])
    assert [point.timestamp for point in client.get_metric_history(run_id, "loss")] == [1234, 1234]


def test_a_series_can_be_logged_to_a_run_by_its_id(runs: list[str]) -> None:
    drupe.log_series("late", [1], [2.0], run_id=runs[1])
    assert drupe.get_run(runs[1]).data.metrics["late"] == 2.0


def test_a_series_with_a_fault_leaves_nothing(runs: list[str]) -> None:
    with pytest.raises(InvalidValue, match="place 1"):
        drupe.log_series("loss", [90, 91], [0.5, None], run_id=runs[0])
    assert drupe.get_run(runs[0]).data.summaries["loss"].last_step == 9


def test_logging_to_a_run_that_is_not_there_says_so() -> None:
    with pytest.raises(RunNotFound):
        Client().log_series("nobody", "loss", [0], [1.0])


def test_series_of_many_runs_come_at_once_sorted_by_step(runs: list[str]) -> None:
    found = drupe.get_metric_series([*runs, "unknown"], ["loss", "nothing"])
    assert [(series.run_id, series.key, list(series.points.values)[:2]) for series in found] == [
        (runs[0], "loss", [9.0, 8.0]),
        (runs[1], "loss", [10.0, 9.0]),
    ]


def test_a_single_run_and_a_single_key_need_no_list(runs: list[str]) -> None:
    (series,) = drupe.get_metric_series(runs[0], "loss")
    assert (series.run_id, series.key) == (runs[0], "loss")
    assert [series.key for series in Client().get_metric_series(runs[0])] == ["acc", "loss"]


@pytest.mark.parametrize(
    ("bounds", "steps"), [((2, 4), [2, 3, 4]), ((None, 1), [0, 1]), ((8, None), [8, 9]), ((None, None), list(range(10)))]
)
def test_a_range_of_steps_includes_both_ends(runs: list[str], bounds: tuple[int | None, int | None], steps: list[int]) -> None:
    (series,) = drupe.get_metric_series(runs[:1], ["loss"], range=bounds)
    assert list(series.points.steps) == steps


def test_buckets_keep_the_lowest_highest_and_last_of_each_range_of_steps(runs: list[str]) -> None:
    (series,) = drupe.get_metric_series(runs[:1], ["loss"], buckets=2)
    assert series.is_sampled
    assert list(series.points.steps) == [0, 7, 8, 9]


def test_series_as_numpy_arrays(runs: list[str]) -> None:
    found = drupe.get_metric_series(runs, as_="numpy")
    assert sorted(found) == sorted([(runs[0], "acc"), (runs[0], "loss"), (runs[1], "loss")])
    steps, times, values = found[runs[1], "loss"]
    assert (steps.dtype, times.dtype, values.dtype) == (np.int64, np.int64, np.float64)
    assert (steps.tolist(), times.tolist(), values.tolist()[:3]) == (list(range(10)), list(range(100, 110)), [10.0, 9.0, 8.0])


def test_series_as_a_table_of_pandas(runs: list[str]) -> None:
    table = drupe.get_metric_series(runs, ["acc", "loss"], range=(3, 4), as_="pandas")
    assert list(table.columns) == ["run_id", "key", "step", "timestamp", "value"]
    assert [tuple(row) for row in table[["run_id", "key", "step"]].itertuples(index=False)] == [
        (runs[0], "acc", 3),
        (runs[0], "loss", 3),
        (runs[0], "loss", 4),
        (runs[1], "loss", 3),
        (runs[1], "loss", 4),
    ]
    assert table["timestamp"].iloc[1] == pd.Timestamp(103, unit="ms", tz="UTC")
    assert math.isnan(table["value"].iloc[0])
    assert table.groupby(["run_id", "key"], observed=True)["value"].mean()[runs[1], "loss"] == 6.5


def test_series_as_an_arrow_table(runs: list[str]) -> None:
    table = drupe.get_metric_series(runs, ["loss"], as_="arrow")
    assert table.schema.names == ["run_id", "key", "step", "timestamp", "value"]
    assert table.schema.field("timestamp").type == pa.timestamp("ms", tz="UTC")
    assert table.num_rows == 20
    assert table.column("run_id").to_pylist() == [runs[0]] * 10 + [runs[1]] * 10
    assert table.column("value").to_pylist()[:2] == [9.0, 8.0]


@pytest.mark.parametrize("form", ["list", "numpy", "pandas", "arrow"])
def test_nothing_found_is_empty_in_every_form(form: str) -> None:
    assert len(drupe.get_metric_series(["unknown"], as_=form)) == 0


def test_another_form_is_refused_with_those_there_are(runs: list[str]) -> None:
    with pytest.raises(InvalidValue, match="'list', 'numpy', 'arrow', 'pandas'"):
        drupe.get_metric_series(runs, as_="excel")


def test_a_form_whose_library_is_missing_says_what_to_install(runs: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingRequirement, match="pip install pyarrow") as caught:
        drupe.get_metric_series(runs, as_="arrow")
    assert caught.value.details["package"] == "pyarrow"
