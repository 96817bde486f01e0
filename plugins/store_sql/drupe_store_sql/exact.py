"""Sums of floats that do not depend on the order of adding: the exact total of a series, kept as a few bytes.

A total is a short list of doubles whose mathematical sum is the exact sum of all values (two or three for ordinary data). Where a double
overflows, it is kept as one whole number of 2**-1074 instead, the unit of which every double is a multiple. Only finite values go in;
who has infinities knows the mean without adding.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Collection, Iterable
from fractions import Fraction

from drupe.entities.endian import from_little_endian, to_little_endian

__all__ = ["EMPTY", "add", "mean"]

EMPTY = b""
_UNIT = 1074  # 2**-1074 is the smallest double
_WHOLE = b"i"  # leads a whole number; told apart by the length, since plain doubles are a multiple of eight bytes


def add(total: bytes, values: Collection[float]) -> bytes | None:
    """The total of what `total` holds and `values`; None when not all of these are finite."""
    if _is_whole(total):
        return _add_whole(_read_whole(total), values)
    rest = [*from_little_endian("d", total), *values]
    parts = array("d")
    try:
        while part := math.fsum(rest):  # correctly rounded, so what remains is at most half a unit of it in the last place
            if not math.isfinite(part):
                return None
            parts.append(part)
            rest.append(-part)
    except OverflowError:  # the sum does not fit a double
        return _add_whole(0, (*from_little_endian("d", total), *values))
    except ValueError:  # infinities of both signs
        return None
    return to_little_endian(parts)


def mean(total: bytes, count: int) -> float:
    """The total divided by `count`, which is at least 1."""
    if _is_whole(total):
        whole = Fraction(_read_whole(total), 1 << _UNIT)
        try:
            return float(whole) / count  # rounded twice, as below: which form a total has depends on the order of adding
        except OverflowError:
            return float(whole / count)
    return math.fsum(from_little_endian("d", total)) / count


def _is_whole(total: bytes) -> bool:
    return len(total) % 8 == 1


def _read_whole(total: bytes) -> int:
    return int.from_bytes(total[1:], "little", signed=True)


def _add_whole(whole: int, values: Iterable[float]) -> bytes | None:
    for value in values:
        if not math.isfinite(value):
            return None
        numerator, denominator = value.as_integer_ratio()  # the denominator is a power of two
        whole += (numerator << _UNIT) // denominator
    length = whole.bit_length() // 8 + 1
    return _WHOLE + whole.to_bytes(length + -length % 8, "little", signed=True)
