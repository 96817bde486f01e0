"""How a database is led to a page of runs: which index it walks along, so that it stops after a page.

After a few counts, which stop early, it begins

* with the scope, where few runs are in it;
* else with the comparison that an index answers with the fewest runs, where sorting those is less work than walking past others;
* else, for an order by start, with a param or tag that is equal to something, whose index has the runs in that order;
* else with the scope again, where all that is in it is wanted and it can be sorted in one go; values that an index has together are read
  there, since the rows that have them lie far apart, and sorted here;
* else along the index of what is sorted by: first the values, then NaN, then what has no value;
* else along the start of the runs, looking at each.

Without such an index, as for an order by the mean of a metric, everything in scope is read and sorted. SQLite has no statistics: for it
indexes are named in the statements, so that nothing else can happen. PostgreSQL chooses them itself, but would not stop after a page of
what it must sort by two columns, value or none. tests/test_plans.py of each store has the plans.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isqrt
from typing import Any

from attrs import define, evolve
from sqlalchemy import ColumnElement, FromClause, Select, SmallInteger, and_, exists, func, literal, null, select, union_all

from drupe.search.query import Entity, Query
from drupe_store_sql.conditions import Start, Where
from drupe_store_sql.fields import MAIN, Keyed
from drupe_store_sql.paging import MISSING, NAN, VALUE, Order, SortKey
from drupe_store_sql.scope import Scope, among
from drupe_store_sql.session import Session
from drupe_store_sql.statements import OrderedJoin
from drupe_store_sql.tables import head, head_of, runs

__all__ = ["Rows", "Walk"]

FEW = 2000
SORTED = 20_000
"""Where all runs in scope are wanted, so many are sorted more quickly than found in order; of more, too much is read beside what is sorted by."""
WORTH = 0.4  # of a look at one run, what fetching a run for sorting costs: turned round

MISSING_HERE: Any = object()
Rows = list[tuple[Any, ...]]
Led = tuple[FromClause, str | None]


@define
class Walk:
    """A page of a search that is `most` rows long, behind `last`."""

    session: Session
    query: Query
    columns: list[ColumnElement[Any]]
    scope: Scope
    where: Where
    order: Order
    last: list[Any] | None
    most: int
    tied: ColumnElement[Any] | None = None
    """The column of the first sort key, where the search asks for one value of it."""
    is_bare: bool = False
    """Rows have the columns asked for and nothing behind them: nobody makes a token."""

    def plainly(self) -> Rows:
        """The rows, found as the database likes."""
        source = MAIN[self.query.kind]
        for place in self.where.joined.values():
            source = source.join(place.table, place.on)
        for place in self.order.joined:
            source = source.outerjoin(place.table, place.on)
        return self._select(source, None)

    def along_an_index(self) -> Rows:
        """The rows of a search of runs, found along the index that leads there soonest."""
        starts, leading = self.where.starts, self.order.leading
        is_by_start = self._is_by_start()
        if starts or not is_by_start:
            if self._has_at_most(FEW):
                return self._everything()
            if is_by_start and len(starts) == 1 and starts[0].is_by_start and starts[0].place is not None:
                return self._from(starts[0])  # in the right order, be they few or many
            rarest = self._rarest()
            if rarest is not None:
                return self._from(rarest)
        if is_by_start:
            equal = next((start for start in starts if start.is_by_start and start.place is not None), None)
            return self._along_start() if equal is None else self._from(equal)
        if self.is_bare and self._has_at_most(min(self.most, SORTED)):  # all are wanted
            return self._merged(leading) if leading is not None and self._is_quickly_read(leading) else self._everything()
        if leading is not None and leading.index is not None:
            return self._along_values(leading, leading.index)
        if self.order.index is not None:
            return self._along_attribute(self.order.index)
        return self._from(starts[0]) if starts else self._everything()

    def _is_by_start(self) -> bool:
        by = self.query.order[0].field
        return by.entity is Entity.ATTRIBUTE and by.key == "start_time"

    def _rarest(self) -> Start | None:
        """The comparison to begin with, if one is worth it."""
        starts = self.where.starts
        if not starts:
            return None
        newest = self.session.search(select(func.max(runs.c.id)))[0][0] or 0
        bound = max(FEW, isqrt(int(WORTH * self.most * newest)))
        # SQLite looks at every row that it counts by the head of its value, so those are counted less far
        bounds = [FEW if start.place is not None and start.place.has_head else bound for start in starts]
        counts = [self._count(start.table, start.index, [start.found], most) for start, most in zip(starts, bounds, strict=True)]
        few = [(count, n) for n, (count, most) in enumerate(zip(counts, bounds, strict=True)) if count <= most]
        return starts[min(few)[1]] if few else None

    def _has_at_most(self, bound: int) -> bool:
        """Is the scope that small?"""
        return self._count(runs, self.scope.index, self.scope.conditions(self.query.kind), bound) <= bound

    def _count(self, source: FromClause, index: str | None, conditions: Sequence[ColumnElement[bool]], bound: int) -> int:
        """How many rows there are, up to `bound` + 1."""
        found = _led(select(literal(1)).select_from(source).where(*conditions).limit(bound + 1), source, index).subquery()
        return int(self.session.search(select(func.count()).select_from(found))[0][0])

    # --- the ways

    def _everything(self) -> Rows:
        """Read all in scope, and sort."""
        return self._select(self._source(runs), (runs, self.scope.index))

    def _is_quickly_read(self, leading: Keyed) -> bool:
        """Has an index all that is sorted by, and not much beside it?"""
        if leading.index is None or leading.has_head or leading not in self.order.joined or self.columns[0] is not runs.c.id:
            return False
        bound = 2 * SORTED
        return self._count(leading.table, leading.index, [leading.is_key], bound) <= bound

    def _merged(self, leading: Keyed) -> Rows:
        """All in scope in the order of the other keys, sorted by values that are read apart from it."""
        first, *others = self.order.keys
        rest = evolve(self, order=evolve(self.order, keys=others))
        rows = rest._select(self._source(runs, without=leading), (runs, self.scope.index))
        found = select(leading.owner, leading.value).select_from(leading.table).where(leading.is_key, *self._in_scope(leading))
        value_of = dict(self.session.search(_led(found, leading.table, leading.index)))
        values = [value_of.get(row[0], MISSING_HERE) for row in rows]
        order = [n for n, value in enumerate(values) if value is not None and value is not MISSING_HERE]
        order.sort(key=values.__getitem__, reverse=first.is_descending)  # equals stay as they were, also in reverse
        for lacking in (None, MISSING_HERE):
            order += [n for n, value in enumerate(values) if value is lacking]
        return [rows[n] for n in order]

    def _from(self, start: Start) -> Rows:
        """Begin with the rows that a comparison finds."""
        if start.place is None:
            return self._select(self._source(runs), (runs, start.index))
        order = evolve(self.order, keys=_moved(self.order.keys, start.place))
        led = evolve(self, order=order)
        return led._select(self._source(start.place), (start.table, start.index), *self._in_scope(start.place))

    def _along_start(self, *conditions: ColumnElement[bool], without: Keyed | None = None) -> Rows:
        """Newest runs first, each part of the scope that an index has in order by itself."""
        branches = self.scope.branches()
        is_bare = self.is_bare and len(branches) == 1
        parts = [
            evolve(self, scope=scope, is_bare=is_bare)._statement(self._source(runs, without=without), (runs, scope.index), *conditions)
            for scope in branches
        ]
        if len(parts) == 1:
            return self.session.search(parts[0])
        together = union_all(*(select(part.subquery()) for part in parts)).subquery()
        found = together.c
        told = list(found)[: len(self.columns)] if self.is_bare else list(found)
        keys = [
            clause
            for n, key in enumerate(self.order.keys)
            for clause in (found[f"place_{n}"], found[f"value_{n}"].desc() if key.is_descending else found[f"value_{n}"])
        ]
        return self.session.search(select(*told).order_by(*keys).limit(self.most))

    def _along_values(self, leading: Keyed, index: str) -> Rows:
        """Three searches, of values, of NaN and of what is missing, each taken up only when those before were not enough."""
        led, source = (leading.table, index), self._source(leading)
        rows: Rows = []
        for place, part in self._parts(rows):
            if place == VALUE:
                rows += part._ordered(leading)._select_values(
                    source, led, leading.value, leading.value.is_not(None), *self._in_scope(leading)
                )
            elif place == NAN and not leading.has_head:
                rest = part._without_value(place, _moved(self.order.keys[1:], leading))
                rows += rest._select(source, led, leading.value.is_(None), *self._in_scope(leading))
            elif place == MISSING and leading in self.order.joined:  # else the condition has asked for a row
                has_row = exists(select(literal(1)).select_from(leading.table).where(leading.on))
                rows += part._without_value(place, self.order.keys[1:])._along_start(~has_row, without=leading)
        return rows

    def _along_attribute(self, index: str) -> Rows:
        """The same with a column of `runs`, which is never NaN."""
        first, *others = self.order.keys
        led, source = (runs, index), self._source(runs)
        has_value = first.value.is_not(None) if first.place is not None else first.value >= ""  # one that begins in the index
        rows: Rows = []
        for place, part in self._parts(rows):
            if place == VALUE:
                part.order = evolve(self.order, keys=[evolve(first, place=None), *others])
                rows += part._select_values(source, led, first.value, has_value)
            elif place == MISSING and first.place is not None:
                rows += part._without_value(place, others)._select(source, led, first.value.is_(None))
        return rows

    def _parts(self, rows: Rows) -> Iterator[tuple[int, Walk]]:
        """The places of the first sort key that are still to be read, and the search there of what `rows` lacks."""
        begin = VALUE if self.last is None else self.last[0]
        for place in (VALUE, NAN, MISSING):
            if place >= begin and len(rows) < self.most:
                yield place, evolve(self, last=self.last if place == begin else None, most=self.most - len(rows))

    def _ordered(self, leading: Keyed) -> Walk:
        """The search of what has a value, in the order that the index has."""
        first, others = evolve(self.order.keys[0], place=None), _moved(self.order.keys[1:], leading)
        ahead: list[ColumnElement[Any]] = []
        if leading.has_head:
            start = head(leading.value)
            if self._has_long_values(leading):
                ahead = [start.desc() if first.is_descending else start.asc()]
            else:
                first = evolve(first, value=start)
        return evolve(self, order=evolve(self.order, keys=[first, *others], ahead=ahead))

    def _select_values(self, source: FromClause, led: Led, column: ColumnElement[Any], *conditions: ColumnElement[bool]) -> Rows:
        """Rows in the order of an index on this column, the first key, which has a value in all of them."""
        if self.last is None:
            return self._select(source, led, *conditions)
        first, *others = self.order.keys
        _, reached, *behind = self.last
        if self.order.ahead:  # the index knows the head of the value alone
            start = head(first.value)
            return self._select(source, led, start <= head_of(reached) if first.is_descending else start >= head_of(reached), *conditions)
        rows: Rows = []
        if others:  # apart, so that the second page of many equal values does not pass over those of the first
            tied = evolve(self, last=None, tied=column)
            rows += tied._select(source, led, first.value == reached, Order(others, []).behind(behind), *conditions)
        if len(rows) < self.most:
            further = first.value < reached if first.is_descending else first.value > reached
            rows += evolve(self, last=None, most=self.most - len(rows))._select(source, led, further, *conditions)
        return rows

    def _has_long_values(self, place: Keyed) -> bool:
        """Does the key have any value of which an index holds the head alone?"""
        found = select(literal(1)).select_from(place.table).where(place.is_key, place.value != head(place.value)).limit(1)
        return bool(self.session.search(_led(found, place.table, place.long_index)))

    def _without_value(self, place: int, keys: list[SortKey]) -> Walk:
        """The search of things that have no value for the first sort key, in the order of the others."""
        return evolve(
            self,
            columns=self.columns if self.is_bare else [*self.columns, literal(place, SmallInteger).label("place"), null().label("value")],
            order=evolve(self.order, keys=keys),
            last=None if self.last is None else self.last[2:],
        )

    # --- statements

    def _source(self, first: FromClause | Keyed, *, without: Keyed | None = None) -> FromClause:
        """The joined tables, of which `first` is read first."""
        if isinstance(first, Keyed):  # what the condition asks for before the run: most are passed over, and runs are long rows
            source = first.table
            for place in self.where.joined.values():
                if place is not first:
                    source = OrderedJoin(source, place.table, and_(place.owner == first.owner, place.is_key))
            source = OrderedJoin(source, runs, first.on)
        else:
            source = first
            for place in self.where.joined.values():
                source = OrderedJoin(source, place.table, place.on)
        for place in self.order.joined:
            if place is not first and place is not without:
                source = source.outerjoin(place.table, place.on)
        return source

    def _in_scope(self, place: Keyed) -> list[ColumnElement[bool]]:
        """What an index on values knows of the scope."""
        numbers = self.scope.experiments
        return [] if numbers is None else [among(place.table.c.experiment, numbers)]

    def _statement(self, source: FromClause, led: Led | None, *conditions: ColumnElement[bool]) -> Select[Any]:
        behind = [] if self.last is None else [self.order.behind(self.last)]
        # of two bounds of an index SQLite takes the first: what the token says before what the query says
        wanted = [
            *behind,
            *conditions,
            *self.scope.conditions(self.query.kind),
            *(self.where.conditions if self.tied is None else self.where.conditions_but_of(self.tied)),
        ]
        clauses = self.order.clauses if self.tied is None else Order(self.order.keys[1:], []).clauses
        columns = self.columns if self.is_bare else [*self.columns, *self.order.columns]
        found = select(*columns).select_from(source).where(*wanted).order_by(*clauses).limit(self.most)
        return found if led is None else _led(found, *led)

    def _select(self, source: FromClause, led: Led | None, *conditions: ColumnElement[bool]) -> Rows:
        return self.session.search(self._statement(source, led, *conditions))


def _led(statement: Select[Any], table: FromClause, index: str | None) -> Select[Any]:
    return statement if index is None else statement.with_hint(table, f"INDEXED BY {index}", "sqlite")


def _moved(keys: Sequence[SortKey], place: Keyed) -> list[SortKey]:
    """The keys with the start of runs read from `place`, since it is its index that is in that order."""
    return [evolve(key, value=place.table.c.start_ms) if key.value is runs.c.start_ms else key for key in keys]
