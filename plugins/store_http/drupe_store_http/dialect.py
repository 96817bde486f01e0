"""What can be said in the filters and orders of MLflow's servers, which know less than ours, and what is left to be looked at here.

An AND is cut into its parts: those that the server understands are sent, the others are tried on what it finds. `match` says what they mean.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from attrs import evolve, frozen

from drupe.entities import Stat
from drupe.errors import UnsupportedFeature
from drupe.search.query import And, Comparison, Condition, Entity, Field, Kind, Not, Op, OrderBy, Query
from drupe.search.render import render_condition, render_order
from drupe_store_http.servers import Server

__all__ = ["Asked", "asked_of", "plain_query", "split"]

_TEXT = (Op.EQ, Op.NE, Op.LIKE, Op.ILIKE)
_NUMBER = (Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE)
_LISTS = (Op.IN, Op.NOT_IN)
_NULLS = (Op.IS_NULL, Op.IS_NOT_NULL)
_TIMES = ("start_time", "end_time", "creation_time", "last_update_time", "creation_timestamp", "last_updated_timestamp")
_KEYED: Mapping[Kind, Mapping[Entity, tuple[Op, ...]]] = {
    Kind.RUNS: {Entity.METRIC: _NUMBER, Entity.PARAM: _TEXT, Entity.TAG: _TEXT, Entity.DATASET: _TEXT + _LISTS},
    Kind.EXPERIMENTS: {Entity.TAG: _TEXT},
    Kind.REGISTERED_MODELS: {Entity.TAG: _TEXT},
    Kind.MODEL_VERSIONS: {Entity.TAG: _TEXT},
    Kind.LOGGED_MODELS: {Entity.METRIC: _NUMBER, Entity.PARAM: _TEXT + _LISTS, Entity.TAG: _TEXT + _LISTS},
}
_ENDS = {  # what the server adds to every order by itself
    Kind.RUNS: ("start_time DESC", "run_id ASC"),
}


@frozen
class Asked:
    """A search in the server's words, and the condition that is left to be tried here."""

    filter: str
    order_by: tuple[str, ...]
    rest: Condition | None


def asked_of(query: Query, server: Server) -> Asked:
    """Cut a search in two. Raises UnsupportedFeature for what neither the server nor this side can know."""
    query = plain_query(query)
    sent, rest = split(query, server)
    order = tuple(render_order(query.order))
    end = _ENDS.get(query.kind, ())
    if end and order[-len(end) :] == end:
        order = order[: -len(end)]
    return Asked("" if sent is None else render_condition(sent), order, rest)


def split(query: Query, server: Server) -> tuple[Condition | None, Condition | None]:
    """What the server is asked, and what is tried here."""
    where = query.where
    parts = () if where is None else where.parts if isinstance(where, And) else (where,)
    known = [isinstance(part, Comparison) and _is_known(part, query.kind, server) for part in parts]
    return _all_of([part for part, is_sent in zip(parts, known, strict=True) if is_sent]), _all_of(
        [part for part, is_sent in zip(parts, known, strict=True) if not is_sent]
    )


def plain_query(query: Query) -> Query:
    """The query with every metric by its own name: `metrics.loss.min` is a metric of that name there. Raises UnsupportedFeature for statistics."""
    where = None if query.where is None else _plain(query.where)
    return evolve(query, where=where, order=tuple(OrderBy(_plain_field(key.field), key.descending) for key in query.order))


def _plain(condition: Condition) -> Condition:
    if isinstance(condition, Comparison):
        return evolve(condition, field=_plain_field(condition.field))
    if isinstance(condition, Not):
        return Not(_plain(condition.part))
    return evolve(condition, parts=tuple(_plain(part) for part in condition.parts))


def _plain_field(field: Field) -> Field:
    if field.shadow is not None:
        return Field(Entity.METRIC, field.shadow, Stat.LAST)
    if field.stat not in (None, Stat.LAST):
        raise UnsupportedFeature(
            f"an MLflow server does not know the {field.stat} of metric {field.key!r}, only its latest value; drupe's server does"
        )
    return field


def _all_of(parts: list[Condition]) -> Condition | None:
    return None if not parts else parts[0] if len(parts) == 1 else And(tuple(parts))


def _is_known(part: Comparison, kind: Kind, server: Server) -> bool:
    if not _is_writable(part):
        return False
    field = part.field
    if field.datasets:  # without a digest, they find nothing there
        return all(one.digest for one in field.datasets) and bool(field.key) and part.op in _NUMBER
    if field.entity is Entity.ATTRIBUTE:
        return part.op in _operators_of(field.key, kind, server)
    has_nulls = server.has_nullness and kind in (Kind.RUNS, Kind.EXPERIMENTS) and field.entity in (Entity.PARAM, Entity.TAG)
    return part.op in _KEYED[kind].get(field.entity, ()) + (_NULLS if has_nulls else ())


def _operators_of(key: str, kind: Kind, server: Server) -> tuple[Op, ...]:
    if key in _TIMES:
        return _NUMBER
    if kind is Kind.LOGGED_MODELS:
        return () if key == "status" else _TEXT + _LISTS  # which is compared with a number there
    if key == "experiment_id":
        return (Op.EQ, Op.NE, *_LISTS) if server.has_nullness else ()
    if key == "version_number":
        return _NUMBER
    if key == "run_id" or (key == "name" and kind in (Kind.REGISTERED_MODELS, Kind.MODEL_VERSIONS) and server.has_nullness):
        return _TEXT + _LISTS
    return _TEXT


def _is_writable(part: Comparison) -> bool:
    """Whether the server reads the value as it is meant: it knows neither infinity nor 1e+20, and times as whole numbers only."""
    value = part.value
    if isinstance(value, float):
        if part.field.entity is Entity.ATTRIBUTE:
            return False
        return math.isfinite(value) and "e+" not in repr(value)
    return True
