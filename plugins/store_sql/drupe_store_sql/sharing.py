"""One database for all stores of one address and settings in a process: the first to open makes it, the last to close lets go of it."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from drupe_store_sql.database import Database

__all__ = ["Shelf"]

K = TypeVar("K", bound=Hashable)


class Shelf(Generic[K]):
    """The open databases of one plugin by address and settings; `make` opens one. Safe between threads and across fork."""

    def __init__(self, make: Callable[[K], Database]) -> None:
        self._make = make
        self._open: dict[K, tuple[Database, int]] = {}
        self._lock = threading.Lock()
        _shelves.add(self)

    def acquire(self, key: K) -> Database:
        """The database of this key, opened if nobody has it yet. Raises what `make` raises."""
        with self._lock:
            database, users = self._open.get(key, (None, 0))
            if database is None:
                database = self._make(key)
            self._open[key] = (database, users + 1)
            return database

    def release(self, key: K) -> None:
        """To be called once for each `acquire`."""
        with self._lock:
            database, users = self._open[key]
            if users > 1:
                self._open[key] = (database, users - 1)
                return
            del self._open[key]
            database.close()

    def has(self, is_meant: Callable[[K], bool]) -> bool:
        """Whether one of these is open."""
        with self._lock:
            return any(is_meant(key) for key in self._open)

    def _in_child(self) -> None:
        self._lock = threading.Lock()  # a thread that held it does not exist in the child


_shelves: weakref.WeakSet[Shelf[Any]] = weakref.WeakSet()


def _in_child() -> None:
    for shelf in list(_shelves):
        shelf._in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
