"""Statements inside one transaction: prepared ones on the driver's cursor, searches through SQLAlchemy, and the dictionary of keys.

Compiling a Core statement costs more than SQLite takes to run it, so every fixed statement is compiled once per database and its text is
run directly. Results are the driver's plain tuples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from attrs import define, field, frozen
from sqlalchemy import DDLElement, Insert, Table, bindparam, insert, inspect, select, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.selectable import NamedFromClause

from drupe_store_sql.dialect import Dialect
from drupe_store_sql.statements import OF_RUN, insert_of_run, stretch
from drupe_store_sql.tables import keys, runs

__all__ = ["Prepared", "Session", "Shared"]


@frozen
class Prepared:
    """A statement as the driver takes it: text, and how to line up values. `constants` are those that stand in the statement itself."""

    sql: str
    names: tuple[str, ...] | None
    constants: Mapping[str, Any]

    def line_up(self, values: Mapping[str, Any]) -> Any:
        """The values in the form that the driver wants."""
        if self.constants:
            values = {**self.constants, **values}
        return values if self.names is None else tuple([values[name] for name in self.names])


@define
class Shared:
    """What all sessions of a database share: compiled statements and the known keys, which are never deleted."""

    compiled: dict[Executable, Prepared] = field(factory=dict)
    key_ids: dict[str, int] = field(factory=dict)
    key_names: dict[int, str] = field(factory=dict)

    def learn(self, ids: Mapping[str, int]) -> None:
        """Remember keys that are committed."""
        self.key_ids.update(ids)
        self.key_names.update({number: name for name, number in ids.items()})


class Session:
    """One transaction. Made by `Database.read` and `Database.write` only."""

    def __init__(self, engine: Engine, shared: Shared, dialect: Dialect, *, is_writing: bool) -> None:
        self.dialect, self.is_writing = dialect, is_writing
        self._engine, self._shared = engine, shared
        self._pooled = engine.raw_connection()
        self._connection: Connection | None = None
        self._new_keys: dict[str, int] = {}
        self._keys_at_mark: dict[str, int] = {}
        self._is_committed = False
        self._aliases: dict[Table, int] = {}
        driver = self._pooled.driver_connection
        assert driver is not None
        self.driver: Any = driver
        self._cursor = driver.cursor()

    def rows(self, statement: Executable, **values: Any) -> list[tuple[Any, ...]]:
        """All rows of a fixed statement."""
        self._run(statement, values)
        return self._cursor.fetchall()  # type: ignore[no-any-return]

    def row(self, statement: Executable, **values: Any) -> tuple[Any, ...] | None:
        """The first row of a fixed statement, or None."""
        self._run(statement, values)
        return self._cursor.fetchone()  # type: ignore[no-any-return]

    def run(self, statement: Executable, **values: Any) -> int:
        """Run a fixed statement; how many rows it changed."""
        self._run(statement, values)
        return self._cursor.rowcount  # type: ignore[no-any-return]

    def many(self, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a fixed statement for every row, which all name the same values."""
        if not rows:
            return
        if len(rows) == 1:
            self._run(statement, rows[0])
            return
        prepared = self._prepared(statement, rows[0])
        self._cursor.executemany(prepared.sql, [prepared.line_up(row) for row in rows])

    def add_all(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows, which all name the same columns and meet no other row, as quickly as the database can."""
        if self._is_copied(rows):
            self.dialect.copy(self._cursor, table, rows)
        else:
            self.many(_insert(table), rows)

    def add_all_of_runs(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """The same for a table that repeats columns of `runs`, which are looked up."""
        if self._is_copied(rows):
            repeated = {run: dict(zip(OF_RUN, found, strict=True)) for run, *found in self.among(_REPEATED, {row["run"] for row in rows})}
            self.dialect.copy(self._cursor, table, [{**row, **repeated[row["run"]]} for row in rows])
        else:
            self.many(_insert_of_run(table), rows)

    def _is_copied(self, rows: Sequence[Any]) -> bool:
        return self.dialect.copies_from is not None and len(rows) >= self.dialect.copies_from

    def among(self, statement: Executable, members: Iterable[int | str], **values: Any) -> list[tuple[Any, ...]]:
        """All rows of a fixed statement made with `stretch`, for however many members of its list."""
        return self.rows(statement, members=self.dialect.pack(list(members)), **values)

    def search(self, statement: Executable, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a statement that was composed for this search; SQLAlchemy remembers the text of those that only differ in values."""
        result = self._core().execute(statement, values)
        try:
            return result.cursor.fetchall()  # type: ignore[return-value]  # SQLAlchemy's own rows cost as much as finding them
        finally:
            result.close()

    def alone(self, what: str) -> None:
        """Wait until nobody else is in a transaction that is alone for `what`, and keep others from it until this one ends."""
        self.dialect.exclude(self.driver, what)

    def alias(self, table: Table) -> NamedFromClause:
        """An alias of the table that this session has not handed out yet. Making one costs a millisecond, so they are kept for all."""
        number = self._aliases[table] = self._aliases.get(table, -1) + 1
        while len(kept := _aliases.setdefault(table, [])) <= number:
            kept.append(table.alias())
        return kept[number]

    def table_names(self) -> frozenset[str]:
        """The tables of the database."""
        return frozenset(inspect(self._core()).get_table_names())

    # --- keys

    def key_ids(self, names: Iterable[str]) -> dict[str, int]:
        """The numbers of those keys that exist."""
        known = self._shared.key_ids
        found: dict[str, int] = {}
        for name in names:
            number = known.get(name) or self._new_keys.get(name)
            if number is None:
                row = self.row(_KEY_NAMED, called=name)
                if row is None:
                    continue
                number = int(row[0])
                self._shared.learn({name: number})
            found[name] = number
        return found

    def make_keys(self, names: Iterable[str]) -> dict[str, int]:
        """The numbers of all these keys, which are made where they do not exist. In `Database.write` only."""
        wanted = list(names)
        found = self.key_ids(wanted)
        for name in sorted({name for name in wanted if name not in found}):  # in one order, so that no two wait for each other
            row = self.row(_NEW_KEY, name=name)
            if row is None:  # another transaction made it meanwhile
                found.update(self.key_ids([name]))
            else:
                found[name] = self._new_keys[name] = row[0]
        return found

    def key_names(self, ids: Iterable[int]) -> Mapping[int, str]:
        """The names of keys; what is returned may hold others too."""
        known = self._shared.key_names
        missing = {number for number in ids if number not in known}
        if missing:
            read = {name: number for number, name in self.among(_KEYS_NUMBERED, missing)}
            self._shared.learn({name: number for name, number in read.items() if name not in self._new_keys})
            return {**known, **{number: name for name, number in read.items()}}
        return known

    # --- parts of it, and its end, for `Database`

    @contextmanager
    def part(self) -> Iterator[None]:
        """What is written meanwhile, all or nothing within this transaction."""
        keys_before = dict(self._new_keys)
        self._cursor.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            if self.is_open():
                self._cursor.execute("ROLLBACK TO part")
                self._cursor.execute("RELEASE part")
            self._new_keys = keys_before
            raise
        self._cursor.execute("RELEASE part")

    def mark(self) -> None:
        """What is written from here on can be undone together, until `unmark`; marks do not nest."""
        self._keys_at_mark = dict(self._new_keys)
        self._cursor.execute("SAVEPOINT mark")

    def undo_to_mark(self) -> None:
        """Undo what was written since `mark`, which stays."""
        self._cursor.execute("ROLLBACK TO mark")
        self._new_keys = dict(self._keys_at_mark)

    def unmark(self) -> None:
        """What was written since `mark` stays, unless the transaction is undone."""
        self._cursor.execute("RELEASE mark")

    def is_open(self) -> bool:
        """False when the database has ended the transaction by itself."""
        return self.dialect.is_in_transaction(self.driver)

    def commit(self) -> None:
        """Make it last."""
        self._pooled.commit()
        self._is_committed = True
        if self._new_keys:
            self._shared.learn(self._new_keys)

    def close(self) -> None:
        """Give the connection back; what was not committed is undone."""
        try:
            if not self._is_committed:
                self._pooled.rollback()
            self._cursor.close()
        except Exception:  # the driver's, on a damaged or vanished database: what went wrong before is being told already
            self._pooled.invalidate()
        if self._connection is not None:
            self._connection.close()
        self._pooled.close()

    def _core(self) -> Connection:
        if self._connection is None:
            self._connection = Connection(self._engine, self._pooled)
        return self._connection

    def _run(self, statement: Executable, values: Mapping[str, Any]) -> None:
        prepared = self._prepared(statement, values)
        self._cursor.execute(prepared.sql, prepared.line_up(values))

    def _prepared(self, statement: Executable, values: Mapping[str, Any]) -> Prepared:
        prepared = self._shared.compiled.get(statement)
        if prepared is None:
            prepared = self._shared.compiled[statement] = _prepare(statement, values, self._engine)
        return prepared


def _prepare(statement: Any, values: Mapping[str, Any], engine: Engine) -> Prepared:
    if isinstance(statement, DDLElement):
        return Prepared(str(statement.compile(dialect=engine.dialect)), (), {})
    is_insert = isinstance(statement, Insert)
    if is_insert:
        statement = statement.inline()  # returning no row number
    compiled = statement.compile(dialect=engine.dialect, column_keys=list(values) if is_insert else None)
    names = None if compiled.positiontup is None else tuple(compiled.positiontup)
    return Prepared(str(compiled), names, {name: value for name, value in compiled.params.items() if name not in values})


_aliases: dict[Table, list[NamedFromClause]] = {}
_KEY_NAMED = select(keys.c.id).where(keys.c.name == bindparam("called"))
_KEYS_NUMBERED = select(keys.c.id, keys.c.name).where(stretch(keys.c.id))
_NEW_KEY = text("INSERT INTO keys (name) VALUES (:name) ON CONFLICT (name) DO NOTHING RETURNING id")
_REPEATED = select(runs.c.id, *(runs.c[name] for name in OF_RUN)).where(stretch(runs.c.id))
_insert = cache(insert)
_insert_of_run = cache(insert_of_run)
