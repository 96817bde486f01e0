"""Columns and keys of many runs as drupe's own clients ask for them. What else only they ask is in `own`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

from attrs import field, frozen

from drupe.entities import LifecycleStage, RunColumns, RunKey, RunKeys, RunStatus, Stat, ViewType
from drupe.entities.codec import number_out
from drupe.errors import InvalidQuery, InvalidValue
from drupe.extend.columns import KEYS_MAX, RUNS_MAX
from drupe.search.query import Entity, Field
from drupe.wire.shapes import Form, Unread, bounded

__all__ = [
    "AskColumns",
    "AskKeys",
    "ColumnsFound",
    "FieldOfRuns",
    "KeyOfRuns",
    "KeysFound",
    "columns_form",
    "columns_of",
    "field_form",
    "fields_of",
    "keys_form",
    "keys_of",
]


@frozen
class FieldOfRuns:
    """What a column is of: `entity` is attribute, metric, param or tag; `stat` of a metric is last, first, min, max, mean or count.

    With `shadow`, a run that has a metric of that name is told its latest value instead.
    """

    entity: str
    key: str
    stat: str | None = None
    shadow: str | None = None


@frozen
class AskColumns:
    """The ids of all runs that a search finds, with a column for each of `fields`; no `experiment_ids` means all experiments."""

    experiment_ids: tuple[str, ...] | None = None
    filter: str | None = None
    order_by: tuple[str, ...] = ()
    view: ViewType | None = None
    fields: tuple[FieldOfRuns, ...] = ()
    limit: int | None = bounded(1, RUNS_MAX)


@frozen
class ColumnsFound:
    """Columns in the order of what was asked, each aligned with `run_ids`; null where a run lacks the field."""

    run_ids: tuple[str, ...] = ()
    columns: Unread = field(factory=Unread)
    is_cut: bool = False


@frozen
class AskKeys:
    """Which metrics, params and tags the runs of these experiments have; no `experiment_ids` means all experiments."""

    experiment_ids: tuple[str, ...] | None = None
    view: ViewType | None = None
    prefix: str | None = None
    limit: int | None = bounded(1, KEYS_MAX)


@frozen
class KeyOfRuns:
    """As `RunKey`; of a metric nothing is said of how it differs."""

    name: str
    runs: int
    differs: bool | None = None


@frozen
class KeysFound:
    """As `RunKeys`; keys of most runs first."""

    metrics: tuple[KeyOfRuns, ...] = ()
    params: tuple[KeyOfRuns, ...] = ()
    tags: tuple[KeyOfRuns, ...] = ()
    looked_at: int = 0
    is_whole: bool = False
    cut: tuple[str, ...] = ()


def fields_of(asked: Iterable[FieldOfRuns]) -> list[Field]:
    """The fields that a request names. Raises InvalidQuery."""
    return [
        Field(_one_of(Entity, "entity", one.entity), one.key, None if one.stat is None else _one_of(Stat, "stat", one.stat), one.shadow)
        for one in asked
    ]


def field_form(asked: Field) -> FieldOfRuns:
    """How a request names a field."""
    return FieldOfRuns(asked.entity.value, asked.key, None if asked.stat is None else asked.stat.value, asked.shadow)


def columns_form(found: RunColumns, fields: Sequence[Field]) -> Form:
    """The JSON form of a reply, made without an object for each value."""
    columns = [_out(asked, column) for asked, column in zip(fields, found.columns, strict=True)]
    return {"run_ids": found.run_ids, "columns": columns, "is_cut": found.is_cut}


def columns_of(found: ColumnsFound, fields: Sequence[Field]) -> RunColumns:
    """The columns in a reply. Raises InvalidValue when they are not those of these fields."""
    count = len(found.run_ids)
    if len(found.columns) != len(fields) or any(not isinstance(column, list) or len(column) != count for column in found.columns):
        raise InvalidValue(f"{len(fields)} columns of {count} runs were asked for, and others came")
    try:
        columns = [_in(asked, column) for asked, column in zip(fields, found.columns, strict=True)]
    except (TypeError, ValueError) as fault:
        raise InvalidValue(f"a column has a value that is not of its kind: {fault}") from fault
    return RunColumns(list(found.run_ids), columns, found.is_cut)


def keys_form(found: RunKeys) -> KeysFound:
    """The reply that tells keys."""

    def told(kind: Iterable[RunKey]) -> tuple[KeyOfRuns, ...]:
        return tuple(KeyOfRuns(key.name, key.runs, key.differs) for key in kind)

    return KeysFound(told(found.metrics), told(found.params), told(found.tags), found.looked_at, found.is_whole, found.cut)


def keys_of(found: KeysFound) -> RunKeys:
    """The keys in a reply."""

    def kept(kind: Iterable[KeyOfRuns]) -> tuple[RunKey, ...]:
        return tuple(RunKey(key.name, key.runs, key.differs) for key in kind)

    return RunKeys(kept(found.metrics), kept(found.params), kept(found.tags), found.looked_at, found.is_whole, found.cut)


_TYPED: Mapping[str, Callable[[Any], Any]] = {"status": RunStatus, "lifecycle_stage": LifecycleStage}


def _out(asked: Field, column: list[Any]) -> list[Any]:
    if asked.entity is Entity.METRIC:
        return [value if value is None or isfinite(value) else number_out(value) for value in column]
    return list(map(str, column)) if asked.entity is Entity.ATTRIBUTE and asked.key in _TYPED else column


def _in(asked: Field, column: list[Any]) -> list[Any]:
    kind: Callable[[Any], Any] | None = float if asked.entity is Entity.METRIC else None
    if asked.entity is Entity.ATTRIBUTE:
        kind = _TYPED.get(asked.key)
    return column if kind is None else [None if value is None else kind(value) for value in column]


def _one_of(kind: Any, name: str, given: str) -> Any:
    try:
        return kind(given)
    except ValueError:
        raise InvalidQuery(f"the {name} of a field is {given[:60]!r}; it is one of {', '.join(kind)}") from None
