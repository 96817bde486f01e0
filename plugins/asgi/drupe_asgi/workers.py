"""Several processes on one port, for what several servers may share, and the small process that looks after them.

A worker is a whole server. The supervisor starts them, starts one anew that has died, passes on what changes (so that a listener at one hears
of what another has written), and hands SIGTERM down. When it is gone itself, they end too.

What they count lies in a folder, a file for each place: whoever is asked for figures adds up all of them, and a worker that takes the place
of a dead one goes on from its counts.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import selectors
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from attrs import define, field

from drupe.errors import DrupeError, StoreUnavailable

__all__ = ["PARCEL_BYTES", "Place", "supervise"]

FEWEST_S_ALIVE = 1.0
END_WITHIN_S = 15.0
ENDING = (signal.SIGTERM, signal.SIGINT)
PARCEL_BYTES = 1 << 16
READY = b"ready"
MISSED = b'{"kind": "missed"}'
"""What is told for changes that could not be passed on: whoever listens reads anew."""

log = logging.getLogger("drupe.server")


@define
class Place:
    """Where a worker stands: its number, its line to the supervisor, and the folder of what all have counted."""

    number: int
    line: socket.socket
    folder: Path
    _has_dropped: bool = field(default=False, init=False)

    def tell_ready(self) -> None:
        """It listens."""
        self.line.send(READY)

    def tell(self, change: dict[str, str]) -> None:
        """Pass a change on to the other workers. Where the supervisor does not keep up they are told, by `catch_up`, that they have missed some."""
        if not self._pass_on(json.dumps(change).encode()):
            self._has_dropped = True

    def catch_up(self) -> None:
        """Tell the others that they have missed changes, if they have and can be told now; to be called now and then."""
        if self._has_dropped:
            self._has_dropped = False  # before: another thread may drop one meanwhile
            if not self._pass_on(MISSED):
                self._has_dropped = True

    def _pass_on(self, parcel: bytes) -> bool:
        with contextlib.suppress(ConnectionError):  # the supervisor is gone, and so are the others soon
            try:
                self.line.send(parcel)
            except BlockingIOError:
                return False
        return True

    def keep(self, counted: Any) -> None:
        """Leave what this worker has counted for the others; what cannot be written now is left the next time."""
        path = self.folder / f"{self.number}.json"
        beside = path.with_suffix(f".{os.getpid()}")
        try:
            beside.write_text(json.dumps(counted))
            beside.replace(path)
        except OSError as fault:  # a full disk must not end answers, nor keep a worker from ending in order
            log.debug("worker %d: its counts are not kept: %s", self.number, fault)

    def kept(self) -> Any:
        """What the worker before it at this place has left; None for the first."""
        return _read(self.folder / f"{self.number}.json")

    def others(self) -> list[Any]:
        """What the others have left."""
        paths = [path for path in self.folder.glob("*.json") if path.stem != str(self.number)]
        return [counted for path in paths if (counted := _read(path)) is not None]


@define
class _Worker:
    number: int
    pid: int
    line: socket.socket
    began: float = field(factory=time.monotonic)
    is_ready: bool = False


class _Supervisor:
    def __init__(self, count: int, work: Callable[[Place], None], started: Callable[[], None], folder: Path) -> None:
        self._count, self._work, self._started, self._folder = count, work, started, folder
        self._workers: dict[int, _Worker] = {}
        self._selector = selectors.DefaultSelector()
        self._is_ending = self._has_started = self._is_told_to_end = False
        self._woken, self._waking = socket.socketpair()
        self._waking.setblocking(False)

    def run(self) -> None:
        """Until SIGTERM or SIGINT."""
        self._selector.register(self._woken, selectors.EVENT_READ)
        with self._signals():
            for number in range(self._count):
                self._start(number)
            while self._workers:
                for key, events in self._selector.select():
                    if key.fileobj is self._woken:
                        self._woken.recv(100)
                        continue
                    if events & selectors.EVENT_WRITE:  # it keeps up again
                        self._selector.modify(key.fileobj, selectors.EVENT_READ, key.data)
                        self._pass_on(MISSED, key.data)
                    if events & selectors.EVENT_READ:
                        self._hear(key.data)
                self._bury()

    def _start(self, number: int) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sys.stdout.flush()
        waiting = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)  # what the child is told before it listens to it would be lost
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                for number_of_signal in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
                    signal.signal(number_of_signal, signal.SIG_DFL)
                signal.set_wakeup_fd(-1)
                signal.pthread_sigmask(signal.SIG_SETMASK, waiting)
                for other in (ours, self._woken, self._waking, *(worker.line for worker in self._workers.values())):
                    other.close()
                theirs.setblocking(False)
                if not self._is_ending:  # told between fork and here, which nobody would tell again
                    self._work(Place(number, theirs, self._folder))
                code = 0
            except DrupeError as fault:  # told here, for it cannot go further up than this process
                sys.stderr.write(f"drupe, worker {number}: {fault}\n")
            except Exception:
                sys.stderr.write(f"drupe, worker {number}: {traceback.format_exc()}")
            finally:
                with contextlib.suppress(Exception):
                    sys.stdout.flush()
                    sys.stderr.flush()
                os._exit(code)
        theirs.close()
        ours.setblocking(False)
        worker = self._workers[pid] = _Worker(number, pid, ours)
        signal.pthread_sigmask(signal.SIG_SETMASK, waiting)
        self._selector.register(ours, selectors.EVENT_READ, worker)
        if self._is_ending:  # since it was decided to start this one
            os.kill(pid, signal.SIGTERM)

    def _hear(self, worker: _Worker) -> None:
        try:
            parcel = worker.line.recv(PARCEL_BYTES)
        except (BlockingIOError, ConnectionError):
            return
        if not parcel:
            self._selector.unregister(worker.line)  # it is about to end, and will be buried
        elif parcel == READY:
            worker.is_ready = True
            if not self._has_started and sum(one.is_ready for one in self._workers.values()) == self._count:
                self._has_started = True
                self._started()
        else:
            for other in self._workers.values():
                if other is not worker:
                    self._pass_on(parcel, other)

    def _pass_on(self, parcel: bytes, worker: _Worker) -> None:
        """To one that does not keep up it is said, once it does, that it has missed some."""
        with contextlib.suppress(ConnectionError, KeyError):  # it ends, and is not listened to any more
            try:
                worker.line.send(parcel)
            except BlockingIOError:
                self._selector.modify(worker.line, selectors.EVENT_READ | selectors.EVENT_WRITE, worker)

    def _bury(self) -> None:
        for worker in list(self._workers.values()):
            pid, status = os.waitpid(worker.pid, os.WNOHANG)
            if pid == 0:
                continue
            del self._workers[pid]
            with contextlib.suppress(KeyError):
                self._selector.unregister(worker.line)
            worker.line.close()
            if self._is_ending:
                continue
            if not self._has_started:
                self._end()
                continue
            code = os.waitstatus_to_exitcode(status)
            log.warning("worker %d, process %d, ended with %d; another takes its place", worker.number, pid, code)
            time.sleep(max(0.0, FEWEST_S_ALIVE - (time.monotonic() - worker.began)))  # one that cannot live is not started in a loop
            if not self._is_ending:  # since
                self._start(worker.number)

    def _end(self) -> None:
        self._is_ending = True
        for pid in self._workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        signal.setitimer(signal.ITIMER_REAL, END_WITHIN_S)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        def end(number: int, frame: FrameType | None) -> None:
            self._is_told_to_end = True
            self._end()

        def kill(number: int, frame: FrameType | None) -> None:
            for pid in self._workers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

        wanted = {signal.SIGTERM: end, signal.SIGINT: end, signal.SIGALRM: kill, signal.SIGCHLD: lambda *_: None}
        before = {number: signal.signal(number, handler) for number, handler in wanted.items()}
        signal.set_wakeup_fd(self._waking.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.set_wakeup_fd(-1)
            for number, handler in before.items():
                signal.signal(number, handler)

    @property
    def has_failed(self) -> bool:
        """True when not all have ever listened, and nobody has told it to end before they did."""
        return not (self._has_started or self._is_told_to_end)


def supervise(count: int, work: Callable[[Place], None], started: Callable[[], None]) -> None:
    """Have `count` processes do `work`, until SIGTERM or SIGINT; `started` is called when all are ready. Raises StoreUnavailable if one never is."""
    with tempfile.TemporaryDirectory(prefix="drupe-server-") as folder:
        supervisor = _Supervisor(count, work, started, Path(folder))
        supervisor.run()
    if supervisor.has_failed:
        raise StoreUnavailable("a worker could not start; what it has met stands above")


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None
