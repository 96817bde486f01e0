"""The tracking and the registry store of one PostgreSQL database. What they do is in `drupe_store_sql`; here an address becomes a database.

Stores of one address with the same settings share one pool of connections; the last to close lets go of it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Self

from drupe.entities import Damage
from drupe.extend.features import Feature, Support
from drupe.extend.registry_store import RegistryStore
from drupe.extend.tracking_store import TrackingStore, outcome_of
from drupe.uris import Uri
from drupe_store_postgres.address import Address, artifact_root_for
from drupe_store_postgres.dialect import PostgresDialect
from drupe_store_postgres.repeating import repeating
from drupe_store_postgres.settings import PostgresSettings
from drupe_store_sql import experiments, migrations, verify
from drupe_store_sql.database import Database
from drupe_store_sql.dialect import Overtaken
from drupe_store_sql.registry import SqlRegistryStore
from drupe_store_sql.tracking import SqlTrackingStore

__all__ = ["PostgresRegistryStore", "PostgresTrackingStore"]

_NOT_CALLS = frozenset({"open", "close", "verify", "repair", "find_damage"})

_Key = tuple[Address, PostgresSettings]
_open: dict[_Key, tuple[Database, int]] = {}
_opening = threading.Lock()


def _calls(contract: type) -> list[str]:
    return [name for name, found in vars(contract).items() if callable(found) and not name.startswith("_") and name not in _NOT_CALLS]


@repeating(_calls(TrackingStore))
class PostgresTrackingStore(SqlTrackingStore):
    """Experiments and runs in one PostgreSQL database."""

    features: ClassVar[Mapping[Feature, Support]] = dict.fromkeys(
        (Feature.CONCURRENT_PROCESSES, Feature.ORIGINS, Feature.HEARTBEATS, Feature.GROUP_COMMIT, Feature.LOGGED_MODELS, Feature.IMPORTS),
        Support.FULL,
    )

    @classmethod
    def open(cls, uri: Uri, settings: Any = None) -> Self:
        address, chosen = Address.of(uri), settings or PostgresSettings()
        return cls(_acquire(address, chosen), artifact_root_for(chosen.artifact_root), on_close=partial(_release, (address, chosen)))

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


@repeating(_calls(RegistryStore))
class PostgresRegistryStore(SqlRegistryStore):
    """Registered models in one PostgreSQL database."""

    features: ClassVar[Mapping[Feature, Support]] = dict.fromkeys((Feature.CONCURRENT_PROCESSES, Feature.IMPORTS), Support.FULL)

    @classmethod
    def open(cls, uri: Uri, settings: Any = None) -> Self:
        address, chosen = Address.of(uri), settings or PostgresSettings()
        return cls(_acquire(address, chosen), on_close=partial(_release, (address, chosen)))


def _acquire(address: Address, settings: PostgresSettings) -> Database:
    with _opening:
        database, users = _open.get((address, settings), (None, 0))
        if database is None:
            dialect = PostgresDialect(address, settings)
            database = Database(dialect, partial(_prepare, dialect))
        _open[address, settings] = (database, users + 1)
        return database


def _release(key: _Key) -> None:
    with _opening:
        database, users = _open[key]
        if users > 1:
            _open[key] = (database, users - 1)
            return
        del _open[key]
        database.close()


def _in_child() -> None:
    global _opening
    _opening = threading.Lock()  # a thread that held it does not exist in the child


def _prepare(dialect: PostgresDialect, database: Database) -> None:
    with database.read() as session:
        dialect.check_server(session)
    if migrations.examine(database) != migrations.NEWEST:
        root = artifact_root_for(dialect.settings.artifact_root)
        migrations.upgrade(database, furnish=partial(experiments.add_default, now=database.clock(), artifact_root=root))
    with database.read() as session:
        dialect.recognise(session)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
