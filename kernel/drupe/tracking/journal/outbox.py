"""The journals of this process and what brings them to their stores: a thread that ships about twice a second.

Nothing here ever raises into training: an unreachable store is told once, and kept as a state. State of the whole process, made anew after a fork.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import define, field

from drupe.entities import Parcel
from drupe.errors import DrupeError, StoreFull
from drupe.extend import Feature, TrackingStore
from drupe.settings import settings
from drupe.tracking.journal import trouble
from drupe.tracking.journal.places import run_folder
from drupe.tracking.journal.shipping import Consignment, Shipped
from drupe.tracking.journal.writer import HELD_BYTES, Journal, Sync
from drupe.uris import redact

__all__ = ["Line", "clean_folder", "close", "close_all", "has_shipped", "line_of", "lines", "open_line", "own_writers"]

ROUND_S = 0.5
PAUSES_S = (1.0, 60.0)  # between tries while a store cannot be reached: the first, doubled each time up to the last
PATIENCE_S = 2.0
BRAKE_S = 0.2

log = logging.getLogger("drupe.tracking")

_lines: dict[str, Line] = {}
_done: list[Line] = []  # closed and shipped; their files are to be deleted
_used_roots: set[Path] = set()
_outages: set[str] = set()  # addresses of stores that do not take what is logged; said once for all runs
_bad_disks: set[Path] = set()  # folders of journals whose disk is full or does not sync
_opening = threading.RLock()
_cleaning = threading.RLock()
_thread: threading.Thread | None = None
_wake = threading.Event()


@define(eq=False)
class Line:
    """One run of this process on its way to a store.

    `params` are those that the run is known to have, `models` the ids of the logged models that it has made, by step, `tied` what else it is known
    to be tied to: ids of logged models, names and digests of datasets, `named` the metrics and steps for which a model was named, `on` the datasets of those for
    which none was.
    `is_held`: nobody is to ship it (offline). `is_strict`: what the store does not take is
    an error in the call that logs. `fault` is why the last try failed, `retry_at` (monotonic) when the next may begin.
    """

    uri: str
    run_id: str
    journal: Journal
    consignment: Consignment
    opened: Callable[[], TrackingStore]
    params: dict[str, str] = field(factory=dict)
    models: dict[int, list[str]] = field(factory=dict)
    tied: set[str | tuple[str, str]] = field(factory=set)
    named: dict[tuple[str, int], None] = field(factory=dict)
    on: dict[tuple[str, int], tuple[str, str]] = field(factory=dict)
    is_held: bool = False
    is_strict: bool = False
    lock: threading.RLock = field(factory=threading.RLock)
    fault: Exception | None = None
    retry_at: float = 0.0
    is_noted: bool = False
    has_origins: bool = False
    _failures: int = 0
    _try_s: float = 0.0
    _seen_files: int = 0

    @property
    def backlog_bytes(self) -> int:
        """How much of the journal the store does not have yet."""
        return self.journal.end - self.consignment.position

    @property
    def is_behind(self) -> bool:
        """True when something was logged that the store does not have."""
        return self.backlog_bytes > 0 or self.journal.is_waiting

    @property
    def is_worth_trying(self) -> bool:
        """False when the last try failed, and only after a long wait: who asks for something else should not wait so long again."""
        return self.fault is None or self._try_s < PATIENCE_S

    def ship(self, *, now: bool = False) -> Shipped:
        """Bring what there is to the store, unless it failed a moment ago (`now` tries all the same). Never raises but for Ctrl-C: see `fault`."""
        shipped = Shipped()
        with self.lock:
            if self.is_held or not self.is_behind or (self.fault is not None and not now and time.monotonic() < self.retry_at):
                return shipped
            begun = time.monotonic()
            try:
                self._mind_the_disk()
                self.consignment.files += self.journal.files[self._seen_files :]
                self._seen_files = len(self.journal.files)
                store = self.opened()
                self.has_origins = bool(store.features.get(Feature.ORIGINS))
                shipped = self.consignment.send(store, end=self.journal.end)
                self.consignment.delete_shipped()
            except DrupeError as fault:
                self._failed(fault)
            except Exception as fault:  # whatever a store of somebody else, or its library, raises; training goes on
                self._failed(fault)
            else:
                self._recovered()
            finally:
                self._try_s = time.monotonic() - begun
            if self.fault is None:
                for clash in shipped.clashes:
                    log.warning(
                        "run %s: param %r is %.100r in the store and cannot become %.100r; the first value was kept",
                        *(self.run_id, clash.key, clash.kept, clash.refused),
                    )
        return shipped

    def _mind_the_disk(self) -> None:
        """Try again what the disk did not take, and say once that it does not. Raises StoreFull in strict mode."""
        if self.journal.is_waiting:
            self.journal.retry()
        fault, unsynced = self.journal.trouble, self.journal.unsynced
        if fault is None and unsynced is None:
            _bad_disks.discard(self.journal.folder.parent)
            return
        if self.is_strict:
            what = "synced" if fault is None else "written"
            raise StoreFull(f"the journal in {self.journal.folder} cannot be {what}: {fault or unsynced}", place=str(self.journal.folder))
        is_known = self.journal.folder.parent in _bad_disks or isinstance(self.fault, StoreFull)
        _bad_disks.add(self.journal.folder.parent)
        if is_known:
            return
        if fault is None:
            log.warning(
                "run %s: its journal in %s cannot be synced: %s. What is logged survives the process, but not the machine",
                *(self.run_id, self.journal.folder, unsynced),
            )
        else:
            log.warning(
                "run %s: its journal in %s cannot be written: %s. Memory keeps what is logged, up to %d MB, until there is space",
                *(self.run_id, self.journal.folder, fault, HELD_BYTES >> 20),
            )

    def _failed(self, fault: Exception) -> None:
        self.fault = fault
        self.retry_at = time.monotonic() + min(PAUSES_S[0] * 2**self._failures, PAUSES_S[1])
        self._failures = min(self._failures + 1, 10)
        if not self.is_noted:
            self.is_noted = True
            trouble.note(self.journal.folder, self.uri, fault)
        is_known = self.uri in _outages or (isinstance(fault, StoreFull) and self.journal.folder.parent in _bad_disks)
        if not is_known:
            _outages.add(self.uri)
            log.warning(
                "run %s: the store at %s does not take what is logged: %s. It is kept in %s and sent when that works again; see: drupe status",
                *(self.run_id, redact(self.uri), fault, self.journal.folder),
            )

    def _recovered(self) -> None:
        if self.is_noted:
            trouble.clear(self.journal.folder)
        if self.uri in _outages:
            _outages.discard(self.uri)
            log.warning("run %s: the store at %s takes what is logged again", self.run_id, redact(self.uri))
        self.fault, self._failures, self.is_noted = None, 0, False


def open_line(
    uri: str,
    run_id: str,
    opened: Callable[[], TrackingStore],
    *,
    params: Mapping[str, str] | None = None,
    prepare: Callable[[Parcel], Parcel] | None = None,
    is_held: bool = False,
) -> Line:
    """The line of a run; made when there is none in this process yet.

    `opened` gives its store, `params` are those that the run has, `prepare` is that of `Consignment`.
    """
    with _opening:
        line = _lines.get(run_id)
        if line is None:
            journal = Journal(run_folder(uri, run_id), run_id, store=redact(uri), sync=_sync())
            consignment = Consignment(run_id, journal.writer, [], prepare)
            is_strict = bool(settings().get("strict_logging"))
            line = Line(uri, run_id, journal, consignment, opened, dict(params or {}), is_held=is_held, is_strict=is_strict)
            journal.before_next_file = _brake(line)
            _lines[run_id] = line
            _used_roots.add(journal.folder.parent)
            _start_thread()
            _close_with_worker()
        return line


def line_of(run_id: str) -> Line | None:
    """The line of a run, if this process has one."""
    return _lines.get(run_id)


def lines() -> list[Line]:
    """All lines of this process."""
    return list(_lines.values())


def has_shipped(uri: str) -> bool:
    """True when the store at `uri` has taken something of a run that is logged to now."""
    return any(line.uri == uri and line.consignment.position > 0 for line in lines())


def own_writers() -> set[str]:
    """The journals that this process writes; nobody else is to touch them."""
    return {line.journal.writer for line in (*lines(), *_done)}


def close(run_id: str) -> Shipped:
    """End a line: ship what there is, and let its journal be deleted if the store has all of it. Else it is shipped by who opens the store next."""
    line = _lines.get(run_id)
    if line is None:
        return Shipped()
    with line.lock:
        shipped = line.ship(now=line.is_worth_trying)
        is_done = not line.is_behind
        line.journal.close(cut=not is_done)
        _lines.pop(run_id, None)
    if is_done and line.journal.files:
        _done.append(line)
        if line.has_origins:
            _start_thread()  # deleting takes longer than all the rest, and nobody waits for it
        else:
            _clean_up()  # another process that found it now would ship it again
    if line.journal.dropped:
        log.warning("run %s: %d records were lost, because the disk was full and memory for them was bounded", run_id, line.journal.dropped)
    return shipped


def close_all() -> None:
    """End every line of this process, as at its exit."""
    for line in lines():
        close(line.run_id)
    _clean_up()
    while _used_roots:
        _remove(_used_roots.pop())
    _outages.clear()
    _bad_disks.clear()


def clean_folder(folder: Path) -> None:
    """Remove a run's folder when nothing is in it any more."""
    _remove(folder)


def _clean_up() -> None:
    with _cleaning:  # at the exit of the process the thread is not to be left in the middle of it
        while _done:
            line = _done.pop()
            for path in line.consignment.files:
                path.unlink(missing_ok=True)
            _remove(line.journal.folder)


def _remove(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:  # something is in it, or somebody else was quicker
        return


def _sync() -> Sync:
    return Sync(str(settings().get("journal_sync") or Sync.PROCESS))


def _brake(line: Line) -> Callable[[], None]:
    """What a full file waits for: a moment, when the store lags behind too far. Said once."""
    most = int(settings().get("journal_max_mb") or 1024) << 20
    is_told = False

    def wait() -> None:
        nonlocal is_told
        if line.backlog_bytes > most:
            if not is_told:
                is_told = True
                log.warning(
                    "run %s: %d MB wait to be shipped, more than journal_max_mb; logging is slowed down a little",
                    *(line.run_id, line.backlog_bytes >> 20),
                )
            _wake.set()
            time.sleep(BRAKE_S)

    return wait


# --- the thread


def _start_thread() -> None:
    global _thread
    if _thread is None or not _thread.is_alive():
        _thread = threading.Thread(target=_run, name="drupe-shipper", daemon=True)
        try:
            _thread.start()
        except RuntimeError:  # the interpreter is ending and starts no more threads; closing ships
            _thread = None
    _wake.set()


def _run() -> None:
    while True:
        if not _lines:
            _wake.wait()
        _wake.clear()
        for line in lines():
            if line.journal.sync is Sync.SECOND:
                line.journal.flush_to_disk()
            line.ship()
        _clean_up()
        if _lines:
            time.sleep(ROUND_S)


# --- the life of the process


def _close_with_worker() -> None:
    """A worker of multiprocessing leaves without running exit handlers, but for its own kind."""
    util = sys.modules.get("multiprocessing.util")
    if util is not None and getattr(sys.modules.get("multiprocessing.process"), "parent_process", lambda: None)() is not None:
        util.Finalize(None, close_all, exitpriority=10)


def _after_fork() -> None:
    global _opening, _cleaning, _thread, _wake
    for line in _lines.values():
        line.journal.abandon()
    _lines.clear()
    _done.clear()
    _used_roots.clear()
    _opening, _cleaning, _thread, _wake = threading.RLock(), threading.RLock(), None, threading.Event()


atexit.register(close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
