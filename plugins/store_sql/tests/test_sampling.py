"""Down-sampling."""

from __future__ import annotations

import math

from hypothesis import given, strategies as st

from drupe.entities import Points
from drupe.entities.metrics import rank
from drupe.testing.memory_tracking import sample as oracle
from drupe_store_sql.sampling import sample
from drupe_store_sql.summary import Rank


def place(point: tuple[int, int, float]) -> Rank:
    return rank(*point)


VALUES = st.floats(width=16)
STEPS = st.one_of(st.integers(-50, 50), st.sampled_from([-(2**63), 2**63 - 1]))
POINTS = st.lists(st.tuples(STEPS, st.integers(0, 5), VALUES), min_size=1, max_size=80, unique_by=place)


@given(POINTS, st.integers(1, 12))
def test_the_chosen_points_are_those_of_the_oracle(points: list[tuple[int, int, float]], buckets: int) -> None:
    ordered = sorted(points, key=place)
    assert list(map(repr, sample(Points.of(ordered), buckets))) == list(map(repr, oracle(ordered, buckets)))


def test_a_spike_of_one_point_among_a_hundred_thousand_is_kept() -> None:
    points = Points.of((step, step, 100.0 if step == 77_777 else math.sin(step)) for step in range(100_000))
    assert 100.0 in sample(points, 50).values
    assert len(sample(points, 50)) <= 150
