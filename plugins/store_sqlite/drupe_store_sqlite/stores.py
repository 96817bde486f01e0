"""The tracking and the registry store of one SQLite file. What they do is in `drupe_store_sql`; here a file becomes a database.

Stores of one file with the same settings share one engine, whoever opens them; the last to close lets go of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

from drupe.entities import Damage, RepairReport, SpaceReport, UpgradeReport
from drupe.errors import StoreBusy, StoreCorrupt
from drupe.extend.features import Feature, Support
from drupe.extend.tracking_store import Progress
from drupe.lazy import load
from drupe.uris import Uri
from drupe_store_sql import experiments, migrations
from drupe_store_sql.database import Database
from drupe_store_sql.registry import SqlRegistryStore
from drupe_store_sql.sharing import Shelf
from drupe_store_sql.tracking import SqlTrackingStore
from drupe_store_sqlite.address import artifact_root_for, database_file
from drupe_store_sqlite.dialect import SqliteDialect
from drupe_store_sqlite.files import check_file, size_of
from drupe_store_sqlite.settings import SqliteSettings

__all__ = ["SqliteRegistryStore", "SqliteTrackingStore"]

DAMAGE_TOLD = 20

_Address = tuple[Path, SqliteSettings]


class SqliteTrackingStore(SqlTrackingStore):
    """Experiments and runs in one SQLite file."""

    features: ClassVar[Mapping[Feature, Support]] = dict.fromkeys(
        (
            Feature.CONCURRENT_PROCESSES,
            Feature.ORIGINS,
            Feature.HEARTBEATS,
            Feature.GROUP_COMMIT,
            Feature.LOGGED_MODELS,
            Feature.MOVES,
            Feature.REPAIR,
            Feature.IMPORTS,
            Feature.UPKEEP,
        ),
        Support.FULL,
    )

    @classmethod
    def open(cls, uri: Uri, settings: Any = None) -> Self:
        file, chosen = database_file(uri), settings or SqliteSettings()
        address = (file, chosen)
        return cls(_shelf.acquire(address), artifact_root_for(file, chosen.artifact_root), on_close=partial(_shelf.release, address))

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

    @classmethod
    def plan_upgrade(cls, uri: Uri, settings: Any = None) -> UpgradeReport:
        planned: UpgradeReport = _upkeep("plan_upgrade")(_not_open_here(database_file(uri)), settings or SqliteSettings())
        return planned

    @classmethod
    def upgrade(cls, uri: Uri, settings: Any = None, *, backup: bool = True, progress: Progress | None = None) -> UpgradeReport:
        file = _not_open_here(database_file(uri))
        done: UpgradeReport = _upkeep("upgrade")(file, settings or SqliteSettings(), backup=backup, progress=progress)
        return done

    @classmethod
    def back_up(cls, uri: Uri, settings: Any = None, *, target: Path, progress: Progress | None = None) -> int:
        file = _not_open_here(database_file(uri))
        return int(_upkeep("back_up")(file, settings or SqliteSettings(), target=target, progress=progress))

    @classmethod
    def restore(
        cls, uri: Uri, settings: Any = None, *, source: Path, replace: bool = False, progress: Progress | None = None
    ) -> str | None:
        file = _not_open_here(database_file(uri))
        kept: str | None = _upkeep("restore")(file, settings or SqliteSettings(), source=source, replace=replace, progress=progress)
        return kept

    @classmethod
    def vacuum(cls, uri: Uri, settings: Any = None, *, progress: Progress | None = None) -> SpaceReport:
        file = _not_open_here(database_file(uri))
        load("drupe_store_sqlite.verify:require_file")(file)
        cls.open(uri, settings).close()
        report: SpaceReport = _upkeep("vacuum")(file, settings or SqliteSettings(), progress=progress)
        return report


class SqliteRegistryStore(SqlRegistryStore):
    """Registered models in one SQLite file."""

    features: ClassVar[Mapping[Feature, Support]] = dict.fromkeys((Feature.CONCURRENT_PROCESSES, Feature.IMPORTS), Support.FULL)

    @classmethod
    def open(cls, uri: Uri, settings: Any = None) -> Self:
        address = (database_file(uri), settings or SqliteSettings())
        return cls(_shelf.acquire(address), on_close=partial(_shelf.release, address))


def _upkeep(what: str) -> Any:
    return load(f"drupe_store_sqlite.upkeep:{what}")  # seldom needed, and opening a store should stay quick


def _not_open_here(file: Path) -> Path:
    """Closing a file that is read beside SQLite would give up SQLite's locks of it in this process."""
    if _shelf.has(lambda address: address[0] == file):
        raise StoreBusy(f"{file}: this process has the database open; close it first", path=str(file))
    return file


def _make(address: _Address) -> Database:
    dialect = SqliteDialect(*address)
    return Database(dialect, partial(_prepare, dialect))


def _prepare(dialect: SqliteDialect, database: Database) -> None:
    check_file(dialect.file)
    found = migrations.examine(database)  # before the first byte is written
    dialect.use_wal()
    if found != migrations.NEWEST:
        root = artifact_root_for(dialect.file, dialect.settings.artifact_root)
        migrations.upgrade(database, furnish=partial(experiments.add_default, now=database.clock(), artifact_root=root))


_shelf = Shelf(_make)
