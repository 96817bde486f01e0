"""System metrics of runs: MLflow's controls, steps that go on, and no trace in what did not ask for them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import pytest

import drupe
from drupe.errors import InvalidValue
from drupe.extend import Offer, SystemMetricSource, hookimpl
from drupe.testing.plugin import use_plugin
from drupe.tracking import system_metrics

__all__ = ["use_plugin"]

MARK = 4711.0


class Marked(SystemMetricSource):
    """Always reads the same, so that a test knows whose number it sees."""

    @classmethod
    def open(cls, settings: Any = None) -> Self:
        return cls()

    def read(self) -> Mapping[str, float]:
        return {"mark": MARK}


@hookimpl
def drupe_system_metrics() -> list[Offer]:
    return [Offer("marked", load=f"{Marked.__module__}:Marked")]


@pytest.fixture(autouse=True)
def _fast_and_marked(workspace: Path, use_plugin: Callable[[str, Any], Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, Marked.__module__, SimpleNamespace(Marked=Marked))
    monkeypatch.setenv("DRUPE_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.05")
    use_plugin("marked-metrics", SimpleNamespace(DRUPE_API="1.0", drupe_system_metrics=drupe_system_metrics))
    yield
    system_metrics._chosen.clear()


def steps(run_id: str, key: str = "system/mark") -> list[int]:
    return [metric.step for metric in drupe.get_metric_history(run_id, key)]


def wait_for(run_id: str, count: int, key: str = "system/mark") -> list[int]:
    """Wait until so many points are there, as another process would see them."""
    for _ in range(100_000):
        found = steps(run_id, key)
        if len(found) >= count:
            return found
    raise AssertionError(f"{len(steps(run_id, key))} of {count} points")


def is_watched(run_id: str) -> bool:
    return run_id in system_metrics._monitor._runs


def test_a_run_that_asks_for_them_gets_samples_with_steps_until_it_ends() -> None:
    with drupe.start_run(log_system_metrics=True) as run:
        wait_for(run.info.run_id, 2)
    assert not is_watched(run.info.run_id)
    found = steps(run.info.run_id)
    assert found == list(range(len(found)))
    assert drupe.get_run(run.info.run_id).data.metrics["system/mark"] == MARK


def test_a_run_that_is_taken_up_goes_on_counting() -> None:
    with drupe.start_run(log_system_metrics=True) as run:
        wait_for(run.info.run_id, 1)
    before = len(steps(run.info.run_id))
    with drupe.start_run(run.info.run_id, log_system_metrics=True):
        found = wait_for(run.info.run_id, before + 1)
    assert found == list(range(len(found)))


@pytest.mark.parametrize(
    ("setting", "call", "argument", "answer"),
    [
        ("true", None, None, True),
        ("false", None, None, False),
        ("false", drupe.enable_system_metrics_logging, None, True),
        ("true", drupe.disable_system_metrics_logging, None, False),
        ("true", None, False, False),
        ("false", drupe.disable_system_metrics_logging, True, True),
    ],
)
def test_the_argument_goes_before_the_call_and_that_before_the_setting(
    setting: str, call: Callable[[], None] | None, argument: bool | None, answer: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DRUPE_ENABLE_SYSTEM_METRICS_LOGGING")
    monkeypatch.setenv("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", setting)
    if call is not None:
        call()
    with drupe.start_run(log_system_metrics=argument) as run:
        assert is_watched(run.info.run_id) is answer


def test_they_are_on_where_nobody_says_anything_but_not_in_the_further_processes_of_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DRUPE_ENABLE_SYSTEM_METRICS_LOGGING")
    with drupe.start_run() as run:
        assert is_watched(run.info.run_id)
    monkeypatch.setenv("RANK", "3")
    with drupe.start_run() as run:
        assert not is_watched(run.info.run_id)
    drupe.set_system_metrics_node_id("node-3")
    with drupe.start_run() as run:
        wait_for(run.info.run_id, 1, "system/node-3/mark")


def test_samples_before_logging_make_fewer_points() -> None:
    drupe.set_system_metrics_samples_before_logging(3)
    drupe.set_system_metrics_sampling_interval(0.05)
    with drupe.start_run(log_system_metrics=True) as run:
        assert system_metrics._monitor._runs[run.info.run_id].pace == system_metrics.Pace(0.05, 3, "system/")
    drupe.set_system_metrics_samples_before_logging(None)
    drupe.set_system_metrics_sampling_interval(None)
    assert system_metrics._chosen == {}


@pytest.mark.parametrize("interval", [0, -1, "10", 0.001])
def test_an_interval_that_is_none_is_refused(interval: Any) -> None:
    with pytest.raises(InvalidValue, match="number of seconds"):
        drupe.set_system_metrics_sampling_interval(interval)


@pytest.mark.parametrize("samples", [0, 1.5, "2"])
def test_a_number_of_samples_that_is_none_is_refused(samples: Any) -> None:
    with pytest.raises(InvalidValue, match="whole number"):
        drupe.set_system_metrics_samples_before_logging(samples)


def test_a_program_that_ends_with_a_run_open_does_not_hang_and_keeps_the_samples() -> None:
    program = (
        "import drupe, time\n"
        "run = drupe.start_run(log_system_metrics=True)\n"
        "while not drupe.get_metric_history(run.info.run_id, 'system/cpu_utilization_percentage'):\n    time.sleep(0.02)\n"
        "print(run.info.run_id)\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    run = drupe.get_run(done.stdout.strip())
    assert run.info.status == "FINISHED"
    assert 0 <= run.data.metrics["system/cpu_utilization_percentage"] <= 100
    assert run.data.metrics["system/process_memory_rss_megabytes"] > 10
