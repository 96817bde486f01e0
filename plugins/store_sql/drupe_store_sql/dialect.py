"""What differs from database to database, as one object that a store plugin provides. Everything else here is plain SQLAlchemy Core."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Column, FromClause, Table
from sqlalchemy.engine import Engine
from sqlalchemy.sql.elements import ColumnElement

from drupe.errors import DrupeError, StoreBusy
from drupe.extend.upkeep import Progress

__all__ = ["Dialect", "Overtaken"]


class Overtaken(StoreBusy):
    """Another transaction was quicker, and this one must be given up as a whole; the same calls may succeed when they are made again."""


class Dialect(ABC):
    """One kind of database at one address."""

    place: str
    """What messages call the database: a file name, or an address without password."""

    patience_s: float
    """How long a writer waits for others."""

    has_one_writer: bool
    """True when writers of one process had better queue up here than meet in the database."""

    @abstractmethod
    def connect(self) -> Engine:
        """A new engine; called again when the database was replaced. Checks nothing."""

    @abstractmethod
    def is_replaced(self) -> bool:
        """True when the database that the last engine was made for is not the one at this address any more. Called often."""

    @abstractmethod
    def begin_read(self, connection: Any) -> None:
        """Start a transaction on a driver connection that sees one state of the database and blocks nobody."""

    @abstractmethod
    def begin_write(self, connection: Any) -> None:
        """Start a transaction that may write, waiting for others up to `patience_s`. Raises StoreBusy or StoreReadOnly."""

    @abstractmethod
    def is_in_transaction(self, connection: Any) -> bool:
        """True while a driver connection's transaction can go on."""

    @abstractmethod
    def explain(self, fault: Exception) -> DrupeError | None:
        """The error of our tree that a driver's or SQLAlchemy's exception stands for; None when it is not about the store."""

    @abstractmethod
    def back_up(self, label: str, *, progress: Progress | None = None) -> str:
        """Keep a copy of the whole database before it is changed, with `label` in its name, and look through it; returns where it lies."""

    @abstractmethod
    def place_of_backup(self, label: str) -> str:
        """Where `back_up` would put a copy now, in words."""

    @abstractmethod
    def upgrading(self) -> AbstractContextManager[None]:
        """Nobody else is inside at the same time. This process has no transaction open and no connection idle. Raises StoreBusy after `patience_s`."""

    @abstractmethod
    def others(self) -> str | None:
        """Who else has the database open and does not wait to be `upgrading`, in words; None for nobody. Needs what `upgrading` needs."""

    def type_in_words(self, column: Column[Any]) -> str | None:
        """A column's type as ALTER TABLE wants it; None where a table has to be made anew to get more columns."""
        return None

    outlives_faults = False
    """True where a statement that fails leaves its transaction as it was, so that reading needs no savepoint."""

    copies_from: int | None = None
    """So many rows `copy` adds more quickly than INSERTs do; None where there is no such way."""

    def exclude(self, connection: Any, what: str) -> None:  # noqa: B027 - a database with one writer has nothing to do
        """Let nobody else be in a write transaction that excludes others for `what`, until this one ends."""

    def copy(self, cursor: Any, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows, which all name the same columns; asked for `copies_from` of them or more."""
        raise NotImplementedError(f"{type(self).__name__} has no other way to add rows than INSERT")

    @abstractmethod
    def pack(self, members: Sequence[int | str]) -> Any:
        """The members of a `stretch` list as one value for the driver."""

    @abstractmethod
    def listed(self, name: str) -> tuple[FromClause, ColumnElement[int], ColumnElement[int]]:
        """The members of a list of numbers as rows, and two columns of them: the place in the list, from 0, and the member. `pack` makes the value `name`."""

    @abstractmethod
    def like(self, value: ColumnElement[str], pattern: str, *, ignore_case: bool) -> ColumnElement[bool]:
        """Does the whole of `value` match `pattern`; the meaning is that of `drupe.search.like`."""
