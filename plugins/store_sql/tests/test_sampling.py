"""Down-sampling against the oracle, which groups all points by bucket and looks at every one."""

from __future__ import annotations

import numpy
from hypothesis import given, settings, strategies as st

from drupe.entities import Points
from drupe.entities.metrics import rank
from drupe.testing.comparison import plain
from drupe.testing.memory_series import bucket_width, sample as sample_of_oracle
from drupe_store_sql import vectors
from drupe_store_sql.sampling import WHOLE, level_for, sample

_steps = st.integers(-(2**63), 2**63 - 1) | st.integers(-8, 40) | st.integers(-500, 3000)
_values = st.sampled_from([0.0, -0.0, 1.0, -1.0, float("nan"), float("inf"), float("-inf")]) | st.floats()
_series = st.lists(st.tuples(_steps, st.integers(0, 2), _values), min_size=1, max_size=60)


def _sorted(points: list[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    return sorted({rank(*point): point for point in reversed(points)}.values(), key=lambda point: rank(*point))


@given(_series, st.integers(0, WHOLE))
@settings(max_examples=300, deadline=None)
def test_a_sample_is_what_looking_at_every_point_gives(points: list[tuple[int, int, float]], level: int) -> None:
    series = _sorted(points)
    assert plain(list(sample(Points.of(series), level))) == plain(sample_of_oracle(series, 2**level))


@given(_series, st.integers(0, WHOLE - 1))
@settings(max_examples=300, deadline=None)
def test_with_numpy_it_is_the_same(points: list[tuple[int, int, float]], level: int) -> None:
    series = _sorted(points)
    assert plain(list(vectors.sample(numpy, Points.of(series), level))) == plain(sample_of_oracle(series, 2**level))


@given(_steps, _steps, st.integers(1, 50) | st.integers(1, 2**64))
@settings(max_examples=300, deadline=None)
def test_the_level_is_the_finest_that_makes_no_more_buckets_than_asked_for(one: int, other: int, buckets: int) -> None:
    low, high = sorted((one, other))
    assert 2 ** level_for(low, high, buckets) == bucket_width(low, high, buckets)


@given(_series, st.integers(0, WHOLE), st.integers(0, WHOLE), st.integers(1, 4))
@settings(max_examples=300, deadline=None)
def test_samples_of_parts_are_enough_to_sample_the_whole(points: list[tuple[int, int, float]], fine: int, coarse: int, parts: int) -> None:
    fine, coarse = sorted((fine, coarse))
    series = _sorted(points)
    sampled = [point for part in range(parts) for point in sample(Points.of(series[part::parts]), fine)]
    assert plain(list(sample(Points.of(_sorted(sampled)), coarse))) == plain(list(sample(Points.of(series), coarse)))


def test_a_single_spike_among_ten_thousand_points_is_kept() -> None:
    points = Points.of((step, step, 1e6 if step == 7777 else 0.5) for step in range(10_000))
    chosen = sample(points, level_for(0, 9_999, 10))
    assert (7777, 7777, 1e6) in list(chosen)
    assert len(chosen) <= 30
