"""A Query's condition to SQL. The oracle for its meaning is `drupe.search.match`.

SQL's own logic has three values, ours two: every piece made here is true or false and never NULL, so AND, OR and NOT can be put around it as
they are. A NULL metric is NaN, which only `!=`, NOT IN and IS NOT NULL find.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from attrs import define, field
from sqlalchemy import ColumnElement, and_, exists, false, literal, not_, or_, select, true

from drupe.entities.enums import Stat
from drupe.errors import InvalidQuery
from drupe.search.query import And, Comparison, Condition, Entity, Field, Kind, Not, Op, Or
from drupe_store_sql.fields import Keyed, attribute, keyed
from drupe_store_sql.session import Session
from drupe_store_sql.tables import datasets, experiments, head, head_of, inputs, runs

__all__ = ["Where", "translate"]

LARGEST = 2**63
JOINS_MAX = 10  # SQLite joins 64 tables at most, and sorting by twenty keys may join forty

_COMPARE: Mapping[Op, Callable[[Any, Any], Any]] = {Op.EQ: eq, Op.NE: ne, Op.LT: lt, Op.LE: le, Op.GT: gt, Op.GE: ge}
_FOUND_BY_NAN = (Op.NE, Op.NOT_IN)
_FOUND_BY_INDEX = (Op.EQ, Op.LT, Op.LE, Op.GT, Op.GE, Op.IN)
_FOUND_BY_HEAD = (Op.EQ,)

_DATASET_COLUMNS: Mapping[str, ColumnElement[Any]] = {"name": datasets.c.name, "digest": datasets.c.digest, "context": inputs.c.context}


@define
class Where:
    """The translation of a condition: what to join, and what must be true.

    `joined` are fields whose row must exist for the condition to be true, which are therefore joined instead of asked for by EXISTS: the
    database may then start from the rarest. Sorting uses the same rows.
    """

    joined: dict[Field, Keyed] = field(factory=dict)
    parts: list[ColumnElement[bool]] = field(factory=list)
    starts: list[tuple[Keyed, ColumnElement[bool]]] = field(factory=list)
    """Joined rows that an index could find, each with the comparison that it would be asked for."""


def translate(session: Session, kind: Kind, condition: Condition | None) -> Where:
    """Translate the condition of a query. Raises InvalidQuery for what the kind cannot be searched by."""
    where = Where()
    conjuncts = condition.parts if isinstance(condition, And) else () if condition is None else (condition,)
    for part in conjuncts:
        joined = _joined(session, kind, part, where) if isinstance(part, Comparison) else None
        where.parts.append(_condition(session, kind, part) if joined is None else joined)
    return where


def _joined(session: Session, kind: Kind, comparison: Comparison, where: Where) -> ColumnElement[bool] | None:
    """The comparison with a joined row; None where a join would not do."""
    sought = comparison.field
    if sought.entity in (Entity.ATTRIBUTE, Entity.DATASET) or sought.shadow or comparison.op is Op.IS_NULL:
        return None
    if sought not in where.joined and len(where.joined) >= JOINS_MAX:
        return None
    place = where.joined.get(sought) or keyed(session, kind, sought)
    if place is None:
        return false()
    where.joined[sought] = place
    found = _compare_keyed(session, place, comparison)
    if place.is_indexed and comparison.op in (_FOUND_BY_HEAD if place.has_head else _FOUND_BY_INDEX):
        where.starts.append((place, found))
    return found


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
        return not_(_of_keyed(session, kind, Comparison(condition.field, Op.IS_NOT_NULL)))
    return _of_keyed(session, kind, condition)


def _of_attribute(session: Session, kind: Kind, comparison: Comparison) -> ColumnElement[bool]:
    column = attribute(kind, comparison.field.key)
    if comparison.op in (Op.IS_NULL, Op.IS_NOT_NULL):
        return column.is_(None) if comparison.op is Op.IS_NULL else column.is_not(None)
    found = _compare(session, column, comparison.op, _as_row_numbers(comparison.value) if column is experiments.c.id else comparison.value)
    return and_(column.is_not(None), found) if column.nullable else found


def _of_datasets(session: Session, kind: Kind, comparison: Comparison) -> ColumnElement[bool]:
    column = _DATASET_COLUMNS.get(comparison.field.key)
    if kind is not Kind.RUNS or column is None:
        raise InvalidQuery(f"{kind} cannot be searched by the {comparison.field.key!r} of datasets")
    used = inputs.join(datasets, datasets.c.id == inputs.c.dataset)
    return exists(
        select(literal(1)).select_from(used).where(inputs.c.run == runs.c.id, _compare(session, column, comparison.op, comparison.value))
    )


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
    if op is Op.EQ and place.has_head:
        # not `value = …`: SQLite would put that constant into substr(value) and miss the index
        return and_(head(place.value) == head_of(str(value)), place.value >= value, place.value <= value)
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
