"""The thread that samples the machine: when it reads, what it hands over, and that no fault of a source reaches the program.

Time is the test's own: the monitor's clock stands still until it is moved.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Self

import pytest

from drupe.errors import UnsupportedFeature
from drupe.extend import SystemMetricSource
from drupe.tracking.sampling import Monitor, Pace

FAST = Pace(interval_s=0.02)
WAIT_S = 30


class Counter(SystemMetricSource):
    """Counts its reads, and notes in what thread what happens to it."""

    totals: ClassVar = frozenset({"total"})

    def __init__(self) -> None:
        self.count = 0
        self.closed = threading.Event()
        self.thread = threading.current_thread()

    @classmethod
    def open(cls, settings: Any = None) -> Self:
        return cls()

    def read(self) -> Mapping[str, float]:
        self.count += 1
        return {"count": self.count, "total": self.count}

    def close(self) -> None:
        self.closed.set()


class Broken(Counter):
    def read(self) -> Mapping[str, float]:
        raise ZeroDivisionError("no such sensor")


class Run:
    """Takes what is logged; `next()` waits for it."""

    def __init__(self) -> None:
        self.logged: queue.Queue[tuple[int, Mapping[str, float]]] = queue.Queue()

    def log(self, values: Mapping[str, float], step: int) -> None:
        self.logged.put((step, values))

    def next(self) -> tuple[int, Mapping[str, float]]:
        return self.logged.get(timeout=WAIT_S)


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.WARNING, logger="drupe.system_metrics"):
        yield caplog


def monitor_of(*sources: Callable[[], SystemMetricSource]) -> Monitor:
    return Monitor(lambda: [(f"source {number}", source) for number, source in enumerate(sources)])


def ended(monitor: Monitor) -> bool:
    thread = monitor._thread
    if thread is not None:
        thread.join(WAIT_S)
    return monitor._thread is None


def test_samples_come_one_after_another_with_steps_and_prefix() -> None:
    run, monitor = Run(), monitor_of(Counter)
    monitor.start("a", run.log, pace=Pace(0.02, prefix="system/node/"))
    assert [run.next() for _ in range(3)] == [(n, {"system/node/count": n + 1.0, "system/node/total": n + 1.0}) for n in range(3)]
    monitor.stop("a")
    assert ended(monitor)


def test_a_run_that_is_taken_up_goes_on_at_its_step() -> None:
    run, monitor = Run(), monitor_of(Counter)
    monitor.start("a", run.log, step=7, pace=FAST)
    assert run.next()[0] == 7
    monitor.stop("a")


def test_several_samples_are_one_value_their_mean_and_of_totals_the_last() -> None:
    run, monitor = Run(), monitor_of(Counter)
    monitor.start("a", run.log, pace=Pace(0.02, samples=4, prefix=""))
    assert [run.next() for _ in range(2)] == [(0, {"count": 2.5, "total": 4.0}), (1, {"count": 6.5, "total": 8.0})]
    monitor.stop("a")


def test_a_run_shorter_than_the_interval_opens_no_source() -> None:
    opened: list[str] = []
    run, monitor = Run(), Monitor(lambda: opened.append("asked") or [])  # type: ignore[func-returns-value]
    monitor.start("a", run.log, pace=Pace(interval_s=3600))
    monitor.stop("a")
    assert ended(monitor)
    assert opened == []
    assert run.logged.empty()


def test_sources_are_opened_read_and_closed_in_the_thread_and_closed_when_no_run_is_left() -> None:
    made: list[Counter] = []

    def open_source() -> Counter:
        made.append(Counter())
        return made[-1]

    one, two, monitor = Run(), Run(), monitor_of(open_source)
    monitor.start("a", one.log, pace=FAST)
    monitor.start("b", two.log, pace=FAST)
    one.next(), two.next()
    monitor.stop("a")
    two.next(), two.next()
    assert not made[0].closed.is_set()
    monitor.stop("b")
    assert made[0].closed.wait(WAIT_S)
    assert made[0].thread is not threading.main_thread()
    assert len(made) == 1


def test_nothing_is_logged_to_a_run_after_stop_has_returned() -> None:
    run, monitor = Run(), monitor_of(Counter)
    other = Run()
    monitor.start("other", other.log, pace=FAST)
    monitor.start("a", run.log, pace=FAST)
    run.next()
    monitor.stop("a")
    while not run.logged.empty():
        run.logged.get()
    for _ in range(5):
        other.next()
    assert run.logged.empty()
    monitor.stop("other")


def test_a_monitor_starts_again_after_it_has_ended() -> None:
    monitor = monitor_of(Counter)
    for _ in range(3):
        run = Run()
        monitor.start("a", run.log, pace=FAST)
        assert run.next()[0] == 0
        monitor.stop("a")


def test_a_source_that_fails_is_said_once_and_the_others_go_on(warnings: pytest.LogCaptureFixture) -> None:
    run, monitor = Run(), monitor_of(Broken, Counter)
    monitor.start("a", run.log, pace=FAST)
    assert [run.next()[1]["system/count"] for _ in range(3)] == [1, 2, 3]
    monitor.stop("a")
    (record,) = warnings.records
    assert "source 0 cannot be read: ZeroDivisionError: no such sensor (said once)" in record.getMessage()


def test_a_source_that_cannot_be_opened_is_said_once_and_one_with_nothing_to_measure_never(warnings: pytest.LogCaptureFixture) -> None:
    def fails() -> Counter:
        raise ImportError("no psutil")

    def has_no_such_thing() -> Counter:
        raise UnsupportedFeature("no GPU here")

    run, monitor = Run(), monitor_of(fails, has_no_such_thing, Counter)
    monitor.start("a", run.log, pace=FAST)
    run.next()
    monitor.stop("a")
    assert [record.getMessage() for record in warnings.records] == ["no system metrics of source 0: no psutil (said once)"]


def test_values_that_are_no_numbers_are_left_out() -> None:
    class Odd(Counter):
        def read(self) -> Mapping[str, float]:
            return {**super().read(), "nan": float("nan"), "inf": float("inf")}

    run, monitor = Run(), monitor_of(Odd)
    monitor.start("a", run.log, pace=FAST)
    assert set(run.next()[1]) == {"system/count", "system/total"}
    monitor.stop("a")


def test_a_store_that_fails_is_said_once_and_tried_again_with_the_same_step(warnings: pytest.LogCaptureFixture) -> None:
    run, monitor = Run(), monitor_of(Counter)
    tries: list[int] = []

    def log(values: Mapping[str, float], step: int) -> None:
        tries.append(step)
        if len(tries) < 3:
            raise OSError("the server is away")
        run.log(values, step)

    monitor.start("a", log, pace=FAST)
    assert run.next()[0] == 0
    monitor.stop("a")
    assert tries[:3] == [0, 0, 0]
    assert [record.getMessage() for record in warnings.records] == ["system metrics cannot be logged: the server is away (said once)"]


def test_where_nothing_can_be_measured_the_thread_waits_for_the_end_of_the_runs() -> None:
    asked = threading.Semaphore(0)

    def sources() -> list[Any]:
        asked.release()
        return []

    monitor = Monitor(sources)
    monitor.start("a", Run().log, pace=FAST)
    assert asked.acquire(timeout=WAIT_S)
    assert not asked.acquire(timeout=0.2), "asked again and again"
    monitor.stop("a")
    assert ended(monitor)


def test_a_store_that_hangs_does_not_hold_up_the_end_of_the_run_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drupe.tracking.sampling.STOP_S", 0.05)
    is_in, may_go = threading.Event(), threading.Event()

    def log(values: Mapping[str, float], step: int) -> None:
        is_in.set()
        may_go.wait(WAIT_S)

    monitor = monitor_of(Counter)
    monitor.start("a", log, pace=FAST)
    assert is_in.wait(WAIT_S)
    monitor.stop("a")
    may_go.set()
    assert ended(monitor)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_leaves_the_parents_runs_alone_and_samples_its_own() -> None:
    run, monitor = Run(), monitor_of(Counter)
    monitor.start("a", run.log, pace=FAST)
    run.next()
    child = os.fork()
    if child == 0:
        own = Run()
        monitor.stop("a")
        monitor.start("b", own.log, pace=FAST)
        own.next()
        os._exit(0 if set(monitor._runs) == {"b"} else 1)
    assert os.waitpid(child, 0)[1] == 0
    run.next(), run.next()
    monitor.stop("a")
