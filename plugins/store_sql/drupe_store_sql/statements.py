"""What SQLAlchemy Core does not spell, or not alike for every database: upserts, indexes of some rows, IN lists of any length, joins in a given order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Join, Select, Table, TextClause, bindparam, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateIndex
from sqlalchemy.sql.compiler import DDLCompiler, SQLCompiler
from sqlalchemy.types import NullType, TypeEngine

__all__ = ["OF_RUN", "MakeIndex", "OrderedJoin", "Stretch", "Unindexed", "held", "insert_of_run", "replace", "shared", "stretch"]

OF_RUN = ("experiment", "start_ms")
"""Columns of `runs` that params, tags and series repeat."""


def held(statement: Select[Any]) -> Select[Any]:
    """The same rows, which no other transaction may change until this one ends. Where there is one writer that says nothing new."""
    return statement.with_for_update(key_share=True)


def shared(statement: Select[Any]) -> Select[Any]:
    """The same rows, which others may read and hold like this too, but not change until this transaction ends."""
    return statement.with_for_update(read=True)


def replace(table: Table, *, on: Sequence[str]) -> TextClause:
    """An INSERT of all columns that, where a row with the same `on` exists, replaces the other columns."""
    return text(f"{_insert(table, {})} {_or_replace(table, on, but=())}")


def insert_of_run(table: Table, *, replacing: Sequence[str] = ()) -> TextClause:
    """An INSERT of all columns of a table that repeats columns of `runs`, which are looked up; with `replacing` as `replace` does it."""
    repeated = {name: f"(SELECT {name} FROM runs WHERE id = :run)" for name in OF_RUN}
    return text(_insert(table, repeated) + (f" {_or_replace(table, replacing, but=OF_RUN)}" if replacing else ""))


def _insert(table: Table, looked_up: Mapping[str, str]) -> str:
    names = [column.name for column in table.columns]
    quoted = ", ".join(f'"{name}"' for name in names)
    return f"INSERT INTO {table.name} ({quoted}) VALUES ({', '.join(looked_up.get(name, f':{name}') for name in names)})"


def _or_replace(table: Table, on: Sequence[str], *, but: Sequence[str]) -> str:
    changed = [f'"{column.name}"' for column in table.columns if column.name not in (*on, *but)]
    key = ", ".join(f'"{name}"' for name in on)
    return f"ON CONFLICT ({key}) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in changed)}"


class Stretch(ColumnElement[bool]):
    """A column is one of the members of a list that is a single value to the driver, packed by `Dialect.pack`.

    So the text of a statement, and its plan, are the same for one member and for fifty thousand.
    """

    inherit_cache = False
    type: TypeEngine[bool] = NullType()  # type: ignore[assignment]  # a BOOLEAN would be compared with 1, which hides the list from the planner

    def __init__(self, column: ColumnElement[Any], members: BindParameter[Any]) -> None:
        self.column, self.members = column, members


def stretch(column: ColumnElement[Any], name: str = "members") -> Stretch:
    """`column` is one of the members that `Session.among` is given; `name` is for a statement with two such lists."""
    return Stretch(column, bindparam(name))


@compiles(Stretch)
def _as_array(element: Stretch, compiler: SQLCompiler, **options: Any) -> str:
    return f"{compiler.process(element.column, **options)} = ANY({compiler.process(element.members, **options)})"


@compiles(Stretch, "sqlite")
def _as_json(element: Stretch, compiler: SQLCompiler, **options: Any) -> str:
    return f"{compiler.process(element.column, **options)} IN (SELECT value FROM json_each({compiler.process(element.members, **options)}))"


class MakeIndex(CreateIndex):
    """CREATE INDEX, of some rows only where the index has a condition `where` in its `info`.

    SQLAlchemy has `sqlite_where` and `postgresql_where` for that, and imports a database's whole dialect to look at such a name.
    """


@compiles(MakeIndex)
def _as_index(made: MakeIndex, compiler: DDLCompiler, **options: Any) -> str:
    where = made.element.info.get("where")
    rows = "" if where is None else f" WHERE {compiler.sql_compiler.process(where, include_table=False, literal_binds=True)}"
    return f"{compiler.visit_create_index(made, **options)}{rows}"  # type: ignore[no-untyped-call]


class Unindexed(ColumnElement[Any]):
    """A column in words that no index of SQLite knows, where the caller has a better question for one. Elsewhere the column itself."""

    inherit_cache = False

    def __init__(self, column: ColumnElement[Any]) -> None:
        self.column, self.type = column, column.type


@compiles(Unindexed)
def _as_it_is(element: Unindexed, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.column, **options)


@compiles(Unindexed, "sqlite")
def _with_a_plus(element: Unindexed, compiler: SQLCompiler, **options: Any) -> str:
    return f"+{compiler.process(element.column, **options)}"


class OrderedJoin(Join):
    """A join whose left side is read first. SQLite keeps to that; other databases know their tables well enough to decide."""

    inherit_cache = True


@compiles(OrderedJoin, "sqlite")
def _as_cross_join(element: OrderedJoin, compiler: SQLCompiler, **options: Any) -> str:
    assert element.onclause is not None
    left, right = (compiler.process(side, **{**options, "asfrom": True}) for side in (element.left, element.right))
    return f"{left} CROSS JOIN {right} ON {compiler.process(element.onclause, **{**options, 'asfrom': False})}"
