"""Runs whose process is gone, found by whoever reads their store: marked in it, or told by this process alone where it cannot write.

What the dead process has left in the run's folder on this machine (its console log, the trace of a fatal signal) becomes artifacts.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from drupe.artifacts.repos import repo_for
from drupe.entities import Heartbeat, LogBatch, Run, RunStatus
from drupe.errors import DrupeError, RunNotFound
from drupe.extend import TrackingStore
from drupe.tracking import evidence
from drupe.tracking.console.archive import clear_parts, keep_parts
from drupe.tracking.console.parts import FOLDER
from drupe.tracking.crashes import Crash
from drupe.tracking.evidence import Death
from drupe.tracking.journal.adoption import adopt_run
from drupe.tracking.journal.places import journals_root
from drupe.tracking.liveness import Here, Life, Verdict, judge
from drupe.tracking.offline import settle_experiment
from drupe.uris import ArtifactPath

__all__ = ["crash_of", "look_after"]

EVERY_S = 10.0
WITNESS_S = 5.0  # it is done in milliseconds, unless the machine is busy, or nobody reads what it has to pass on
CRASH_ARTIFACT = "crash.txt"

log = logging.getLogger("drupe.tracking")
_looked: dict[str, float] = {}
_told_here: dict[str, Crash] = {}  # of runs in stores that this process cannot write to
_lock = threading.Lock()


def look_after(
    tracking_uri: str,
    store: TrackingStore,
    *,
    now: bool = False,
    here: Here | None = None,
    clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ended: Callable[[str, RunStatus], None] | None = None,
) -> list[str]:
    """Mark the runs of a store whose processes are dead; returns their ids. Done at most every ten seconds for one store, unless `now`.

    `ended` is told of each. Never raises for what a store or a folder has: who reads wants an answer.
    """
    with _lock:
        if not now and time.monotonic() - _looked.get(tracking_uri, -EVERY_S) < EVERY_S:
            return []
        _looked[tracking_uri] = time.monotonic()
    here, found = here or Here(), []
    try:
        root = journals_root(tracking_uri)
        signs = _signs(root, store, here)
        verdicts = {run_id: judge(beats, now_ms=clock(), here=here) for run_id, beats in signs.items()}
        dead = {run_id: verdict for run_id, verdict in verdicts.items() if verdict.life is Life.DEAD}
        gone = [beat.pid for run_id, verdict in dead.items() if verdict.why == "gone" for beat in signs[run_id]]
        _let_witnesses_finish(root, gone)
        last = {run_id: max(signs[run_id], key=lambda beat: beat.at_ms).pid for run_id in dead}
        # the evidence of a process lies with one of its runs, and is tidied up with that one
        deaths = {run_id: evidence.how_it_died(root / run_id, last[run_id], verdict.why) for run_id, verdict in dead.items()}
        for run_id, verdict in dead.items():
            if _bury(store, root / run_id, signs[run_id], verdict, deaths[run_id], ended):
                found.append(run_id)
    except DrupeError as fault:
        log.debug("the runs in %s were not looked after: %s", tracking_uri, fault)
    return found


def crash_of(run: Run) -> Crash | None:
    """How a run has crashed, by its tags or by what this process has found; None for all others."""
    if run.info.status is RunStatus.RUNNING:
        return _told_here.get(run.info.run_id)
    return Crash.of(run.data.tags) if run.info.status in (RunStatus.FAILED, RunStatus.KILLED) else None


def _signs(root: Path, store: TrackingStore, here: Here) -> dict[str, list[Heartbeat]]:
    """Signs of life by run: those in the store, and those that dead processes of this machine have left."""
    found: dict[str, list[Heartbeat]] = {}
    for beat in store.heartbeats():
        found.setdefault(beat.run_id, []).append(beat)
    left: dict[str, list[Heartbeat]] = {}
    for beat in evidence.left_in(root):
        left.setdefault(beat.run_id, []).append(beat)
    for run_id, beats in left.items():
        # they tell only when it began; how long that is ago says nothing
        alive = [beat for beat in beats if judge([beat], now_ms=beat.at_ms, here=here).life is not Life.DEAD]
        if run_id in found:
            found[run_id] += alive  # taken up by a process that has given no sign to the store yet
        elif not alive:
            found[run_id] = beats
    return found


def _let_witnesses_finish(root: Path, pids: Collection[int]) -> None:
    """Wait a little for what sees to the consoles of dead processes: it may have less of their last lines, and of how they died, than it will have."""
    deadline = time.monotonic() + WITNESS_S
    while time.monotonic() < deadline and any(evidence.is_witnessed(root, pid) for pid in pids):
        time.sleep(0.01)


def _bury(
    store: TrackingStore,
    folder: Path,
    beats: Sequence[Heartbeat],
    verdict: Verdict,
    death: Death,
    ended: Callable[[str, RunStatus], None] | None,
) -> bool:
    run_id, pids = beats[0].run_id, {beat.pid for beat in beats}
    adopt_run(folder, store, prepare=settle_experiment(lambda: store))  # what it had logged and not shipped, the end of the run perhaps
    try:
        run = store.get_run(run_id)
    except RunNotFound:  # it waits in a journal; `drupe sync` or the next opening ships it
        return False
    if run.info.status.has_ended:
        _keep(folder, run, pids)  # it died between the end of the run and the tidying up
        return False
    steps = [summary.last_step for key, summary in run.data.summaries.items() if not key.startswith("system/")]  # whose steps are samples
    crash = Crash(max(verdict.last_ms, death.at_ms, run.info.start_time), death.reason, death.signal, max(steps, default=None))
    status = RunStatus.KILLED if crash.signal == "SIGTERM" else RunStatus.FAILED
    try:
        store.log_batch(run_id, LogBatch(tags=crash.tags()))
        store.update_run(run_id, status=status, end_time=crash.at_ms)
    except DrupeError:  # read-only, or out of reach since
        _told_here[run_id] = crash
        return True
    _told_here.pop(run_id, None)
    if ended is not None:
        ended(run_id, status)
    _keep(folder, run, pids)
    return True


def _keep(folder: Path, run: Run, pids: Collection[int]) -> None:
    """Make artifacts of what dead processes have left for a run, and tidy it up."""
    try:
        keep_parts(folder / FOLDER, lambda: repo_for(run.info.artifact_uri))
        for pid in pids:
            report = evidence.crash_text(folder, pid)
            if report:
                repo_for(run.info.artifact_uri).put_bytes(report, ArtifactPath((FOLDER, CRASH_ARTIFACT)))
    except DrupeError as fault:
        log.warning("run %s: what it printed stays in %s: %s", run.info.run_id, folder, fault)
        return
    for pid in pids:
        evidence.end(folder, pid)
    clear_parts(folder / FOLDER)


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()  # another thread of the parent may have held it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
