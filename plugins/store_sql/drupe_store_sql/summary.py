"""What is kept of a series beside its points, as one row of `series`, and how new points change it.

The row is the same whatever the order in which the points arrived. All points that come in here are new: finding out which ones the
series already has is the work of `points`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from attrs import define

from drupe.entities import MetricSummary, Points
from drupe.entities.metrics import rank
from drupe_store_sql import exact

__all__ = ["COLUMNS", "NAN", "Rank", "Row", "as_number", "first_rank", "last_rank", "to_summary"]

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
    def before(cls, points: Points) -> Row:
        """The empty row of a series whose least points are these: first and last are set, `add` is still to be called."""
        step, timestamp, value = points.steps[0], points.timestamps[0], _kept(points.values[0])
        return cls(0, 0, value, step, timestamp, value, step, timestamp, None, None, None, None, None, exact.EMPTY, 0, 0)

    @property
    def last_rank(self) -> Rank:
        """The rank of the greatest point."""
        return rank(self.last_step, self.last_ms, as_number(self.last))

    @property
    def first_rank(self) -> Rank:
        """The rank of the least point."""
        return rank(self.first_step, self.first_ms, as_number(self.first))

    def add(self, points: Points, extremes: Points | None = None) -> None:
        """Take in new points, sorted by rank; at least one. `extremes` are those among which the lowest and highest are, if that is known."""
        steps, timestamps, values = points.steps, points.timestamps, points.values
        if first_rank(points) < self.first_rank:
            self.first_step, self.first_ms, self.first = steps[0], timestamps[0], _kept(values[0])
        if last_rank(points) > self.last_rank:
            self.last_step, self.last_ms, self.last = steps[-1], timestamps[-1], _kept(values[-1])
        self.count += len(values)
        found = points if extremes is None else extremes
        total = exact.add(self.total, values)
        if total is not None:
            self.total = total
            self._stretch(found.steps, found.values)
        else:  # NaN or infinities are among them
            self.nans += sum(map(math.isnan, values))
            self.total = exact.add(self.total, list(filter(math.isfinite, values))) or exact.EMPTY
            pairs = [(step, value) for step, value in zip(found.steps, found.values, strict=True) if value == value]
            if pairs:
                self._stretch([step for step, _ in pairs], [value for _, value in pairs])
        if self.count > self.nans:
            self.mean = self._mean()

    def _stretch(self, steps: Sequence[int], values: Sequence[float]) -> None:
        low, high = min(values), max(values)
        low_step, high_step = steps[values.index(low)], steps[values.index(high)]  # the lowest, since steps ascend
        if self.min is None or low < self.min or (low == self.min and low_step < _step(self.argmin)):
            self.min, self.argmin = low, low_step
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


def first_rank(points: Points) -> Rank:
    """The rank of the first of these points."""
    return rank(points.steps[0], points.timestamps[0], points.values[0])


def last_rank(points: Points) -> Rank:
    """The rank of the last of these points."""
    return rank(points.steps[-1], points.timestamps[-1], points.values[-1])


def as_number(kept: float | None) -> float:
    """The value of a metric column."""
    return NAN if kept is None else kept


def _kept(value: float) -> float | None:
    return None if math.isnan(value) else value


def _step(step: int | None) -> int:
    assert step is not None
    return step
