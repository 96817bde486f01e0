"""What the in-memory stores do with experiments, runs and models of another store. Mixed into them; not for anyone else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from copy import deepcopy
from typing import Any

from attrs import evolve

from drupe.entities import (
    Dataset,
    DatasetInput,
    Experiment,
    LoggedModel,
    LoggedModelStatus,
    ModelPoints,
    RunInfo,
    WholeLoggedModel,
    WholeModel,
    WholeRun,
    limits,
    logged_limits,
)
from drupe.entities.metrics import rank
from drupe.errors import AlreadyExists, RegisteredModelNotFound

__all__ = ["MemoryLoggedModelImports", "MemoryModelImports", "MemoryRunImports"]

_RUN_NAME_TAG = "mlflow.runName"


class MemoryRunImports:
    """`import_experiment` and `import_runs` of the tracking store."""

    _artifact_root: str
    _now_ms: Callable[[], int]
    _lock: AbstractContextManager[Any]
    _experiments: dict[str, Experiment]
    _runs: dict[str, Any]
    _datasets: dict[tuple[str, str, str], Dataset]

    def import_experiment(self, experiment: Experiment) -> Experiment:
        """See TrackingStore.import_experiment."""
        checked = limits.check_whole_experiment(experiment)
        with self._lock:
            if checked.experiment_id in self._experiments:
                raise AlreadyExists(f"the experiment id {checked.experiment_id} is taken", experiment_id=checked.experiment_id)
            if any(one.name == checked.name for one in self._experiments.values()):
                raise AlreadyExists(f"an experiment named {checked.name!r} exists", name=checked.name)
            number = checked.experiment_id or str(max(map(int, self._experiments)) + 1)
            now = self._now_ms()
            made = self._experiments[number] = evolve(
                checked,
                experiment_id=number,
                artifact_location=checked.artifact_location or f"{self._artifact_root}/{number}",
                creation_time=now if checked.creation_time is None else checked.creation_time,
                last_update_time=now if checked.last_update_time is None else checked.last_update_time,
            )
            return made

    def import_runs(self, runs: Sequence[WholeRun]) -> None:
        """See TrackingStore.import_runs."""
        checked = [limits.check_whole_run(one) for one in runs]
        with self._lock:
            before = deepcopy(self._runs), dict(self._datasets)
            try:
                for one in checked:
                    self._take_in(one)
            except BaseException:
                self._runs, self._datasets = before
                raise

    def _take_in(self, whole: WholeRun) -> None:
        given, info = whole.run, whole.run.info
        experiment = self._experiment(info.experiment_id)
        kept = self._runs.get(info.run_id)
        if kept is None:
            address = info.artifact_uri or f"{experiment.artifact_location}/{info.run_id}/artifacts"
            name = {_RUN_NAME_TAG: info.run_name} if info.run_name else {}
            kept = self._runs[info.run_id] = self._kept(evolve(info, artifact_uri=address), name | dict(given.data.tags))
        elif kept.info.experiment_id != info.experiment_id:
            raise AlreadyExists(f"run id {info.run_id} belongs to a run of experiment {kept.info.experiment_id}", run_id=info.run_id)
        elif not kept.info.status.has_ended:
            end = kept.info.end_time if info.end_time is None else info.end_time
            kept.info = evolve(kept.info, status=info.status, end_time=end)
        kept.tags = {**given.data.tags, **kept.tags}
        kept.params = {**given.data.params, **kept.params}
        for key, points in whole.points.items():
            for point in points:
                kept.points.setdefault(key, {}).setdefault(rank(*point), point)
        for one in given.inputs.dataset_inputs:
            place = one.dataset.name, one.dataset.digest
            described = self._datasets.setdefault((info.experiment_id, *place), one.dataset)
            kept.inputs.setdefault(place, DatasetInput(described, tuple(one.tags)))

    def _experiment(self, experiment_id: str) -> Experiment:
        raise NotImplementedError

    def _kept(self, info: RunInfo, tags: Mapping[str, str]) -> Any:
        raise NotImplementedError


class MemoryLoggedModelImports:
    """`import_logged_models` of the tracking store."""

    _lock: AbstractContextManager[Any]
    _runs: dict[str, Any]
    _models: dict[str, Any]
    _used: dict[str, set[str]]
    _made: dict[str, dict[str, int]]

    def import_logged_models(self, models: Sequence[WholeLoggedModel]) -> None:
        """See TrackingStore.import_logged_models."""
        checked = [logged_limits.check_whole_logged_model(one) for one in models]
        with self._lock:
            before = deepcopy((self._models, self._used, self._made))
            try:
                for one in checked:
                    self._take_in_model(one)
            except BaseException:
                self._models, self._used, self._made = before
                raise

    def _take_in_model(self, whole: WholeLoggedModel) -> None:
        given = whole.model
        experiment = self._experiment(given.experiment_id)
        found = self._models.get(given.model_id)
        is_new = found is None
        if found is None:
            place = given.artifact_location or f"{experiment.artifact_location}/models/{given.model_id}/artifacts"
            found = self._models[given.model_id] = self._kept_model(evolve(given, artifact_location=place, metrics=()))
        elif found.model.experiment_id != given.experiment_id:
            raise AlreadyExists(f"logged model id {given.model_id} belongs to a model of experiment {found.model.experiment_id}")
        elif found.is_deleted:
            return
        kept = found.model
        if kept.status is LoggedModelStatus.PENDING:
            kept = evolve(kept, status=given.status, status_message=given.status_message)
        found.model = evolve(
            kept,
            tags={**given.tags, **kept.tags},
            params={**given.params, **kept.params},
            last_updated_timestamp=max(given.last_updated_timestamp, kept.last_updated_timestamp),
        )
        for run_id, points in logged_limits.points_of(whole).items():
            if run_id in self._runs:
                self._keep_model_points(run_id, points)
        for run_id in whole.used_by:
            if run_id in self._runs:
                self._used.setdefault(run_id, set()).add(given.model_id)
        for run_id, step in whole.made_by.items():
            if run_id in self._runs:
                self._made.setdefault(run_id, {}).setdefault(given.model_id, step)
        found.is_deleted = is_new and whole.is_deleted

    def _experiment(self, experiment_id: str) -> Experiment:
        raise NotImplementedError

    def _kept_model(self, model: LoggedModel) -> Any:
        raise NotImplementedError

    def _keep_model_points(self, run_id: str, checked: Sequence[ModelPoints]) -> None:
        raise NotImplementedError


class MemoryModelImports:
    """`highest_version` and `import_model` of the registry store."""

    _lock: AbstractContextManager[Any]
    _models: dict[str, Any]

    def highest_version(self, name: str) -> int:
        """See RegistryStore.highest_version."""
        with self._lock:
            if name not in self._models:
                raise RegisteredModelNotFound(f"no registered model is named {name!r}", name=name)
            found: int = self._models[name].highest
            return found

    def import_model(self, whole: WholeModel) -> None:
        """See RegistryStore.import_model."""
        given = limits.check_whole_model(whole).model
        with self._lock:
            model = self._models.get(given.name)
            if model is None:
                model = self._models[given.name] = self._kept(whole)
            never_used = [one for one in whole.versions if int(one.version) > model.highest]
            model.info = evolve(model.info, tags={**given.tags, **model.info.tags})
            model.versions |= {int(one.version): evolve(one, name=given.name, aliases=()) for one in never_used}
            model.highest = max([model.highest, whole.highest, *model.versions])
            pointed = {alias: int(number) for alias, number in given.aliases.items() if int(number) in model.versions}
            model.aliases = {**pointed, **model.aliases}

    def _kept(self, whole: WholeModel) -> Any:
        raise NotImplementedError
