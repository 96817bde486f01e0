"""Typed queries back to text."""

import math

import pytest
from hypothesis import given, strategies as st

from drupe.entities import Stat
from drupe.errors import InvalidQuery
from drupe.search import And, Comparison, Entity, Field, Kind, Not, Op, Or, OrderBy, Query, parse
from drupe.search.render import render, render_condition, render_order

from .queries import queries, unhurried

A, B, C = (Comparison(Field(Entity.TAG, key), Op.EQ, "x") for key in "abc")


@pytest.mark.parametrize("kind", [Kind.RUNS, Kind.EXPERIMENTS])
@unhurried
@given(data=st.data())
def test_a_random_query_survives_text_and_back(kind: Kind, data: st.DataObject) -> None:
    query = data.draw(queries(kind))
    again = parse(kind, *render(query))
    assert again.where == query.where
    assert again.order[: len(query.order)] == query.order


@pytest.mark.parametrize("kind", list(Kind))
@unhurried
@given(data=st.data())
def test_what_was_parsed_survives_text_and_back_whole(kind: Kind, data: st.DataObject) -> None:
    """The prompt rule and the tie-breakers, once written into a query, are not written in again."""
    query = parse(kind, *render(data.draw(queries(kind))))
    assert parse(kind, *render(query)) == query


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (And((A, B, C)), "tags.a = 'x' AND tags.b = 'x' AND tags.c = 'x'"),
        (Or((A, And((B, C)))), "tags.a = 'x' OR tags.b = 'x' AND tags.c = 'x'"),
        (And((Or((A, B)), C)), "(tags.a = 'x' OR tags.b = 'x') AND tags.c = 'x'"),
        (Not(A), "NOT tags.a = 'x'"),
        (Not(And((A, B))), "NOT (tags.a = 'x' AND tags.b = 'x')"),
        (And((Not(A), B)), "NOT tags.a = 'x' AND tags.b = 'x'"),
        (Comparison(Field(Entity.ATTRIBUTE, "end_time"), Op.IS_NOT_NULL), "end_time IS NOT NULL"),
        (Comparison(Field(Entity.ATTRIBUTE, "run_id"), Op.NOT_IN, ("a", "it's")), "run_id NOT IN ('a', \"it's\")"),
        (Comparison(Field(Entity.METRIC, "loss", Stat.LAST), Op.LT, -math.inf), "metrics.loss < -inf"),
        (Comparison(Field(Entity.METRIC, "loss", Stat.MIN), Op.LT, 0.1), "metrics.`loss`.min < 0.1"),
        (Comparison(Field(Entity.METRIC, "loss", Stat.MIN, "loss.min"), Op.LT, 0.1), "metrics.loss.min < 0.1"),
        (Comparison(Field(Entity.METRIC, "loss.min", Stat.LAST), Op.LT, 0.1), "metrics.`loss.min` < 0.1"),
        (Comparison(Field(Entity.PARAM, "a b"), Op.LIKE, "%"), "params.`a b` LIKE '%'"),
        (Comparison(Field(Entity.PARAM, "a`b"), Op.LIKE, "%"), "params.\"a`b\" LIKE '%'"),
    ],
)
def test_conditions_are_written_with_the_fewest_signs(condition: And | Or | Not | Comparison, text: str) -> None:
    assert render_condition(condition) == text
    assert parse(Kind.RUNS, text).where == condition


def test_a_query_for_everything_is_an_empty_text() -> None:
    assert render(Query(Kind.RUNS)) == ("", [])


def test_orders_are_written_with_their_direction() -> None:
    order = (OrderBy(Field(Entity.METRIC, "a b", Stat.MAX), descending=True), OrderBy(Field(Entity.ATTRIBUTE, "run_id")))
    assert render_order(order) == ["metrics.`a b`.max DESC", "run_id ASC"]


@pytest.mark.parametrize(
    ("comparison", "message"),
    [
        (Comparison(Field(Entity.TAG, "a"), Op.EQ, "'\""), "every quote"),
        (Comparison(Field(Entity.TAG, "'\"`"), Op.EQ, "x"), "every quote"),
        (Comparison(Field(Entity.METRIC, "a", Stat.LAST), Op.EQ, math.nan), "nothing equals it"),
        (Comparison(Field(Entity.METRIC, "a b", Stat.MIN, "a b.min"), Op.EQ, 1.0), "cannot be written"),
        (Comparison(Field(Entity.METRIC, "a", Stat.MIN, "other"), Op.EQ, 1.0), "cannot be written"),
    ],
)
def test_what_text_cannot_say_is_refused(comparison: Comparison, message: str) -> None:
    with pytest.raises(InvalidQuery, match=message):
        render_condition(comparison)
