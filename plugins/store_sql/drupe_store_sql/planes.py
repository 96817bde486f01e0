"""Three columns of hundreds or thousands of points, each packed in the way that suits it.

A column begins with a byte:

* 0: `start` and `stride`, 8 bytes each, for numbers that ascend evenly or are all equal
* 1: the first number, then planes of the differences
* 2: planes of the numbers as they are

There are eight planes, of the lowest bytes, the second bytes, … The high ones of differences are all alike, the low ones of a curve that was
measured are noise. So each plane begins with a byte too: 0: one byte that stands for all; 1: the bytes as they are, where compressing
would be a waste of time; 2: the length of what follows (4 bytes), and the bytes deflated.
"""

from __future__ import annotations

import struct
import zlib

from drupe.entities import Points
from drupe.entities.endian import from_little_endian, to_little_endian
from drupe_store_sql.lanes import differences, evenly, running_sums, stride_of

__all__ = ["MOST", "pack", "unpack"]

EVEN, DIFFERENCES, NUMBERS = range(3)
SAME, PLAIN, DEFLATED = range(3)
MOST = 1 << 16  # points; damaged bytes must not make us reserve whatever they say
BARE = -15  # deflate without head and sum
TRIAL = 512  # bytes of a plane that are looked at before it is deflated
NOISE = 200  # different ones among them, from which on deflating saves less than a tenth; random ones have 221

_COUNT = struct.Struct("<I")
_EVEN = struct.Struct("<Bqq")
_FIRST = struct.Struct("<Bq")


def pack(points: Points, *, is_deflated: bool = True) -> bytes:
    """The bytes of 2 to MOST points; without deflating, which is most of the work, they are still half of what they were."""
    columns = (_ascending(to_little_endian(column), is_deflated) for column in (points.steps, points.timestamps))
    return b"".join((_COUNT.pack(len(points)), *columns, bytes((NUMBERS,)), _planes(to_little_endian(points.values), is_deflated)))


def unpack(packed: bytes) -> Points:
    """The points of these bytes. Raises ValueError when they are damaged."""
    try:
        (count,) = _COUNT.unpack_from(packed)
        if count > MOST:
            raise ValueError(f"packed columns tell of {count} points; {MOST} is the most there can be")
        steps, at = _column(packed, _COUNT.size, count)
        times, at = _column(packed, at, count)
        values, at = _column(packed, at, count)
    except (IndexError, OverflowError, struct.error, zlib.error) as fault:
        raise ValueError(f"packed columns are damaged: {fault}") from fault
    if at != len(packed) or not len(steps) == len(times) == len(values) == 8 * count:
        raise ValueError(f"packed columns of {count} points are damaged: they have {len(steps)}, {len(times)}, {len(values)} bytes")
    return Points(from_little_endian("q", steps), from_little_endian("q", times), from_little_endian("d", values))


def _ascending(column: bytes, is_deflated: bool) -> bytes:
    """A column of numbers that usually ascend."""
    stride = stride_of(column)
    (first,) = struct.unpack_from("<q", column)
    if stride is not None:
        return _EVEN.pack(EVEN, first, stride)
    return _FIRST.pack(DIFFERENCES, first) + _planes(differences(column), is_deflated)


def _column(packed: bytes, at: int, count: int) -> tuple[bytes | bytearray, int]:
    """The column that is packed from `at` on, and where the next one begins."""
    kind = packed[at]
    if kind == EVEN:
        _, start, stride = _EVEN.unpack_from(packed, at)
        return evenly(start, stride, count), at + _EVEN.size
    if kind == NUMBERS:
        return _read_planes(packed, at + 1, count)
    if kind != DIFFERENCES:
        raise ValueError(f"column of unknown kind {kind}")
    found, end = _read_planes(packed, at + _FIRST.size, count - 1)
    return to_little_endian(running_sums(packed[at + 1 : at + _FIRST.size] + found)), end


def _planes(column: bytes, is_deflated: bool) -> bytes:
    packed: list[bytes] = []
    for place in range(8):
        plane = column[place::8]
        if plane.count(plane[0]) == len(plane):
            packed.append(bytes((SAME, plane[0])))
            continue
        is_noise = not is_deflated or (len(plane) >= TRIAL and len(set(plane[:TRIAL])) >= NOISE)
        deflated = plane if is_noise else zlib.compress(plane, 1, BARE)
        if len(deflated) + _COUNT.size < len(plane):
            packed += (bytes((DEFLATED,)), _COUNT.pack(len(deflated)), deflated)
        else:
            packed += (bytes((PLAIN,)), plane)
    return b"".join(packed)


def _read_planes(packed: bytes, at: int, count: int) -> tuple[bytearray, int]:
    column = bytearray(8 * count)
    for place in range(8):
        kind, at = packed[at], at + 1
        if kind == SAME:
            if packed[at]:
                column[place::8] = packed[at : at + 1] * count
            at += 1
        elif kind == PLAIN:
            column[place::8] = packed[at : at + count]
            at += count
        elif kind == DEFLATED:
            (length,) = _COUNT.unpack_from(packed, at)
            at += _COUNT.size
            column[place::8] = zlib.decompressobj(BARE).decompress(packed[at : at + length], count + 1)
            at += length
        else:
            raise ValueError(f"plane of unknown kind {kind}")
    return column, at
