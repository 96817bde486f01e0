"""What plain dictionaries tell of how much an experiment keeps. Mixed into the in-memory store; not for anyone else."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from drupe.entities import ExperimentStorage

__all__ = ["MemoryStorage"]


class MemoryStorage:
    """`experiment_storage` of the tracking store."""

    _lock: AbstractContextManager[Any]
    _runs: dict[str, Any]

    def experiment_storage(self, experiment_id: str) -> ExperimentStorage:
        """See TrackingStore.experiment_storage."""
        with self._lock:
            found = [run for run in self._runs.values() if run.info.experiment_id == experiment_id]
            return ExperimentStorage(len(found), sum(len(points) for run in found for points in run.points.values()))
