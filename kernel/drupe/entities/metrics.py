"""Metric values: one point, a column of points, and the summary of a series.

Order inside a series is (step, timestamp, value), NaN counting as 0 in that comparison and coming after a true 0, whatever the order
of arrival; the greatest point is the metric's latest value, the least its first.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator

from attrs import field, frozen

__all__ = ["Metric", "MetricSummary", "ModelPoints", "Points", "Series", "rank"]


@frozen
class Metric:
    """One logged value. `timestamp` is ms since the epoch (>= 0), `step` any 64-bit integer.

    A metric of a logged model names that model, and the dataset it was measured on, if any.
    """

    key: str
    value: float
    timestamp: int
    step: int = 0
    run_id: str | None = None
    model_id: str | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None


def rank(step: int, timestamp: int, value: float) -> tuple[int, int, float, bool]:
    """The sort key of a point within its series; two points with one rank are the same point."""
    is_nan = math.isnan(value)
    return step, timestamp, 0.0 if is_nan else value, is_nan


@frozen(eq=False)
class Points:
    """Points of one series as three columns of equal length, in order of arrival.

    `steps` and `timestamps` are `array('q')` (signed 64-bit; timestamps in ms), `values` is `array('d')`.
    """

    steps: array[int] = field(factory=lambda: array("q"))
    timestamps: array[int] = field(factory=lambda: array("q"))
    values: array[float] = field(factory=lambda: array("d"))

    @classmethod
    def of(cls, points: Iterable[tuple[int, int, float]]) -> Points:
        """Build columns from (step, timestamp, value) triples."""
        steps, timestamps, values = tuple(zip(*points, strict=True)) or ((), (), ())
        return cls(array("q", steps), array("q", timestamps), array("d", values))

    def append(self, step: int, timestamp: int, value: float) -> None:
        """Add one point at the end."""
        self.steps.append(step)
        self.timestamps.append(timestamp)
        self.values.append(value)

    def extend(self, other: Points) -> None:
        """Add all points of `other` at the end."""
        self.steps.extend(other.steps)
        self.timestamps.extend(other.timestamps)
        self.values.extend(other.values)

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[tuple[int, int, float]]:
        return zip(self.steps, self.timestamps, self.values, strict=True)


@frozen
class ModelPoints:
    """Points of one metric of a run that are a logged model's as well, measured on one dataset or on none."""

    model_id: str
    key: str
    points: Points
    dataset_name: str | None = None
    dataset_digest: str | None = None


@frozen
class MetricSummary:
    """What is known of a series without reading its points.

    `count` counts every point, NaN included; `min`, `max` and `mean` are over the values that are not NaN (NaN when there is none);
    `argmin` and `argmax` are the steps of those values, the lowest step where values tie.
    """

    count: int
    first: float
    last: float
    last_step: int
    last_timestamp: int
    min: float
    max: float
    mean: float
    argmin: int | None
    argmax: int | None


@frozen(eq=False)
class Series:
    """Points of one metric of one run, sorted by step then time; `is_sampled` when buckets stand for many points each.

    A sampled series keeps the lowest, highest and last point of every bucket, so no spike is lost.
    """

    run_id: str
    key: str
    points: Points
    is_sampled: bool = False
