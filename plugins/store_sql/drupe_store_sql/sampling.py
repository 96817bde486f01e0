"""Down-sampling a series for a chart: the lowest, highest and last point of every bucket, so that no spike is lost."""

from __future__ import annotations

from bisect import bisect_left

from drupe.entities import Points

__all__ = ["sample"]


def sample(points: Points, buckets: int) -> Points:
    """At most three points for each of `buckets` equally wide ranges of steps, by rank; `points` are sorted by rank, at least one.

    NaN is chosen only as the last point of a bucket, or when a bucket has nothing else.
    """
    steps, values = points.steps, points.values
    start, width = steps[0], steps[-1] - steps[0] + 1
    chosen = Points()
    begin = 0
    while begin < len(steps):
        bucket = (steps[begin] - start) * buckets // width
        beyond = start - (-(bucket + 1) * width // buckets)  # the first step of the next bucket
        end = bisect_left(steps, beyond, begin)
        numbers = [place for place in range(begin, end) if values[place] == values[place]] or [begin, end - 1]
        lowest, highest = min(numbers, key=values.__getitem__), max(numbers, key=values.__getitem__)
        for place in sorted({lowest, highest, end - 1}):
            chosen.append(steps[place], points.timestamps[place], values[place])
        begin = end
    return chosen
