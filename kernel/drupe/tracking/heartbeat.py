"""Signs of life of this process's active runs, given to their stores by a thread of its own.

It never raises and never holds up training: what a store does not take is tried again with the next beat, without a word (the shipper
warns of outages). A run that somebody took for dead while this process was only stopped is set RUNNING again.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from attrs import evolve, frozen

from drupe.entities import Heartbeat, RunStatus
from drupe.extend import Feature, TrackingStore
from drupe.settings import settings
from drupe.tracking import evidence
from drupe.tracking.crashes import Crash, take_back
from drupe.tracking.journal.places import boot_id, host_name, run_folder
from drupe.tracking.timers import Timer, after

__all__ = ["begin", "end", "let_end"]

FIRST_S = 0.2  # a run that is shorter needs no sign, and its store is left alone
REVIVED_S = 5.0  # how long the end of a run waits for what a store that hangs has been asked


@frozen
class _Run:
    """An active run of this process."""

    beat: Heartbeat
    folder: Path
    tracking_uri: str
    store: Callable[[], TrackingStore]
    first: Timer


_runs: dict[str, _Run] = {}
_writer = uuid.uuid4().hex
_lock = threading.Lock()
_reviving = threading.Lock()
_ending: set[str] = set()
_wake = threading.Event()
_thread: threading.Thread | None = None


def begin(run_id: str, tracking_uri: str, store: Callable[[], TrackingStore]) -> None:
    """Give signs of life of a run from now on; `store` opens its store, in the thread that gives them."""
    interval_s = int(settings().get("heartbeat_s"))
    if interval_s <= 0:
        return
    beat = Heartbeat(run_id, _writer, _now_ms(), interval_s * 1000, host_name(), os.getpid(), boot_id())
    folder = run_folder(tracking_uri, run_id)
    with _lock:
        evidence.begin(folder, beat, is_outermost=not _runs)
        _runs[run_id] = _Run(beat, folder, tracking_uri, store, after(FIRST_S, _see_to_it))


def let_end(run_id: str) -> None:
    """From now on the end of a run is no longer taken back, while signs of life are still given: it may take a while to ship all."""
    _ending.add(run_id)
    if _reviving.acquire(timeout=REVIVED_S):
        _reviving.release()


def end(run_id: str) -> None:
    """Stop that; the store forgets the signs when the run ends."""
    with _lock:
        _ending.discard(run_id)
        run = _runs.pop(run_id, None)
        if run is not None:
            run.first.cancel()
            evidence.end(run.folder, run.beat.pid)


def _see_to_it() -> None:
    global _thread
    with _lock:
        if _runs and (_thread is None or not _thread.is_alive()):
            _thread = threading.Thread(target=_beat_on, name="drupe-heartbeat", daemon=True)
            _thread.start()
        _wake.set()


def _beat_on() -> None:
    given: dict[str, float] = {}  # when the last sign of each run was given, by the monotonic clock
    while True:
        _wake.wait()
        while True:
            _wake.clear()
            with _lock:
                runs = dict(_runs)
            if not runs:
                break
            now = time.monotonic()
            due = {run_id: run for run_id, run in runs.items() if now - given.get(run_id, -1e9) >= run.beat.interval_ms / 1000}
            for uri in {run.tracking_uri for run in due.values()}:
                together = {run_id: run for run_id, run in due.items() if run.tracking_uri == uri}
                with contextlib.suppress(Exception):  # whatever a store, or its library, raises: the next beat tries again
                    _give(together)
                given.update(dict.fromkeys(together, now))
            given = {run_id: at for run_id, at in given.items() if run_id in runs}
            next_at = min(given.get(run_id, now) + run.beat.interval_ms / 1000 for run_id, run in runs.items())
            if _wake.wait(max(0.0, next_at - time.monotonic())):
                break


def _give(runs: dict[str, _Run]) -> None:
    store = next(iter(runs.values())).store()
    beats = [evolve(run.beat, at_ms=_now_ms()) for run in runs.values()]
    store.beat(beats)
    if not store.features.get(Feature.HEARTBEATS):
        return
    taken = {beat.run_id for beat in store.heartbeats(list(runs))}
    for beat in beats:
        if beat.run_id not in taken and beat.run_id in _runs:
            _revive(store, beat)


def _revive(store: TrackingStore, beat: Heartbeat) -> None:
    """Take back that a run has crashed, which a reader said because this process was stopped, or could not reach the store."""
    with _reviving:
        if beat.run_id in _ending:
            return
        run = store.get_run(beat.run_id)
        if not run.info.status.has_ended or Crash.of(run.data.tags) is None:
            return
        store.update_run(beat.run_id, status=RunStatus.RUNNING)
        take_back(store, run)
        store.beat([beat])


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _after_fork() -> None:
    """A forked child gives no signs of its parent's runs, and has a writer's name of its own."""
    global _lock, _reviving, _wake, _thread, _writer
    _lock, _reviving, _wake, _thread, _writer = threading.Lock(), threading.Lock(), threading.Event(), None, uuid.uuid4().hex
    _runs.clear()
    _ending.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
