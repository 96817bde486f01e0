"""Long columns to bytes and back, each in the way that suits it."""

from __future__ import annotations

import math
import random
import struct
from array import array
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from drupe.entities import Points
from drupe_store_sql.planes import pack, unpack

INT64 = st.integers(-(2**63), 2**63 - 1)
COLUMN = st.one_of(
    st.lists(INT64, min_size=30, max_size=30),
    st.builds(lambda start, stride: [start + stride * n for n in range(30)], st.integers(-(10**9), 10**9), st.integers(-5, 5)),
    st.builds(
        lambda start, steps: [start + step for step in steps],
        st.integers(0, 2**40),
        st.lists(st.integers(0, 300), min_size=30, max_size=30),
    ),
)
DOUBLES = st.binary(min_size=8, max_size=8).map(lambda raw: struct.unpack("<d", raw)[0])


def columns(points: Points) -> tuple[bytes, bytes, bytes]:
    return points.steps.tobytes(), points.timestamps.tobytes(), points.values.tobytes()


@settings(deadline=None)
@given(COLUMN, COLUMN, st.lists(DOUBLES, min_size=30, max_size=30) | st.just([0.25] * 30))
def test_columns_of_every_kind_come_back_bit_for_bit(steps: list[int], times: list[int], values: list[float]) -> None:
    points = Points(array("q", steps), array("q", times), array("d", values))
    assert columns(unpack(pack(points))) == columns(points)


def _curve(count: int) -> Points:
    chance = random.Random(count)
    times = array("q", [1_700_000_000_000])
    for _ in range(count - 1):
        times.append(times[-1] + 40 + chance.randrange(20))
    return Points(array("q", range(count)), times, array("d", (2 / (1 + n / 500) + chance.gauss(0, 0.05) for n in range(count))))


@pytest.mark.parametrize("count", [256, 512, 8192, 20_000])
def test_a_curve_with_noise_comes_back_and_takes_less_than_nine_bytes_a_point(count: int) -> None:
    points = _curve(count)
    packed = pack(points)
    assert columns(unpack(packed)) == columns(points)
    assert len(packed) < 9 * count


def test_what_ascends_evenly_or_stays_costs_next_to_nothing() -> None:
    points = Points(array("q", range(0, 80_000, 10)), array("q", [1_700_000_000_000]) * 8000, array("d", [math.nan]) * 8000)
    packed = pack(points)
    assert len(packed) < 70
    assert columns(unpack(packed)) == columns(points)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_damaged_bytes_are_points_or_a_value_error(data: Any) -> None:
    packed = bytearray(pack(_curve(600)))
    for _ in range(data.draw(st.integers(1, 3))):
        packed[data.draw(st.sampled_from([*range(60), *range(60, len(packed), 97)]))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.none() | st.integers(0, len(packed)))
    try:
        found = unpack(bytes(packed[:cut]))
    except ValueError:
        return
    assert len(found.steps) == len(found.timestamps) == len(found.values)


def test_bytes_that_tell_of_more_points_than_there_can_be_are_refused_before_room_is_made_for_them() -> None:
    with pytest.raises(ValueError, match="4294967295 points"):
        unpack(b"\xff\xff\xff\xff" + pack(_curve(300))[4:])
