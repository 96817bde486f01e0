"""Putting sorted parts of one series together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from drupe.entities import Points
from drupe.entities.metrics import rank
from drupe_store_sql.summary import first_rank, last_rank

__all__ = ["by_rank"]


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
