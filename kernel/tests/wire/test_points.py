"""The metrics of a batch go from JSON into columns, and what is no metric is refused with its place."""

from __future__ import annotations

import math
from typing import Any

import pytest

from drupe.entities import Metric, Points
from drupe.errors import DrupeError
from drupe.wire.points import columns, history_form, points_of_models
from drupe.wire.shapes import plain
from drupe.wire.tracking import HistoryFound


def test_points_are_kept_by_key_in_order_of_arrival() -> None:
    found = columns(
        [
            {"key": "a", "value": 1.5, "timestamp": 7, "step": 2},
            {"key": "b", "value": 1, "timestamp": "8"},
            {"key": "a", "value": "NaN", "timestamp": 9, "step": "-1"},
            {"key": "a", "value": 2.5, "timestamp": 10, "step": 3},
        ]
    )
    assert list(found) == ["a", "b"]
    assert list(found["b"]) == [(0, 8, 1.0)]
    first, second, third = found["a"]
    assert (first, second[:2], third) == ((2, 7, 1.5), (-1, 9), (3, 10, 2.5))
    assert math.isnan(second[2])


@pytest.mark.parametrize(
    "metric",
    [
        7,
        None,
        "m",
        {},
        {"key": "m", "value": 1},
        {"key": 7, "value": 1, "timestamp": 1},
        {"key": "m", "value": True, "timestamp": 1},
        {"key": "m", "value": "much", "timestamp": 1},
        {"key": "m", "value": [1], "timestamp": 1},
        {"key": "m", "value": 1, "timestamp": 1.5},
        {"key": "m", "value": 1, "timestamp": -1},
        {"key": "m", "value": 1, "timestamp": 2**63},
        {"key": "m", "value": 1.0, "timestamp": 1, "step": 2**63},
        {"key": "m", "value": 10**400, "timestamp": 1},
        {"key": "../m", "value": 1, "timestamp": 1},
        {"key": "", "value": 1, "timestamp": 1},
    ],
)
def test_what_is_no_metric_is_refused(metric: Any) -> None:
    good = {"key": "good", "value": 1.0, "timestamp": 1, "step": 1}
    with pytest.raises(DrupeError) as fault:
        columns([good, good, metric])
    assert fault.value.http_status == 400


def test_points_with_a_model_are_its_by_dataset() -> None:
    on_iris = {"model_id": "m-1", "dataset_name": "iris", "dataset_digest": "d1"}
    found = points_of_models(
        [
            {"key": "a", "value": 1.5, "timestamp": 7, "step": 2, **on_iris},
            {"key": "a", "value": 1, "timestamp": 8, "model_id": "m-1", "dataset_name": ""},
            {"key": "a", "value": 2.5, "timestamp": 9, **on_iris},
            {"key": "b", "value": 2.5, "timestamp": 9, "dataset_name": "iris"},
            {"key": "b", "value": 2.5, "timestamp": 9, "model_id": ""},
        ]
    )
    assert [(one.model_id, one.key, one.dataset_name, one.dataset_digest, list(one.points)) for one in found] == [
        ("m-1", "a", "iris", "d1", [(2, 7, 1.5), (0, 9, 2.5)]),
        ("m-1", "a", None, None, [(0, 8, 1.0)]),
    ]


@pytest.mark.parametrize("field", ["model_id", "dataset_name", "dataset_digest"])
def test_a_model_or_dataset_that_is_no_text_is_refused(field: str) -> None:
    metric = {"key": "a", "value": 1.0, "timestamp": 7, "model_id": "m-1", field: 7}
    with pytest.raises(DrupeError, match="are texts"):
        points_of_models([metric])


def test_a_history_in_columns_has_the_form_of_its_objects() -> None:
    points = Points.of([(0, 5, 0.5), (1, 6, math.nan), (2, 7, -math.inf), (3, 8, 1e308), (4, 9, 1e308)])
    of_objects = plain(HistoryFound(tuple(Metric("m", value, time, step, "r") for step, time, value in points), "next"))
    assert history_form("r", "m", points, "next") == of_objects
    assert history_form("r", "m", Points(), None) == plain(HistoryFound()) == {}
