"""Down-sampling a series for a chart: the lowest, highest and last point of every bucket, so that no spike is lost.

A bucket is a range of 2**level steps that begins at a multiple of its width, so a bucket of one level is made of whole buckets of every
finer level, and what a sample keeps of those is enough to sample them again. That is what chunks keep a sample of themselves for.
"""

from __future__ import annotations

from bisect import bisect_left

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
    chosen = Points()
    begin, count = 0, len(steps)
    while begin < count:
        end = count if level >= WHOLE else bisect_left(steps, ((steps[begin] >> level) + 1) << level, begin)
        numbers = [place for place in range(begin, end) if values[place] == values[place]] or [begin, end - 1]
        lowest, highest = min(numbers, key=values.__getitem__), max(numbers, key=values.__getitem__)
        for place in sorted({lowest, highest, end - 1}):
            chosen.append(steps[place], points.timestamps[place], values[place])
        begin = end
    return chosen
