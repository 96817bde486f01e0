"""One database as the stores use it: an engine and its transactions. What happens inside of one is for `session`.

`Database.read()` and `Database.write()` are the only doors. Shared by all stores of one address, safe between threads and across fork:
before a fork all transactions end and all connections close, because a child must not even inherit an open SQLite file (its locks are
not inherited, and whoever believes to be the last reader deletes the log under the child).
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from drupe.errors import DrupeError, StoreBusy, StoreUnavailable
from drupe_store_sql.dialect import Dialect, Overtaken
from drupe_store_sql.session import Session, Shared

__all__ = ["Database", "now_ms"]

FORK_PATIENCE_S = 5.0


def now_ms() -> int:
    """The time in ms since the epoch."""
    return time.time_ns() // 1_000_000


class _Joined(threading.local):
    """The transaction that this thread's calls have joined; `is_marked` when the call that runs has a savepoint to go back to."""

    session: Session | None = None
    is_marked = False


class Database:
    """An engine with its transactions. `prepare` checks a fresh engine's database and brings its schema up to date."""

    def __init__(self, dialect: Dialect, prepare: Callable[[Database], None], *, clock: Callable[[], int] = now_ms) -> None:
        self.dialect, self.clock = dialect, clock
        self._prepare = prepare
        self._gate = threading.Condition(threading.Lock())  # held from before a fork until after it
        self._sessions = 0
        self._is_forking = False
        self._opening = threading.RLock()
        self._writers = threading.Lock()
        self._is_closed = False
        self._joined = _Joined()
        self._open()
        _databases.add(self)

    def close(self) -> None:
        """Close all connections; later use raises StoreUnavailable."""
        self._is_closed = True
        self._engine.dispose()

    def disconnect(self) -> None:
        """Close all connections that are idle; the next use makes others."""
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that sees one state of the database."""
        if self._joined.session is not None:
            yield self._joined.session
            return
        with self._session(self.dialect.begin_read, is_writing=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that may write: committed at the end, rolled back when anything is raised."""
        if self._joined.session is not None:
            with self._part_of_call(self._joined.session) as session:
                yield session
            return
        if not self.dialect.has_one_writer:
            with self._session(self.dialect.begin_write, is_writing=True) as session:
                yield session
            return
        if not self._writers.acquire(timeout=self.dialect.patience_s):
            raise StoreBusy(f"{self.dialect.place}: other threads kept writing for {self.dialect.patience_s:g} s", place=self.dialect.place)
        try:
            with self._session(self.dialect.begin_write, is_writing=True) as session:
                yield session
        finally:
            self._writers.release()

    def together(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """Run calls that read and write here in one transaction; each result, or the exception that undid its call alone.

        Raises what ends the transaction as a whole.
        """
        with self.write() as session:
            self._joined.session = session
            try:
                return [self._joint(session, call) for call in calls]
            finally:
                self._joined.session = None

    def _joint(self, session: Session, call: Callable[[], Any]) -> Any:
        joined = self._joined
        joined.is_marked = not self.dialect.outlives_faults
        if joined.is_marked:
            session.mark()
        try:
            result = call()
        except Exception as fault:
            if not session.is_open():  # such as after a full disk: with it went what the calls before have written
                raise
            if joined.is_marked:
                session.undo_to_mark()
                session.unmark()
            meant = fault if isinstance(fault, DrupeError) else self.dialect.explain(fault) or fault
            if isinstance(meant, Overtaken):  # begun again inside, it would keep the locks that the others wait for
                raise meant from fault
            return meant
        if joined.is_marked:
            session.unmark()
        return result

    @contextmanager
    def _part_of_call(self, session: Session) -> Iterator[Session]:
        """The first write of a call marks what the whole call can be undone to, which undoes that write too; later ones have savepoints of their own."""
        if self._joined.is_marked:
            with session.part():
                yield session
            return
        session.mark()
        self._joined.is_marked = True
        try:
            yield session
        except BaseException:
            if session.is_open():
                session.undo_to_mark()
            raise

    @contextmanager
    def _session(self, begin: Callable[[Any], None], *, is_writing: bool) -> Iterator[Session]:
        if self._is_closed:
            raise StoreUnavailable(f"{self.dialect.place}: this store was closed", place=self.dialect.place)
        if self.dialect.is_replaced():
            self._reopen()
        with self._gate:
            self._gate.wait_for(lambda: not self._is_forking)
            self._sessions += 1
        session = None
        try:
            session = Session(self._engine, self._shared, self.dialect, is_writing=is_writing)
            begin(session.driver)
            yield session
            session.commit()
        except DrupeError:
            raise
        except Exception as fault:  # the driver's, SQLAlchemy's, or a value that the driver cannot take
            meant = self.dialect.explain(fault)
            if meant is None:
                raise
            raise meant from fault
        finally:
            try:
                if session is not None:
                    session.close()
            finally:
                with self._gate:
                    self._sessions -= 1
                    self._gate.notify_all()

    def _open(self) -> None:
        self._engine = self.dialect.connect()
        self._shared = Shared()
        try:
            self._prepare(self)
        except BaseException:
            self._engine.dispose()
            raise

    def _reopen(self) -> None:
        with self._opening:
            if self.dialect.is_replaced():
                self._engine.dispose()
                self._open()

    def _before_fork(self) -> None:
        self._gate.acquire()
        self._is_forking = True
        self._gate.wait_for(lambda: self._sessions == 0, FORK_PATIENCE_S)
        self._engine.dispose()

    def _after_fork_in_parent(self) -> None:
        self._is_forking = False
        self._gate.notify_all()
        self._gate.release()

    def _after_fork_in_child(self) -> None:
        self._is_forking = False
        self._gate.release()
        self._gate = threading.Condition(threading.Lock())  # those who waited for the old one do not exist here
        self._opening, self._writers = threading.RLock(), threading.Lock()
        if self._sessions:  # nor do the threads of these; their connections must be neither used nor closed
            _abandoned.append(self._engine.pool)
            self._engine.dispose(close=False)
            self._sessions = 0


_databases: weakref.WeakSet[Database] = weakref.WeakSet()
_abandoned: list[Any] = []
_one_fork = threading.Lock()
_forking: list[Database] = []


def _before_fork() -> None:
    _one_fork.acquire()  # two threads may fork at once
    _forking[:] = list(_databases)
    for database in _forking:
        database._before_fork()


def _after_fork_in_parent() -> None:
    while _forking:
        _forking.pop()._after_fork_in_parent()
    _one_fork.release()


def _after_fork_in_child() -> None:
    while _forking:
        _forking.pop()._after_fork_in_child()
    _one_fork.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
