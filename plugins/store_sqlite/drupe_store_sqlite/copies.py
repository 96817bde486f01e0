"""Whole copies of a live SQLite file, made by SQLite's online backup, looked through, and on the disk before they have their name."""

from __future__ import annotations

import glob
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from drupe.extend.upkeep import Progress
from drupe_store_sqlite import faults

__all__ = ["ENDS", "clear_unfinished", "copy_database", "free_label", "free_name", "look_through", "swap", "sync_folder"]

PAGES = 4096  # in one go
ENDS = ("", "-wal", "-shm", "-journal")
"""What SQLite may lay beside a database, the database itself first."""


def copy_database(source: sqlite3.Connection, target: Path, *, progress: Progress | None = None) -> None:
    """Write what `source` sees now into the file `target`, whoever else writes meanwhile; `target` is there when all of it is on the disk.

    Raises sqlite3.Error and OSError, StoreCorrupt when the copy is not whole; `target` is not there then.
    """
    unfinished = target.with_name(f"{target.name}.part")
    unfinished.unlink(missing_ok=True)
    try:
        copy = sqlite3.connect(unfinished, isolation_level=None)
        try:
            copy.execute("PRAGMA synchronous=OFF")  # synced once, below
            _begin(source)  # one state from the first page to the last: without it every write of others would begin the copy anew
            try:
                source.backup(copy, pages=PAGES, progress=_told(source, progress))
            finally:
                source.execute("ROLLBACK")
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, whatever copies it on
        finally:
            copy.close()
        look_through(unfinished)
        os.chmod(unfinished, 0o600)
        with unfinished.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(unfinished, target)
        sync_folder(target.parent)
    finally:
        for end in ENDS:
            unfinished.with_name(unfinished.name + end).unlink(missing_ok=True)


def look_through(file: Path) -> None:
    """Raises StoreCorrupt when the file is not a whole database. Nothing else may have it open."""
    try:
        connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)
        try:
            (told,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            connection.close()
    except sqlite3.DatabaseError as fault:
        told = str(fault)
    if told != "ok":
        raise faults.corrupt(file, str(told))


def free_name(file: Path, label: str) -> Path:
    """A name beside the file for a backup of it, with the label and the time in it, that nothing has."""
    return file.with_name(f"{file.name}.{free_label(file, label, '.bak')}")


def free_label(file: Path, label: str, end: str = "") -> str:
    """The label with the time, and with a number where something beside the file has that name already."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    labels = (f"{label}-{stamp}{number}{end}" for number in ("", *(f"-{n}" for n in range(2, 1000))))
    return next(one for one in labels if not file.with_name(f"{file.name}.{one}").exists())


def clear_unfinished(file: Path, label: str) -> None:
    """Remove what interrupted backups with this label left beside the file. Nobody else makes one meanwhile. Raises OSError."""
    for end in ENDS:
        for left in file.parent.glob(f"{glob.escape(file.name)}.{label}-*.bak.part{end}"):
            left.unlink(missing_ok=True)


def swap(file: Path, new: Path, label: str) -> Path:
    """Put a new file in the place of another, which is kept as `<name>.<label>`. Nobody has either open.

    The log goes first: a new file must never meet the log of an old one.
    """
    kept = file.with_name(f"{file.name}.{label}")
    os.link(file, kept)
    log = file.with_name(f"{file.name}-wal")
    if log.exists():
        os.replace(log, kept.with_name(f"{kept.name}-wal"))
    file.with_name(f"{file.name}-shm").unlink(missing_ok=True)
    os.replace(new, file)
    sync_folder(file.parent)
    return kept


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _begin(source: sqlite3.Connection) -> None:
    source.execute("BEGIN")
    source.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()


def _told(source: sqlite3.Connection, progress: Progress | None) -> Callable[[int, int, int], None] | None:
    if progress is None:
        return None
    (size,) = source.execute("PRAGMA page_size").fetchone()
    return lambda _, left, total: progress((total - left) * size, total * size, "pages")
