"""What PostgreSQL and its driver complain about, in the words of our error tree. The one place that knows SQLSTATE codes.

Messages hold the place, never a password: libpq's own texts have none either, but for what a user wrote into a database name.
"""

from __future__ import annotations

import psycopg
from sqlalchemy.exc import DBAPIError, TimeoutError as NoConnectionLeft

from drupe.errors import (
    DrupeError,
    InvalidValue,
    StoreBusy,
    StoreCorrupt,
    StoreFull,
    StoreReadOnly,
    StoreSchema,
    StoreUnavailable,
    ValueTooLong,
)
from drupe.uris import redact
from drupe_store_sql.dialect import Overtaken

__all__ = ["Replaced", "explain"]

_OVERTAKEN = frozenset({"40001", "40P01", "23505", "23503"})
"""Serialization failure, deadlock, and keys that another transaction has made or taken away meanwhile."""
_BUSY = {
    "55P03": "others kept a lock for too long",
    "57014": "a statement took longer than statement_timeout_s",
    "53300": "the server has no connection left",
    "53200": "the server has no memory left",
    "25P03": "a transaction was left open for too long",
}
_READ_ONLY = {
    "25006": "the server takes no writes just now (a standby?)",
    "42501": "this user may not do that",
    "3F000": "this user has no schema to make tables in",
}
_WRONG_NUMBERS = frozenset({"22003", "22P02"})
_WRONG_TEXTS = frozenset({"22021", "22P05"})
_HINTS = {
    "28P01": "; give the password in the address, in PGPASSWORD or in the password file",
    "3D000": "; make it first: createdb",
    "57P03": "; it is starting up or shutting down",
}
_MISSING = frozenset({"42P01", "42703"})  # tables and columns: the statements are ours, so somebody has changed the schema


class Replaced(Overtaken):
    """The database is not the one that it was."""


def explain(fault: Exception, place: str) -> DrupeError | None:
    """The error that this exception stands for; None when it has nothing to do with the store."""
    if isinstance(fault, DrupeError):
        return fault
    if isinstance(fault, NoConnectionLeft):
        return StoreBusy(f"{place}: all connections of this process stayed in use for too long; pool_size allows more", place=place)
    cause = fault.orig if isinstance(fault, DBAPIError) else fault
    if isinstance(cause, UnicodeEncodeError):
        return InvalidValue(f"text {cause.object[:60]!r} is not valid Unicode (it holds a lone surrogate) and cannot be kept")
    if isinstance(cause, UnicodeDecodeError):
        return StoreCorrupt(f"{place}: text in it is not Unicode; restore a backup", place=place)
    if not isinstance(cause, psycopg.Error):
        return None
    state, told = cause.sqlstate or "", redact(" ".join(str(cause).split()))
    return _by_state(state, told, place) if state else _without_state(cause, told, place)


def _by_state(state: str, told: str, place: str) -> DrupeError | None:
    if state in _OVERTAKEN:
        return Overtaken(f"{place}: others wrote the same at the same time ({told})", place=place)
    if state in _BUSY:
        return StoreBusy(f"{place}: {_BUSY[state]} ({told})", place=place)
    if state in _READ_ONLY:
        return StoreReadOnly(f"{place}: {_READ_ONLY[state]} ({told})", place=place)
    if state == "53100":
        return StoreFull(f"{place}: no space is left on the server's disk; nothing of this call was kept ({told})", place=place)
    if state in _WRONG_TEXTS:
        return InvalidValue(f"PostgreSQL cannot keep this text: {told}")
    if state in _WRONG_NUMBERS:
        return InvalidValue(f"a number does not fit 64 bits and cannot be kept: {told}")
    if state.startswith("54"):
        return ValueTooLong(f"a value is too long for PostgreSQL: {told}")
    if state.startswith("XX"):
        return StoreCorrupt(f"{place}: the database is damaged: {told}. Nothing was overwritten; restore a backup", place=place)
    if state in _MISSING:
        return StoreSchema(f"{place}: something of the schema is not there: {told}. Restore a backup", place=place)
    if state.startswith(("08", "28", "3D", "57P", "58", "0A")) or state in _HINTS:
        return StoreUnavailable(f"{place}: {told}{_HINTS.get(state, '')}", place=place)
    return None


def _without_state(cause: psycopg.Error, told: str, place: str) -> DrupeError | None:
    """Errors that the driver raises itself: no answer from the server, or values that it does not send."""
    if isinstance(cause, psycopg.DataError):
        return InvalidValue(f"PostgreSQL cannot keep this value: {told}")
    if isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError):
        for state, words in (("28P01", "password"), ("3D000", "does not exist")):
            if words in told:
                told += _HINTS[state]
                break
        return StoreUnavailable(f"{place}: the server cannot be reached, or was lost: {told}", place=place)
    return None
