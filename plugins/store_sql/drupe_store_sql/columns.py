"""A few fields of many runs, a column each: the ids in one search, then metrics, params and tags by their rows' primary key, in blocks of fields.

No run is made into an object. What is asked for again and again is the same statement with other values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import Column, ColumnElement, Double, Select, Table, and_, case, cast, literal_column, select

from drupe.entities import LifecycleStage, RunColumns, RunStatus, Stat
from drupe.extend.columns import check_cells
from drupe.search.query import Entity, Field, Kind, Query
from drupe_store_sql.fields import attribute
from drupe_store_sql.scope import Scope
from drupe_store_sql.search import first_of
from drupe_store_sql.session import Session
from drupe_store_sql.summary import NAN
from drupe_store_sql.tables import params, runs, series, tags

__all__ = ["read"]

BLOCK = 16  # joins of a statement: SQLite has 64 at most, and PostgreSQL plans long

_TABLES: Mapping[Entity, Table] = {Entity.METRIC: series, Entity.PARAM: params, Entity.TAG: tags}
_OF_COLUMNS_ONLY: Mapping[str, Column[Any]] = {"experiment_id": runs.c.experiment, "lifecycle_stage": runs.c.is_deleted}
_TYPED: Mapping[str, Mapping[Any, Any]] = {
    "status": {status.value: status for status in RunStatus},
    "lifecycle_stage": {0: LifecycleStage.ACTIVE, 1: LifecycleStage.DELETED},
}
_NAN_HERE: ColumnElement[Any] = literal_column("'NaN'")  # a number for PostgreSQL; SQLite has no NaN, and gives the text


@frozen
class _Place:
    """Where values lie: a table, the number of a key, and one column of the table."""

    table: Table
    key: int
    column: str


def read(session: Session, query: Query, fields: Sequence[Field], *, scope: Scope, limit: int) -> RunColumns:
    """The columns of checked fields. Raises InvalidQuery, InvalidValue."""
    of_runs = {field.key: _of_runs(field.key) for field in fields if field.entity is Entity.ATTRIBUTE}
    found, is_cut = first_of(session, query, [runs.c.id, runs.c.run_id, *of_runs.values()], limit=limit, scope=scope)
    check_cells(len(found), len(fields))
    numbers, run_ids, *attributes = [[row[n] for row in found] for n in range(2 + len(of_runs))]
    of_field = {Field(Entity.ATTRIBUTE, key): _typed(key, column) for key, column in zip(of_runs, attributes, strict=True)}
    ways = {field: _places(session, field) for field in fields if field.entity is not Entity.ATTRIBUTE}
    values = _values(session, numbers, list(dict.fromkeys(place for places in ways.values() for place in places)))
    for field, places in ways.items():
        columns = [values[place] for place in places]
        of_field[field] = _either(*columns) if len(columns) == 2 else columns[0] if columns else [None] * len(numbers)
    return RunColumns(run_ids, [of_field[field] for field in fields], is_cut)


def _of_runs(key: str) -> Column[Any]:
    return _OF_COLUMNS_ONLY[key] if key in _OF_COLUMNS_ONLY else attribute(Kind.RUNS, key)


def _typed(key: str, column: list[Any]) -> list[Any]:
    if key == "experiment_id":
        return list(map(str, column))
    return list(map(_TYPED[key].__getitem__, column)) if key in _TYPED else column


def _places(session: Session, field: Field) -> list[_Place]:
    """Where the values of a field are, the first place before the second; nowhere when no such key was ever used."""
    names = [(field.shadow, Stat.LAST)] if field.shadow else []
    names.append((field.key, field.stat or Stat.LAST))
    numbers = session.key_ids(name for name, _ in names)
    table = _TABLES[field.entity]
    return [_Place(table, numbers[name], stat.value if table is series else "value") for name, stat in names if name in numbers]


def _either(first: list[Any], second: list[Any]) -> list[Any]:
    return [other if one is None else one for one, other in zip(first, second, strict=True)]


def _values(session: Session, numbers: Sequence[int], places: Sequence[_Place]) -> dict[_Place, list[Any]]:
    if not numbers:
        return {place: [] for place in places}
    at = sorted(range(len(numbers)), key=numbers.__getitem__)  # neighbours in the tables are read together
    members = session.dialect.pack([numbers[n] for n in at])
    found: dict[_Place, list[Any]] = {}
    for block in _blocks(places):
        rows: list[Any] = [None] * len(numbers)
        for row in session.search(_statement(session, block), {"members": members}):
            rows[at[row[0]]] = row
        _, *columns = zip(*rows, strict=True)
        for place, column in zip(block, columns, strict=True):
            found[place] = _numbers(column) if place.table is series else list(column)
    return found


def _blocks(places: Sequence[_Place]) -> Iterator[Sequence[_Place]]:
    for start in range(0, len(places), BLOCK):
        yield places[start : start + BLOCK]


def _statement(session: Session, block: Sequence[_Place]) -> Select[Any]:
    """A row for each of `members`: its place among them, and its values."""
    source, number, member = session.dialect.listed("members")
    columns: list[ColumnElement[Any]] = [number]
    for place in block:
        alias = session.alias(place.table)
        source = source.outerjoin(alias, and_(alias.c.run == member, alias.c.key == place.key))
        value: ColumnElement[Any] = alias.c[place.column]
        if place.column == Stat.COUNT.value:
            value = cast(value, Double)
        elif place.table is series:
            value = case((value.is_not(None), value), (alias.c.run.is_not(None), _NAN_HERE))
        columns.append(value)
    return select(*columns).select_from(source)


def _numbers(column: Sequence[Any]) -> list[Any]:
    return [NAN if value == "NaN" else value for value in column] if "NaN" in column else list(column)
