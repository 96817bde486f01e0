"""A write that is interrupted at any of its statements, by an error or by SIGKILL, leaves the store as it was or as it should be."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drupe.entities import (
    Dataset,
    DatasetInput,
    Heartbeat,
    InputTag,
    LogBatch,
    NewRun,
    Origin,
    Parcel,
    Points,
    RunStatus,
)
from drupe.extend.tracking_store import TrackingStore
from drupe.testing.comparison import plain
from drupe.testing.memory_tracking import MemoryTrackingStore
from drupe_store_sql.points import TAIL_ROWS
from drupe_store_sql.session import Session
from drupe_store_sqlite.stores import SqliteTrackingStore

Open = Callable[..., SqliteTrackingStore]
Write = Callable[[TrackingStore], Any]

MOST = 200  # statements of one write

_IRIS = DatasetInput(Dataset("iris", "d1"), (InputTag("mlflow.data.context", "training"),))


def _fill(store: TrackingStore) -> None:
    """A run whose next point on `loss` folds 63 tail rows and a chunk that is not full, and that has a bit of everything."""
    store.create_run(NewRun("0", "apple", "first", tags={"old": "x"}))
    store.log_batch("apple", LogBatch({"acc": _points(range(0, 300, 2), 0.5)}, {"alpha": "1"}))
    for step in range(TAIL_ROWS - 1):
        store.log_batch("apple", LogBatch({"loss": _points([step], float(step))}))
    store.beat([Heartbeat("apple", "w", 1, 1, "h", 1, "b")])
    store.ship(Parcel("apple", Origin("w", 0, 10)))


def _points(steps: Any, value: float) -> Points:
    return Points.of((step, step % 7, value) for step in steps)


def _ship_into_a_run(store: TrackingStore) -> Any:
    late = {"loss": _points([-1, 5, 70], 0.25), "acc": _points(range(600), 0.75), "new": _points(range(520), 1.0)}
    return store.ship(
        Parcel(
            "apple",
            Origin("w", 10, 99),
            batch=LogBatch(late, {"alpha": "2", "beta": "3"}, {"team": "red", "mlflow.runName": "second"}),
            removed_tags=("old",),
            inputs=(_IRIS,),
            status=RunStatus.FINISHED,
            end_time=7,
        )
    )


def _ship_a_new_run(store: TrackingStore) -> Any:
    new = NewRun("0", "pear", "third", "ann", 5, {"team": "blue"})
    return store.ship(Parcel("pear", Origin("v", 0, 3), new, LogBatch({"loss": _points(range(9), 1.0)}, {"p": "q"}, {"t": "u"})))


def _log_what_folds(store: TrackingStore) -> Any:
    return store.log_batch("apple", LogBatch({"loss": _points([64], 0.5), "acc": _points(range(1, 300, 2), 0.5)}))


def _end_the_run(store: TrackingStore) -> Any:
    return store.update_run("apple", status=RunStatus.KILLED, end_time=3)


WRITES = [_ship_into_a_run, _ship_a_new_run, _log_what_folds, _end_the_run]


def _told(store: TrackingStore) -> Any:
    """All that the store can be asked about its runs."""
    told: dict[str, Any] = {"writers": [store.shipped_to("w"), store.shipped_to("v")], "beats": store.heartbeats()}
    for run_id in ("apple", "pear"):
        try:
            told[run_id] = [store.get_run(run_id)]
        except Exception as fault:
            told[run_id] = [type(fault).__name__]
        for ends in (None, 100):
            told[run_id] += [store.metric_bulk([run_id], buckets=buckets, last_step=ends) for buckets in (None, 2, 20)]
        told[run_id] += [list(store.metric_history(run_id, key)) for key in ("loss", "acc", "new")]
    return plain(told)


def _expected(store: SqliteTrackingStore, write: Write) -> tuple[Any, Any]:
    """What the oracle tells before the write, and after it."""
    oracle = MemoryTrackingStore(artifact_root=store.get_experiment("0").artifact_location.removesuffix("/0"))
    _fill(oracle)
    before = _told(oracle)
    write(oracle)
    return before, _told(oracle)


class _LightsOut(Exception):
    pass


class _Countdown:
    """Calls `stop` in the place of the n-th statement of the sessions of this process; a commit counts before and after it is done."""

    def __init__(self, patch: pytest.MonkeyPatch, stop: Callable[[], None]) -> None:
        self.left, self._stop = -1, stop
        for name in ("_run", "many", "commit"):
            patch.setattr(Session, name, self._counting(getattr(Session, name), is_commit=name == "commit"))

    def _counting(self, real: Callable[..., Any], *, is_commit: bool) -> Callable[..., Any]:
        def counted(session: Session, *given: Any) -> Any:
            self._count()
            answer = real(session, *given)
            if is_commit:
                self._count()
            return answer

        return counted

    def _count(self) -> None:
        self.left -= 1
        if self.left == 0:
            self._stop()


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.__name__.strip("_"))
def test_an_error_in_the_place_of_any_statement_leaves_all_or_nothing(
    open_store: Open, tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop() -> None:
        raise _LightsOut

    countdown = _Countdown(monkeypatch, stop)
    store = open_store()
    before, after = _expected(store, write)
    _fill(store)
    assert _told(store) == before
    for number in range(1, MOST):
        countdown.left = number
        try:
            write(store)
        except _LightsOut:
            countdown.left = -1
            told = _told(store)
            if told == after:  # it went out behind the commit
                break
            assert told == before, f"statement {number}"
        else:
            break
    countdown.left = -1
    assert 4 < number < MOST
    assert _told(store) == after
    assert _told(open_store()) == after


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.__name__.strip("_"))
def test_readers_see_the_state_before_a_write_until_it_is_whole_and_wait_for_nothing(
    open_store: Open, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def look() -> None:
        seen.append(_told(reader))
        countdown.left = 1  # again at the next statement

    countdown = _Countdown(monkeypatch, look)
    store = open_store()
    before, after = _expected(store, write)
    _fill(store)
    reader = open_store(busy_timeout_s=0.001)  # other settings: connections of its own, as in another process
    countdown.left = 1
    write(store)
    countdown.left = -1
    assert len(seen) > 4
    assert seen == [before] * (len(seen) - 1) + [after]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.__name__.strip("_"))
def test_a_process_killed_at_any_statement_leaves_all_or_nothing(
    open_store: Open, tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    countdown = _Countdown(monkeypatch, lambda: os.kill(os.getpid(), signal.SIGKILL))
    store = open_store()
    before, after = _expected(store, write)
    _fill(store)
    for number in range(1, MOST):
        pid = os.fork()
        if pid == 0:
            countdown.left = number
            try:
                write(store)
            finally:
                os._exit(0)
        _, status = os.waitpid(pid, 0)
        told = _told(store)
        if told == after:
            break
        assert os.WIFSIGNALED(status)
        assert told == before, f"statement {number}"
    assert 4 < number < MOST
    if write in (_ship_into_a_run, _ship_a_new_run):
        assert write(store).is_repeat
        assert _told(store) == after
    assert store.find_damage() == []
