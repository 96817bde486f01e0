"""SQLite as a dialect of `drupe_store_sql`: connections with their pragmas, transactions that wait politely, and text matching.

Pragmas, and why:

* `journal_mode=WAL` readers never block and are never blocked; kept in the file, set once the file is known to be ours
* `synchronous` NORMAL (survives the process) or FULL (also a power cut), as the durability setting says
* `foreign_keys=ON`, `trusted_schema=OFF`, `cell_size_check=ON` faults and damage are noticed early
* `busy_timeout` short waits happen inside SQLite; longer ones here, with jitter, so that many writers do not wake in step
* `secure_delete=OFF` folded tail rows need not be overwritten with zeros
* `temp_store=MEMORY`, `cache_size` 16 MB, `journal_size_limit` 64 MB: sorting without temporary files, and a log that shrinks again
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy
from sqlalchemy import FromClause, bindparam, func, literal
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.engine import Engine
from sqlalchemy.pool import QueuePool
from sqlalchemy.sql.elements import ColumnElement

from drupe.errors import DrupeError, StoreBusy, StoreCorrupt, StoreUnavailable
from drupe.extend.upkeep import Progress
from drupe.search.like import like
from drupe_store_sql.dialect import Dialect
from drupe_store_sqlite import copies, faults, holders
from drupe_store_sqlite.settings import Durability, SqliteSettings

__all__ = ["SqliteDialect"]

OLDEST = (3, 35, 0)  # RETURNING
SHORT_WAIT_MS = 200
CACHE_KB = 16_384
LOG_LIMIT = 64 << 20
KEPT_CONNECTIONS = 8
PAUSE_S = (0.001, 0.025)


class SqliteDialect(Dialect):
    """One SQLite file. `is_read_only` was true when the last engine was made and the file or its folder could not be written."""

    has_one_writer = True
    outlives_faults = True

    def __init__(self, file: Path, settings: SqliteSettings) -> None:
        if sqlite3.sqlite_version_info < OLDEST:
            raise StoreUnavailable(f"SQLite {sqlite3.sqlite_version} is too old; {'.'.join(map(str, OLDEST))} is needed")
        self.file, self.settings = file, settings
        self.place = str(file)
        self.patience_s = settings.busy_timeout_s
        self.is_read_only = False
        self._identity: tuple[int, int] | None = None

    def connect(self) -> Engine:
        self._identity = None
        self.is_read_only = _is_read_only(self.file)
        engine = sqlalchemy.create_engine(
            "sqlite://",
            creator=self._new_connection,
            poolclass=QueuePool,
            pool_size=KEPT_CONNECTIONS,
            max_overflow=-1,
            pool_reset_on_return=None,  # sessions end their transactions themselves
        )
        engine.dialect.statement_compiler = _Compiler
        return engine

    def is_replaced(self) -> bool:
        try:
            found = os.stat(self.file)
            identity = (found.st_dev, found.st_ino)
        except OSError:
            identity = None
        if self._identity is None:
            self._identity = identity
        return identity != self._identity

    def begin_read(self, connection: Any) -> None:
        self._patiently(connection, "BEGIN")
        self._patiently(connection, "SELECT 1 FROM sqlite_master LIMIT 1")  # takes the snapshot now, where waiting is expected

    def begin_write(self, connection: Any) -> None:
        if self.is_read_only:
            raise faults.read_only(self.file)
        self._patiently(connection, "BEGIN IMMEDIATE")

    def is_in_transaction(self, connection: Any) -> bool:
        return bool(connection.in_transaction)

    def explain(self, fault: Exception) -> DrupeError | None:
        return faults.explain(fault, self.file)

    def back_up(self, label: str, *, progress: Progress | None = None) -> str:
        if self.is_read_only:
            raise faults.read_only(self.file)
        target = copies.free_name(self.file, label)
        try:
            copies.clear_unfinished(self.file, label)
            self.copy_to(target, progress=progress)
        except (sqlite3.Error, OSError, StoreCorrupt) as fault:
            why = self.explain(fault)
            raise StoreUnavailable(
                f"{self.file}: no backup could be made before the upgrade, so nothing was changed: {why or fault}"
            ) from fault
        return str(target)

    def place_of_backup(self, label: str) -> str:
        return str(copies.free_name(self.file, label))

    def copy_to(self, target: Path, *, progress: Progress | None = None) -> None:
        """Write a whole copy of the file as it is now. Raises sqlite3.Error, OSError, StoreCorrupt."""
        source = self._new_connection()
        try:
            copies.copy_database(source, target, progress=progress)
        finally:
            source.close()

    def vacuum(self) -> None:
        """Write the file anew without its unused pages, and empty its log. Raises sqlite3.Error."""
        if self.is_read_only:
            raise faults.read_only(self.file)
        connection = self._new_connection()
        try:
            connection.execute("PRAGMA temp_store=FILE")  # it may be larger than the memory
            connection.execute(f"PRAGMA busy_timeout={round(self.patience_s * 1000)}")
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()

    def upgrading(self) -> AbstractContextManager[None]:
        return holders.upgrading(self.file, self.patience_s)

    def others(self) -> str | None:
        found = holders.holder(self.file)
        return None if found is None else f"{found} has it open"

    def pack(self, members: Sequence[int | str]) -> str:
        return f"[{members[0]}]" if len(members) == 1 and type(members[0]) is int else json.dumps(members)

    def listed(self, name: str) -> tuple[FromClause, ColumnElement[int], ColumnElement[int]]:
        rows = func.json_each(bindparam(name)).table_valued("key", "value")
        return rows, rows.c.key, rows.c.value

    def like(self, value: ColumnElement[str], pattern: str, *, ignore_case: bool) -> ColumnElement[bool]:
        middle = pattern[1:-1]
        if not ignore_case and len(pattern) > 2 and pattern[0] == pattern[-1] == "%" and not set("%_") & set(middle):
            return func.instr(value, middle) > 0  # twenty times quicker than calling back into Python
        name = "drupe_ilike" if ignore_case else "drupe_like"
        return getattr(func, name)(value, literal(pattern)) == 1  # type: ignore[no-any-return]

    def use_wal(self) -> None:
        """Switch the file to write-ahead logging, which it then keeps. Several processes may do this at once."""
        if self.is_read_only:
            return
        connection = self._new_connection()
        try:
            (mode,) = self._patiently(connection, "PRAGMA journal_mode=WAL").fetchone()
        except sqlite3.Error as fault:
            raise self.explain(fault) or fault from fault
        finally:
            connection.close()
        if mode != "wal":
            raise StoreUnavailable(f"{self.file}: this file system does not let SQLite keep a write-ahead log (it stays in {mode!r} mode)")

    def _patiently(self, connection: Any, statement: str) -> Any:
        deadline = time.monotonic() + self.patience_s
        while True:
            try:
                return connection.execute(statement)
            except sqlite3.OperationalError as fault:
                if getattr(fault, "sqlite_errorcode", 0) & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                    raise
                if time.monotonic() >= deadline:
                    raise StoreBusy(
                        f"{self.file}: another process kept the database locked for {self.patience_s:g} s", path=str(self.file)
                    ) from fault
                time.sleep(random.uniform(*PAUSE_S))

    def _new_connection(self) -> sqlite3.Connection:
        mode = "rwc"
        if self.is_read_only:  # without a log, and with nobody able to make one, the file cannot change under us
            mode = "ro" if _wal_of(self.file).exists() else "ro&immutable=1"
        connection = sqlite3.connect(
            f"file:{quote(str(self.file))}?mode={mode}",
            uri=True,
            timeout=SHORT_WAIT_MS / 1000,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        try:
            connection.executescript(self._pragmas())
        except sqlite3.Error:  # a damaged file
            connection.close()
            raise
        connection.create_function("drupe_like", 2, _like, deterministic=True)
        connection.create_function("drupe_ilike", 2, _ilike, deterministic=True)
        return connection

    def _pragmas(self) -> str:
        synchronous = "FULL" if self.settings.durability is Durability.FULL else "NORMAL"
        return (
            f"PRAGMA synchronous={synchronous}; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; "
            f"PRAGMA secure_delete=OFF; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-{CACHE_KB}; PRAGMA journal_size_limit={LOG_LIMIT}"
        )


class _Compiler(SQLiteCompiler):
    """Writes hints, INDEXED BY, where they are asked for."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        return text


def _like(value: str | None, pattern: str) -> bool:
    return value is not None and like(pattern)(value)


def _ilike(value: str | None, pattern: str) -> bool:
    return value is not None and like(pattern, ignore_case=True)(value)


def _wal_of(file: Path) -> Path:
    return file.with_name(file.name + "-wal")


def _is_read_only(file: Path) -> bool:
    return file.exists() and not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK))
