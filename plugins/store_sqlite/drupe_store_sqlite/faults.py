"""What SQLite complains about, in the words of our error tree. The one place that knows SQLite's error codes."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from drupe.errors import (
    DrupeError,
    InvalidValue,
    StoreBusy,
    StoreCorrupt,
    StoreFull,
    StoreReadOnly,
    StoreUnavailable,
    ValueTooLong,
)

__all__ = ["corrupt", "explain", "full", "read_only"]

ROOM = 1 << 16  # bytes; with less than this free, an I/O error means a full disk


_SCHEMA_GONE = ("no such table", "no such column", "no such index")  # the statements are ours, so the list of tables is damaged


def explain(fault: Exception, file: Path) -> DrupeError | None:
    """The error that this exception stands for; None when it has nothing to do with the store."""
    cause = fault.orig if isinstance(fault, DBAPIError) else fault
    if isinstance(cause, UnicodeEncodeError):
        return InvalidValue(f"text {cause.object[:60]!r} is not valid Unicode (it holds a lone surrogate) and cannot be kept")
    if isinstance(cause, UnicodeDecodeError):  # SQLite's own message quotes damaged bytes
        return corrupt(file, f"text in it is not Unicode ({cause.object[:80]!r})")
    if isinstance(cause, OverflowError):
        return InvalidValue(f"a number does not fit 64 bits and cannot be kept: {cause}")
    if not isinstance(cause, sqlite3.Error):
        return None
    code = getattr(cause, "sqlite_errorcode", None)
    return _by_code(code & 0xFF, cause, file) if code is not None else _by_text(cause, file)


def corrupt(file: Path, why: str) -> StoreCorrupt:
    """The file is damaged."""
    return StoreCorrupt(
        f"{file}: the database is damaged: {why}. Nothing was overwritten: `drupe store verify` lists all that is damaged, and "
        "`drupe store repair` makes a new file of every row that can be read",
        path=str(file),
        why=why,
    )


def full(file: Path) -> StoreFull:
    """No space is left."""
    return StoreFull(f"{file}: no space is left on the disk; nothing of this call was kept. Free some space and repeat it", path=str(file))


def read_only(file: Path) -> StoreReadOnly:
    """The file or its folder cannot be written."""
    return StoreReadOnly(f"{file}: the file or its folder is read-only; reading works, writing does not", path=str(file))


def _by_code(code: int, cause: sqlite3.Error, file: Path) -> DrupeError | None:
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL):
        return StoreBusy(f"{file}: others kept the database locked for too long ({cause})", path=str(file))
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return read_only(file)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT):
        return corrupt(file, str(cause))
    if code == sqlite3.SQLITE_FULL or (code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and _is_full(file)):
        return full(file)
    if code == sqlite3.SQLITE_ERROR and str(cause).startswith(_SCHEMA_GONE):
        return corrupt(file, str(cause))
    if code == sqlite3.SQLITE_TOOBIG:
        return ValueTooLong(f"a value is too big for SQLite: {cause}")
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):
        return StoreUnavailable(f"{file}: the database cannot be opened or read: {cause}", path=str(file))
    return None


def _by_text(cause: sqlite3.Error, file: Path) -> DrupeError | None:
    """Errors that Python's sqlite3 module raises itself carry no code."""
    if str(cause).startswith("Could not decode to UTF-8"):
        return corrupt(file, str(cause))
    return StoreUnavailable(f"{file}: {cause}", path=str(file)) if isinstance(cause, sqlite3.OperationalError) else None


def _is_full(file: Path) -> bool:
    try:
        disk = os.statvfs(file.parent)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < ROOM
