"""PostgreSQL as a dialect of `drupe_store_sql`: connections and how they are set, transactions, locks, COPY, and text matching.

Readers see one state (REPEATABLE READ, READ ONLY) and block nobody. Writers are READ COMMITTED: they hold the row of the run, experiment
or model that they write to, so that what they read of it stays true; `repeating` sees to the rest.

Each connection has `synchronous_commit` as the durability setting says, time-outs for statements, locks and for a transaction that its
process forgot, and TCP keep-alives, so that a dead machine is noticed in a minute.
"""

from __future__ import annotations

import select
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8Dumper
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Double,
    FromClause,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    bindparam,
    collate,
    func,
    literal,
)
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.engine import Engine
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import QueuePool
from sqlalchemy.sql.elements import ColumnElement

from drupe.errors import DrupeError, StoreBusy, StoreSchema, StoreUnavailable
from drupe.extend.upkeep import Progress
from drupe_store_postgres.address import Address
from drupe_store_postgres.faults import Replaced, explain
from drupe_store_postgres.settings import Durability, PostgresSettings
from drupe_store_sql.dialect import Dialect
from drupe_store_sql.migrations import SCHEMA
from drupe_store_sql.session import Session
from drupe_store_sql.tables import metadata

__all__ = ["PostgresDialect"]

OLDEST = 120_000
WORTH_COPYING = 20  # rows; from here on COPY takes half the time of INSERTs in one batch
PREPARED_MAX = 500
IDLE_S = 300
KEEPALIVE = {"keepalives": 1, "keepalives_idle": 20, "keepalives_interval": 10, "keepalives_count": 4, "tcp_user_timeout": 60_000}
LOCKS = 0x6472_7570  # "drup": the class of our advisory locks
UPGRADE = "upgrade"

_READ = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_WRITE = b"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
_IDENTITY = "SELECT (SELECT oid FROM pg_database WHERE datname = current_database()), to_regclass('drupe_schema')::oid"
_WORDS = PGDialect()  # type: ignore[no-untyped-call]
_OTHERS = """
SELECT client_addr FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'drupe' AND pid <> pg_backend_pid() AND pid NOT IN (
  SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid = ((hashtext(%s)::int8 + 4294967296) %% 4294967296)::oid
)
"""  # who holds or awaits the lock of an upgrade is about to look at the version anew
_TYPES = ((Double, "float8"), (LargeBinary, "bytea"), (Text, "text"), (SmallInteger, "int2"), (BigInteger, "int8"), (Integer, "int4"))


class PostgresDialect(Dialect):
    """One database on a PostgreSQL server."""

    has_one_writer = False
    copies_from = WORTH_COPYING

    def __init__(self, address: Address, settings: PostgresSettings) -> None:
        self.address, self.settings = address, settings
        self.place = address.place
        self.patience_s = settings.busy_timeout_s
        self._identity: tuple[Any, ...] | None = None
        self._is_replaced = False
        self._folds = "und-x-icu"

    def connect(self) -> Engine:
        self._identity, self._is_replaced = None, False
        engine = sqlalchemy.create_engine(
            "postgresql+psycopg://",
            creator=self._new_connection,
            poolclass=QueuePool,
            pool_size=self.settings.pool_size,
            max_overflow=0,
            pool_timeout=self.settings.busy_timeout_s,
            pool_use_lifo=True,
            pool_reset_on_return=None,  # sessions end their transactions themselves
            use_native_hstore=False,
        )
        sqlalchemy.event.listen(engine, "checkout", _check_is_alive)
        return engine

    def is_replaced(self) -> bool:
        return self._is_replaced

    def begin_read(self, connection: Any) -> None:
        connection.execute(_READ, prepare=False)

    def begin_write(self, connection: Any) -> None:
        connection.execute(_WRITE, prepare=False)

    def is_in_transaction(self, connection: Any) -> bool:
        return not connection.closed and connection.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR)

    def exclude(self, connection: Any, what: str) -> None:
        if what == SCHEMA:  # which may take long, and must not be given up half way
            connection.execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0", prepare=False)
        connection.execute("SELECT pg_advisory_xact_lock(%s::int4, hashtext(%s))", (LOCKS, what))

    def explain(self, fault: Exception) -> DrupeError | None:
        return explain(fault, self.place)

    def copy(self, cursor: Any, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        names = list(rows[0])
        columns = ", ".join(f'"{name}"' for name in names)
        with cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types([_type_of(table, name) for name in names])
            for row in rows:
                copy.write_row([row[name] for name in names])

    def back_up(self, label: str, *, progress: Progress | None = None) -> str:
        try:
            with self.connection() as connection, connection.transaction():
                connection.execute("SET LOCAL statement_timeout = 0")
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                tables = self.tables(connection)
                name = _free_name(connection, label)
                connection.execute(f"CREATE SCHEMA {name}")
                for done, table in enumerate(tables):
                    if progress is not None:
                        progress(done, len(tables), table)
                    connection.execute(f"CREATE TABLE {name}.{table} AS TABLE {table}")
                    (same,) = connection.execute(
                        f"SELECT (SELECT count(*) FROM {table}) = (SELECT count(*) FROM {name}.{table})"
                    ).fetchone() or (False,)
                    if not same:
                        raise StoreUnavailable(f"{self.place}: the copy of {table} has not all of its rows", place=self.place)
        except psycopg.Error as fault:
            why = self.explain(fault)
            raise StoreUnavailable(
                f"{self.place}: no backup could be made before the upgrade, so nothing was changed: {why or fault}", place=self.place
            ) from fault
        return f"{self.place}, schema {name}"

    def place_of_backup(self, label: str) -> str:
        return f"{self.place}, schema {_schema_name(label)}"

    @contextmanager
    def upgrading(self) -> Iterator[None]:
        with self.connection() as connection:
            try:
                connection.execute("SELECT pg_advisory_lock(%s::int4, hashtext(%s))", (LOCKS, UPGRADE))
            except psycopg.errors.LockNotAvailable as fault:
                raise StoreBusy(
                    f"{self.place}: another process has been upgrading it for {self.patience_s:g} s", place=self.place
                ) from fault
            yield

    def others(self) -> str | None:
        with self.connection() as connection:
            found = connection.execute(_OTHERS, (LOCKS, UPGRADE)).fetchall()
        if not found:
            return None
        hosts = sorted({str(host) for (host,) in found if host is not None})
        whence = f", from {', '.join(hosts)}" if hosts else ""
        return f"{len(found)} connection{'s' if len(found) > 1 else ''} of drupe{whence} {'have' if len(found) > 1 else 'has'} it open"

    def type_in_words(self, column: Column[Any]) -> str:
        return column.type.compile(dialect=_WORDS)

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection of its own, for work on the database as a whole; it commits each statement. Driver errors are told in our tree."""
        try:
            opened = self._new_connection()
        except psycopg.Error as fault:
            raise self.explain(fault) or fault from fault
        try:
            yield opened
        finally:
            opened.close()

    def tables(self, connection: psycopg.Connection[Any]) -> list[str]:
        """The tables of ours that are there, sorted."""
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1").fetchall()
        return [str(table) for (table,) in found if table in metadata.tables]

    def pack(self, members: Sequence[int | str]) -> list[int | str]:
        return list(members)

    def listed(self, name: str) -> tuple[FromClause, ColumnElement[int], ColumnElement[int]]:
        rows = func.unnest(bindparam(name, type_=ARRAY(BigInteger))).table_valued("value", with_ordinality="key").render_derived()
        return rows, rows.c.key - 1, rows.c.value

    def like(self, value: ColumnElement[str], pattern: str, *, ignore_case: bool) -> ColumnElement[bool]:
        if not ignore_case:
            return value.like(literal(pattern), escape="")
        folded = collate(func.lower(collate(value, self._folds), type_=Text()), "C")
        return folded.like(literal(pattern.lower()), escape="")

    def check_server(self, session: Session) -> None:
        """Raises StoreSchema when the server is too old, or the database keeps no Unicode."""
        (version, encoding), (has_icu,) = (
            session.driver.execute("SELECT current_setting('server_version_num')::int, current_setting('server_encoding')").fetchone(),
            session.driver.execute("SELECT count(*) FROM pg_collation WHERE collname = 'und-x-icu'").fetchone(),
        )
        if version < OLDEST:
            raise StoreSchema(f"{self.place}: PostgreSQL {version // 10_000} is too old; {OLDEST // 10_000} is needed", place=self.place)
        if encoding != "UTF8":
            raise StoreSchema(
                f"{self.place}: the database is encoded in {encoding}, which does not hold all texts; make one in UTF8: "
                "createdb --encoding=UTF8 --template=template0",
                place=self.place,
            )
        self._folds = "und-x-icu" if has_icu else "default"

    def recognise(self, session: Session) -> None:
        """Take the database for the one that all further connections must be to."""
        self._identity = session.driver.execute(_IDENTITY).fetchone()

    def _new_connection(self) -> psycopg.Connection[Any]:
        parameters: dict[str, Any] = {**KEEPALIVE, **self.address.parameters(self.settings)}
        connection: psycopg.Connection[Any] = psycopg.connect(
            **parameters,
            connect_timeout=max(1, round(self.settings.connect_timeout_s)),
            application_name="drupe",
            client_encoding="utf8",
            autocommit=True,  # transactions are begun by hand
        )
        try:
            connection.prepared_max = PREPARED_MAX
            connection.adapters.register_dumper(int, Int8Dumper)  # one type for all, so that a statement has one plan
            connection.execute(self._set_up(), prepare=False)
            if self._identity is not None and connection.execute(_IDENTITY).fetchone() != self._identity:
                self._is_replaced = True
                raise Replaced(f"{self.place}: the database was made anew", place=self.place)
        except BaseException:
            connection.close()
            raise
        return connection

    def _set_up(self) -> str:
        chosen = {
            "synchronous_commit": "on" if self.settings.durability is Durability.FULL else "off",
            "statement_timeout": _ms(self.settings.statement_timeout_s),
            "lock_timeout": _ms(self.settings.busy_timeout_s),
            "idle_in_transaction_session_timeout": IDLE_S * 1000,
        }
        return "; ".join(f"SET {name} = {value}" for name, value in chosen.items())


def _check_is_alive(connection: Any, record: Any, _: Any) -> None:
    """An idle connection has nothing to say unless the server has ended it; looking costs a microsecond, asking a round trip."""
    del record
    if connection.closed or select.select([connection.fileno()], [], [], 0)[0]:
        raise InvalidatePoolError("the server has closed idle connections")


def _type_of(table: Table, name: str) -> str:
    kind = table.c[name].type
    return next(told for type_, told in _TYPES if isinstance(kind, type_))


def _schema_name(label: str) -> str:
    return f"drupe_backup_{label}_{time.strftime('%Y%m%d_%H%M%S', time.gmtime())}"


def _free_name(connection: psycopg.Connection[Any], label: str) -> str:
    wanted = _schema_name(label)
    taken = {name for (name,) in connection.execute("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s)", (wanted,))}
    return next(name for name in (wanted, *(f"{wanted}_{n}" for n in range(2, 1000))) if name not in taken)


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))
