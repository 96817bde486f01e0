"""The summary row of a series."""

from __future__ import annotations

import math
from random import Random

import pytest
from attrs import asdict
from hypothesis import given, strategies as st

from drupe.entities import Points
from drupe.entities.metrics import rank
from drupe.testing.memory_series import summarize
from drupe_store_sql.summary import COLUMNS, Rank, Row, to_summary


def place(point: tuple[int, int, float]) -> Rank:
    return rank(*point)


VALUES = st.sampled_from([0.0, 0.5, -0.5, 1.0, math.nan, math.inf, -math.inf])
POINT = st.tuples(st.integers(-3, 3), st.integers(0, 3), VALUES)
POINTS = st.lists(POINT, min_size=1, max_size=12, unique_by=place)


def row_of(batches: list[list[tuple[int, int, float]]]) -> Row:
    row: Row | None = None
    for batch in batches:
        points = Points.of(sorted(batch, key=place))
        row = row or Row.before(points)
        row.add(points)
    assert row is not None
    return row


@given(POINTS, st.integers(0, 2**32))
def test_the_row_is_the_same_whatever_the_order_of_arrival(points: list[tuple[int, int, float]], seed: int) -> None:
    shuffled = points[:]
    Random(seed).shuffle(shuffled)
    assert asdict(row_of([[point] for point in shuffled])) == asdict(row_of([points]))


@given(POINTS)
def test_the_summary_is_that_of_the_oracle(points: list[tuple[int, int, float]]) -> None:
    row = row_of([[point] for point in points])
    found = to_summary(*(getattr(row, name) for name in COLUMNS))
    assert repr(found) == repr(summarize(points))


@pytest.mark.parametrize(
    ("values", "expected"),
    [([1.0, math.inf], math.inf), ([1.0, -math.inf], -math.inf), ([math.inf, -math.inf], None), ([math.nan], None), ([math.nan, 2.0], 2.0)],
)
def test_the_mean_of_infinities_and_nan(values: list[float], expected: float | None) -> None:
    assert row_of([[(step, 0, value)] for step, value in enumerate(values)]).mean == expected
