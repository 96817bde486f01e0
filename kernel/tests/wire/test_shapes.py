"""Requests are read under the protocol's rules, and written so that reading gives them back."""

from __future__ import annotations

import math
from typing import Any

import pytest

from drupe.entities import Metric, RunStatus, RunTag, ViewType
from drupe.errors import InvalidValue
from drupe.wire.registry import ModelTag
from drupe.wire.shapes import plain, read, read_query
from drupe.wire.tracking import (
    CreateExperiment,
    CreateRun,
    GetHistoryInterval,
    HistoryFound,
    LogMetric,
    SearchExperiments,
    UpdateRun,
)


@pytest.mark.parametrize(
    "form",
    [
        {"experiment_id": "3", "start_time": 5, "tags": [{"key": "a", "value": "b"}]},
        {"experimentId": "3", "startTime": "5", "tags": [{"key": "a", "value": "b"}], "unheard_of": {"x": 1}},
        {"experiment_id": "3", "start_time": 5, "run_name": None, "tags": [{"key": "a", "value": "b"}]},
    ],
)
def test_spellings_texts_for_integers_nulls_and_unknown_fields(form: Any) -> None:
    assert read(CreateRun, form) == CreateRun("3", start_time=5, tags=(RunTag("a", "b"),))


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, "9" * 19, "9" * 5000, "1_0", " 1", "+1", "1.0", "\u0663", 1.0, True])
def test_a_whole_number_has_64_bits_and_one_spelling(number: Any) -> None:
    with pytest.raises(InvalidValue, match="start_time"):
        read(CreateRun, {"experiment_id": "3", "start_time": number})


@pytest.mark.parametrize("members", ["ab", {}, {"key": "a"}, 7, True])
def test_a_list_is_nothing_else_that_can_be_gone_through(members: Any) -> None:
    with pytest.raises(InvalidValue, match="expected a list"):
        read(CreateRun, {"experiment_id": "3", "tags": members})


def test_of_many_faults_the_first_are_told() -> None:
    with pytest.raises(InvalidValue) as told:
        read(CreateRun, {"experiment_id": "3", "tags": [7] * 100_000})
    assert "tags[0]" in told.value.message
    assert len(told.value.message) < 5000


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"experiment_id": 3}, "experiment_id"),
        ({"experiment_id": "1", "experimentId": "1"}, "given twice"),
        ({"start_time": 1.5}, "start_time"),
        ({"start_time": True}, "start_time"),
        ({"tags": "a"}, "tags"),
        ({"tags": [{"value": "b"}]}, "key"),
        ({"tags": [7]}, "tags"),
        ([], "JSON object"),
        (None, "JSON object"),
    ],
)
def test_what_does_not_fit_is_named(form: Any, told: str) -> None:
    with pytest.raises(InvalidValue, match=r"Create run|given twice") as fault:
        read(CreateRun, form)
    assert told in str(fault.value)


@pytest.mark.parametrize("form", [{}, {"name": ""}, {"name": None}])
def test_what_must_be_given_must_not_be_empty(form: Any) -> None:
    with pytest.raises(InvalidValue, match="missing value for required parameter 'name'"):
        read(CreateExperiment, form)


@pytest.mark.parametrize(("given", "meant"), [("NaN", math.nan), ("Infinity", math.inf), ("-Infinity", -math.inf), (3, 3.0), ("2.5", 2.5)])
def test_numbers_come_as_numbers_and_texts(given: Any, meant: float) -> None:
    value = read(LogMetric, {"key": "m", "value": given, "timestamp": "7"}).value
    assert value == meant or (math.isnan(value) and math.isnan(meant))


@pytest.mark.parametrize(
    ("given", "meant"), [("FINISHED", RunStatus.FINISHED), (3, RunStatus.FINISHED), ("3", RunStatus.FINISHED), ("WHAT", None), (99, None)]
)
def test_enums_come_as_names_and_numbers_and_unknown_ones_are_not_given(given: Any, meant: RunStatus | None) -> None:
    assert read(UpdateRun, {"run_id": "a", "status": given}).status is meant


def test_queries_hold_lists_numbers_and_enums() -> None:
    pairs = [("max_results", "5"), ("order_by", "name"), ("order_by", "tags.a"), ("view_type", "ALL"), ("filter", "")]
    assert read_query(SearchExperiments, pairs) == SearchExperiments(5, filter="", order_by=("name", "tags.a"), view_type=ViewType.ALL)
    found = read_query(GetHistoryInterval, [("run_ids", "a"), ("metric_key", "m"), ("start_step", "-3")])
    assert found == GetHistoryInterval("m", ("a",), start_step=-3)
    with pytest.raises(InvalidValue, match="max_results"):
        read_query(SearchExperiments, [("max_results", "many")])


def test_what_is_unset_or_empty_is_left_out() -> None:
    assert plain(HistoryFound()) == {}
    assert plain(HistoryFound((Metric("m", math.nan, 1, 2),), "next")) == {
        "metrics": [{"key": "m", "value": "NaN", "timestamp": 1, "step": 2}],
        "next_page_token": "next",
    }
    assert plain(ModelTag("a")) == {"key": "a", "value": ""}
    assert plain(SearchExperiments(5, view_type=ViewType.ALL)) == {"max_results": 5, "view_type": "ALL"}
