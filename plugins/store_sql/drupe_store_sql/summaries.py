"""The summaries of a run's series as a mapping that makes each one when it is first asked for.

A page of a thousand runs has ten thousand series, and most who read it want the latest values only. What is in the rows of `series` is what
was read; the mapping does not change with the database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from drupe.entities import MetricSummary
from drupe_store_sql.summary import to_summary

__all__ = ["Summaries"]


class Summaries(Mapping[str, MetricSummary]):
    """Summaries by metric; made from the columns `summary.COLUMNS`, which begin at place `START` of a row. Equal to a dict of the same."""

    __slots__ = ("_kept",)

    START = 2

    def __init__(self) -> None:
        self._kept: dict[str, Sequence[Any] | MetricSummary] = {}

    def keep(self, key: str, row: Sequence[Any]) -> None:
        """Take in a row; for whoever builds the mapping."""
        self._kept[key] = row

    def __getitem__(self, key: str) -> MetricSummary:
        found = self._kept[key]
        if not isinstance(found, MetricSummary):
            found = self._kept[key] = to_summary(*found[self.START :])
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: object) -> bool:
        return key in self._kept

    def __repr__(self) -> str:
        return repr(dict(self))
