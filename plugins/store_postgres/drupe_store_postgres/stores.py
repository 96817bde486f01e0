"""The tracking and the registry store of one PostgreSQL database. What they do is in `drupe_store_sql`; here an address becomes a database.

Stores of one address with the same settings share one pool of connections; the last to close lets go of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

from drupe.entities import Damage, SpaceReport, UpgradeReport
from drupe.extend.features import Feature, Support
from drupe.extend.moving import Moving
from drupe.extend.registry_store import RegistryStore
from drupe.extend.tracking_store import TrackingStore, outcome_of
from drupe.extend.upkeep import Progress, Upkeep
from drupe.lazy import load
from drupe.uris import Uri
from drupe_store_postgres.address import Address, artifact_root_for
from drupe_store_postgres.dialect import PostgresDialect
from drupe_store_postgres.repeating import repeating
from drupe_store_postgres.settings import PostgresSettings
from drupe_store_sql import experiments, migrations, verify
from drupe_store_sql.database import Database
from drupe_store_sql.dialect import Overtaken
from drupe_store_sql.registry import SqlRegistryStore
from drupe_store_sql.sharing import Shelf
from drupe_store_sql.tracking import SqlTrackingStore

__all__ = ["PostgresRegistryStore", "PostgresTrackingStore"]

_NOT_CALLS = frozenset({"open", "close", "verify", "repair", "find_damage"})

_Key = tuple[Address, PostgresSettings]


def _calls(contract: type) -> list[str]:
    return [name for name, found in vars(contract).items() if callable(found) and not name.startswith("_") and name not in _NOT_CALLS]


@repeating([*_calls(TrackingStore), *_calls(Moving), *_calls(Upkeep)])
class PostgresTrackingStore(SqlTrackingStore):
    """Experiments and runs in one PostgreSQL database."""

    features: ClassVar[Mapping[Feature, Support]] = dict.fromkeys(
        (
            Feature.CONCURRENT_PROCESSES,
            Feature.ORIGINS,
            Feature.HEARTBEATS,
            Feature.GROUP_COMMIT,
            Feature.LOGGED_MODELS,
            Feature.MOVES,
            Feature.IMPORTS,
            Feature.UPKEEP,
        ),
        Support.FULL,
    )

    @classmethod
    def open(cls, uri: Uri, settings: Any = None) -> Self:
        key = Address.of(uri), settings or PostgresSettings()
        return cls(_shelf.acquire(key), artifact_root_for(key[1].artifact_root), on_close=partial(_shelf.release, key))

    def apply(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        try:
            return self._database.together(calls)
        except Overtaken:  # by another server that writes the same; one by one they hold fewer locks
            return [outcome_of(call) for call in calls]

    def size_bytes(self) -> int | None:
        with self._database.read() as session:
            (found,) = session.driver.execute("SELECT pg_database_size(current_database())").fetchone()
            return int(found)

    def find_damage(self) -> list[str]:
        with self._database.read() as session:
            return [damage.told for damage in verify.check(session)]

    @classmethod
    def verify(cls, uri: Uri, settings: Any = None, *, progress: Any = None) -> list[Damage]:
        store = cls.open(uri, settings)
        try:
            with store._database.read() as session:
                return list(verify.check(session, progress=progress))
        finally:
            store.close()

    @classmethod
    def plan_upgrade(cls, uri: Uri, settings: Any = None) -> UpgradeReport:
        planned: UpgradeReport = _upkeep("plan_upgrade")(Address.of(uri), settings or PostgresSettings())
        return planned

    @classmethod
    def upgrade(cls, uri: Uri, settings: Any = None, *, backup: bool = True, progress: Progress | None = None) -> UpgradeReport:
        done: UpgradeReport = _upkeep("upgrade")(Address.of(uri), settings or PostgresSettings(), backup=backup, progress=progress)
        return done

    @classmethod
    def back_up(cls, uri: Uri, settings: Any = None, *, target: Path, progress: Progress | None = None) -> int:
        return int(_upkeep("back_up")(Address.of(uri), settings or PostgresSettings(), target=target, progress=progress))

    @classmethod
    def restore(
        cls, uri: Uri, settings: Any = None, *, source: Path, replace: bool = False, progress: Progress | None = None
    ) -> str | None:
        chosen = settings or PostgresSettings()
        kept: str | None = _upkeep("restore")(Address.of(uri), chosen, source=source, replace=replace, progress=progress)
        return kept

    @classmethod
    def vacuum(cls, uri: Uri, settings: Any = None, *, progress: Progress | None = None) -> SpaceReport:
        report: SpaceReport = _upkeep("vacuum")(Address.of(uri), settings or PostgresSettings(), progress=progress)
        return report


@repeating(_calls(RegistryStore))
class PostgresRegistryStore(SqlRegistryStore):
    """Registered models in one PostgreSQL database."""

    features: ClassVar[Mapping[Feature, Support]] = dict.fromkeys((Feature.CONCURRENT_PROCESSES, Feature.IMPORTS), Support.FULL)

    @classmethod
    def open(cls, uri: Uri, settings: Any = None) -> Self:
        key = Address.of(uri), settings or PostgresSettings()
        return cls(_shelf.acquire(key), on_close=partial(_shelf.release, key))


def _upkeep(what: str) -> Any:
    return load(f"drupe_store_postgres.upkeep:{what}")  # seldom needed


def _make(key: _Key) -> Database:
    dialect = PostgresDialect(*key)
    return Database(dialect, partial(_prepare, dialect))


def _prepare(dialect: PostgresDialect, database: Database) -> None:
    with database.read() as session:
        dialect.check_server(session)
    if migrations.examine(database) != migrations.NEWEST:
        root = artifact_root_for(dialect.settings.artifact_root)
        migrations.upgrade(database, furnish=partial(experiments.add_default, now=database.clock(), artifact_root=root))
    with database.read() as session:
        dialect.recognise(session)


_shelf = Shelf(_make)
