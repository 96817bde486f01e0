"""Down-sampling a series for a chart: the lowest, highest and last point of every bucket, so that no spike is lost.

A bucket is a range of 2**level steps that begins at a multiple of its width, so a bucket of one level is made of whole buckets of every
finer level, and what a sample keeps of those is enough to sample them again. That is what chunks keep a sample of themselves for.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from math import isnan

from drupe.entities import Points

__all__ = ["WHOLE", "level_for", "sample"]

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
    steps, values = points.steps, points.values
    has_nan = any(map(isnan, values))
    chosen: list[int] = []
    begin, count = 0, len(steps)
    while begin < count:
        end = count if level >= WHOLE else bisect_left(steps, ((steps[begin] >> level) + 1) << level, begin)
        part = values[begin:end]
        numbers = [value for value in part if value == value] if has_nan else part
        if numbers:
            chosen += sorted({begin + part.index(min(numbers)), begin + part.index(max(numbers)), end - 1})
        else:
            chosen += (begin, end - 1) if begin < end - 1 else (begin,)
        begin = end
    times = points.timestamps
    return Points(
        array("q", map(steps.__getitem__, chosen)), array("q", map(times.__getitem__, chosen)), array("d", map(values.__getitem__, chosen))
    )
