"""What a Query means, in memory: the oracle that every store is compared with, and the search of the in-memory stores.

* A missing value makes every comparison false but IS NULL, also `!=` and NOT IN.
* NaN makes every comparison false but `!=`, NOT IN and IS NOT NULL.
* A dataset comparison is true when any dataset of the run makes it true, a comparison with a metric of a logged model when any of its
  rows of that metric does. Sorting takes the row of the latest time, then step, then value.
* Text compares and sorts by code points, experiment ids sort as numbers.
* In both directions of a sort key: values, then NaN, then missing ones.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from drupe.entities.enums import Stat
from drupe.entities.logged_models import LoggedModel
from drupe.entities.metrics import Metric
from drupe.entities.registry import ModelVersion, RegisteredModel
from drupe.entities.runs import DatasetInput, Experiment, Run
from drupe.errors import InvalidQuery
from drupe.search.like import like
from drupe.search.query import And, Comparison, Condition, Entity, Field, Not, OnDataset, Op, Or, OrderBy, Query

__all__ = ["Searchable", "find", "matches", "reader", "sort"]

Searchable = Run | Experiment | RegisteredModel | ModelVersion | LoggedModel
T = TypeVar("T", bound=Searchable)
_Held = str | float | int | None
_Test = Callable[[Any], bool]


def find(query: Query, things: Iterable[T]) -> list[T]:
    """The things that the query finds, in its order. The things are all of the query's kind."""
    found = list(things)
    if query.where is not None and found:
        kind: type = type(found[0])
        is_true = _compiled(query.where, kind)
        found = [thing for thing in found if is_true(thing)]
    return sort(query.order, found)


def matches(condition: Condition, thing: Searchable) -> bool:
    """Whether the condition is true of this thing."""
    kind: type = type(thing)
    return _compiled(condition, kind)(thing)


def sort(order: tuple[OrderBy, ...], things: Iterable[T]) -> list[T]:
    """The things in this order; those that tie in every key keep the order they came in."""
    ordered = list(things)
    for key in reversed(order):  # a stable sort by the last key first
        ordered = _sorted_by(key, ordered)
    return ordered


def reader(field: Field, kind: type) -> Callable[[Any], _Held]:
    """How to read a field of a thing of this class; None for missing. Raises InvalidQuery for what it has not one of."""
    key = field.key
    if field.entity is Entity.ATTRIBUTE:
        return _attribute_reader(key, kind)
    if field.entity is Entity.TAG:
        return (lambda run: run.data.tags.get(key)) if kind is Run else (lambda thing: thing.tags.get(key))
    if field.entity is Entity.PARAM and kind in (Run, LoggedModel):
        return (lambda run: run.data.params.get(key)) if kind is Run else (lambda model: model.params.get(key))
    if field.entity is Entity.METRIC and kind is LoggedModel:
        return _latest_of_model(field)
    if kind is Run and field.entity is Entity.METRIC:
        return _metric_reader(field)
    raise InvalidQuery(f"{kind.__name__} values have no {field.entity.value} that could be read for {key!r}")


def _sorted_by(key: OrderBy, things: list[T]) -> list[T]:
    if not things:
        return things
    read = reader(key.field, type(things[0]))
    by_number = key.field == _EXPERIMENT_ID
    values: list[tuple[str | float, T]] = []
    nans: list[T] = []
    missing: list[T] = []
    for thing in things:
        value = read(thing)
        if value is None:
            missing.append(thing)
        elif value != value:
            nans.append(thing)
        else:
            values.append((int(value) if by_number else value, thing))
    values.sort(key=operator.itemgetter(0), reverse=key.descending)
    return [*(thing for _, thing in values), *nans, *missing]


_EXPERIMENT_ID = Field(Entity.ATTRIBUTE, "experiment_id")


@lru_cache(maxsize=256)
def _compiled(condition: Condition, kind: type) -> _Test:
    if isinstance(condition, And):
        parts = [_compiled(part, kind) for part in condition.parts]
        return lambda thing: all(part(thing) for part in parts)
    if isinstance(condition, Or):
        parts = [_compiled(part, kind) for part in condition.parts]
        return lambda thing: any(part(thing) for part in parts)
    if isinstance(condition, Not):
        inner = _compiled(condition.part, kind)
        return lambda thing: not inner(thing)
    return _comparison(condition, kind)


def _comparison(comparison: Comparison, kind: type) -> _Test:
    field, op = comparison.field, comparison.op
    if field.entity is Entity.DATASET and kind is Run:
        test_each, read_all = _test(op, comparison.value), _dataset_reader(field.key)
        return lambda thing: any(value is not None and test_each(value) for value in read_all(thing))
    if field.entity is Entity.METRIC and kind is LoggedModel:
        return _model_metric_comparison(comparison)
    read = reader(field, kind)
    if op is Op.IS_NULL:
        return lambda thing: read(thing) is None
    if op is Op.IS_NOT_NULL:
        return lambda thing: read(thing) is not None
    test = _test(op, comparison.value)

    def holds(thing: Any) -> bool:
        value = read(thing)
        return value is not None and test(value)

    return holds


def _model_metric_comparison(comparison: Comparison) -> _Test:
    read_all, op = _model_metrics(comparison.field), comparison.op
    if op in (Op.IS_NULL, Op.IS_NOT_NULL):
        return lambda model: bool(read_all(model)) is (op is Op.IS_NOT_NULL)
    test_each = _test(op, comparison.value)
    return lambda model: any(test_each(metric.value) for metric in read_all(model))


_ORDERINGS: Mapping[Op, Callable[[Any, Any], bool]] = {
    Op.EQ: operator.eq,
    Op.NE: operator.ne,
    Op.LT: operator.lt,
    Op.LE: operator.le,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
}


def _test(op: Op, wanted: Any) -> _Test:
    if op in _ORDERINGS:
        compare = _ORDERINGS[op]
        return lambda value: compare(value, wanted)
    if op in (Op.LIKE, Op.ILIKE):
        return like(wanted, ignore_case=op is Op.ILIKE)
    listed = frozenset(wanted)
    return (lambda value: value in listed) if op is Op.IN else (lambda value: value not in listed)


def _metric_reader(field: Field) -> Callable[[Run], _Held]:
    key, shadow = field.key, field.shadow
    stat = field.stat or Stat.LAST

    def read(run: Run) -> _Held:
        if shadow is not None and shadow in run.data.metrics:
            return run.data.metrics[shadow]
        if stat is Stat.LAST:
            return run.data.metrics.get(key)
        summary = run.data.summaries.get(key)
        return None if summary is None else getattr(summary, stat.value)

    return read


def _model_metrics(field: Field) -> Callable[[LoggedModel], list[Metric]]:
    def read(model: LoggedModel) -> list[Metric]:
        return [metric for metric in model.metrics if field.key in ("", metric.key) and _is_on(metric, field.datasets)]

    return read


def _is_on(metric: Metric, datasets: tuple[OnDataset, ...]) -> bool:
    return not datasets or any(one.name == metric.dataset_name and one.digest in (None, metric.dataset_digest) for one in datasets)


def _latest_of_model(field: Field) -> Callable[[LoggedModel], _Held]:
    read_all = _model_metrics(field)

    def read(model: LoggedModel) -> _Held:
        found = read_all(model)
        if not found:
            return None
        return max(found, key=lambda one: (one.timestamp, one.step, one.value == one.value, one.value)).value

    return read


_RENAMED: Mapping[tuple[type, str], Callable[[Any], _Held]] = {
    (ModelVersion, "version_number"): lambda version: int(version.version),
    (ModelVersion, "source_path"): lambda version: version.source,
}
_NAMED: Mapping[type, frozenset[str]] = {
    Run: frozenset({"run_id", "run_name", "status", "user_id", "artifact_uri", "start_time", "end_time"}),
    Experiment: frozenset({"name", "experiment_id", "creation_time", "last_update_time"}),
    RegisteredModel: frozenset({"name", "creation_timestamp", "last_updated_timestamp"}),
    ModelVersion: frozenset({"name", "run_id", "creation_timestamp", "last_updated_timestamp"}),
    LoggedModel: frozenset(
        {
            *("name", "model_id", "model_type", "status", "source_run_id", "experiment_id"),
            *("creation_timestamp", "last_updated_timestamp"),
        }
    ),
}


def _attribute_reader(key: str, kind: type) -> Callable[[Any], _Held]:
    if (kind, key) in _RENAMED:
        return _RENAMED[kind, key]
    if key not in _NAMED.get(kind, ()):
        raise InvalidQuery(f"{kind.__name__} values have no attribute {key!r} to search by")
    if kind is Run:
        return operator.attrgetter(f"info.{key}")
    return operator.attrgetter(key)


def _dataset_reader(key: str) -> Callable[[Run], list[str | None]]:
    def read(run: Run) -> list[str | None]:
        return [_of_dataset(key, used) for used in run.inputs.dataset_inputs]

    return read


def _of_dataset(key: str, used: DatasetInput) -> str | None:
    if key == "context":
        return next((tag.value for tag in used.tags if tag.key == "mlflow.data.context"), None)
    return used.dataset.name if key == "name" else used.dataset.digest
