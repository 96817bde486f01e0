"""The repair of a damaged file: a new one from its rows, checked, and put in its place.

The damaged file is never written. It keeps its name until the new one was looked through, and lies beside it as `.damaged-<time>` then.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from attrs import evolve

from drupe.entities import Damage, RepairReport, TableReport
from drupe.errors import AlreadyExists, StoreBusy
from drupe.extend.tracking_store import Progress
from drupe_store_sql import experiments, migrations
from drupe_store_sql.database import Database
from drupe_store_sql.rebuild import rebuild_series
from drupe_store_sqlite import faults
from drupe_store_sqlite.address import artifact_root_for
from drupe_store_sqlite.dialect import SqliteDialect
from drupe_store_sqlite.pages import Pages, read_log
from drupe_store_sqlite.salvage import Salvage
from drupe_store_sqlite.settings import SqliteSettings
from drupe_store_sqlite.transfer import Transfer
from drupe_store_sqlite.verify import find_damage, newest_tables, require_file

__all__ = ["repair"]

LOCKS_FROM, LOCKS = 0x40000000, 512
"""The bytes that SQLite locks in a file; see https://www.sqlite.org/fileformat2.html and os_unix.c."""


def repair(file: Path, settings: SqliteSettings, *, target: Path | None = None, progress: Progress | None = None) -> RepairReport:
    """See TrackingStore.repair."""
    require_file(file)
    if target is not None and target.exists():
        raise AlreadyExists(f"{target} exists already; give a path where nothing is yet", path=str(target))
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    new = target or file.with_name(f"{file.name}.repaired-{stamp}")
    unfinished = new.with_name(f"{new.name}.part")
    with _alone(file):
        try:
            tables, losses = _make(file, unfinished, settings, progress)
            losses += [evolve(left, place=str(file)) for left in find_damage(unfinished, settings)]
            with unfinished.open("rb") as written:
                os.fsync(written.fileno())
            os.replace(unfinished, new)
        except sqlite3.Error as fault:
            raise faults.explain(fault, new) or fault from fault
        finally:
            for end in ("", "-wal", "-shm", "-journal"):
                unfinished.with_name(unfinished.name + end).unlink(missing_ok=True)
        damaged = None if target is not None else _swap(file, new, stamp)
    return RepairReport(str(target or file), None if damaged is None else str(damaged), tables, tuple(dict.fromkeys(losses)))


def _make(file: Path, new: Path, settings: SqliteSettings, progress: Progress | None) -> tuple[tuple[TableReport, ...], list[Damage]]:
    new.unlink(missing_ok=True)
    log = read_log(file)
    salvage = Salvage(Pages(file, log), newest_tables(), migrations.NEWEST)
    root = artifact_root_for(file, settings.artifact_root)
    connection = sqlite3.connect(new, isolation_level=None)
    try:
        transfer = Transfer(salvage, connection, str(file), root)
        transfer.run(progress)
    finally:
        connection.close()
    losses = [Damage(str(file), fault) for fault in log.faults] + transfer.losses
    dialect = SqliteDialect(new, settings)
    database = Database(dialect, lambda database: None)
    try:
        dialect.use_wal()
        migrations.upgrade(database, furnish=partial(experiments.add_default, now=database.clock(), artifact_root=root))
        with database.write() as session:
            losses += rebuild_series(session, str(file))
    finally:
        database.close()
    return transfer.report(), losses


def _swap(file: Path, new: Path, stamp: str) -> Path:
    """Put the new file in the place of the damaged one. The log goes first: a new file must never meet the log of an old one."""
    damaged = file.with_name(f"{file.name}.damaged-{stamp}")
    os.link(file, damaged)
    log = file.with_name(f"{file.name}-wal")
    if log.exists():
        os.replace(log, damaged.with_name(f"{damaged.name}-wal"))
    file.with_name(f"{file.name}-shm").unlink(missing_ok=True)
    os.replace(new, file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return damaged


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Hold SQLite's locks of the file, so that nobody opens it meanwhile. Raises StoreBusy when somebody has."""
    descriptor = os.open(file, os.O_RDWR)
    try:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, LOCKS, LOCKS_FROM)
        except OSError as fault:
            raise StoreBusy(f"{file}: {_holder(descriptor)} has the database open; end it, then repair the file", path=str(file)) from fault
        yield
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, LOCKS_FROM, LOCKS, 0)
    *_, pid = struct.unpack("hhqqi4x", fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
    return f"process {pid}" if pid > 0 else "another process"
