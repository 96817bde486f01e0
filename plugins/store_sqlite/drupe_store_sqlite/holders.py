"""Who has a SQLite file open, by SQLite's own locks of it; and a lock of ours for the one that upgrades it.

To be asked only by a process that has the file not open itself: closing a file gives up all locks that the process has of it.
"""

from __future__ import annotations

import fcntl
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drupe.errors import StoreBusy
from drupe_store_sqlite import faults

__all__ = ["alone", "holder", "upgrading"]

LOCKS_FROM, LOCKS = 0x40000000, 512
"""The bytes that SQLite locks in a file; see https://www.sqlite.org/fileformat2.html and os_unix.c. With a log, whoever has it open has a lock."""
PAUSE_S = 0.02


@contextmanager
def alone(file: Path, then: str) -> Iterator[None]:
    """Hold SQLite's locks of the file, so that nobody opens it meanwhile. Raises StoreBusy when somebody has; `then` is what to do after."""
    descriptor = os.open(file, os.O_RDWR)
    try:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, LOCKS, LOCKS_FROM)
        except OSError as fault:
            who = _holder(descriptor) or "another process"
            raise StoreBusy(f"{file}: {who} has the database open; end it, then {then}", path=str(file)) from fault
        yield
    finally:
        os.close(descriptor)


def holder(file: Path) -> str | None:
    """Another process that has the file open; None for nobody, or where there is no way to tell."""
    try:
        descriptor = os.open(file, os.O_RDWR)
    except OSError:
        return None
    try:
        return _holder(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def upgrading(file: Path, patience_s: float) -> Iterator[None]:
    """Be the only one that upgrades this file. Raises StoreBusy, StoreReadOnly."""
    lock = file.with_name(f"{file.name}.upgrading")
    deadline = time.monotonic() + patience_s
    while (descriptor := _taken(lock, file)) is None:
        if time.monotonic() >= deadline:
            raise StoreBusy(f"{file}: another process has been upgrading it for {patience_s:g} s", path=str(file))
        time.sleep(PAUSE_S)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)  # while it is held: whoever waits for it finds that it is not the file of that name any more
        os.close(descriptor)


def _taken(lock: Path, file: Path) -> int | None:
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as fault:
        raise faults.read_only(file) from fault
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), os.stat(lock)):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


def _holder(descriptor: int) -> str | None:
    asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, LOCKS_FROM, LOCKS, 0)
    kind, *_, pid = struct.unpack("hhqqi4x", fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
    if kind == fcntl.F_UNLCK:
        return None
    return f"process {pid}" if pid > 0 else "another process"
