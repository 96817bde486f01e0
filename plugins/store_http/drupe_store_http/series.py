"""Thinning a series here, for servers that do not: each range of steps keeps its lowest, highest and last point. See `TrackingStore.metric_bulk`."""

from __future__ import annotations

import math
from collections.abc import Iterable

from drupe.entities import Points
from drupe.entities.metrics import rank

__all__ = ["series_points"]

_Point = tuple[int, int, float]
_JOINS_ALL = 2**64


def series_points(points: Iterable[_Point], *, buckets: int | None, first_step: int | None, last_step: int | None) -> tuple[Points, bool]:
    """The (step, timestamp, value) points between two steps in their order, thinned to `buckets` ranges where there are many; whether they are."""
    chosen = sorted(
        {
            rank(*point): point
            for point in points
            if (first_step is None or point[0] >= first_step) and (last_step is None or point[0] <= last_step)
        }.items()
    )
    ordered = [point for _, point in chosen]
    if buckets is None or len(ordered) <= 3 * buckets:
        return Points.of(ordered), False
    low, high = ordered[0][0], ordered[-1][0]
    width = 1
    while high // width - low // width >= buckets and width < _JOINS_ALL:
        width *= 2
    ranges: dict[int, list[_Point]] = {}
    for point in ordered:
        ranges.setdefault(0 if width >= _JOINS_ALL else point[0] // width, []).append(point)
    return Points.of(point for group in ranges.values() for point in _kept(group)), True


def _kept(group: list[_Point]) -> list[_Point]:
    numbers = [point for point in group if not math.isnan(point[2])] or group
    kept = {min(numbers, key=lambda point: point[2]), max(numbers, key=lambda point: point[2]), group[-1]}
    return sorted(kept, key=lambda point: rank(*point))
