"""Points of a series to bytes and back: what a row of `chunks` holds. No numpy: the loops run inside array, itertools, zlib and `lanes`.

The first byte says which form follows, all little-endian; the next four are the CRC-32 of that byte and of all that follows, because
SQLite has no checksums of its own and a flipped bit of a value would otherwise be an answer like any other:

* 2: the columns steps, timestamps, values as they are, 8 bytes each - for a handful of points
* 3: deflate of the three columns, steps and timestamps as differences from the one before; each column is transposed (all lowest bytes,
  then all second bytes, …), so that the equal high bytes lie side by side and cost next to nothing - for some dozens
* 4: the three columns one by one, each in the way that suits it; see `planes` - for hundreds and thousands
* 0 and 1 are 2 and 3 as schema version 1 wrote them, without a CRC (1 has zlib's own sum); they are still read

Differences are taken modulo 2**64, so every 64-bit number survives. Values survive bit for bit, NaN and infinities included.
"""

from __future__ import annotations

import zlib
from array import array
from operator import sub

from drupe.entities import Points
from drupe.entities.endian import from_little_endian, to_little_endian
from drupe_store_sql import planes, vectors
from drupe_store_sql.lanes import running_sums, wrapped

__all__ = ["decode", "encode"]

PLAIN, ZIPPED, RAW, PACKED, PLANES = b"\x00", b"\x01", b"\x02", b"\x03", b"\x04"
BARE = -15  # deflate without zlib's head and sum, which the CRC makes needless
FEW = 8  # below this many points, zlib's own bytes cost more than they save
MANY = 256  # below this, looking at each column by itself costs more than it saves


def encode(points: Points, *, for_now: bool = False) -> bytes:
    """The bytes of these points, in the order given. What is kept `for_now`, until it is put together with others, is not deflated."""
    if (FEW if for_now else MANY) <= len(points) <= planes.MOST:
        return _sealed(PLANES, planes.pack(points, is_deflated=not for_now))
    if len(points) < FEW:
        return _sealed(RAW, b"".join(to_little_endian(column) for column in (points.steps, points.timestamps, points.values)))
    columns = (_differences(points.steps), _differences(points.timestamps), points.values)
    return _sealed(PACKED, zlib.compress(b"".join(_transposed(to_little_endian(column)) for column in columns), 1, BARE))


def decode(stored: bytes) -> Points:
    """The points of these bytes. Raises ValueError when they are damaged."""
    form = stored[:1]
    if form in (RAW, PACKED, PLANES):
        content = stored[5:]
        if int.from_bytes(stored[1:5], "little") != zlib.crc32(content, zlib.crc32(form)):
            raise ValueError("the points do not fit their CRC-32")
    elif form in (PLAIN, ZIPPED):
        content = stored[1:]
    else:
        raise ValueError(f"points of unknown form {form!r}")
    if form == PLANES:
        return planes.unpack(content)
    if form in (RAW, PLAIN):
        steps, timestamps, values = _thirds(content)
        return Points(from_little_endian("q", steps), from_little_endian("q", timestamps), from_little_endian("d", values))
    try:
        columns = zlib.decompress(content, BARE if form == PACKED else zlib.MAX_WBITS)
    except zlib.error as fault:
        raise ValueError(f"packed points are damaged: {fault}") from fault
    steps, timestamps, values = _thirds(columns)
    numpy = vectors.loaded(len(columns) // 8)
    if numpy is not None:
        return vectors.packed(numpy, columns)
    return Points(
        running_sums(_untransposed(steps)), running_sums(_untransposed(timestamps)), from_little_endian("d", _untransposed(values))
    )


def _sealed(form: bytes, content: bytes) -> bytes:
    return form + zlib.crc32(content, zlib.crc32(form)).to_bytes(4, "little") + content


def _thirds(stored: bytes) -> tuple[bytes, bytes, bytes]:
    width, rest = divmod(len(stored), 3)
    if rest or width % 8:
        raise ValueError(f"{len(stored)} bytes are not three columns of 8-byte numbers")
    return stored[:width], stored[width : 2 * width], stored[2 * width :]


def _transposed(stored: bytes) -> bytes:
    return b"".join(stored[place::8] for place in range(8))


def _untransposed(stored: bytes) -> bytearray:
    count = len(stored) // 8
    found = bytearray(len(stored))
    for place in range(8):
        found[place::8] = stored[place * count : (place + 1) * count]
    return found


def _differences(column: array[int]) -> array[int]:
    try:
        return array("q", (column[0], *map(sub, column[1:], column)))
    except OverflowError:
        return array("q", map(wrapped, (column[0], *map(sub, column[1:], column))))
