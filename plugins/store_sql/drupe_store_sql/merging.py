"""Cutting sorted points of one series, and putting them together."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise

from drupe.entities import Points
from drupe.entities.metrics import rank
from drupe_store_sql.summary import first_rank, last_rank

__all__ = ["between", "by_rank"]


def between(points: Points, low: int, high: int) -> Points:
    """Those of the sorted points, at least one, that have steps from `low` to `high`."""
    steps = points.steps
    if low <= steps[0] and steps[-1] <= high:
        return points
    begin, end = bisect_left(steps, low), bisect_right(steps, high)
    return Points(steps[begin:end], points.timestamps[begin:end], points.values[begin:end])


def by_rank(parts: Sequence[Points]) -> Points:
    """The points of sorted parts, none of them empty, as one, by rank. Parts that do not overlap, the usual case, are put end to end."""
    if len(parts) == 1:
        return parts[0]
    joined = Points()
    for part in parts:
        joined.extend(part)
    if all(last_rank(before) <= first_rank(after) for before, after in pairwise(parts)):
        return joined
    if any(map(math.isnan, joined.values)):
        return Points.of(sorted(joined, key=lambda point: rank(*point)))
    return Points.of(sorted(joined))  # without NaN, the order of the triples is that of their ranks
