"""Columns of points out of whatever callers have."""

from __future__ import annotations

import math
from array import array
from collections import deque
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from drupe.entities import Points
from drupe.entities.limits import STEP_MAX, STEP_MIN
from drupe.errors import InvalidName, InvalidValue
from drupe.tracking.columns import points_from

NOW = 1_700_000_000_000


def triples(points: Points) -> list[tuple[int, int, float]]:
    assert (points.steps.typecode, points.timestamps.typecode, points.values.typecode) == ("q", "q", "d")
    return list(points)


_INTS = [
    [0, 1, 2],
    (0, 1, 2),
    range(3),
    deque([0, 1, 2]),
    (number for number in (0, 1, 2)),
    array("q", [0, 1, 2]),
    array("b", [0, 1, 2]),
    array("d", [0.0, 1.0, 2.0]),
    np.arange(3),
    np.arange(3, dtype=np.uint8),
    np.arange(3, dtype=np.uint64),
    np.arange(3, dtype=">i8"),
    np.arange(3, dtype=np.float32),
    np.arange(6)[::2] // 2,
    np.arange(0, 9)[::3] // 3,
    np.array([0, 1, 2], dtype=object),
    pd.Series([0, 1, 2]),
    pd.Series([0, 1, 2], dtype="Int64"),
    pd.Index([0, 1, 2]),
    memoryview(np.arange(3)),
    [False, True, 2],
    [np.int64(0), np.int32(1), np.array(2)],
    ["0", "1", "2"],
]


@pytest.mark.parametrize("place", range(len(_INTS)))
def test_steps_values_and_timestamps_may_be_anything_that_holds_numbers(place: int) -> None:
    given = _INTS[place]
    if hasattr(given, "send"):  # a generator gives its numbers once
        assert triples(points_from("loss", given, [5.0, 6.0, 7.0], now=NOW)) == [(0, NOW, 5.0), (1, NOW, 6.0), (2, NOW, 7.0)]
        return
    assert triples(points_from("loss", given, given, given, now=NOW)) == [(0, 0, 0.0), (1, 1, 1.0), (2, 2, 2.0)]


@pytest.mark.parametrize(
    "values",
    [
        [0.5, math.nan, -math.inf],
        array("d", [0.5, math.nan, -math.inf]),
        array("f", [0.5, math.nan, -math.inf]),
        np.array([0.5, np.nan, -np.inf]),
        np.array([0.5, np.nan, -np.inf], dtype=np.float16),
        np.array([0.5, np.nan, -np.inf], dtype=">f8"),
        np.array([[0.5, 9], [np.nan, 9], [-np.inf, 9]])[:, 0],
        pd.Series([0.5, np.nan, -np.inf]),
        [Decimal("0.5"), "nan", np.float32(-np.inf)],
    ],
    ids=lambda values: type(values).__name__,
)
def test_values_that_are_no_numbers_or_have_no_end_are_values(values: Any) -> None:
    assert list(map(repr, points_from("loss", range(3), values, now=NOW).values)) == ["0.5", "nan", "-inf"]


@given(st.lists(st.tuples(st.integers(STEP_MIN, STEP_MAX), st.integers(0, STEP_MAX), st.floats())))
def test_no_bit_is_lost(points: list[tuple[int, int, float]]) -> None:
    steps, times, values = ([point[place] for point in points] for place in range(3))
    columns = np.array(steps, dtype=np.int64), np.array(values, dtype=np.float64), np.array(times, dtype=np.int64)
    for found in (points_from("loss", steps, values, times, now=0), points_from("loss", *columns, now=0)):
        assert [found.steps.tobytes(), found.timestamps.tobytes(), found.values.tobytes()] == [
            array("q", steps).tobytes(),
            array("q", times).tobytes(),
            array("d", values).tobytes(),
        ]


def test_what_was_given_can_change_afterwards() -> None:
    given = array("q", [0, 1]), np.array([0.5, 0.25])
    points = points_from("loss", given[0], given[1], now=NOW)
    given[0][0], given[1][0] = 9, 9.0
    assert triples(points) == [(0, NOW, 0.5), (1, NOW, 0.25)]


def test_nothing_is_a_series_without_points() -> None:
    assert triples(points_from("loss", [], np.array([]), (), now=NOW)) == []


def test_a_fraction_of_a_ms_is_cut() -> None:
    assert list(points_from("loss", [0], [1], [12.75], now=NOW).timestamps) == [12]


@pytest.mark.parametrize(
    ("steps", "values", "timestamps", "told"),
    [
        ([0, 1.5], [1, 2], None, "steps of metric 'loss', place 1: .* whole number, got 1.5"),
        (np.array([0.0, 0.5]), [1, 2], None, "steps of metric 'loss', place 1"),
        ([0, 2**63], [1, 2], None, "steps of metric 'loss', place 1: .* 64 bits"),
        (np.array([0, 2**63], dtype=np.uint64), [1, 2], None, "steps of metric 'loss', place 1: .* 64 bits"),
        ([0, None], [1, 2], None, "steps of metric 'loss', place 1"),
        ([0, 1], [1, None], None, "values of metric 'loss', place 1: .* got None"),
        ([0, 1], ["one", 2], None, "values of metric 'loss', place 0: .* got 'one'"),
        ([0, 1], [1, 10**400], None, "values of metric 'loss', place 1"),
        ([0, 1], [[1, 2], [3, 4]], None, "values of metric 'loss', place 0"),
        ([0, 1], np.zeros((2, 2)), None, "one dimension is needed, not of 2"),
        ([0, 1], np.array([1j, 0]), None, "values of metric 'loss', place 0"),
        ([0, 1], pd.Series([1, None], dtype="Int64"), None, "values of metric 'loss', place 1"),
        ([0, 1], [1, 2], [5, -3], "timestamps of metric 'loss', place 1: -3 is negative"),
        ([0, 1], [1, 2], np.array(["2024-01-01", "2024-01-02"], dtype="datetime64[ms]"), "timestamps of metric 'loss', place 0"),
        ([0, 1], [1, 2, 3], None, "2 steps, 3 values; a series"),
        ([0, 1], [1, 2], [1], "2 steps, 2 values, 1 timestamps"),
        ([0, 1], 0.5, None, "values of metric 'loss': a list, an array or the like is needed, not float"),
        (3, [1, 2], None, "steps of metric 'loss': a list"),
        ([0, 1], b"12", None, "not bytes"),
        ("01", [1, 2], None, "not str"),
        (None, [1, 2], None, "not NoneType"),
    ],
)
def test_the_error_names_the_first_bad_place(steps: Any, values: Any, timestamps: Any, told: str) -> None:
    with pytest.raises(InvalidValue, match=told):
        points_from("loss", steps, values, timestamps, now=NOW)


def test_a_bad_name_is_told_before_anything_else() -> None:
    with pytest.raises(InvalidName):
        points_from("a//b", None, None, now=NOW)
