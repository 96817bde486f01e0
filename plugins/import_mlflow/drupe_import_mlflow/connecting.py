"""Opening a database of MLflow for reading alone: SQLite's file read-only, PostgreSQL in read-only transactions that are never committed."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from drupe.errors import InvalidUri, MissingRequirement, StoreCorrupt, StoreError, StoreUnavailable
from drupe.uris import Uri, redact
from drupe_import_mlflow.settings import MlflowSettings

__all__ = ["engine_for", "reading", "sqlite_file"]

_CAREFUL = ("query_only = 1", "trusted_schema = 0", "cell_size_check = 1")
_DAMAGE = ("malformed", "not a database", "disk image")


def sqlite_file(uri: Uri) -> Path | None:
    """The file of a SQLite address; None for another database. Raises InvalidUri."""
    if uri.scheme != "sqlite":
        return None
    name = uri.path.removeprefix("/")
    if not name or uri.host:
        raise InvalidUri(f"address {uri.text!r} names no file; the form is sqlite:////data/mlflow.db")
    return Path(os.path.abspath(name)).resolve()


def engine_for(uri: Uri, settings: MlflowSettings) -> Engine:
    """What connects to the database; nothing is opened yet. Raises MissingRequirement, InvalidUri, StoreUnavailable."""
    file = sqlite_file(uri)
    if file is not None:
        if not file.is_file():
            raise StoreUnavailable(f"{file} is not there", path=str(file))
        return create_engine("sqlite://", creator=lambda: _open_file(file, settings), poolclass=NullPool)
    user, _, password = uri.user_info.partition(":")
    host, _, port = uri.host.rpartition(":") if uri.host.rpartition(":")[2].isdecimal() else (uri.host, "", "")
    address = URL.create(
        "postgresql+psycopg",
        unquote(user) or None,
        unquote(password) or None,
        host.strip("[]") or None,
        int(port) if port else None,
        uri.path.strip("/") or None,
    )
    try:
        return create_engine(address, connect_args={"connect_timeout": max(1, round(settings.connect_s))}, pool_pre_ping=True)
    except ImportError as fault:
        raise MissingRequirement(
            "psycopg is needed to read a PostgreSQL database, and it is not installed: pip install 'drupe-import-mlflow[postgresql]'",
            package="psycopg[binary]",
        ) from fault


@contextmanager
def reading(engine: Engine, place: str) -> Iterator[Connection]:
    """A connection that sees the database at one moment and changes nothing. Raises StoreUnavailable, StoreCorrupt."""
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN")
            else:
                connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
            yield connection
            connection.rollback()
    except SQLAlchemyError as fault:
        raise _in_words(fault, place) from fault


def _open_file(file: Path, settings: MlflowSettings) -> sqlite3.Connection:
    opened = sqlite3.connect(
        f"file:{quote(str(file))}?mode=ro", uri=True, check_same_thread=False, timeout=settings.connect_s, isolation_level=None
    )
    opened.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")  # one bad text must not hide its whole table
    for pragma in _CAREFUL:
        opened.execute(f"PRAGMA {pragma}")
    return opened


def _in_words(fault: SQLAlchemyError, place: str) -> StoreError:
    told = " ".join(str(fault.orig if isinstance(fault, DBAPIError) and fault.orig else fault).split())
    kind = StoreCorrupt if any(word in told for word in _DAMAGE) else StoreUnavailable
    return kind(f"{place} cannot be read: {redact(told)[:300]}", place=place)
