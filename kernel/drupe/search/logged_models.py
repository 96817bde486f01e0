"""Searches of logged models as MLflow's clients state them, and back: a filter text, datasets, and an order of named parts instead of texts.

The result is a `Query` like any other; what it means is in `match`. Searches without datasets can be written for `parse` too.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen

from drupe.entities.enums import Stat
from drupe.errors import InvalidQuery
from drupe.search.fields import SEARCHES
from drupe.search.grammar import parse_filter
from drupe.search.names import nearest
from drupe.search.order import KEYS_MAX, made_total
from drupe.search.query import And, Comparison, Condition, Entity, Field, Kind, Not, OnDataset, Op, OrderBy, Query
from drupe.search.render import render_condition

__all__ = ["DATASETS_MAX", "ModelOrder", "parse_logged_models", "render_logged_models"]

DATASETS_MAX = 100

_SEARCH = SEARCHES[Kind.LOGGED_MODELS]
_METRICS, _ATTRIBUTES = "metrics.", "attributes."


@frozen
class ModelOrder:
    """One sort key: `metrics.<name>`, the name as it is and without quotes, or an attribute; a dataset only with a metric."""

    field_name: str
    ascending: bool = True
    dataset_name: str | None = None
    dataset_digest: str | None = None


def parse_logged_models(filter: str | None = None, order_by: Sequence[ModelOrder] = (), datasets: Sequence[OnDataset] = ()) -> Query:
    """Read a search of logged models. `datasets` leaves only metrics that were measured on one of them to the filter.

    Where the filter names no metric, models are found that have any metric on one of the datasets. Raises InvalidQuery.
    """
    if filter is not None and not isinstance(filter, str):
        raise InvalidQuery(f"a filter is text, not {type(filter).__name__}")
    if len(datasets) > DATASETS_MAX:
        raise InvalidQuery(f"{len(datasets)} datasets are given; at most {DATASETS_MAX} are searched for at once")
    where = parse_filter(_SEARCH, filter or "")
    if datasets:
        where = _narrowed(where, tuple(dict.fromkeys(datasets)))
    return Query(Kind.LOGGED_MODELS, where, _order(order_by))


def render_logged_models(query: Query) -> tuple[str, list[ModelOrder], tuple[OnDataset, ...]]:
    """The filter text, order and datasets that `parse_logged_models` makes this query of. Raises InvalidQuery for what they cannot say."""
    where, datasets = query.where, _datasets_in(query.where)
    if datasets and where is not None:
        parts = where.parts if isinstance(where, And) else (where,)
        kept = tuple(part for part in parts if part != _has_any(datasets))
        where = None if not kept else kept[0] if len(kept) == 1 else And(kept)
        where = None if where is None else _on(where, ())
    return "" if where is None else render_condition(where), [_model_order(key) for key in query.order], datasets


def _datasets_in(condition: Condition | None) -> tuple[OnDataset, ...]:
    found = {comparison.field.datasets for comparison in _comparisons(condition) if comparison.field.entity is Entity.METRIC}
    if len(found) > 1:
        raise InvalidQuery("the metrics of a filter are all measured on the same datasets")
    return next(iter(found), ())


def _comparisons(condition: Condition | None) -> list[Comparison]:
    if condition is None or isinstance(condition, Comparison):
        return [] if condition is None else [condition]
    if isinstance(condition, Not):
        return _comparisons(condition.part)
    return [one for part in condition.parts for one in _comparisons(part)]


def _model_order(key: OrderBy) -> ModelOrder:
    field, is_ascending = key.field, not key.descending
    if field.entity is not Entity.METRIC:
        return ModelOrder(field.key, is_ascending)
    if len(field.datasets) > 1:
        raise InvalidQuery(f"metric {field.key!r} is sorted by on one dataset or on any")
    on = field.datasets[0] if field.datasets else OnDataset("")
    return ModelOrder(_METRICS + field.key, is_ascending, on.name or None, on.digest)


def _has_any(datasets: tuple[OnDataset, ...]) -> Comparison:
    return Comparison(Field(Entity.METRIC, "", Stat.LAST, datasets=datasets), Op.IS_NOT_NULL)


def _narrowed(where: Condition | None, datasets: tuple[OnDataset, ...]) -> Condition:
    if where is not None and _names_a_metric(where):
        return _on(where, datasets)
    if where is None:
        return _has_any(datasets)
    return And((*(where.parts if isinstance(where, And) else (where,)), _has_any(datasets)))


def _names_a_metric(condition: Condition) -> bool:
    if isinstance(condition, Comparison):
        return condition.field.entity is Entity.METRIC
    if isinstance(condition, Not):
        return _names_a_metric(condition.part)
    return any(_names_a_metric(part) for part in condition.parts)


def _on(condition: Condition, datasets: tuple[OnDataset, ...]) -> Condition:
    if isinstance(condition, Comparison):
        if condition.field.entity is not Entity.METRIC:
            return condition
        return evolve(condition, field=evolve(condition.field, datasets=datasets))
    if isinstance(condition, Not):
        return Not(_on(condition.part, datasets))
    return evolve(condition, parts=tuple(_on(part, datasets) for part in condition.parts))


def _order(entries: Sequence[ModelOrder]) -> tuple[OrderBy, ...]:
    if len(entries) > KEYS_MAX:
        raise InvalidQuery(f"order_by has {len(entries)} entries; at most {KEYS_MAX} are sorted by")
    if not entries:
        return _SEARCH.default_order
    keys: list[OrderBy] = []
    for number, entry in enumerate(entries):
        field = _field(entry, f"order_by[{number}]")
        if any(field == key.field for key in keys):
            raise InvalidQuery(f"order_by[{number}]: {entry.field_name[:60]!r} is sorted by already")
        keys.append(OrderBy(field, descending=not entry.ascending))
    return made_total(_SEARCH, keys)


def _field(entry: ModelOrder, place: str) -> Field:
    name = entry.field_name.strip()
    if name.startswith(_METRICS) and len(name) > len(_METRICS):
        if entry.dataset_digest and not entry.dataset_name:
            raise InvalidQuery(f"{place}: a dataset_digest goes with a dataset_name")
        on = (OnDataset(entry.dataset_name, entry.dataset_digest or None),) if entry.dataset_name else ()
        return Field(Entity.METRIC, name.removeprefix(_METRICS), Stat.LAST, datasets=on)
    if entry.dataset_name or entry.dataset_digest:
        raise InvalidQuery(f"{place}: {name[:60]!r} has no dataset; only metrics do, named as metrics.<name>")
    attribute = _SEARCH.attribute(name.removeprefix(_ATTRIBUTES))
    if attribute is None:
        known = [spelling for one in _SEARCH.attributes for spelling in (one.key, *one.aliases)]
        found = nearest(name.removeprefix(_ATTRIBUTES), known)
        hint = f"did you mean {found!r}?" if found else f"there are metrics.<name> and {', '.join(known)}"
        raise InvalidQuery(f"{place}: logged models cannot be sorted by {name[:60]!r}; {hint}")
    return Field(Entity.ATTRIBUTE, attribute.key)
