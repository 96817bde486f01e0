"""The tracking and the registry store of one SQLite file. What they do is in `drupe_store_sql`; here a file becomes a database.

Stores of one file with the same settings share one engine, whoever opens them; the last to close lets go of the file.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

from drupe.entities import Damage, RepairReport
from drupe.errors import StoreBusy, StoreCorrupt
from drupe.extend.features import Feature, Support
from drupe.extend.tracking_store import Progress
from drupe.lazy import load
from drupe.uris import Uri
from drupe_store_sql import experiments, migrations
from drupe_store_sql.database import Database
from drupe_store_sql.registry import SqlRegistryStore
from drupe_store_sql.tracking import SqlTrackingStore
from drupe_store_sqlite.address import artifact_root_for, database_file
from drupe_store_sqlite.dialect import SqliteDialect
from drupe_store_sqlite.files import check_file, size_of
from drupe_store_sqlite.settings import SqliteSettings

__all__ = ["SqliteRegistryStore", "SqliteTrackingStore"]

DAMAGE_TOLD = 20

_Address = tuple[Path, SqliteSettings]
_open: dict[_Address, tuple[Database, int]] = {}
_opening = threading.Lock()


class SqliteTrackingStore(SqlTrackingStore):
    """Experiments and runs in one SQLite file."""

    features: ClassVar[Mapping[Feature, Support]] = dict.fromkeys(
        (
            Feature.CONCURRENT_PROCESSES,
            Feature.ORIGINS,
            Feature.HEARTBEATS,
            Feature.GROUP_COMMIT,
            Feature.LOGGED_MODELS,
            Feature.REPAIR,
            Feature.IMPORTS,
        ),
        Support.FULL,
    )

    @classmethod
    def open(cls, uri: Uri, settings: Any = None) -> Self:
        file, chosen = database_file(uri), settings or SqliteSettings()
        return cls(_acquire(file, chosen), artifact_root_for(file, chosen.artifact_root), on_close=partial(_release, (file, chosen)))

    def size_bytes(self) -> int | None:
        with self._database.read():  # a file that was replaced or has gone is told or made first
            return size_of(Path(self._database.dialect.place))

    def find_damage(self) -> list[str]:
        file = self._database.dialect.place
        try:
            with self._database.read() as session:
                told = [str(found) for (found,) in session.driver.execute(f"PRAGMA integrity_check({DAMAGE_TOLD})")]
                if told != ["ok"]:
                    return [f"{file}: {line}" for found in told for line in found.splitlines() if not line.startswith("***")]
                strays = session.driver.execute("PRAGMA foreign_key_check").fetchmany(DAMAGE_TOLD)
        except StoreCorrupt as fault:  # too damaged to be looked through
            return [fault.message]
        return [f"{file}: a row of {table} belongs to a row of {other} that is not there" for table, _, other, _ in strays]

    @classmethod
    def verify(cls, uri: Uri, settings: Any = None, *, progress: Progress | None = None) -> list[Damage]:
        file = _not_open_here(database_file(uri))
        found: list[Damage] = load("drupe_store_sqlite.verify:find_damage")(file, settings or SqliteSettings(), progress=progress)
        return found

    @classmethod
    def repair(cls, uri: Uri, settings: Any = None, *, target: Path | None = None, progress: Progress | None = None) -> RepairReport:
        file = _not_open_here(database_file(uri))
        mend = load("drupe_store_sqlite.repair:repair")  # seldom needed, and opening a store should stay quick
        report: RepairReport = mend(file, settings or SqliteSettings(), target=target, progress=progress)
        return report


class SqliteRegistryStore(SqlRegistryStore):
    """Registered models in one SQLite file."""

    features: ClassVar[Mapping[Feature, Support]] = dict.fromkeys((Feature.CONCURRENT_PROCESSES, Feature.IMPORTS), Support.FULL)

    @classmethod
    def open(cls, uri: Uri, settings: Any = None) -> Self:
        file, chosen = database_file(uri), settings or SqliteSettings()
        return cls(_acquire(file, chosen), on_close=partial(_release, (file, chosen)))


def _not_open_here(file: Path) -> Path:
    """Closing a file that is read beside SQLite would give up SQLite's locks of it in this process."""
    with _opening:
        if any(other == file for other, _ in _open):
            raise StoreBusy(f"{file}: this process has the database open; close it first", path=str(file))
    return file


def _acquire(file: Path, settings: SqliteSettings) -> Database:
    with _opening:
        database, users = _open.get((file, settings), (None, 0))
        if database is None:
            dialect = SqliteDialect(file, settings)
            database = Database(dialect, partial(_prepare, dialect))
        _open[file, settings] = (database, users + 1)
        return database


def _release(address: _Address) -> None:
    with _opening:
        database, users = _open[address]
        if users > 1:
            _open[address] = (database, users - 1)
            return
        del _open[address]
        database.close()


def _in_child() -> None:
    global _opening
    _opening = threading.Lock()  # a thread that held it does not exist in the child


def _prepare(dialect: SqliteDialect, database: Database) -> None:
    check_file(dialect.file)
    found = migrations.examine(database)  # before the first byte is written
    dialect.use_wal()
    if found != migrations.NEWEST:
        root = artifact_root_for(dialect.file, dialect.settings.artifact_root)
        migrations.upgrade(database, furnish=partial(experiments.add_default, now=database.clock(), artifact_root=root))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
