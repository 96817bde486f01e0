"""The tables and indexes of a database as SQLite understands their CREATE statements: what a row of each has to look like."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from types import NoneType

from attrs import evolve, field, frozen

from drupe_store_sqlite.records import Value

__all__ = ["HEAD_OF_VALUE", "Column", "IndexLayout", "Layout", "TableLayout", "read_layout"]

HEAD_OF_VALUE = "substr(value)"
"""What stands for the field of an index that holds the beginning of a value; other expressions stand for nothing."""

_KINDS: dict[str, tuple[type, ...]] = {"INTEGER": (int,), "REAL": (float, int), "TEXT": (str,), "BLOB": (bytes,)}


@frozen
class Column:
    """A column: `kinds` are the Python types that its values have."""

    name: str
    kinds: tuple[type, ...]
    is_nullable: bool
    key_place: int  # in the primary key, from 1; 0 when it is not part of it


@frozen
class IndexLayout:
    """An index: for each of its fields the column of the table, or None for an expression, and the types that its values have."""

    name: str
    table: str
    fields: tuple[str | None, ...]
    kinds: tuple[tuple[type, ...], ...]

    def fit(self, rowid: int | None, values: Sequence[Value]) -> dict[str, Value] | None:
        """What an entry says of a row, by column, expressions left out; None when it cannot be one of this index."""
        if rowid is not None or len(values) != len(self.fields) or not all(map(isinstance, values, self.kinds)):
            return None
        return {name: value for name, value in zip(self.fields, values, strict=True) if name is not None}


@frozen
class TableLayout:
    """A table. `rowid` is the column that stands for the number of a row, None in a table without numbers."""

    name: str
    columns: tuple[Column, ...]
    rowid: str | None
    indexes: tuple[IndexLayout, ...] = ()
    stored: tuple[Column, ...] = field(init=False)

    @stored.default
    def _in_order(self) -> tuple[Column, ...]:
        """The columns in the order in which a record has them: a table without row numbers begins with its key."""
        if self.rowid is not None:
            return self.columns
        return tuple(sorted(self.columns, key=lambda column: (column.key_place == 0, column.key_place)))

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that name a row."""
        if self.rowid is not None:
            return (self.rowid,)
        return tuple(column.name for column in self.stored if column.key_place)

    def fit(self, rowid: int | None, values: Sequence[Value]) -> dict[str, Value] | None:
        """The row that a record holds, by column; None when it cannot be one of this table."""
        if (rowid is None) != (self.rowid is None) or len(values) > len(self.stored):
            return None
        row: dict[str, Value] = {}
        for column, value in zip(self.stored, values, strict=False):
            if column.name == self.rowid and value is None:
                row[column.name] = rowid
            elif (column.is_nullable if value is None else isinstance(value, column.kinds)) and column.name != self.rowid:
                row[column.name] = value
            else:
                return None
        if self.rowid is not None:
            row.setdefault(self.rowid, rowid)
        return row  # columns that were added after the row was written are left to their defaults


@frozen
class Layout:
    """All tables by name, and the statements that make them, tables first."""

    tables: dict[str, TableLayout]
    statements: tuple[str, ...]


def read_layout(statements: Iterable[str]) -> Layout:
    """The layout that these CREATE statements make; a statement that SQLite does not take is left out."""
    connection = sqlite3.connect(":memory:")
    taken: list[str] = []
    try:
        for statement in sorted(statements, key=lambda text: not text.upper().startswith("CREATE TABLE")):
            try:
                connection.execute(statement)
            except sqlite3.Error:
                continue
            taken.append(statement)
        names = connection.execute("SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'").fetchall()
        return Layout({name: _table(connection, name, bool(is_keyed)) for name, is_keyed in sorted(names)}, tuple(taken))
    finally:
        connection.close()


def _table(connection: sqlite3.Connection, name: str, is_keyed: bool) -> TableLayout:
    columns: list[Column] = []
    rowid = None if is_keyed else "rowid"
    for _, column, kind, must, _, place in connection.execute(f"PRAGMA table_info({name})"):
        affinity = _affinity(kind)
        columns.append(Column(column, _KINDS[affinity], not must and not place, place))
        if place == 1 and kind.upper() == "INTEGER" and not is_keyed:
            rowid = column
    table = TableLayout(name, tuple(columns), rowid)
    names = [row[1] for row in connection.execute(f"PRAGMA index_list({name})") if row[3] != "pk" or not is_keyed]
    return evolve(table, indexes=tuple(_index(connection, index, table) for index in names))


def _index(connection: sqlite3.Connection, name: str, table: TableLayout) -> IndexLayout:
    by_name = {column.name: column for column in table.columns}
    fields: list[str | None] = []
    kinds: list[tuple[type, ...]] = []
    (statement,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    for _, cid, column, *_ in connection.execute(f"PRAGMA index_xinfo({name})"):
        held = table.rowid if cid == -1 else column if cid >= 0 else HEAD_OF_VALUE if "substr(value, 1," in statement else None
        fields.append(held)
        of_column = by_name.get(held or "")
        kinds.append(
            (int, str, float, bytes, NoneType) if of_column is None else (*of_column.kinds, *([NoneType] if of_column.is_nullable else []))
        )
    return IndexLayout(name, table.name, tuple(fields), tuple(kinds))


def _affinity(declared: str) -> str:
    upper = declared.upper()
    if "INT" in upper:
        return "INTEGER"
    if any(word in upper for word in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    return "BLOB" if "BLOB" in upper or not upper else "REAL"
