"""What is told of a series, from all of its points: its summary, and a sample of it. The oracle of every store; for `memory_tracking`."""

from __future__ import annotations

import math
from collections.abc import Sequence

from drupe.entities.metrics import rank

__all__ = ["bucket_width", "sample"]

_Point = tuple[int, int, float]  # step, timestamp, value


def bucket_width(low: int, high: int, buckets: int) -> int:
    """The narrowest power of two whose multiples cut the steps from `low` to `high` into at most `buckets` ranges; 2**64 joins all."""
    width = 1
    while high // width - low // width >= buckets and width < 2**64:
        width *= 2
    return width


def sample(points: Sequence[_Point], width: int) -> list[_Point]:
    """The lowest, highest and last point of each range of `width` steps; `points` are sorted by rank."""
    groups: dict[int, list[_Point]] = {}
    for point in points:
        groups.setdefault(point[0] // width if width < 2**64 else 0, []).append(point)
    chosen: list[_Point] = []
    for group in groups.values():
        numbers = [point for point in group if not math.isnan(point[2])] or group
        kept = {min(numbers, key=lambda point: point[2]), max(numbers, key=lambda point: point[2]), group[-1]}
        chosen += sorted(kept, key=lambda point: rank(*point))
    return chosen
