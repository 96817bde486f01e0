"""Upgrading, backing up, restoring and vacuuming a store in a PostgreSQL database.

Backups are written by pg_dump and read by psql: they hold the tables as they were, of whichever version, and any PostgreSQL can take them.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
from attrs import evolve

from drupe.entities import SpaceReport, UpgradeReport
from drupe.errors import AlreadyExists, StoreBusy, StoreCorrupt, StoreFull, StoreUnavailable
from drupe.extend.upkeep import Progress
from drupe_store_postgres.address import Address, artifact_root_for
from drupe_store_postgres.dialect import PostgresDialect
from drupe_store_postgres.programs import run
from drupe_store_postgres.settings import PostgresSettings
from drupe_store_sql import experiments, folding, migrations
from drupe_store_sql.database import Database

__all__ = ["back_up", "plan_upgrade", "restore", "upgrade", "vacuum"]

END = b"PostgreSQL database dump complete"
TAIL = 4096
LATER = 1_000_000
"""A version that no release knows: what is replaced may be of a newer one."""


def plan_upgrade(address: Address, settings: PostgresSettings) -> UpgradeReport:
    """See TrackingStore.plan_upgrade."""
    with _database(address, settings) as (database, _):
        return migrations.plan(database)


def upgrade(address: Address, settings: PostgresSettings, *, backup: bool, progress: Progress | None = None) -> UpgradeReport:
    """See TrackingStore.upgrade."""
    with _database(address, settings) as (database, _):
        planned = migrations.plan(database)
        root = artifact_root_for(settings.artifact_root)
        furnish = partial(experiments.add_default, now=database.clock(), artifact_root=root)
        kept = migrations.upgrade(database, furnish=furnish, backup=backup, progress=progress)
        return evolve(planned, backup=kept, is_plan=False)


def back_up(address: Address, settings: PostgresSettings, *, target: Path, progress: Progress | None = None) -> int:
    """See TrackingStore.back_up."""
    with _database(address, settings) as (database, dialect):
        found = migrations.examine(database)
        if found is None:
            raise StoreUnavailable(f"{address.place}: nothing is kept there yet, so there is nothing to back up", place=address.place)
        database.disconnect()
        with dialect.connection() as connection:
            row = connection.execute("SELECT current_schema(), pg_database_size(current_database())").fetchone()
            tables = dialect.tables(connection)
        assert row is not None
        schema, size = row
    unfinished = target.with_name(f"{target.name}.part")

    def tell() -> None:
        if progress is not None:
            progress(min(unfinished.stat().st_size, size) if unfinished.exists() else 0, size, "database")

    os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    try:
        wanted = [f'--table="{schema}"."{table}"' for table in tables]
        plain = ["--format=plain", "--no-owner", "--no-privileges", "--encoding=UTF8", "--no-password", f"--file={unfinished}"]
        _run("pg_dump", [*plain, *wanted], address, settings, tell)
        _require_whole(unfinished)
        with unfinished.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)
    return found


def restore(address: Address, settings: PostgresSettings, *, source: Path, replace: bool, progress: Progress | None = None) -> str | None:
    """See TrackingStore.restore. What is replaced is kept in a schema of its own, as before an upgrade."""
    _require_whole(source)
    with _database(address, settings) as (database, dialect):
        has_store = migrations.examine(database, newest=LATER) is not None
        database.disconnect()
        if has_store and not replace:
            raise AlreadyExists(
                f"{address.place}: a store is there already; --replace puts the backup in its place and keeps the old tables in another schema",
                place=address.place,
            )
        with dialect.upgrading():
            others = dialect.others()
            if others is not None:
                raise StoreBusy(f"{address.place}: {others}; end that, then restore the backup", place=address.place)
            kept = dialect.back_up("replaced", progress=progress) if has_store else None
            with dialect.connection() as connection:
                tables = dialect.tables(connection)
            if progress is not None:
                progress(0, source.stat().st_size, "database")
            with tempfile.NamedTemporaryFile("w", prefix="drupe-", suffix=".sql") as before:
                before.write("".join(f'DROP TABLE "{table}" CASCADE;\n' for table in tables))
                before.flush()
                options = ["--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--single-transaction"]
                _run("psql", [*options, f"--file={before.name}", f"--file={source}"], address, settings, lambda: None)
            return kept


def vacuum(address: Address, settings: PostgresSettings, *, progress: Progress | None = None) -> SpaceReport:
    """See TrackingStore.vacuum."""
    with _database(address, settings) as (database, dialect):
        if migrations.examine(database) is None:
            raise StoreUnavailable(f"{address.place}: nothing is kept there yet", place=address.place)
        migrations.upgrade(database, furnish=lambda session: None)
        with dialect.connection() as connection:
            connection.execute("SET statement_timeout = 0")
            before = _size(connection)
            folding.fold_ended(database, progress=progress)
            tables = dialect.tables(connection)
            try:
                for done, table in enumerate(tables):
                    if progress is not None:
                        progress(done, len(tables), table)
                    connection.execute(f"VACUUM (ANALYZE) {table}")
            except psycopg.Error as fault:
                raise dialect.explain(fault) or fault from fault
            return SpaceReport(address.place, before, _size(connection))


@contextmanager
def _database(address: Address, settings: PostgresSettings) -> Iterator[tuple[Database, PostgresDialect]]:
    dialect = PostgresDialect(address, settings)
    database = Database(dialect, lambda database: None)
    try:
        with database.read() as session:
            dialect.check_server(session)
        yield database, dialect
    finally:
        database.close()


def _run(program: str, arguments: list[str], address: Address, settings: PostgresSettings, tell: Callable[[], None]) -> None:
    try:
        run(program, arguments, address, settings, meanwhile=tell)
    except StoreUnavailable as fault:
        if "No space left on device" in fault.message:
            raise StoreFull(fault.message, place=address.place) from fault
        raise


def _require_whole(file: Path) -> None:
    """Raises StoreCorrupt when the file does not end as pg_dump ends one."""
    with file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - TAIL))
        if END not in opened.read():
            raise StoreCorrupt(
                f"{file}: this is not a whole backup of a PostgreSQL store: it does not end as pg_dump ends one", path=str(file)
            )


def _size(connection: psycopg.Connection[tuple[object, ...]]) -> int:
    row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    assert row is not None
    return int(str(row[0]))
