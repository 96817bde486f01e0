"""Whole columns of 64-bit numbers in a few steps of C, without a loop over them in Python: a column is one big integer with 64-bit lanes.

Bytes go in and out, little-endian, eight for each number. Numbers are taken modulo 2**64, so that all fit.
"""

from __future__ import annotations

import struct
from array import array
from functools import cache
from itertools import accumulate

from drupe.entities.endian import from_little_endian
from drupe_store_sql import vectors

__all__ = ["differences", "evenly", "running_sums", "stride_of", "wrapped"]

LANES = 8192
"""How many numbers are worked on at a time: the integers of that size still fit into the processor's cache."""

_WIDTH = 8 * LANES
_TOP = 1 << 63


def evenly(start: int, stride: int, count: int) -> bytes:
    """The bytes of `start`, `start + stride`, …, `count` numbers that ascend or are all equal and fit 64 bits."""
    numpy = vectors.loaded(count)
    if numpy is not None:
        return vectors.evenly(numpy, start, stride, count)
    if count <= LANES:
        return _evenly(start, stride, count)
    return b"".join(_evenly(start + place * stride, stride, min(LANES, count - place)) for place in range(0, count, LANES))


def stride_of(column: bytes) -> int | None:
    """The difference between neighbours if it is the same everywhere and not negative; None otherwise. For two numbers or more."""
    first, second = struct.unpack_from("<qq", column)
    (last,) = struct.unpack_from("<q", column, len(column) - 8)
    count, stride = len(column) // 8, second - first
    if stride < 0 or first + stride * (count - 1) != last:
        return None
    blocks = range(0, len(column), _WIDTH)
    is_even = all(
        column[at : at + _WIDTH] == _evenly(first + at // 8 * stride, stride, min(_WIDTH, len(column) - at) // 8) for at in blocks
    )
    return stride if is_even else None


def differences(column: bytes) -> bytes:
    """Each number less the one before it; one fewer than the numbers of the column."""
    if len(column) <= _WIDTH:
        return _differences(column)
    return b"".join(_differences(column[at : at + _WIDTH + 8]) for at in range(0, len(column) - 8, _WIDTH))


def running_sums(column: bytes | bytearray) -> array[int]:
    """The sum of the numbers up to each place: what undoes `differences`, with the first number in front of them."""
    numpy = vectors.loaded(len(column) // 8)
    if numpy is not None:
        return vectors.running_sums(numpy, column)
    numbers = from_little_endian("q", column)
    try:
        return array("q", accumulate(numbers))
    except OverflowError:
        return array("q", map(wrapped, accumulate(numbers)))


def wrapped(number: int) -> int:
    """`number` modulo 2**64, as a signed 64-bit number."""
    return (number + _TOP) % (1 << 64) - _TOP


def _evenly(start: int, stride: int, count: int) -> bytes:
    ones, ramp, tops = _constants()
    if count < LANES:
        mask = (1 << 64 * count) - 1
        ones, ramp, tops = ones & mask, ramp & mask, tops & mask
    # with the top bit flipped, the order of the numbers is that of unsigned ones, and no lane spills into the next
    return ((ones * (start + _TOP) + ramp * stride) ^ tops).to_bytes(8 * count, "little")


def _differences(column: bytes) -> bytes:
    width = len(column) - 8
    _, _, tops = _constants()
    whole = (1 << 8 * width) - 1
    tops &= whole
    number, before = int.from_bytes(column[8:], "little"), int.from_bytes(column[:-8], "little")
    # a borrow stops at the top bit of its lane, which is set for it and put right afterwards
    return (((number | tops) - (before & (whole ^ tops))) ^ ((number ^ before ^ whole) & tops)).to_bytes(width, "little")


@cache
def _constants() -> tuple[int, int, int]:
    """A 1 in every lane; 0, 1, 2, …; the top bit of every lane."""
    ones = int.from_bytes(b"\x01\0\0\0\0\0\0\0" * LANES, "little")
    ramp = int.from_bytes(struct.pack(f"<{LANES}q", *range(LANES)), "little")
    return ones, ramp, ones << 63
