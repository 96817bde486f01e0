"""Points to bytes and back."""

from __future__ import annotations

import math
import struct
import zlib
from array import array

import numpy
import pytest
from hypothesis import given, settings, strategies as st

from drupe.entities import Points
from drupe_store_sql.codec import decode, encode

INT64 = st.integers(-(2**63), 2**63 - 1)
DOUBLES = st.binary(min_size=8, max_size=8).map(lambda raw: struct.unpack("<d", raw)[0])  # every NaN there is, too
POINTS = st.lists(st.tuples(INT64, INT64, DOUBLES), max_size=60).map(Points.of)


def columns(points: Points) -> tuple[bytes, bytes, bytes]:
    return points.steps.tobytes(), points.timestamps.tobytes(), points.values.tobytes()


@given(POINTS)
def test_points_come_back_bit_for_bit(points: Points) -> None:
    assert columns(decode(encode(points))) == columns(points)


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 255, 256, 1000, 70_000])
def test_the_extremes_of_64_bits_survive_at_every_length(count: int) -> None:
    extremes = [-(2**63), 2**63 - 1, 0, -1]
    points = Points.of((extremes[n % 4], extremes[(n + 1) % 4], (math.nan, math.inf, -math.inf, -0.0)[n % 4]) for n in range(count))
    assert columns(decode(encode(points))) == columns(points)


@pytest.mark.parametrize("has_numpy", [False, True])
@given(st.lists(st.tuples(INT64, INT64, DOUBLES), min_size=86, max_size=100).map(Points.of))
@settings(max_examples=30, deadline=None)
def test_points_come_back_bit_for_bit_with_numpy_and_without(has_numpy: bool, points: Points) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("drupe_store_sql.vectors.loaded", lambda count: numpy if has_numpy else None)
        assert columns(decode(encode(points))) == columns(points)


def test_bytes_are_the_same_on_every_machine() -> None:
    columns = struct.pack("<qqd", 1, 2, 0.5)
    assert encode(Points.of([(1, 2, 0.5)])) == b"\x02" + struct.pack("<I", zlib.crc32(b"\x02" + columns)) + columns


def test_points_that_the_first_schema_wrote_are_still_read() -> None:
    plain = b"\x00" + struct.pack("<qqd", 1, 2, 0.5)
    assert list(decode(plain)) == [(1, 2, 0.5)]
    columns = [struct.pack("<9q", 5, *[1] * 8), struct.pack("<9q", *[0] * 9), struct.pack("<9d", *[0.5] * 9)]
    zipped = b"\x01" + zlib.compress(b"".join(b"".join(column[place::8] for place in range(8)) for column in columns), 1)
    assert list(decode(zipped)) == [(step, 0, 0.5) for step in range(5, 14)]


@pytest.mark.parametrize("count", [1, 7, 8, 600])
def test_no_flipped_bit_of_the_stored_bytes_goes_unnoticed(count: int) -> None:
    stored = encode(Points.of((n, 1_700_000_000_000 + n, n / 3) for n in range(count)))
    for place in range(len(stored)):
        for bit in range(8) if place < 6 else (0, 3, 7):
            flipped = stored[:place] + bytes([stored[place] ^ 1 << bit]) + stored[place + 1 :]
            with pytest.raises(ValueError):
                decode(flipped)


def test_a_training_curve_takes_less_than_ten_bytes_a_point() -> None:
    clock = [1_700_000_000_000 + 37 * n + (n * 7919) % 11 for n in range(512)]
    curve = Points(
        array("q", range(512)), array("q", clock), array("d", (2.3 * math.exp(-n / 90) + 0.01 * math.sin(n) for n in range(512)))
    )
    assert len(encode(curve)) < 10 * 512


@pytest.mark.parametrize(
    "damaged", [b"", b"\x07abc", b"\x02abc", b"\x00abc", b"\x01not zlib", encode(Points.of([(n, n, 0.5) for n in range(99)]))[:-9]]
)
def test_damaged_bytes_are_noticed(damaged: bytes) -> None:
    with pytest.raises(ValueError):
        decode(damaged)
