"""Searches of logged models: how clients state them, and what metrics mean that a model has several times."""

from __future__ import annotations

import math

import pytest
from attrs import evolve

from drupe.entities import LoggedModel, Metric, Stat
from drupe.errors import InvalidQuery
from drupe.search import (
    And,
    Comparison,
    Entity,
    Field,
    Kind,
    ModelOrder,
    OnDataset,
    Op,
    OrderBy,
    parse,
    parse_logged_models,
    render_logged_models,
)
from drupe.search.logged_models import DATASETS_MAX
from drupe.search.match import find
from drupe.search.order import KEYS_MAX
from drupe.search.render import render

IRIS, WINE = OnDataset("iris", "d1"), OnDataset("wine")
NEWEST, BY_ID = OrderBy(Field(Entity.ATTRIBUTE, "creation_timestamp"), True), OrderBy(Field(Entity.ATTRIBUTE, "model_id"))
ACC = Field(Entity.METRIC, "acc", Stat.LAST)


def model(model_id: str, *metrics: Metric, created: int = 1, **given: str | None) -> LoggedModel:
    return LoggedModel(model_id, "0", model_id, "x", created, created, metrics=metrics, **given)  # type: ignore[arg-type]


def acc(value: float, dataset: str | None = None, digest: str | None = None, *, ms: int = 1, step: int = 0) -> Metric:
    return Metric("acc", value, ms, step, "r", "m", dataset, digest)


MODELS = [
    model("plain", acc(0.5)),
    model("iris", acc(0.9, "iris", "d1", ms=1), acc(0.2, ms=2)),
    model("other iris", acc(0.9, "iris", "d2")),
    model("wine", acc(0.1, "wine", "w1", ms=3), acc(0.8, "wine", "w2", ms=2)),
    model("bad", acc(math.nan, "iris", "d1")),
    model("none"),
]


def ids(filter: str | None = None, order_by: tuple[ModelOrder, ...] = (), datasets: tuple[OnDataset, ...] = ()) -> list[str]:
    return [one.model_id for one in find(parse_logged_models(filter, order_by, datasets), MODELS)]


def test_without_datasets_it_is_what_text_says() -> None:
    filter = "metrics.acc > 0.5 AND tags.team = 'x'"
    assert parse_logged_models(filter) == parse(Kind.LOGGED_MODELS, filter)
    order = [ModelOrder("metrics.acc", False), ModelOrder("name")]
    assert parse_logged_models(filter, order) == parse(Kind.LOGGED_MODELS, filter, ["metrics.acc DESC", "name"])


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ("metrics.acc > 0.5", ["iris", "other iris", "wine"]),
        ("metrics.acc < 0.3", ["iris", "wine"]),
        ("NOT metrics.acc < 0.3", ["bad", "none", "other iris", "plain"]),
        ("metrics.acc != 0.9", ["bad", "iris", "plain", "wine"]),
        ("metrics.acc IS NULL", ["none"]),
        ("metrics.acc IS NOT NULL AND NOT metrics.acc <= inf", ["bad"]),
        ("metrics.loss > 0", []),
    ],
)
def test_a_metric_that_a_model_has_several_times_is_compared_one_by_one(filter: str, found: list[str]) -> None:
    assert sorted(ids(filter)) == found


@pytest.mark.parametrize(
    ("filter", "datasets", "found"),
    [
        ("metrics.acc > 0.5", (IRIS,), ["iris"]),
        ("metrics.acc > 0.5", (OnDataset("iris"),), ["iris", "other iris"]),
        ("metrics.acc > 0.5", (IRIS, WINE), ["iris", "wine"]),
        ("metrics.acc < 0.3", (IRIS,), []),
        ("metrics.acc > 0.5 OR name = 'plain'", (IRIS,), ["iris", "plain"]),
        (None, (IRIS,), ["bad", "iris"]),
        ("name LIKE '%iris'", (WINE, IRIS), ["iris"]),
        ("NOT name = 'iris'", (IRIS,), ["bad"]),
    ],
)
def test_datasets_narrow_the_metrics_or_ask_for_any(filter: str | None, datasets: tuple[OnDataset, ...], found: list[str]) -> None:
    assert sorted(ids(filter, datasets=datasets)) == found


def test_what_datasets_become_in_the_query() -> None:
    any_metric = Comparison(Field(Entity.METRIC, "", Stat.LAST, datasets=(IRIS,)), Op.IS_NOT_NULL)
    named = Comparison(Field(Entity.ATTRIBUTE, "name"), Op.EQ, "x")
    assert parse_logged_models(datasets=[IRIS, IRIS]).where == any_metric
    assert parse_logged_models("name = 'x'", datasets=[IRIS]).where == And((named, any_metric))
    narrowed = Comparison(evolve(ACC, datasets=(IRIS,)), Op.GT, 1.0)
    assert parse_logged_models("metrics.acc > 1", datasets=[IRIS]).where == narrowed


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (ModelOrder("metrics.acc"), ["wine", "iris", "plain", "other iris", "bad", "none"]),
        (ModelOrder("metrics.acc", False), ["other iris", "plain", "iris", "wine", "bad", "none"]),
        (ModelOrder("metrics.acc", True, "wine"), ["wine", "bad", "iris", "none", "other iris", "plain"]),
        (ModelOrder("metrics.acc", False, "iris", "d1"), ["iris", "bad", "none", "other iris", "plain", "wine"]),
        (ModelOrder("attributes.name", False), ["wine", "plain", "other iris", "none", "iris", "bad"]),
    ],
)
def test_models_sort_by_their_latest_value_then_nan_then_those_without(order: ModelOrder, expected: list[str]) -> None:
    assert ids(order_by=(order,)) == expected


def test_the_latest_is_that_of_the_latest_time_then_step_then_value() -> None:
    things = [
        model("a", acc(1.0, ms=1, step=9), acc(5.0, ms=2, step=0)),
        model("b", acc(2.0, ms=2, step=1), acc(9.0, ms=2, step=0)),
        model("c", acc(3.0, ms=2), acc(4.0, ms=2, dataset="x"), acc(math.nan, ms=2, dataset="y")),
    ]
    query = parse(Kind.LOGGED_MODELS, None, ["metrics.acc"])
    assert [one.model_id for one in find(query, things)] == ["b", "c", "a"]


def test_keys_are_taken_as_they_are() -> None:
    query = parse_logged_models(order_by=[ModelOrder("metrics.val loss.min"), ModelOrder("last_updated_time", False)])
    assert query.order[0] == OrderBy(Field(Entity.METRIC, "val loss.min", Stat.LAST))
    assert query.order[1:] == (OrderBy(Field(Entity.ATTRIBUTE, "last_updated_timestamp"), True), NEWEST, BY_ID)


@pytest.mark.parametrize(
    ("order_by", "message"),
    [
        ([ModelOrder("nme")], "did you mean 'name'"),
        ([ModelOrder("metrics.")], "cannot be sorted by"),
        ([ModelOrder("tags.x")], "cannot be sorted by"),
        ([ModelOrder("name", True, "iris")], "has no dataset"),
        ([ModelOrder("metrics.acc", True, None, "d1")], "goes with a dataset_name"),
        ([ModelOrder("name"), ModelOrder("attributes.name", False)], "sorted by already"),
        ([ModelOrder(f"metrics.m{n}") for n in range(KEYS_MAX + 1)], f"at most {KEYS_MAX}"),
    ],
)
def test_an_order_that_cannot_be_is_refused(order_by: list[ModelOrder], message: str) -> None:
    with pytest.raises(InvalidQuery, match=message):
        parse_logged_models(order_by=order_by)


def test_one_metric_may_be_sorted_by_on_two_datasets() -> None:
    order = parse_logged_models(order_by=[ModelOrder("metrics.acc", True, "iris"), ModelOrder("metrics.acc", True, "wine")]).order
    assert [key.field.datasets for key in order[:2]] == [(OnDataset("iris"),), (OnDataset("wine"),)]


def test_the_number_of_datasets_is_limited() -> None:
    with pytest.raises(InvalidQuery, match=f"at most {DATASETS_MAX}"):
        parse_logged_models(datasets=[OnDataset(str(n)) for n in range(DATASETS_MAX + 1)])


def test_text_cannot_say_datasets() -> None:
    with pytest.raises(InvalidQuery, match="not part of a filter"):
        render(parse_logged_models("metrics.acc > 1", datasets=[IRIS]))


@pytest.mark.parametrize(
    "filter", ["", "name = 'x'", "metrics.acc > 1", "metrics.acc > 1 AND tags.a = 'b'", "name = 'x' OR metrics.`a b` = 0"]
)
@pytest.mark.parametrize("datasets", [[], [IRIS], [IRIS, OnDataset("wine", "d1")]])
def test_a_search_is_written_as_it_is_read(filter: str, datasets: list[OnDataset]) -> None:
    for order in ([], [ModelOrder("metrics.acc", False, "iris", "d2"), ModelOrder("name")], [ModelOrder("metrics.val loss")]):
        query = parse_logged_models(filter, order, datasets)
        text, orders, on = render_logged_models(query)
        assert parse_logged_models(text, orders, on) == query
