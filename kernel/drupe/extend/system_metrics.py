"""The contract of a source of system metrics: what a machine or process is doing, as numbers, whenever they are asked for.

When to ask, and what to do with the answers, is `drupe.tracking.sampling`'s work. The conformance kit is `drupe.testing.system_metrics`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

__all__ = ["SystemMetricSource"]


class SystemMetricSource(ABC):
    """Measures one part of the machine. Opened, read and closed by one background thread; an opened one never moves to another process."""

    totals: ClassVar[frozenset[str]] = frozenset()
    """Names of numbers that only grow, such as bytes received. Where several samples are put together the last one counts, not the mean."""

    @classmethod
    @abstractmethod
    def open(cls, settings: Any = None) -> Self:
        """Begin to measure; rates and totals count from now. Raises UnsupportedFeature when there is nothing to measure here, which is no fault."""

    @abstractmethod
    def read(self) -> Mapping[str, float]:
        """The numbers of this moment, by names such as `cpu_utilization_percentage`; those that cannot be told just now are left out.

        Returns at once: it must not sleep to measure a rate, but compare with the read before. The unit ends the name: `_percentage`,
        `_megabytes` (1e6 bytes), `_watts`, `_celsius`; a count has none.
        """

    def close(self) -> None:  # noqa: B027 - most have nothing to let go of
        """Let go of what `open` took. Called once, and not at all when the process dies."""
