"""One page of a search: condition, order, scope and token become one SELECT of limit + 1 rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, select

from drupe.search.query import Query
from drupe_store_sql.conditions import translate
from drupe_store_sql.fields import MAIN
from drupe_store_sql.paging import fingerprint, order_of, read_token, write_token
from drupe_store_sql.session import Session

__all__ = ["page_of"]


def page_of(
    session: Session,
    query: Query,
    columns: Sequence[ColumnElement[Any]],
    *,
    scope: Sequence[ColumnElement[bool]],
    scope_name: Any,
    limit: int,
    token: str | None,
) -> tuple[list[Sequence[Any]], str | None]:
    """The rows of a page, with these columns, and the token of the next one.

    `scope` narrows the search beyond the query; `scope_name` is a value that tells one scope from another. Raises InvalidPageToken.
    """
    where = translate(session, query.kind, query.where)
    order = order_of(session, query, where.joined)
    search = fingerprint(query, scope_name)
    conditions = [*scope, *where.parts]
    if token is not None:
        conditions.append(order.behind(read_token(search, token, order.takes)))
    source = order.joins(where.joins(MAIN[query.kind]))
    statement = select(*columns, *order.columns).select_from(source).where(*conditions).order_by(*order.clauses).limit(limit + 1)
    rows = session.search(statement)
    width = len(columns)
    following = write_token(search, rows[limit - 1][width:]) if len(rows) > limit else None
    return [row[:width] for row in rows[:limit]], following
