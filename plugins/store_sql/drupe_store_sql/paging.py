"""Pages by key: what came last on a page is in its token, and the next page starts behind that, however much was added in between.

A sort key is two columns: a place (0 a value, 1 NaN, 2 missing), which always ascends, and the value. Tokens are base64 of JSON with a
fingerprint of the search; one of another search, or a made-up one, is InvalidPageToken.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import define, field, frozen
from sqlalchemy import ColumnElement, Null, SmallInteger, Text, and_, case, exists, literal, not_, null, or_, select

from drupe.entities.enums import Stat
from drupe.errors import InvalidPageToken
from drupe.search.query import Entity, Field, Kind, Query
from drupe_store_sql.fields import ATTRIBUTE_INDEXES, Keyed, attribute, keyed, model_metrics
from drupe_store_sql.session import Session
from drupe_store_sql.tables import logged_models

__all__ = ["MISSING", "NAN", "VALUE", "Order", "SortKey", "fingerprint", "order_of", "read_token", "write_token"]

VALUE, NAN, MISSING = 0, 1, 2
LARGEST = 2**63


@frozen
class SortKey:
    """One key; `place` is None where every thing has a value."""

    place: ColumnElement[int] | None
    value: ColumnElement[Any]
    is_descending: bool
    is_text: bool

    def takes(self, place: Any, value: Any) -> bool:
        """Can a row have this place and value, going by their types?"""
        if type(place) is not int or not VALUE <= place <= MISSING or (self.place is None and place != VALUE):
            return False
        if place != VALUE:
            return value is None
        if self.is_text:
            return type(value) is str
        return type(value) is float or (type(value) is int and -LARGEST <= value < LARGEST)


@define
class Order:
    """The order of a search: its keys, and the joins that bring their values.

    `leading` is the one row of another table that the first key's value comes from, if that is so; `index` one of the main table that is
    in the order of the first key.
    """

    keys: list[SortKey]
    joined: list[Keyed]
    leading: Keyed | None = None
    index: str | None = None
    ahead: list[ColumnElement[Any]] = field(factory=list)
    """Clauses that sort no differently but are those of an index."""

    @property
    def columns(self) -> list[ColumnElement[Any]]:
        """What a row must carry, two columns a key, for a token to be made from it."""
        return [column for n, key in enumerate(self.keys) for column in (_place(key).label(f"place_{n}"), key.value.label(f"value_{n}"))]

    @property
    def clauses(self) -> list[ColumnElement[Any]]:
        """For ORDER BY."""
        found = list(self.ahead)
        for key in self.keys:
            if isinstance(key.value, Null):  # a key that nothing has; PostgreSQL refuses to sort by a constant
                continue
            if key.place is not None:
                found.append(key.place)
            found.append(key.value.desc() if key.is_descending else key.value.asc())
        return found

    def takes(self, last: Sequence[Any]) -> bool:
        """Can these be the values of `columns` of a row?"""
        return len(last) == 2 * len(self.keys) and all(map(SortKey.takes, self.keys, last[::2], last[1::2]))

    def behind(self, last: Sequence[Any]) -> ColumnElement[bool]:
        """True of rows that come after the one with these values of `columns`."""
        pairs = list(zip(self.keys, last[::2], last[1::2], strict=True))
        choices: list[ColumnElement[bool]] = []
        equal: list[ColumnElement[bool]] = []
        for key, place, value in pairs:
            choices.append(and_(*equal, _after(key, place, value)))
            equal.append(_same(key, place, value))
        first, place, value = pairs[0]
        behind = or_(*choices)
        if first.place is None:  # says nothing new, but lets an index start at the right place
            behind = and_(first.value <= value if first.is_descending else first.value >= value, behind)
        return behind


def order_of(session: Session, query: Query, joined: Mapping[Field, Keyed]) -> Order:
    """The order of a query; `joined` are fields that the condition has joined already, so that no row lacks them."""
    order = Order([], [])
    for by in query.order:
        sought = by.field
        if sought.entity is Entity.ATTRIBUTE:
            column = attribute(query.kind, sought.key)
            place = case((column.is_(None), MISSING), else_=VALUE) if column.nullable else None
            if not order.keys and query.kind is Kind.RUNS:
                order.index = ATTRIBUTE_INDEXES.get(sought.key)
            order.keys.append(SortKey(place, column, by.descending, isinstance(column.type, Text)))
        elif sought.entity is Entity.METRIC and query.kind is Kind.LOGGED_MODELS:
            order.keys.append(_model_metric_key(session, sought, by.descending))
        elif sought in joined:
            found = joined[sought]
            is_metric = sought.entity is Entity.METRIC
            place = case((found.value.is_(None), NAN), else_=VALUE) if is_metric else None
            order.leading = order.leading if order.keys else found
            order.keys.append(SortKey(place, found.value, by.descending, not is_metric))
        else:
            order.keys.append(_keyed_key(session, query.kind, sought, by.descending, order))
    return order


def _keyed_key(session: Session, kind: Kind, sought: Field, is_descending: bool, order: Order) -> SortKey:
    ways = [keyed(session, kind, sought, key=sought.shadow, stat=Stat.LAST)] if sought.shadow else []
    ways.append(keyed(session, kind, sought))
    found = [way for way in ways if way is not None]
    order.joined += found
    is_text = sought.entity is not Entity.METRIC
    if not found:
        return SortKey(literal(MISSING, SmallInteger), null(), is_descending, is_text)
    if len(found) == 1:
        (only,) = found
        order.leading = order.leading if order.keys else only
        place = case((only.owner.is_(None), MISSING), (only.value.is_(None), NAN), else_=VALUE)
        return SortKey(place, only.value, is_descending, is_text)
    shadow, plain = found
    value = case((shadow.owner.is_not(None), shadow.value), else_=plain.value)
    place = case((and_(shadow.owner.is_(None), plain.owner.is_(None)), MISSING), (value.is_(None), NAN), else_=VALUE)
    return SortKey(place, value, is_descending, is_text)


def _model_metric_key(session: Session, sought: Field, is_descending: bool) -> SortKey:
    """Of several rows that a logged model has of the metric, the latest."""
    rows = model_metrics(session, sought)
    if rows is None:
        return SortKey(literal(MISSING, SmallInteger), null(), is_descending, is_text=False)
    table, are_of_it = rows
    latest = (table.c.ms.desc(), table.c.step.desc(), table.c.value.is_(None), table.c.value.desc())
    value = select(table.c.value).where(are_of_it).order_by(*latest).limit(1).correlate(logged_models).scalar_subquery()
    has_any = exists(select(literal(1)).select_from(table).where(are_of_it).correlate(logged_models))
    place = case((not_(has_any), MISSING), (value.is_(None), NAN), else_=VALUE)
    return SortKey(place, value, is_descending, is_text=False)


def _place(key: SortKey) -> ColumnElement[int]:
    return literal(VALUE, SmallInteger) if key.place is None else key.place


def _after(key: SortKey, place: int, value: Any) -> ColumnElement[bool]:
    if key.place is not None and place != VALUE:
        return key.place > place
    further: ColumnElement[bool] = key.value < value if key.is_descending else key.value > value
    return further if key.place is None else or_(key.place > place, and_(key.place == place, further))


def _same(key: SortKey, place: int, value: Any) -> ColumnElement[bool]:
    if key.place is None:
        return and_(key.value == value)
    return and_(key.place == place, key.value == value) if place == VALUE else key.place == place


def fingerprint(*scope: Any) -> str:
    """What tells one search from another, from values whose `repr` does."""
    return hashlib.blake2b(repr(scope).encode("utf-8", "surrogatepass"), digest_size=9).hexdigest()


def write_token(search: str, last: Sequence[Any]) -> str:
    """The token of a page that ended with these values."""
    return base64.urlsafe_b64encode(json.dumps([search, *last], separators=(",", ":")).encode()).decode()


def read_token(search: str, token: str, takes: Callable[[Sequence[Any]], bool]) -> list[Any]:
    """The values in a token of the search of that fingerprint; `takes` says whether they can be. Raises InvalidPageToken."""
    shown = str(token)[:40]
    try:
        made_by, *last = _list(json.loads(base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)))
    except (AttributeError, TypeError, ValueError, RecursionError):
        raise InvalidPageToken(f"page token {shown!r} is not one; start again without a token", token=shown) from None
    if made_by != search:
        raise InvalidPageToken(
            f"page token {shown!r} belongs to another search; give the same filter, order and scope, or start again without a token",
            token=shown,
        )
    if not takes(last):
        raise InvalidPageToken(f"page token {shown!r} is damaged; start again without a token", token=shown)
    return last


def _list(found: Any) -> list[Any]:
    if not isinstance(found, list) or not found:
        raise ValueError(found)
    return found
