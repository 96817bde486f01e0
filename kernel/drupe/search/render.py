"""A typed query back to text: the inverse of `parse`, for stores that speak a text protocol and for messages.

`parse(query.kind, *render(query)) == query` for every query that `parse` made.
"""

from __future__ import annotations

import math
import re

from drupe.entities.enums import Stat
from drupe.errors import InvalidQuery
from drupe.search.query import And, Comparison, Condition, Entity, Field, Not, Op, Or, OrderBy, Query

__all__ = ["render", "render_condition", "render_order"]

_WORDS = {Entity.METRIC: "metrics", Entity.PARAM: "params", Entity.TAG: "tags", Entity.DATASET: "datasets"}
_PLAIN_KEY = re.compile(r"[\w.:/-]+")  # as the lexer reads unquoted keys


def render(query: Query) -> tuple[str, list[str]]:
    """The filter text (empty for everything) and the order texts of a query.

    Raises InvalidQuery for what text cannot say: a value with both kinds of quotes, a key with all three.
    """
    return "" if query.where is None else render_condition(query.where), render_order(query.order)


def render_condition(condition: Condition) -> str:
    """The filter text of a condition, with no more parentheses than needed."""
    if isinstance(condition, Comparison):
        return _comparison(condition)
    if isinstance(condition, Not):
        return f"NOT {_inside(condition.part, (And, Or))}"
    if isinstance(condition, And):
        return " AND ".join(_inside(part, (Or,)) for part in condition.parts)
    return " OR ".join(render_condition(part) for part in condition.parts)


def render_order(order: tuple[OrderBy, ...]) -> list[str]:
    """One text for each sort key."""
    return [_name(key.field) + (" DESC" if key.descending else " ASC") for key in order]


def _inside(part: Condition, looser: tuple[type, ...]) -> str:
    text = render_condition(part)
    return f"({text})" if isinstance(part, looser) else text


def _comparison(comparison: Comparison) -> str:
    start = f"{_name(comparison.field)} {comparison.op.value}"
    if comparison.op in (Op.IS_NULL, Op.IS_NOT_NULL):
        return start
    value = comparison.value
    if isinstance(value, tuple):
        return f"{start} ({', '.join(_literal(each) for each in value)})"
    return f"{start} {_literal(value)}"


def _name(field: Field) -> str:
    if field.entity is Entity.ATTRIBUTE:
        return field.key
    if field.datasets:
        raise InvalidQuery(f"the datasets of metric {field.key!r} are not part of a filter or order text; see `drupe.search.logged_models`")
    word = _WORDS[field.entity]
    if field.entity is not Entity.METRIC:
        return f"{word}.{_key(field.key)}"
    if field.shadow is not None:
        if field.shadow != f"{field.key}.{field.stat}" or not _PLAIN_KEY.fullmatch(field.shadow):
            raise InvalidQuery(f"the metric {field.key!r} cannot be written so that {field.shadow!r} goes before its {field.stat}")
        return f"{word}.{field.shadow}"
    if field.stat in (None, Stat.LAST):
        return f"{word}.{_key(field.key, is_metric=True)}"
    return f"{word}.{_quoted(field.key, '`', chr(34), chr(39))}.{field.stat}"


def _key(key: str, *, is_metric: bool = False) -> str:
    if _PLAIN_KEY.fullmatch(key) and not (is_metric and key.rpartition(".")[2] in list(Stat)):
        return key
    return _quoted(key, "`", '"', "'")


def _literal(value: object) -> str:
    if isinstance(value, str):
        return _quoted(value, "'", '"')
    if isinstance(value, float) and math.isnan(value):
        raise InvalidQuery("NaN cannot be written in a filter, and nothing equals it")
    return repr(value)


def _quoted(text: str, *quotes: str) -> str:
    quote = next((quote for quote in quotes if quote not in text), None)
    if quote is None:
        raise InvalidQuery(f"{text!r} holds every quote that could stand around it")
    return f"{quote}{text}{quote}"
