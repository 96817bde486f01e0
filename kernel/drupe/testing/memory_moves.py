"""Moving runs in plain dictionaries. Mixed into the in-memory store; not for anyone else."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from attrs import evolve

from drupe.entities import Dataset, Experiment
from drupe.extend.moving import check_moved

__all__ = ["MemoryMoves"]


class MemoryMoves:
    """`move_runs` of the tracking store."""

    _lock: AbstractContextManager[Any]
    _datasets: dict[tuple[str, str, str], Dataset]
    _models: dict[str, Any]

    @abstractmethod
    def _active_experiment(self, experiment_id: str) -> Experiment: ...

    @abstractmethod
    def _run(self, run_id: str) -> Any: ...

    def move_runs(self, run_ids: Sequence[str], experiment_id: str) -> None:
        """See TrackingStore.move_runs."""
        with self._lock:
            home = self._active_experiment(experiment_id).experiment_id
            moved = [run for run in map(self._run, check_moved(run_ids)) if run.info.experiment_id != home]
            for run in moved:
                before = run.info.experiment_id
                for kept in self._models.values():
                    if kept.model.source_run_id == run.info.run_id and kept.model.experiment_id == before:
                        kept.model = evolve(kept.model, experiment_id=home)
                for place, used in run.inputs.items():
                    described = self._datasets.setdefault((home, *place), used.dataset)
                    run.inputs[place] = evolve(used, dataset=described)
                run.info = evolve(run.info, experiment_id=home)
