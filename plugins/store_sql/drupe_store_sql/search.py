"""One page of a search, or the number of all it finds: condition, order, scope and token become SELECTs of at most limit + 1 rows.

A database that knows its tables (by statistics) finds its own way. SQLite is told where to begin, after a few counts that stop early:

* few things in scope: look at each of them
* few rows that one comparison finds by index: begin there
* sorted by a metric, param or tag: walk along its index; first the values, then NaN, then what has no value
* otherwise along the index of the order, looking at each thing
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import define, evolve
from sqlalchemy import ColumnElement, FromClause, SmallInteger, exists, func, literal, null, select

from drupe.search.query import Entity, Kind, Query
from drupe_store_sql.conditions import Where, translate
from drupe_store_sql.fields import MAIN, Keyed
from drupe_store_sql.paging import MISSING, NAN, VALUE, Order, SortKey, fingerprint, order_of, read_token, write_token
from drupe_store_sql.session import Session
from drupe_store_sql.statements import OrderedJoin
from drupe_store_sql.tables import head, head_of

__all__ = ["count_of", "page_of"]

FEW = 2000

Rows = list[Sequence[Any]]


def page_of(
    session: Session,
    query: Query,
    columns: Sequence[ColumnElement[Any]],
    *,
    scope: Sequence[ColumnElement[bool]],
    scope_name: Any,
    limit: int,
    token: str | None,
) -> tuple[Rows, str | None]:
    """The rows of a page, with these columns, and the token of the next one.

    `scope` narrows the search beyond the query; `scope_name` is a value that tells one scope from another. Raises InvalidPageToken.
    """
    where = translate(session, query.kind, query.where)
    order = order_of(session, query, where.joined)
    search = fingerprint(query, scope_name)
    last = None if token is None else read_token(search, token, order.takes)
    rows = _Search(session, query, list(columns), list(scope), where, order, last, limit + 1).run()
    width = len(columns)
    following = write_token(search, rows[limit - 1][width:]) if len(rows) > limit else None
    return [row[:width] for row in rows[:limit]], following


def count_of(session: Session, query: Query, *, scope: Sequence[ColumnElement[bool]]) -> int:
    """How many things in scope the query finds."""
    where = translate(session, query.kind, query.where)
    source = MAIN[query.kind]
    for place in where.joined.values():  # at most one row of each for a thing
        source = source.join(place.table, place.on)
    return int(session.search(select(func.count()).select_from(source).where(*scope, *where.parts))[0][0])


@define
class _Search:
    session: Session
    query: Query
    columns: list[ColumnElement[Any]]
    scope: list[ColumnElement[bool]]
    where: Where
    order: Order
    last: list[Any] | None
    most: int

    def run(self) -> Rows:
        if self.session.dialect.knows_its_tables or self.query.kind is not Kind.RUNS:
            return self._select(self._source(None), self.order)
        is_along_values = self.order.leading is not None and self.order.leading.is_indexed
        if not self.where.joined and not is_along_values:
            return self._select(self._source(None), self.order)
        if self._count(MAIN[self.query.kind], self.scope) <= FEW:
            return self._select(self._source(None, first=MAIN[self.query.kind]), self.order)
        counts = [(self._count(place.table, [place.is_key, found]), n) for n, (place, found) in enumerate(self.where.starts)]
        fewest, chosen = min(counts, default=(FEW + 1, -1))
        if fewest <= FEW:
            return self._select(self._source(self.where.starts[chosen][0]), self.order)
        if is_along_values:
            return self._along_values()
        by = self.query.order[0].field
        is_by_start = by.entity is Entity.ATTRIBUTE and by.key == "start_time"
        return self._select(self._source(None, first=MAIN[self.query.kind] if is_by_start else None), self.order)

    def _count(self, source: FromClause, conditions: Sequence[ColumnElement[bool]]) -> int:
        """How many rows there are, up to FEW + 1."""
        found = select(literal(1)).select_from(source).where(*conditions).limit(FEW + 1).subquery()
        return int(self.session.search(select(func.count()).select_from(found))[0][0])

    def _source(self, start: Keyed | None, *, first: FromClause | None = None, without: Keyed | None = None) -> FromClause:
        """The joined tables: from `start`, or from the main table when that is `first`, or in the order that the database likes."""
        source = MAIN[self.query.kind]
        is_ordered = start is not None or first is not None
        if start is not None:
            source = OrderedJoin(start.table, source, start.on)
        for place in self.where.joined.values():
            if place is not start:
                source = OrderedJoin(source, place.table, place.on) if is_ordered else source.join(place.table, place.on)
        for place in self.order.joined:
            if place is not start and place is not without:
                source = source.outerjoin(place.table, place.on)
        return source

    def _select(self, source: FromClause, order: Order, *conditions: ColumnElement[bool]) -> Rows:
        wanted = [*self.scope, *self.where.parts, *conditions]
        if self.last is not None:
            wanted.append(order.behind(self.last))
        statement = select(*self.columns, *order.columns).select_from(source).where(*wanted).order_by(*order.clauses).limit(self.most)
        return self.session.search(statement)

    def _along_values(self) -> Rows:
        """Three searches, of values, of NaN and of what is missing, each taken up only when those before were not enough."""
        leading, first = self.order.leading, self.order.keys[0]
        assert leading is not None
        is_joined = leading not in self.order.joined
        parts: list[tuple[int, FromClause, ColumnElement[bool]]] = [(VALUE, self._source(leading), leading.value.is_not(None))]
        if not leading.has_head:
            parts.append((NAN, self._source(leading), leading.value.is_(None)))
        if not is_joined:
            has_row = exists(select(literal(1)).select_from(leading.table).where(leading.on))
            parts.append((MISSING, self._source(None, first=MAIN[self.query.kind], without=leading), ~has_row))
        rows: Rows = []
        begin = VALUE if self.last is None else self.last[0]
        for place, source, condition in parts:
            if place < begin or len(rows) >= self.most:
                continue
            part = evolve(self, last=self.last if place == begin else None, most=self.most - len(rows))
            if place == VALUE:
                order = Order([SortKey(None, first.value, first.is_descending, first.is_text), *self.order.keys[1:]], [])
                rows += part._select_values(source, order, leading, condition)
            else:
                rows += part._select_rest(source, place, condition)
        return rows

    def _select_values(self, source: FromClause, order: Order, leading: Keyed, condition: ColumnElement[bool]) -> Rows:
        if not leading.has_head:
            return self._select(source, order, condition)
        start, is_descending = head(leading.value), order.keys[0].is_descending
        order.ahead = [start.desc() if is_descending else start.asc()]
        bounds = []
        if self.last is not None:
            reached = head_of(self.last[1])
            bounds.append(start <= reached if is_descending else start >= reached)
        return self._select(source, order, condition, *bounds)

    def _select_rest(self, source: FromClause, place: int, condition: ColumnElement[bool]) -> Rows:
        """Things without a value to sort by first: in the order of the other keys."""
        rest = Order(self.order.keys[1:], [])
        search = evolve(
            self,
            columns=[*self.columns, literal(place, SmallInteger).label("place"), null().label("value")],
            last=None if self.last is None else self.last[2:],
        )
        return search._select(source, rest, condition)
