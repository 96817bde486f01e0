"""The latest points of a run's metrics, where nothing else is known of their series, or nobody wants to know it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from drupe.entities.metrics import MetricSummary

__all__ = ["LatestPoints"]

_NAN = math.nan


class LatestPoints(Mapping[str, MetricSummary]):
    """Summaries by metric that know the latest point alone: `count` is 0, and the rest NaN or None.

    `points` has value, timestamp and step by metric. A page of a thousand runs has ten thousand of them, so a summary is made only for who asks.
    """

    __slots__ = ("points",)

    def __init__(self, points: dict[str, tuple[float, int, int]]) -> None:
        self.points = points

    def __getitem__(self, key: str) -> MetricSummary:
        value, timestamp, step = self.points[key]
        return MetricSummary(0, _NAN, value, step, timestamp, _NAN, _NAN, _NAN, None, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self.points)

    def __len__(self) -> int:
        return len(self.points)

    def __contains__(self, key: object) -> bool:
        return key in self.points

    def __repr__(self) -> str:
        return repr(dict(self))
