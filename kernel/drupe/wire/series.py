"""Metric series as bytes: what a chart or a whole export is sent as. Text would cost more to write and to read than the points themselves.

`DRS1`, the length of a head as a little-endian 32-bit number, the head as JSON `{"series": [{"run_id", "key", "count", "is_sampled"}, …]}`, and for
each series its columns one after the other: `count` steps and as many timestamps as 64-bit integers, then values as 64-bit floats, little-endian.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from drupe.entities import Points, Series
from drupe.entities.endian import from_little_endian, to_little_endian
from drupe.errors import InvalidValue

__all__ = ["MEDIA_TYPE", "PackedSeries", "pack_series", "unpack_series"]

MEDIA_TYPE = "application/vnd.drupe.series"
_MAGIC = b"DRS1"
_WIDTH = 8


class PackedSeries(bytes):
    """The body of a reply that holds series."""


def pack_series(series: Iterable[Series]) -> PackedSeries:
    """The bytes of these series."""
    told, columns = [], []
    for one in series:
        points = one.points
        told.append({"run_id": one.run_id, "key": one.key, "count": len(points), "is_sampled": one.is_sampled})
        columns += [to_little_endian(column) for column in (points.steps, points.timestamps, points.values)]
    head = json.dumps({"series": told}).encode()
    return PackedSeries(b"".join((_MAGIC, len(head).to_bytes(4, "little"), head, *columns)))


def unpack_series(body: bytes) -> list[Series]:
    """The series in these bytes. Raises InvalidValue when they are none, or cut."""
    try:
        if body[:4] != _MAGIC:
            raise ValueError(f"they begin with {body[:4]!r}")
        at = 8 + int.from_bytes(body[4:8], "little")
        told = [
            (str(one["run_id"]), str(one["key"]), int(one["count"]), bool(one["is_sampled"])) for one in json.loads(body[8:at])["series"]
        ]
        expected = at + 3 * _WIDTH * sum(count for _, _, count, _ in told)
        if len(body) != expected or any(count < 0 for _, _, count, _ in told):
            raise ValueError(f"{len(body)} bytes, where the head tells of {expected}")
    except (ValueError, KeyError, TypeError) as fault:
        raise InvalidValue(f"these bytes are no packed series: {fault}") from fault
    found = []
    for run_id, key, count, is_sampled in told:
        steps, times, values = (body[at + n * _WIDTH * count : at + (n + 1) * _WIDTH * count] for n in range(3))
        at += 3 * _WIDTH * count
        points = Points(from_little_endian("q", steps), from_little_endian("q", times), from_little_endian("d", values))
        found.append(Series(run_id, key, points, is_sampled))
    return found
