"""Arithmetic on whole columns, against the same with one number at a time."""

from __future__ import annotations

import struct
from array import array
from itertools import pairwise

import numpy
import pytest
from hypothesis import given, settings, strategies as st

from drupe_store_sql import vectors
from drupe_store_sql.lanes import LANES, differences, evenly, running_sums, stride_of, wrapped

INT64 = st.integers(-(2**63), 2**63 - 1)
COLUMNS = st.lists(INT64 | st.integers(-3, 3), min_size=2, max_size=40)


def column(numbers: list[int]) -> bytes:
    return array("q", numbers).tobytes()


@settings(deadline=None)
@given(COLUMNS)
def test_differences_are_those_of_whole_numbers_modulo_64_bits(numbers: list[int]) -> None:
    expected = [wrapped(after - before) for before, after in pairwise(numbers)]
    assert differences(column(numbers)) == column(expected)


@settings(deadline=None)
@given(COLUMNS)
def test_running_sums_undo_differences(numbers: list[int]) -> None:
    ascended = column(numbers[:1]) + differences(column(numbers))
    assert running_sums(ascended).tolist() == numbers
    assert vectors.running_sums(numpy, ascended).tolist() == numbers


@settings(deadline=None)
@given(INT64, st.integers(0, 2**64), st.integers(2, 60))
def test_numbers_that_ascend_evenly_have_a_stride_and_come_back_from_it(start: int, stride: int, count: int) -> None:
    stride = min(stride, (2**63 - 1 - start) // (count - 1))
    numbers = [start + place * stride for place in range(count)]
    assert evenly(start, stride, count) == column(numbers)
    assert stride_of(column(numbers)) == stride


@settings(deadline=None)
@given(INT64, st.integers(0, 2**56), st.integers(vectors.FEW, 300))
def test_with_numpy_they_are_the_same(start: int, stride: int, count: int) -> None:
    stride = max(0, min(stride, (2**63 - 1 - start) // (count - 1)))
    assert vectors.evenly(numpy, start, stride, count) == column([start + place * stride for place in range(count)])


@settings(deadline=None)
@given(COLUMNS)
def test_there_is_a_stride_only_where_all_differences_are_alike_and_none_is_negative(numbers: list[int]) -> None:
    steps = {after - before for before, after in pairwise(numbers)}
    expected = steps.pop() if len(steps) == 1 and min(steps) >= 0 else None
    assert stride_of(column(numbers)) == expected


@pytest.mark.parametrize("count", [2, LANES - 1, LANES, LANES + 1, LANES + 2, 2 * LANES, 3 * LANES + 5])
@pytest.mark.parametrize(("start", "stride"), [(0, 1), (-5_000, 1), (-(2**63), 2**48), (7, 0)])
def test_columns_longer_than_what_is_worked_on_at_a_time_are_no_different(count: int, start: int, stride: int) -> None:
    numbers = [start + place * stride for place in range(count)]
    assert evenly(start, stride, count) == column(numbers)
    assert stride_of(column(numbers)) == stride
    assert differences(column(numbers)) == column([stride] * (count - 1))
    numbers[count // 2] += 1
    assert stride_of(column(numbers)) == (stride + 1 if count == 2 else None)
    assert differences(column(numbers)) == column([after - before for before, after in pairwise(numbers)])


@given(st.lists(INT64, min_size=2, max_size=300))
@settings(max_examples=20, deadline=None)
def test_the_bytes_are_little_endian(numbers: list[int]) -> None:
    assert differences(struct.pack(f"<{len(numbers)}q", *([5] * len(numbers)))) == b"\0" * 8 * (len(numbers) - 1)
