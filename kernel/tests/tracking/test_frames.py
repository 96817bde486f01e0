"""Runs as a DataFrame: one row a run, a column for whatever any run has."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest

from drupe.entities import LifecycleStage, Run, RunData, RunInfo, RunStatus
from drupe.tracking.frames import runs_frame


def run(number: int, metrics: dict[str, float], params: dict[str, str], tags: dict[str, str]) -> Run:
    ended = None if number == 1 else 2000 + number
    info = RunInfo(f"r{number}", "3", "n", "u", RunStatus.FINISHED, 1000, ended, LifecycleStage.ACTIVE, f"file:///{number}")
    return Run(info, RunData(metrics, params, tags))


RUNS = [
    run(0, {"loss": 0.5}, {}, {"team": "red"}),
    run(1, {}, {"lr": "0.1"}, {}),
    run(2, {"acc": 1.0, "loss": float("inf")}, {"lr": "0.2", "depth": "3"}, {"team": "blue"}),
    run(3, {"loss": 0.25}, {}, {}),
]


def test_each_key_is_a_column_with_nan_or_none_where_a_run_lacks_it() -> None:
    nan = float("nan")
    expected = pd.DataFrame(
        {
            "run_id": ["r0", "r1", "r2", "r3"],
            "experiment_id": ["3"] * 4,
            "status": ["FINISHED"] * 4,
            "artifact_uri": [f"file:///{n}" for n in range(4)],
            "start_time": pd.to_datetime([1000] * 4, unit="ms", utc=True),
            "end_time": pd.to_datetime([2000, None, 2002, 2003], unit="ms", utc=True),
            "metrics.acc": [nan, nan, 1.0, nan],
            "metrics.loss": [0.5, nan, float("inf"), 0.25],
            "params.depth": [None, None, "3", None],
            "params.lr": [None, "0.1", "0.2", None],
            "tags.team": ["red", None, "blue", None],
        }
    )
    pd.testing.assert_frame_equal(runs_frame(RUNS), expected)


def test_no_runs_are_a_frame_without_rows() -> None:
    frame = runs_frame([])
    assert (len(frame), list(frame.columns)[:2]) == (0, ["run_id", "experiment_id"])
    assert str(frame.dtypes["start_time"]).endswith(", UTC]")


def test_runs_are_taken_one_by_one_and_let_go() -> None:
    import weakref

    alive: list[weakref.ref[RunInfo]] = []

    def one_by_one() -> Iterator[Run]:
        for number in range(20):
            assert sum(ref() is not None for ref in alive) <= 1
            made = run(number, {f"m{number}": 1.0}, {}, {})
            alive.append(weakref.ref(made.info))
            yield made
            del made

    assert runs_frame(one_by_one()).shape == (20, 26)


@pytest.mark.parametrize("count", [1, 300])
def test_every_run_may_have_a_key_of_its_own(count: int) -> None:
    frame = runs_frame(run(number, {f"m{number:03}": float(number)}, {}, {}) for number in range(count))
    assert frame.filter(like="metrics.").to_numpy().diagonal().tolist() == list(map(float, range(count)))
    assert int(frame.filter(like="metrics.").notna().to_numpy().sum()) == count
