"""One page of a search, or the number of all it finds: condition, order, scope and token become SELECTs of at most limit + 1 rows.

Where to begin with a search of runs is for `walks` to say; all else is few enough to be searched as the database likes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select

from drupe.search.query import Kind, Query
from drupe_store_sql.conditions import translate
from drupe_store_sql.fields import MAIN
from drupe_store_sql.paging import fingerprint, order_of, read_token, write_token
from drupe_store_sql.scope import EVERYTHING, Scope
from drupe_store_sql.session import Session
from drupe_store_sql.walks import Rows, Walk

__all__ = ["count_of", "first_of", "page_of"]


def page_of(
    session: Session, query: Query, columns: Sequence[ColumnElement[Any]], *, limit: int, token: str | None, scope: Scope = EVERYTHING
) -> tuple[Rows, str | None]:
    """The rows of a page, with these columns, and the token of the next one. Raises InvalidPageToken."""
    where = translate(session, query.kind, query.where)
    order = order_of(session, query, where.joined)
    search = fingerprint(query, scope.view, scope.experiments)
    last = None if token is None else read_token(search, token, order.takes)
    walk = Walk(session, query, list(columns), scope, where, order, last, limit + 1)
    rows = walk.along_an_index() if query.kind is Kind.RUNS else walk.plainly()
    width = len(columns)
    following = write_token(search, rows[limit - 1][width:]) if len(rows) > limit else None
    return [row[:width] for row in rows[:limit]], following


def first_of(session: Session, query: Query, columns: Sequence[ColumnElement[Any]], *, limit: int, scope: Scope) -> tuple[Rows, bool]:
    """The first rows that a search of runs finds, `limit` at most, and whether there are more."""
    where = translate(session, query.kind, query.where)
    order = order_of(session, query, where.joined)
    rows = Walk(session, query, list(columns), scope, where, order, None, limit + 1, is_bare=True).along_an_index()
    return rows[:limit], len(rows) > limit


def count_of(session: Session, query: Query, *, scope: Scope) -> int:
    """How many things in scope the query finds."""
    where = translate(session, query.kind, query.where)
    source = MAIN[query.kind]
    for place in where.joined.values():  # at most one row of each for a thing
        source = source.join(place.table, place.on)
    found = select(func.count()).select_from(source).where(*scope.conditions(query.kind), *where.conditions)
    return int(session.search(found)[0][0])
