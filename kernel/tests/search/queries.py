"""Random queries and random things for the tests of the query language; the things are small, so that searches hit."""

import math
from functools import cache
from typing import Any

from hypothesis import HealthCheck, settings, strategies as st

from drupe.entities import (
    Dataset,
    DatasetInput,
    Experiment,
    InputTag,
    LifecycleStage,
    LoggedModel,
    LoggedModelStatus,
    Metric,
    MetricSummary,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunStatus,
    Stat,
)
from drupe.entities.registry import ModelVersion, RegisteredModel
from drupe.search import And, Comparison, Condition, Entity, Field, Kind, Not, Op, Or, OrderBy, Query
from drupe.search.fields import SEARCHES, ValueKind

unhurried = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault of the code

KEYS = ["a", "b", "a.min", "a b", "mlflow.x", "é", "val/loss", "it's"]
TEXTS = ["", "a", "A", "ab", "b", "É", "é", "%", "it's", 'say "x"']
NUMBERS = [0.0, 1.0, -1.5, 1e300, math.inf, -math.inf]
PATTERNS = ["", "%", "a%", "_", "%b", "A_", "%é%", "é"]
VALUES: dict[ValueKind, st.SearchStrategy[Any]] = {
    ValueKind.TEXT: st.sampled_from(TEXTS),
    ValueKind.ID: st.sampled_from(["0", "1", "2", "10"]),
    ValueKind.NUMBER: st.sampled_from(NUMBERS),
    ValueKind.TIME: st.integers(-1, 3),
    ValueKind.WHOLE: st.integers(-1, 3),
}
LISTS = {holds: st.lists(values, min_size=1, max_size=3) for holds, values in VALUES.items()}


@cache  # building a strategy takes longer than drawing from it
def fields(kind: Kind) -> st.SearchStrategy[tuple[Field, ValueKind, tuple[Op, ...]]]:
    search = SEARCHES[kind]
    columns = [st.just((Field(Entity.ATTRIBUTE, a.key), a.holds, a.operators)) for a in search.attributes if a.operators]
    free = []
    for entity, operators in search.operators.items():
        if entity is Entity.METRIC:
            free.append(metric_fields(kind).map(lambda f, o=operators: (f, ValueKind.NUMBER, o)))
        else:
            keys = ["name", "digest", "context"] if entity is Entity.DATASET else KEYS
            free.append(st.sampled_from(keys).map(lambda k, e=entity, o=operators: (Field(e, k), ValueKind.TEXT, o)))
    return st.one_of(*columns, *free)


@cache
def metric_fields(kind: Kind) -> st.SearchStrategy[Field]:
    if not SEARCHES[kind].has_statistics:
        return st.builds(Field, st.just(Entity.METRIC), st.sampled_from(KEYS), st.just(Stat.LAST))
    plain = st.builds(Field, st.just(Entity.METRIC), st.sampled_from(KEYS), st.sampled_from(Stat))
    shadowed = st.builds(lambda stat: Field(Entity.METRIC, "a", stat, f"a.{stat}"), st.sampled_from(Stat))
    return plain | shadowed


@cache
@st.composite
def comparisons(draw: st.DrawFn, kind: Kind) -> Comparison:
    field, holds, operators = draw(fields(kind))
    op = draw(st.sampled_from(operators))
    if op in (Op.IS_NULL, Op.IS_NOT_NULL):
        return Comparison(field, op)
    if op in (Op.LIKE, Op.ILIKE):
        return Comparison(field, op, draw(st.sampled_from(PATTERNS)))
    if op in (Op.IN, Op.NOT_IN):
        return Comparison(field, op, tuple(draw(LISTS[holds])))
    return Comparison(field, op, draw(VALUES[holds]))


@cache
def conditions(kind: Kind) -> st.SearchStrategy[Condition]:
    """Conditions in the form that the parser makes: no And within And, no Or within Or, no Not of Not."""
    return st.recursive(comparisons(kind), lambda inner: st.one_of(_negated(inner), _joined(And, inner), _joined(Or, inner)), max_leaves=8)


def _negated(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    return inner.map(lambda part: part.part if isinstance(part, Not) else Not(part))


def _joined(join: type, inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    def flat(parts: list[Condition]) -> Condition:
        return join(tuple(x for part in parts for x in (part.parts if isinstance(part, join) else (part,))))

    return st.lists(inner, min_size=2, max_size=3).map(flat)


@cache
def orders(kind: Kind) -> st.SearchStrategy[tuple[OrderBy, ...]]:
    """Sort keys without repeats and without tie-breakers."""
    search = SEARCHES[kind]
    sortable = [st.just(Field(Entity.ATTRIBUTE, a.key)) for a in search.attributes if a.is_sortable]
    if Entity.METRIC in search.sortable:
        sortable.append(metric_fields(kind))
    if texts := [entity for entity in (Entity.PARAM, Entity.TAG) if entity in search.sortable]:
        sortable.append(st.builds(Field, st.sampled_from(texts), st.sampled_from(KEYS)))
    keys = st.builds(OrderBy, st.one_of(*sortable), st.booleans())
    return st.lists(keys, max_size=3, unique_by=lambda key: key.field).map(tuple)


@cache
def queries(kind: Kind) -> st.SearchStrategy[Query]:
    """Queries whose order may leave ties."""
    return st.builds(Query, st.just(kind), st.none() | conditions(kind), orders(kind))


_texts = st.sampled_from(TEXTS)
_times = st.integers(0, 2)
_tags = st.dictionaries(st.sampled_from(KEYS), _texts, max_size=4)
_numbers = st.sampled_from([*NUMBERS, math.nan])
_metrics = st.dictionaries(st.sampled_from(KEYS), _numbers, max_size=4)
_counts = st.integers(1, 3)
_maybe_texts, _maybe_times = st.none() | _texts, st.none() | _times
_run_ids, _model_ids, _statuses = (
    st.sampled_from(["r1", "r2", "r3", "a"]),
    st.sampled_from(["m-1", "m-2", "m-3", "a"]),
    st.sampled_from(RunStatus),
)
_experiments, _model_statuses = st.sampled_from(["0", "1", "10"]), st.sampled_from(LoggedModelStatus)


@st.composite
def runs(draw: st.DrawFn) -> Run:
    metrics = draw(_metrics)
    summaries = {
        key: MetricSummary(draw(_counts), draw(_numbers), last, 0, 0, draw(_numbers), draw(_numbers), draw(_numbers), None, None)
        for key, last in metrics.items()
    }
    info = RunInfo(
        draw(_run_ids),
        "0",
        draw(_texts),
        draw(_texts),
        draw(_statuses),
        draw(_times),
        draw(_maybe_times),
        LifecycleStage.ACTIVE,
        draw(_texts),
    )
    used = draw(_datasets)
    return Run(info, RunData(metrics, draw(_tags), draw(_tags), summaries), RunInputs(tuple(used)))


@st.composite
def logged_models(draw: st.DrawFn) -> LoggedModel:
    """With one row of each metric: of several, a comparison is true when it is true of any, for which the laws of lists do not hold."""
    return LoggedModel(
        draw(_model_ids),
        draw(_experiments),
        draw(_texts),
        "x",
        draw(_times),
        draw(_times),
        draw(_model_statuses),
        draw(_maybe_texts),
        draw(_maybe_texts),
        None,
        draw(_tags),
        draw(_tags),
        tuple(Metric(key, value, 1) for key, value in draw(_metrics).items()),
    )


def _used(name: str, digest: str, context: str | None) -> DatasetInput:
    tags = () if context is None else (InputTag("mlflow.data.context", context),)
    return DatasetInput(Dataset(name, digest), tags)


_datasets = st.lists(st.builds(_used, _texts, _texts, _maybe_texts), max_size=2)


THINGS = {
    Kind.RUNS: runs(),
    Kind.EXPERIMENTS: st.builds(
        Experiment,
        st.sampled_from(["0", "1", "2", "10"]),
        _texts,
        st.just("x"),
        creation_time=st.none() | _times,
        last_update_time=st.none() | _times,
        tags=_tags,
    ),
    Kind.REGISTERED_MODELS: st.builds(RegisteredModel, _texts, _times, _times, tags=_tags),
    Kind.MODEL_VERSIONS: st.builds(
        ModelVersion, _texts, st.sampled_from(["1", "2", "10"]), _times, _times, _texts, st.none() | _texts, tags=_tags
    ),
    Kind.LOGGED_MODELS: logged_models(),
}
