"""What is kept of a series beside its points, as one row of `series`, and how new points change it.

The row is the same whatever the order in which the points arrived. Points are (step, timestamp, value); all that come in here are new:
finding out which ones the series already has is the work of `points`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from attrs import define

from drupe.entities import MetricSummary
from drupe.entities.metrics import rank
from drupe_store_sql import exact

__all__ = ["COLUMNS", "Point", "Rank", "Row", "as_number", "to_summary"]

Point = tuple[int, int, float]
Rank = tuple[int, int, float, bool]

NAN = math.nan
COLUMNS = ("count", "first", "last", "last_step", "last_ms", "min", "max", "mean", "argmin", "argmax")
"""What `to_summary` needs, in its order."""


@define
class Row:
    """A row of `series` without its key. None in a value column stands for NaN."""

    count: int
    nans: int
    first: float | None
    first_step: int
    first_ms: int
    last: float | None
    last_step: int
    last_ms: int
    min: float | None
    max: float | None
    argmin: int | None
    argmax: int | None
    mean: float | None
    total: bytes
    tail_rows: int
    tail_points: int

    @classmethod
    def starting_with(cls, point: Point) -> Row:
        """An empty row that already has its first and last point; `add` is to be called with all points, this one included."""
        step, timestamp, value = point
        kept = None if math.isnan(value) else value
        return cls(0, 0, kept, step, timestamp, kept, step, timestamp, None, None, None, None, None, exact.EMPTY, 0, 0)

    @property
    def last_rank(self) -> Rank:
        """The rank of the greatest point."""
        return rank(self.last_step, self.last_ms, as_number(self.last))

    @property
    def first_rank(self) -> Rank:
        """The rank of the least point."""
        return rank(self.first_step, self.first_ms, as_number(self.first))

    def add(self, points: Sequence[Point]) -> None:
        """Take in new points, sorted by rank; at least one."""
        least, greatest = points[0], points[-1]
        if rank(*least) < self.first_rank:
            self.first_step, self.first_ms, self.first = least[0], least[1], _kept(least[2])
        if rank(*greatest) > self.last_rank:
            self.last_step, self.last_ms, self.last = greatest[0], greatest[1], _kept(greatest[2])
        numbers = [(value, step) for step, _, value in points if value == value]
        self.count += len(points)
        self.nans += len(points) - len(numbers)
        if numbers:
            self._take_extremes(numbers)
            self.total = exact.add(self.total, [value for value, _ in numbers if math.isfinite(value)])
            self.mean = self._mean()

    def _take_extremes(self, numbers: list[tuple[float, int]]) -> None:
        low, low_step = min(numbers)  # of equal values the lowest step
        if self.min is None or low < self.min or (low == self.min and low_step < _step(self.argmin)):
            self.min, self.argmin = low, low_step
        high = max(value for value, _ in numbers)
        high_step = next(step for value, step in numbers if value == high)  # the points are sorted by step
        if self.max is None or high > self.max or (high == self.max and high_step < _step(self.argmax)):
            self.max, self.argmax = high, high_step

    def _mean(self) -> float | None:
        if self.min == -math.inf:
            return None if self.max == math.inf else -math.inf
        return math.inf if self.max == math.inf else exact.mean(self.total, self.count - self.nans)


def to_summary(
    count: int,
    first: float | None,
    last: float | None,
    last_step: int,
    last_ms: int,
    low: float | None,
    high: float | None,
    mean: float | None,
    argmin: int | None,
    argmax: int | None,
) -> MetricSummary:
    """The summary that callers see, from the columns `COLUMNS`."""
    return MetricSummary(
        count,
        NAN if first is None else first,
        NAN if last is None else last,
        last_step,
        last_ms,
        NAN if low is None else low,
        NAN if high is None else high,
        NAN if mean is None else mean,
        argmin,
        argmax,
    )


def as_number(kept: float | None) -> float:
    """The value of a metric column."""
    return NAN if kept is None else kept


def _kept(value: float) -> float | None:
    return None if math.isnan(value) else value


def _step(step: int | None) -> int:
    assert step is not None
    return step
