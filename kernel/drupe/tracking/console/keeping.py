"""The console log of a run as artifacts: `begin` when the outermost run of a process starts, `finish` when it ends.

While the run goes on its log lies in the run's own folder on this machine, where readers here follow it; parts that have changed are put to
the artifacts every quarter of a minute, for readers elsewhere. A fault here is a warning, never an exception.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

from drupe.extend import ArtifactRepo
from drupe.settings import settings
from drupe.tracking.console.archive import clear_parts, keep_parts, stage_parts
from drupe.tracking.console.capture import Console, console
from drupe.tracking.console.choice import is_wanted
from drupe.tracking.console.parts import FOLDER
from drupe.tracking.evidence import note_file
from drupe.tracking.journal.places import run_folder
from drupe.tracking.timers import Timer, after

__all__ = ["begin", "finish"]

EVERY_S = 15.0

_current: _Log | None = None
_lock = threading.Lock()
_begun = threading.Event()
_keeper: threading.Thread | None = None


class _Log:
    """The log of the run that is captured now."""

    def __init__(self, run_id: str, folder: Path, open_repo: Callable[[], ArtifactRepo], into: Console) -> None:
        self.run_id, self.owner, self.over = run_id, os.getpid(), threading.Event()
        self._folder, self._open_repo, self._console = folder, open_repo, into
        self._kept: dict[str, tuple[int, int]] = {}
        self._turn = threading.Lock()
        self.keeping: Timer | None = None

    def keep(self) -> None:
        with self._turn:
            if not self.over.is_set():
                keep_parts(self._folder, self._open_repo, self._kept)

    def finish(self, fault: BaseException | None) -> None:
        if fault is not None and not isinstance(fault, SystemExit):  # Python will print it, but after the block of the run
            self._console.note("".join(traceback.format_exception(fault)))
        is_written = self._console.end()
        self.over.set()
        if self.keeping is not None:
            self.keeping.cancel()
        if not is_written:
            warnings.warn(f"the console log of run {self.run_id} is not complete", stacklevel=4)
        with self._turn:
            try:
                keep_parts(self._folder, self._open_repo, self._kept)
            except Exception:
                stage_parts(self._folder)
                raise
            clear_parts(self._folder)


def begin(run_id: str, tracking_uri: str, open_repo: Callable[[], ArtifactRepo], *, is_resumed: bool = False) -> None:
    """Capture what this process prints for a run, unless that is not wanted or goes on for another run already."""
    global _current
    with _lock:
        if (_current is not None and _current.owner == os.getpid()) or not is_wanted():
            return
        try:
            into = console()
            if into is None:
                return
            place = run_folder(tracking_uri, run_id)
            folder, most = place / FOLDER, int(settings().get("console_max_mb")) * 2**20
            into.begin(folder, _sequence(is_resumed), most, locked=note_file(place, os.getpid()))
            _current = _Log(run_id, folder, open_repo, into)
            _current.keeping = after(EVERY_S, _start_keeper)
        except (OSError, RuntimeError) as fault:  # no descriptors, no process, no thread left
            warnings.warn(f"what this program prints is not kept with run {run_id}: {fault}", stacklevel=3)


def finish(run_id: str, fault: BaseException | None = None) -> None:
    """End the capture for a run, if there is one, and keep its log; `fault` is the exception that ended the run."""
    global _current
    with _lock:
        log = _current
        if log is None or log.run_id != run_id or log.owner != os.getpid():
            return
        _current = None
    try:
        log.finish(fault)
    except Exception as kept_not:  # whatever the artifact repository raised: the run itself is complete
        warnings.warn(
            f"the console log of run {run_id} waits for `drupe sync`, since it could not be put to the artifacts: {kept_not}", stacklevel=3
        )


def _start_keeper() -> None:
    global _keeper
    if _keeper is None or not _keeper.is_alive():
        _keeper = threading.Thread(target=_keep_on, name="drupe-console-keeping", daemon=True)
        _keeper.start()
    _begun.set()


def _keep_on() -> None:
    while True:
        _begun.wait()
        _begun.clear()
        log = _current
        while log is not None and not log.over.is_set():
            with contextlib.suppress(Exception):  # whatever the repository raised: it is tried again, and told of when the run ends
                log.keep()
            log.over.wait(EVERY_S)


def _after_fork() -> None:
    """A forked child has no part in its parent's log."""
    global _current, _lock, _begun, _keeper
    _current, _lock, _begun, _keeper = None, threading.Lock(), threading.Event(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _sequence(is_resumed: bool) -> str:
    if not is_resumed:
        return "console"
    # whoever takes up a run twice within a second would write over the log of the first time, and in containers every process is number 1
    return f"console-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{os.urandom(4).hex()}"
