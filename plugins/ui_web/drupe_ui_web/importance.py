"""How much a param tells of a metric, over runs: two measures of ranks, which no outlier and no scale of the values can bend.

`strength` is eta squared of the metric's ranks, the share of their variance that lies between groups of runs (Kerlinger 1964; on ranks it is
the effect size of Kruskal and Wallis' test, H / (n - 1)): sum of n_g (mean_g - mean)^2 over sum of (rank - mean)^2. Groups are the values of
the param, or, of a number with more than `BINS` values, its quantile bins. By chance alone about (groups - 1) / (n - 1) is expected; that
much is taken off and the rest scaled to 0..1, which is Kelley's (1935) epsilon squared: 1 - (1 - eta²) (n - 1) / (n - groups).

`correlation` is Spearman's: Pearson's correlation of the ranks, with the mean rank for equals; only of params that are numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from attrs import frozen

__all__ = ["BINS", "Importance", "as_finite", "eta_squared", "groups_of", "importance_of", "ranks", "spearman"]

BINS = 8
LEAST_RUNS = 3


@frozen
class Importance:
    """What one param tells of a metric. `strength` is 0..1, `correlation` -1..1; `runs` have both, in `groups` different groups."""

    strength: float
    correlation: float | None
    runs: int
    groups: int


def importance_of(param: Sequence[str | float | None], metric: Sequence[float | None]) -> Importance | None:
    """The importance of a param for a metric, both aligned by run; None for less than `LEAST_RUNS` runs with both, or where one never changes.

    Params are numbers where all of them are; metrics that are not finite are left out.
    """
    pairs = [(p, m) for p, m in zip(param, metric, strict=True) if p is not None and m is not None and math.isfinite(m)]
    if len(pairs) < LEAST_RUNS:
        return None
    numbers = as_finite([p for p, _ in pairs])
    groups = groups_of([p for p, _ in pairs] if numbers is None else numbers)
    ranked = ranks([m for _, m in pairs])
    count, different = len(pairs), len(set(groups))
    eta = eta_squared(ranked, groups)
    if eta is None or different < 2:
        return None
    strength = 0.0 if count == different else max(0.0, 1 - (1 - eta) * (count - 1) / (count - different))
    correlation = None if numbers is None else spearman(numbers, [m for _, m in pairs])
    return Importance(strength, correlation, count, different)


def as_finite(values: Sequence[str | float]) -> list[float] | None:
    """The values as numbers; None when one is none, or is not finite."""
    try:
        numbers = [float(value) for value in values]
    except ValueError:
        return None
    return numbers if all(math.isfinite(number) for number in numbers) else None


def groups_of(values: Sequence[str | float]) -> list[int]:
    """The number of each value's group: equals together, and of more than `BINS` numbers the neighbours, with as many values in each as can be."""
    different = sorted(set(values), key=lambda value: (isinstance(value, str), value))
    if len(different) <= BINS or isinstance(different[-1], str):
        place = {value: n for n, value in enumerate(different)}
        return [place[value] for value in values]
    ranked = ranks([float(value) for value in values])
    return [min(BINS - 1, int((rank - 1) * BINS / len(values))) for rank in ranked]


def ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1 on; equals have the mean of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    found = [0.0] * len(values)
    first = 0
    while first < len(order):
        last = first
        while last + 1 < len(order) and values[order[last + 1]] == values[order[first]]:
            last += 1
        for place in order[first : last + 1]:
            found[place] = (first + last) / 2 + 1
        first = last + 1
    return found


def eta_squared(values: Sequence[float], groups: Sequence[int]) -> float | None:
    """The share of the variance of values that lies between groups; None where the values are all equal."""
    mean = math.fsum(values) / len(values)
    whole = math.fsum((value - mean) ** 2 for value in values)
    if whole == 0:
        return None
    members: dict[int, list[float]] = {}
    for value, group in zip(values, groups, strict=True):
        members.setdefault(group, []).append(value)
    return math.fsum(len(own) * (math.fsum(own) / len(own) - mean) ** 2 for own in members.values()) / whole


def spearman(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Spearman's rank correlation; None where one of both never changes."""
    first, second = ranks(one), ranks(other)
    mean = (len(one) + 1) / 2
    product = math.fsum((a - mean) * (b - mean) for a, b in zip(first, second, strict=True))
    squares = math.fsum((a - mean) ** 2 for a in first) * math.fsum((b - mean) ** 2 for b in second)
    return None if squares == 0 else max(-1.0, min(1.0, product / math.sqrt(squares)))
