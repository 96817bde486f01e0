"""Down-sampling a series for a chart: the lowest, highest and last point of every bucket, so that no spike is lost.

A bucket is a range of 2**level steps that begins at a multiple of its width, so a bucket of one level is made of whole buckets of every
finer level, and what a sample keeps of those is enough to sample them again. That is what chunks keep a sample of themselves for.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from math import isnan

from drupe.entities import Points
from drupe_store_sql import vectors

__all__ = ["WHOLE", "level_for", "sample"]

CROWD = 24  # points in a bucket, from which on a slice for each bucket is quicker than a look at each point
WHOLE = 64
"""The level at which all steps are one bucket; below it, zero is always a border."""


def level_for(low: int, high: int, buckets: int) -> int:
    """The finest level that cuts the steps from `low` to `high` into at most `buckets` buckets."""
    level = max(0, ((high - low) // buckets).bit_length() - 1)
    while level < WHOLE and (high >> level) - (low >> level) >= buckets:
        level += 1
    return level


def sample(points: Points, level: int) -> Points:
    """At most three points for each bucket of this level, by rank; `points` are sorted by rank.

    NaN is chosen only as the last point of a bucket, or when a bucket has nothing else.
    """
    steps, times, values = points.steps, points.timestamps, points.values
    if not len(steps):
        return points
    numpy = vectors.loaded(len(steps))
    if numpy is not None and level < WHOLE:
        return vectors.sample(numpy, points, level)
    span = (steps[-1] >> level) - (steps[0] >> level) + 1
    chosen = _place_by_place(points, level) if len(steps) < CROWD * span and level < WHOLE else _bucket_by_bucket(points, level)
    return Points(
        array("q", map(steps.__getitem__, chosen)), array("q", map(times.__getitem__, chosen)), array("d", map(values.__getitem__, chosen))
    )


def _bucket_by_bucket(points: Points, level: int) -> list[int]:
    """The places of the chosen points: quick where many points share a bucket, since the loops over them run in C."""
    steps, values = points.steps, points.values
    may_have_nan = isnan(sum(values))  # or infinities of both signs; four times quicker than looking at each
    chosen: list[int] = []
    begin, count = 0, len(steps)
    while begin < count:
        end = count if level >= WHOLE else bisect_left(steps, ((steps[begin] >> level) + 1) << level, begin)
        part = values[begin:end]
        numbers = [value for value in part if value == value] if may_have_nan else part
        if numbers:
            chosen += sorted({begin + part.index(min(numbers)), begin + part.index(max(numbers)), end - 1})
        else:
            chosen += (begin, end - 1) if begin < end - 1 else (begin,)
        begin = end
    return chosen


def _place_by_place(points: Points, level: int) -> list[int]:
    """The same, quick where a bucket has a few points."""
    chosen: list[int] = []
    bucket = points.steps[0] >> level
    lowest = highest = place = 0
    low = high = points.values[0]
    for place, (step, value) in enumerate(zip(points.steps, points.values, strict=True)):
        if step >> level != bucket:
            chosen += _in_order(lowest, highest, place - 1)
            bucket, low, high, lowest, highest = step >> level, value, value, place, place
        elif value < low:
            low, lowest = value, place
        elif value > high:
            high, highest = value, place
        elif low != low and value == value:  # nothing but NaN so far
            low, high, lowest, highest = value, value, place, place
    chosen += _in_order(lowest, highest, place)
    return chosen


def _in_order(one: int, other: int, last: int) -> tuple[int, ...]:
    """The different ones of three places, of which the last is the greatest."""
    if one == other:
        return (one,) if one == last else (one, last)
    if other < one:
        one, other = other, one
    return (one, other) if other == last else (one, other, last)
