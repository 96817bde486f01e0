"""Upgrading, backing up, restoring and vacuuming one SQLite file that this process has not open."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from attrs import evolve

from drupe.entities import SpaceReport, UpgradeReport
from drupe.errors import AlreadyExists, StoreUnavailable
from drupe.extend.upkeep import Progress
from drupe_store_sql import experiments, folding, migrations
from drupe_store_sql.database import Database
from drupe_store_sqlite import copies, faults
from drupe_store_sqlite.address import artifact_root_for
from drupe_store_sqlite.dialect import SqliteDialect
from drupe_store_sqlite.files import check_file, size_of
from drupe_store_sqlite.holders import alone, upgrading
from drupe_store_sqlite.settings import SqliteSettings
from drupe_store_sqlite.verify import require_file

__all__ = ["back_up", "plan_upgrade", "restore", "upgrade", "vacuum"]


def plan_upgrade(file: Path, settings: SqliteSettings) -> UpgradeReport:
    """See TrackingStore.plan_upgrade."""
    with _database(file, settings) as (database, _):
        return migrations.plan(database)


def upgrade(file: Path, settings: SqliteSettings, *, backup: bool, progress: Progress | None = None) -> UpgradeReport:
    """See TrackingStore.upgrade."""
    with _database(file, settings) as (database, dialect):
        planned = migrations.plan(database)
        dialect.use_wal()
        root = artifact_root_for(file, settings.artifact_root)
        furnish = partial(experiments.add_default, now=database.clock(), artifact_root=root)
        kept = migrations.upgrade(database, furnish=furnish, backup=backup, progress=progress)
        return evolve(planned, backup=kept, is_plan=False)


def back_up(file: Path, settings: SqliteSettings, *, target: Path, progress: Progress | None = None) -> int:
    """See TrackingStore.back_up."""
    with _database(file, settings) as (database, dialect):
        if migrations.examine(database) is None:
            raise StoreUnavailable(f"{file}: nothing is kept there yet, so there is nothing to back up", path=str(file))
        with _explained(target):
            dialect.copy_to(target, progress=progress)
    return _version_of(target)  # of the copy: the file may have been upgraded meanwhile


def restore(file: Path, settings: SqliteSettings, *, source: Path, replace: bool, progress: Progress | None = None) -> str | None:
    """See TrackingStore.restore."""
    if file.exists() and not replace:
        raise AlreadyExists(
            f"{file}: a store is there already; --replace puts the backup in its place and keeps the old one beside it", path=str(file)
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.restoring")
    with upgrading(file, settings.busy_timeout_s):
        new.unlink(missing_ok=True)  # of a restore that was interrupted
        try:
            with _explained(file):
                _copy(source, new, progress)
            copies.look_through(new)
            _version_of(new)
            return _put(file, new)
        finally:
            for end in copies.ENDS:
                new.with_name(new.name + end).unlink(missing_ok=True)


def vacuum(file: Path, settings: SqliteSettings, *, progress: Progress | None = None) -> SpaceReport:
    """See TrackingStore.vacuum. The store was opened and closed before, so that its schema is the newest."""
    before = size_of(file)
    with _database(file, settings) as (database, dialect):
        folding.fold_ended(database, progress=progress)
        database.disconnect()
        if progress is not None:
            progress(0, before, "giving space back")
        with _explained(file):
            dialect.vacuum()
    return SpaceReport(str(file), before, size_of(file))


@contextmanager
def _database(file: Path, settings: SqliteSettings) -> Iterator[tuple[Database, SqliteDialect]]:
    require_file(file)
    check_file(file)
    dialect = SqliteDialect(file, settings)
    database = Database(dialect, lambda database: None)
    try:
        yield database, dialect
    finally:
        database.close()


def _version_of(file: Path) -> int:
    """Of the schema; raises StoreSchema when it is another program's, or of a newer release."""
    with _database(file, SqliteSettings()) as (database, _):
        found = migrations.examine(database)
    if found is None:
        raise faults.corrupt(file, "it is empty")
    return found


def _put(file: Path, new: Path) -> str | None:
    """Put a new file where it belongs; where the one lies that was there."""
    label = copies.free_label(file, "replaced")
    if file.exists():
        shutil.copymode(file, new)
        with alone(file, "restore the backup"):
            return str(copies.swap(file, new, label))
    for end in ("-wal", "-shm"):  # of a file that was taken away: a new one must never meet the log of an old one
        left = file.with_name(file.name + end)
        if left.exists():
            os.replace(left, left.with_name(f"{file.name}.{label}{end}"))
    _name(new, file)
    return None


def _copy(source: Path, target: Path, progress: Progress | None) -> None:
    total, done = source.stat().st_size, 0
    with source.open("rb") as reading, target.open("xb") as writing:
        while piece := reading.read(1 << 20):
            writing.write(piece)
            done += len(piece)
            if progress is not None:
                progress(done, total, "database")
        writing.flush()
        os.fsync(writing.fileno())


def _name(new: Path, file: Path) -> None:
    """Give a new file its name, if nobody has made one of that name meanwhile."""
    try:
        os.link(new, file)
    except FileExistsError as fault:
        raise AlreadyExists(f"{file}: a store was made there meanwhile; it was left as it is", path=str(file)) from fault
    copies.sync_folder(file.parent)


@contextmanager
def _explained(file: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as fault:
        raise faults.explain(fault, file) or StoreUnavailable(f"{file}: {fault}", path=str(file)) from fault
