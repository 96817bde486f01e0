"""The door of the query language: a filter text and order texts to a typed Query.

The grammar is MLflow's for all kinds, and more: OR, NOT, parentheses, IN for every text and number, IS NULL, and statistics of
metrics such as `metrics.loss.min`. See `fields` for what each kind has, `grammar` and `order` for the syntax.
"""

from __future__ import annotations

from collections.abc import Sequence

from drupe.errors import InvalidQuery
from drupe.search.fields import SEARCHES
from drupe.search.grammar import parse_filter
from drupe.search.order import parse_order
from drupe.search.prompts import apply_prompt_rule
from drupe.search.query import Kind, Query

__all__ = ["parse"]


def parse(kind: Kind, filter: str | None = None, order_by: Sequence[str] | None = None) -> Query:
    """Read a search as users write it. The resulting order is total: MLflow's default and tie-breakers are in it.

    `filter` may be None or blank for everything; `order_by` is a list of texts such as `["metrics.loss DESC", "name"]`. Registry searches
    leave prompts out unless the filter speaks of their tag. Raises InvalidQuery, which points at the offending token.

        >>> query = parse(Kind.RUNS, "metrics.loss < 0.1 OR tags.team = 'x'", ["metrics.loss"])
        >>> [key.field.key for key in query.order]
        ['loss', 'start_time', 'run_id']
    """
    if filter is not None and not isinstance(filter, str):
        raise InvalidQuery(f"a filter is text, not {type(filter).__name__}")
    if isinstance(order_by, str):
        raise InvalidQuery(f"order_by is a list of texts: [{order_by!r}]")
    entries = list(order_by or ())
    for number, entry in enumerate(entries):
        if not isinstance(entry, str):
            raise InvalidQuery(f"order_by[{number}] is text, not {type(entry).__name__}")
    search = SEARCHES[kind]
    where = apply_prompt_rule(kind, parse_filter(search, filter or ""))
    return Query(kind, where, parse_order(search, entries))
