"""A Query's condition to SQL. The oracle for its meaning is `drupe.search.match`.

SQL's own logic has three values, ours two: every piece made here is true or false and never NULL, so AND, OR and NOT can be put around it as
they are. A NULL metric is NaN, which only `!=`, NOT IN and IS NOT NULL find.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from itertools import takewhile
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from attrs import define, evolve, field, frozen
from sqlalchemy import ColumnElement, FromClause, and_, exists, false, literal, not_, or_, select, true

from drupe.entities.enums import Stat
from drupe.errors import InvalidQuery
from drupe.search.query import And, Comparison, Condition, Entity, Field, Kind, Not, Op, Or
from drupe_store_sql.fields import ATTRIBUTE_INDEXES, Keyed, attribute, keyed, model_metrics
from drupe_store_sql.session import Session
from drupe_store_sql.statements import Unindexed
from drupe_store_sql.tables import HEAD, datasets, experiments, head, head_of, inputs, logged_models, runs

__all__ = ["Part", "Start", "Where", "translate"]

LARGEST = 2**63
JOINS_MAX = 10  # SQLite joins 64 tables at most, and sorting by twenty keys may join forty

_COMPARE: Mapping[Op, Callable[[Any, Any], Any]] = {Op.EQ: eq, Op.NE: ne, Op.LT: lt, Op.LE: le, Op.GT: gt, Op.GE: ge}
_FOUND_BY_NAN = (Op.NE, Op.NOT_IN)
_FOUND_BY_INDEX = (Op.EQ, Op.LT, Op.LE, Op.GT, Op.GE, Op.IN)
_FOUND_BY_HEAD = (Op.EQ, Op.IN)
_EXPERIMENT_IDS = frozenset({experiments.c.id, logged_models.c.experiment})
_WILD = frozenset("%_")

_DATASET_COLUMNS: Mapping[str, ColumnElement[Any]] = {"name": datasets.c.name, "digest": datasets.c.digest, "context": inputs.c.context}


@frozen
class Start:
    """A comparison that an index could find things by: `index` of `table`, in which `found` is a stretch.

    `is_by_start` means that the stretch is in the order of the runs' start, the newest first. `place` is the joined row; None for a column
    of the main table.
    """

    table: FromClause
    index: str
    found: ColumnElement[bool]
    is_by_start: bool
    place: Keyed | None = None


@frozen
class Part:
    """A condition; if it compares one column alone, then which, and the same in words that no index knows."""

    condition: ColumnElement[bool]
    column: ColumnElement[Any] | None = None
    loosely: ColumnElement[bool] = field(factory=true)


@define
class Where:
    """The translation of a condition: what to join, and what must be true.

    `joined` are fields whose row must exist for the condition to be true, which are therefore joined instead of asked for by EXISTS: the
    database may then start from the rarest. Sorting uses the same rows.
    """

    joined: dict[Field, Keyed] = field(factory=dict)
    parts: list[Part] = field(factory=list)
    starts: list[Start] = field(factory=list)

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """All that must be true."""
        return [part.condition for part in self.parts]

    def conditions_but_of(self, column: ColumnElement[Any]) -> list[ColumnElement[bool]]:
        """The same, saying nothing of this column that an index could be asked for: the caller has a better question for it."""
        return [part.loosely if part.column is column else part.condition for part in self.parts]


def translate(session: Session, kind: Kind, condition: Condition | None) -> Where:
    """Translate the condition of a query. Raises InvalidQuery for what the kind cannot be searched by."""
    where = Where()
    conjuncts = condition.parts if isinstance(condition, And) else () if condition is None else (condition,)
    for part in conjuncts:
        found = None
        if isinstance(part, Comparison) and part.field.entity is Entity.ATTRIBUTE and kind is Kind.RUNS:
            found = _attribute_part(session, part, where)
        elif isinstance(part, Comparison):
            found = _joined(session, kind, part, where)
        where.parts.append(found or Part(_condition(session, kind, part)))
    return where


def _joined(session: Session, kind: Kind, comparison: Comparison, where: Where) -> Part | None:
    """The comparison with a joined row; None where a join would not do."""
    sought = comparison.field
    if sought.entity in (Entity.ATTRIBUTE, Entity.DATASET) or sought.shadow or comparison.op is Op.IS_NULL:
        return None
    if kind is Kind.LOGGED_MODELS and sought.entity is Entity.METRIC:
        return None
    if sought not in where.joined and len(where.joined) >= JOINS_MAX:
        return None
    place = where.joined.get(sought) or keyed(session, kind, sought)
    if place is None:
        return Part(false())
    where.joined[sought] = place
    found = _compare_keyed(session, place, comparison)
    loosely = _compare_keyed(session, evolve(place, value=Unindexed(place.value), has_head=False), comparison)
    if place.index is not None:
        stretch: ColumnElement[bool] | None = None
        if comparison.op is Op.LIKE:
            stretch = _beginning(head(place.value) if place.has_head else place.value, comparison)
            found = found if stretch is None else and_(stretch, found)
        elif place.has_head and comparison.op in _FOUND_BY_HEAD:
            stretch = _heads(place, comparison)
        elif not place.has_head and comparison.op in _FOUND_BY_INDEX:
            stretch = found
        if stretch is not None:
            where.starts.append(Start(place.table, place.index, and_(place.is_key, stretch), comparison.op is Op.EQ, place))
    return Part(found, place.value, loosely)


def _attribute_part(session: Session, comparison: Comparison, where: Where) -> Part:
    """The comparison with a column of `runs`."""
    column, index = attribute(Kind.RUNS, comparison.field.key), ATTRIBUTE_INDEXES.get(comparison.field.key)
    found = _of_column(session, column, comparison)
    stretch: ColumnElement[bool] | None = None
    if comparison.op is Op.LIKE:
        stretch = _beginning(column, comparison)
        found = found if stretch is None else and_(stretch, found)
    elif comparison.op in _FOUND_BY_INDEX:
        stretch = found
    if stretch is not None and index is not None:
        where.starts.append(Start(runs, index, stretch, comparison.op is Op.EQ))
    return Part(found, column, _of_column(session, Unindexed(column), comparison))


def _heads(place: Keyed, comparison: Comparison) -> ColumnElement[bool]:
    """The stretch of the index in which values lie that the comparison finds."""
    if isinstance(comparison.value, tuple):
        return head(place.value).in_(sorted({head_of(str(value)) for value in comparison.value}))
    return head(place.value) == head_of(str(comparison.value))


def _beginning(column: ColumnElement[str], comparison: Comparison) -> ColumnElement[bool] | None:
    """The stretch of an index in which texts begin as a LIKE pattern does before its first wildcard; None when that says nothing."""
    fixed = "".join(takewhile(lambda letter: letter not in _WILD, str(comparison.value)))[:HEAD]
    if not fixed or "\x00" in fixed:
        return None
    after = ord(fixed[-1]) + 1
    after = 0xE000 if after == 0xD800 else after  # no text has surrogates
    if after > sys.maxunicode:
        return column >= fixed
    return and_(column >= fixed, column < fixed[:-1] + chr(after))


def _condition(session: Session, kind: Kind, condition: Condition) -> ColumnElement[bool]:
    if isinstance(condition, And):
        return and_(true(), *(_condition(session, kind, part) for part in condition.parts))
    if isinstance(condition, Or):
        return or_(false(), *(_condition(session, kind, part) for part in condition.parts))
    if isinstance(condition, Not):
        return not_(_condition(session, kind, condition.part))
    entity = condition.field.entity
    if entity is Entity.ATTRIBUTE:
        return _of_attribute(session, kind, condition)
    if entity is Entity.DATASET:
        return _of_datasets(session, kind, condition)
    if condition.op is Op.IS_NULL:
        return not_(_condition(session, kind, Comparison(condition.field, Op.IS_NOT_NULL)))
    if entity is Entity.METRIC and kind is Kind.LOGGED_MODELS:
        return _of_model_metrics(session, condition)
    return _of_keyed(session, kind, condition)


def _of_attribute(session: Session, kind: Kind, comparison: Comparison) -> ColumnElement[bool]:
    return _of_column(session, attribute(kind, comparison.field.key), comparison)


def _of_column(session: Session, column: ColumnElement[Any], comparison: Comparison) -> ColumnElement[bool]:
    if comparison.op in (Op.IS_NULL, Op.IS_NOT_NULL):
        return column.is_(None) if comparison.op is Op.IS_NULL else column.is_not(None)
    value = _as_row_numbers(comparison.value) if column in _EXPERIMENT_IDS else comparison.value
    found = _compare(session, column, comparison.op, value)
    return and_(column.is_not(None), found) if getattr(column, "nullable", True) else found


def _of_datasets(session: Session, kind: Kind, comparison: Comparison) -> ColumnElement[bool]:
    column = _DATASET_COLUMNS.get(comparison.field.key)
    if kind is not Kind.RUNS or column is None:
        raise InvalidQuery(f"{kind} cannot be searched by the {comparison.field.key!r} of datasets")
    used = inputs.join(datasets, datasets.c.id == inputs.c.dataset)
    return exists(
        select(literal(1)).select_from(used).where(inputs.c.run == runs.c.id, _compare(session, column, comparison.op, comparison.value))
    )


def _of_model_metrics(session: Session, comparison: Comparison) -> ColumnElement[bool]:
    """True when any row of the metric makes it so."""
    rows = model_metrics(session, comparison.field)
    if rows is None:
        return false()
    table, are_of_it = rows
    fits: ColumnElement[bool] = true()
    if comparison.op is not Op.IS_NOT_NULL:
        fits = _compare(session, table.c.value, comparison.op, comparison.value)
        fits = or_(fits, table.c.value.is_(None)) if comparison.op in _FOUND_BY_NAN else fits
    return exists(select(literal(1)).select_from(table).where(are_of_it, fits).correlate(logged_models))


def _of_keyed(session: Session, kind: Kind, comparison: Comparison) -> ColumnElement[bool]:
    sought = comparison.field
    plain = _exists(session, keyed(session, kind, sought), comparison)
    if sought.shadow is None:
        return plain
    shadow = keyed(session, kind, sought, key=sought.shadow, stat=Stat.LAST)
    has_shadow = _exists(session, shadow, Comparison(sought, Op.IS_NOT_NULL))
    return or_(_exists(session, shadow, comparison), and_(not_(has_shadow), plain))


def _exists(session: Session, place: Keyed | None, comparison: Comparison) -> ColumnElement[bool]:
    if place is None:
        return false()
    return exists(select(literal(1)).select_from(place.table).where(place.on, _compare_keyed(session, place, comparison)))


def _compare_keyed(session: Session, place: Keyed, comparison: Comparison) -> ColumnElement[bool]:
    """The comparison of a row that is there; where it is NULL, SQL takes it for false."""
    op, value = comparison.op, comparison.value
    if op is Op.IS_NOT_NULL:
        return true()
    found = _compare(session, place.value, op, value)
    if comparison.field.entity is Entity.METRIC:
        return or_(found, place.value.is_(None)) if op in _FOUND_BY_NAN else found
    if place.has_head and op in _FOUND_BY_HEAD:
        if op is Op.EQ:  # not `value = …`: SQLite would put that constant into substr(value) and miss the index
            found = and_(place.value >= value, place.value <= value)
        return and_(_heads(place, comparison), found)
    return found


def _compare(session: Session, column: ColumnElement[Any], op: Op, value: Any) -> ColumnElement[bool]:
    if op in _COMPARE:
        if isinstance(value, float) and math.isnan(value):
            return true() if op is Op.NE else false()
        return _COMPARE[op](column, _fitting(value))  # type: ignore[no-any-return]
    if op in (Op.LIKE, Op.ILIKE):
        return session.dialect.like(column, str(value), ignore_case=op is Op.ILIKE)
    if not isinstance(value, tuple):
        raise InvalidQuery(f"{op} needs a list of values, not {value!r}")
    listed = [_fitting(each) for each in value]
    return column.in_(listed) if op is Op.IN else column.not_in(listed)


def _fitting(value: Any) -> Any:
    """A number that the driver can take: whole numbers beyond 64 bits compare as floats, which is exact enough out there."""
    if isinstance(value, int) and not -LARGEST <= value < LARGEST:
        return math.copysign(math.inf, value) if abs(value) >= 2**1024 else float(value)
    return value


def _as_row_numbers(value: Any) -> Any:
    """Experiment ids are texts outside; what is no id equals none of them."""
    if isinstance(value, tuple):
        return tuple(_as_row_numbers(each) for each in value)
    text = str(value)
    is_id = text.isascii() and text.isdecimal() and len(text) < 19 and (text == "0" or text[0] != "0")
    return int(text) if is_id else -1
