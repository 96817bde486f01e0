"""Logged models in plain dictionaries: a part of `memory_tracking`, and like it the oracle of every store."""

from __future__ import annotations

import uuid
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from copy import deepcopy
from typing import Any

from attrs import define, evolve, field

from drupe.entities import (
    Experiment,
    LoggedModel,
    LoggedModelStatus,
    Metric,
    ModelInput,
    ModelOutput,
    ModelPoints,
    NewLoggedModel,
    Page,
    Parcel,
    RunInputs,
    RunOutputs,
    limits,
    logged_limits,
)
from drupe.entities.metrics import rank
from drupe.entities.names import invent_run_name
from drupe.errors import AlreadyExists, InvalidValue, LoggedModelNotFound, ParamConflict, TagNotFound
from drupe.extend.moving import at_home
from drupe.extend.tracking_store import TrackingStore
from drupe.search.query import Query
from drupe.testing.memory_imports import MemoryLoggedModelImports
from drupe.testing.memory_pages import PageTokens
from drupe.uris import below

__all__ = ["MemoryLoggedModels"]

_Place = tuple[str, str, str, str]  # key, run, dataset's name and digest, empty for none


@define
class _Model:
    made_by: NewLoggedModel | None  # None: taken in from another store
    model: LoggedModel
    is_deleted: bool = False
    metrics: dict[_Place, Metric] = field(factory=dict)

    def read(self) -> LoggedModel:
        return evolve(self.model, metrics=tuple(metric for _, metric in sorted(self.metrics.items(), key=lambda pair: pair[0])))


class MemoryLoggedModels(MemoryLoggedModelImports, TrackingStore):
    """The methods of a tracking store that are about logged models; experiments and runs are the other part's."""

    _lock: AbstractContextManager[Any]
    _now_ms: Callable[[], int]
    _tokens: PageTokens

    def __init__(self) -> None:
        self._models: dict[str, _Model] = {}  # in the order of their creation
        self._used: dict[str, set[str]] = {}  # by run, the models that it uses
        self._made: dict[str, dict[str, int]] = {}  # by run, the models that it has made and the step

    @abstractmethod
    def _active_experiment(self, experiment_id: str) -> Experiment: ...

    @abstractmethod
    def _active_run(self, run_id: str) -> Any: ...

    def create_logged_model(self, new: NewLoggedModel) -> LoggedModel:
        checked = logged_limits.check_new_logged_model(new)
        with self._lock:
            model_id = checked.model_id or f"m-{uuid.uuid4().hex}"
            twin = self._models.get(model_id)
            if twin is not None:
                if twin.made_by != checked:
                    raise AlreadyExists(f"logged model id {model_id} belongs to another model", model_id=model_id)
                return twin.read()
            experiment = self._active_experiment(checked.experiment_id)
            now = self._now_ms()
            location = f"{experiment.artifact_location}/models/{model_id}/artifacts"
            if checked.artifact_path:
                run = self._active_run(str(checked.source_run_id)).info
                if run.experiment_id != experiment.experiment_id:
                    raise InvalidValue(f"run {run.run_id} is not of experiment {experiment.experiment_id}", run_id=run.run_id)
                location = below(run.artifact_uri, checked.artifact_path)
            made = LoggedModel(
                model_id,
                experiment.experiment_id,
                checked.name or invent_run_name(),
                location,
                now,
                now,
                model_type=checked.model_type,
                source_run_id=checked.source_run_id,
                tags=dict(checked.tags),
                params=dict(checked.params),
            )
            self._models[model_id] = _Model(checked, made)
            return made

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        with self._lock:
            return self._model(model_id, allow_deleted=allow_deleted).read()

    def search_logged_models(
        self, query: Query, *, experiment_ids: Sequence[str] | None, limit: int = 50, page_token: str | None = None
    ) -> Page[LoggedModel]:
        limits.check_limit(limit)
        wanted = None if experiment_ids is None else frozenset(limits.check_experiment_id(one) for one in experiment_ids)
        with self._lock:
            seen = [
                one.read() for one in self._models.values() if not one.is_deleted and (wanted is None or one.model.experiment_id in wanted)
            ]
            return self._tokens.search(
                query, seen, name_of=lambda model: model.model_id, scope=("logged models", wanted), limit=limit, token=page_token
            )

    def set_logged_model_status(self, model_id: str, status: LoggedModelStatus, *, message: str | None = None) -> LoggedModel:
        told = logged_limits.check_status_message(message)
        with self._lock:
            return self._change(self._model(model_id), status=LoggedModelStatus(status), status_message=told)

    def delete_logged_model(self, model_id: str) -> None:
        with self._lock:
            self._model(model_id, allow_deleted=True).is_deleted = True

    def set_logged_model_tags(self, model_id: str, tags: Mapping[str, str]) -> LoggedModel:
        checked = limits.check_tags("logged model tag", tags, limit=None)
        with self._lock:
            found = self._model(model_id)
            return self._change(found, tags={**found.model.tags, **checked})

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        with self._lock:
            found = self._model(model_id)
            if key not in found.model.tags:
                raise TagNotFound(f"logged model {model_id} has no tag {key!r}", model_id=model_id, key=key)
            self._change(found, tags={name: text for name, text in found.model.tags.items() if name != key})

    def log_logged_model_params(self, model_id: str, params: Mapping[str, str]) -> None:
        checked = dict(limits.check_param(key, value) for key, value in params.items())
        with self._lock:
            found = self._model(model_id)
            kept = found.model.params
            for key, value in checked.items():
                if kept.get(key, value) != value:
                    raise ParamConflict(f"param {key!r} of {model_id} is {kept[key]!r} and cannot become {value!r}", key=key)
            self._change(found, params={**kept, **checked})

    def log_model_inputs(self, run_id: str, models: Sequence[ModelInput]) -> None:
        with self._lock:
            self._active_run(run_id)
            for one in models:
                self._model(one.model_id)
            self._used.setdefault(run_id, set()).update(one.model_id for one in models)

    def log_outputs(self, run_id: str, models: Sequence[ModelOutput]) -> None:
        logged_limits.check_model_outputs(models)
        with self._lock:
            self._active_run(run_id)
            for one in models:
                self._model(one.model_id)
            made = self._made.setdefault(run_id, {})
            for one in models:
                made.setdefault(one.model_id, one.step)

    # --- for the other part

    def _take_models(self, parcel: Parcel) -> None:
        home = self._active_run(parcel.run_id).info.experiment_id
        for one in parcel.models:
            self.create_logged_model(at_home(one, parcel.run_id, home))
        if parcel.model_inputs:
            self.log_model_inputs(parcel.run_id, parcel.model_inputs)
        if parcel.model_outputs:
            self.log_outputs(parcel.run_id, parcel.model_outputs)

    def _kept_models(self, parcel: Parcel) -> tuple[Any, ...]:
        """All that this part keeps, to go back to if the parcel is refused."""
        if parcel.models or parcel.model_inputs or parcel.model_outputs or parcel.batch.model_points:
            return deepcopy((self._models, self._used, self._made))
        return self._models, self._used, self._made

    def _with_models(self, run_id: str, inputs: RunInputs) -> tuple[RunInputs, RunOutputs]:
        """The inputs of a run with the models it uses, and its outputs."""
        used, made = self._used.get(run_id, ()), self._made.get(run_id, {})
        return (
            evolve(inputs, model_inputs=tuple(ModelInput(one) for one in self._models if one in used)),
            RunOutputs(tuple(ModelOutput(one, made[one]) for one in self._models if one in made)),
        )

    def _check_model_points(self, given: Iterable[ModelPoints]) -> list[ModelPoints]:
        checked = [logged_limits.check_model_points(one) for one in given]
        for one in checked:
            if one.model_id not in self._models or self._models[one.model_id].is_deleted:
                raise InvalidValue(f"no logged model has the id {one.model_id!r}, so no metric can be its", model_id=one.model_id)
        return checked

    def _keep_model_points(self, run_id: str, checked: Iterable[ModelPoints]) -> None:
        for given in checked:
            metrics = self._models[given.model_id].metrics
            place = (given.key, run_id, given.dataset_name or "", given.dataset_digest or "")
            for step, timestamp, value in given.points:
                last = metrics.get(place)
                if last is None or rank(last.step, last.timestamp, last.value) < rank(step, timestamp, value):
                    metrics[place] = Metric(
                        given.key, value, timestamp, step, run_id, given.model_id, given.dataset_name, given.dataset_digest
                    )

    def _kept_model(self, model: LoggedModel) -> _Model:
        return _Model(None, model)

    def _model(self, model_id: str, *, allow_deleted: bool = False) -> _Model:
        found = self._models.get(model_id)
        if found is None or (found.is_deleted and not allow_deleted):
            raise LoggedModelNotFound(f"no logged model has the id {model_id!r}", model_id=str(model_id))
        return found

    def _change(self, found: _Model, **changes: Any) -> LoggedModel:
        found.model = evolve(found.model, last_updated_timestamp=self._now_ms(), **changes)
        return found.read()
