"""What is told of a series, from all of its points: its summary, and a sample of it. The oracle of every store; for `memory_tracking`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from drupe.entities.metrics import MetricSummary, rank

__all__ = ["bucket_width", "sample", "summarize"]

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


def summarize(points: Iterable[tuple[int, int, float]]) -> MetricSummary:
    """The summary of a series from all of its (step, timestamp, value), at least one; see MetricSummary for what each number means."""
    ordered = sorted(points, key=lambda point: rank(*point))
    numbers = [(value, step) for step, _, value in ordered if not math.isnan(value)]
    lowest = min(numbers, default=(math.nan, None))  # of equal values the lowest step
    highest = max(numbers, key=lambda pair: (pair[0], -pair[1]), default=(math.nan, None))
    last_step, last_timestamp, last = ordered[-1]
    return MetricSummary(
        count=len(ordered),
        first=ordered[0][2],
        last=last,
        last_step=last_step,
        last_timestamp=last_timestamp,
        min=lowest[0],
        max=highest[0],
        mean=sum(value for value, _ in numbers) / len(numbers) if numbers else math.nan,
        argmin=lowest[1],
        argmax=highest[1],
    )
