"""Which metrics, params and tags the newest runs have: the rows of each counted by key, found by the primary key of their run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Table, func, select

from drupe.entities import RunKeys
from drupe.extend.columns import LOOKED_AT, keys_told
from drupe.search.parse import parse
from drupe.search.query import Kind
from drupe_store_sql.scope import Scope
from drupe_store_sql.search import first_of
from drupe_store_sql.session import Session
from drupe_store_sql.statements import stretch
from drupe_store_sql.tables import params, runs, series, tags

__all__ = ["read"]


def _with_values(table: Table) -> Any:
    differs = func.min(table.c.value) < func.max(table.c.value)
    return select(table.c.key, func.count(), differs).where(stretch(table.c.run)).group_by(table.c.key)


_METRICS = select(series.c.key, func.count()).where(stretch(series.c.run)).group_by(series.c.key)
_PARAMS, _TAGS = _with_values(params), _with_values(tags)


def read(session: Session, *, scope: Scope, prefix: str, limit: int) -> RunKeys:
    """The keys of the newest runs in scope, `LOOKED_AT` at most."""
    found, is_more = first_of(session, parse(Kind.RUNS), [runs.c.id], limit=LOOKED_AT, scope=scope)
    numbers = [row[0] for row in found]
    counted = [session.among(statement, numbers) for statement in (_METRICS, _PARAMS, _TAGS)] if numbers else [[], [], []]
    names = session.key_names({key for rows in counted for key, *_ in rows})

    def texts(rows: list[tuple[Any, ...]]) -> Iterator[tuple[str, int, bool]]:
        return ((names[key], count, bool(differs)) for key, count, differs in rows)

    return keys_told(
        ((names[key], count, None) for key, count in counted[0]),
        texts(counted[1]),
        texts(counted[2]),
        prefix=prefix,
        limit=limit,
        looked_at=len(numbers),
        is_whole=not is_more,
    )
