"""A tracking store in plain dictionaries: the meaning of the contract, written to be obviously right rather than quick.

The random-operation comparison holds real stores against it, and tests of code above the stores use it instead of mocks. Nothing
outlives the object.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any, ClassVar, Self

from attrs import define, evolve, field

from drupe.entities import (
    DatasetInput,
    Experiment,
    Heartbeat,
    LifecycleStage,
    LogBatch,
    Metric,
    NewRun,
    Page,
    ParamClash,
    Parcel,
    Points,
    Receipt,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunStatus,
    Series,
    ViewType,
    limits,
)
from drupe.entities.metrics import rank
from drupe.entities.names import invent_run_name
from drupe.errors import (
    AlreadyExists,
    ExperimentNotFound,
    InvalidValue,
    OriginGap,
    ParamConflict,
    RunNotFound,
    TagNotFound,
    WrongLifecycle,
)
from drupe.extend.features import Feature, Support
from drupe.search.query import Query
from drupe.testing.memory_imports import MemoryRunImports
from drupe.testing.memory_logged_models import MemoryLoggedModels
from drupe.testing.memory_moves import MemoryMoves
from drupe.testing.memory_pages import PageTokens
from drupe.testing.memory_series import bucket_width, sample, summarize
from drupe.testing.memory_storage import MemoryStorage
from drupe.uris import Uri

__all__ = ["MemoryTrackingStore"]

_RUN_NAME_TAG = "mlflow.runName"
_CAN = (Feature.ORIGINS, Feature.HEARTBEATS, Feature.IMPORTS, Feature.LOGGED_MODELS, Feature.MOVES)
_Point = tuple[int, int, float]  # step, timestamp, value


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@define
class _Run:
    made_by: NewRun
    info: RunInfo
    tags: dict[str, str]
    params: dict[str, str] = field(factory=dict)
    points: dict[str, dict[tuple[Any, ...], _Point]] = field(factory=dict)  # by key, then by what makes a point the same point
    inputs: dict[tuple[str, str], DatasetInput] = field(factory=dict)

    def read(self) -> Run:
        summaries = {key: summarize(points.values()) for key, points in self.points.items()}
        return Run(
            self.info,
            RunData({key: summary.last for key, summary in summaries.items()}, dict(self.params), dict(self.tags), summaries),
            RunInputs(tuple(self.inputs.values())),
        )


class MemoryTrackingStore(MemoryMoves, MemoryStorage, MemoryRunImports, MemoryLoggedModels):
    """Experiments and runs of this process. `artifact_root` is only written into addresses; `now_ms` is the clock."""

    features: ClassVar[Mapping[Feature, Support]] = dict.fromkeys(_CAN, Support.FULL)

    def __init__(self, *, artifact_root: str = "memory:/artifacts", now_ms: Callable[[], int] = _now_ms) -> None:
        super().__init__()
        self._artifact_root = artifact_root
        self._now_ms = now_ms
        self._lock = threading.RLock()
        self._tokens = PageTokens()
        self._experiments: dict[str, Experiment] = {}
        self._runs: dict[str, _Run] = {}
        self._positions: dict[str, int] = {}  # by writer: up to where its journal is here
        self._beats: dict[tuple[str, str], Heartbeat] = {}  # by run and writer
        self._datasets: dict[tuple[str, str, str], Any] = {}  # (experiment, name, digest) -> Dataset as first described
        self._add_experiment("Default", None, {})

    @classmethod
    def open(cls, uri: Uri, settings: Any = None) -> Self:
        """A new, empty store; `uri` and `settings` are not looked at."""
        return cls()

    def close(self) -> None:
        """Nothing to let go of."""

    # --- experiments

    def create_experiment(self, name: str, *, artifact_location: str | None = None, tags: Mapping[str, str] | None = None) -> Experiment:
        checked = limits.check_tags("experiment tag", tags or {}, limit=limits.EXPERIMENT_TAG_VALUE_MAX)
        with self._lock:
            self._check_name_is_free(limits.check_experiment_name(name))
            return self._add_experiment(name, artifact_location, checked)

    def _add_experiment(self, name: str, artifact_location: str | None, tags: dict[str, str]) -> Experiment:
        number = str(max(map(int, self._experiments), default=-1) + 1)
        now = self._now_ms()
        made = Experiment(
            experiment_id=number,
            name=name,
            artifact_location=artifact_location or f"{self._artifact_root}/{number}",
            creation_time=now,
            last_update_time=now,
            tags=tags,
        )
        self._experiments[number] = made
        return made

    def get_experiment(self, experiment_id: str) -> Experiment:
        with self._lock:
            return self._experiment(experiment_id)

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        with self._lock:
            return next((one for one in self._experiments.values() if one.name == name), None)

    def search_experiments(
        self, query: Query, *, view: ViewType = ViewType.ACTIVE_ONLY, limit: int = 1000, page_token: str | None = None
    ) -> Page[Experiment]:
        limits.check_limit(limit)
        with self._lock:
            seen = [one for one in self._experiments.values() if view.shows(one.lifecycle_stage)]
            return self._tokens.search(
                query, seen, name_of=lambda one: one.experiment_id, scope=("experiments", view), limit=limit, token=page_token
            )

    def rename_experiment(self, experiment_id: str, name: str) -> None:
        with self._lock:
            experiment = self._active_experiment(experiment_id)
            if limits.check_experiment_name(name) != experiment.name:
                self._check_name_is_free(name)
            self._change_experiment(experiment, name=name, last_update_time=self._now_ms())

    def set_experiment_stage(self, experiment_id: str, stage: LifecycleStage) -> None:
        with self._lock:
            experiment = self._experiment(experiment_id)
            if experiment.lifecycle_stage == stage:
                raise ExperimentNotFound(f"experiment {experiment_id} is {stage} already", experiment_id=experiment_id)
            self._change_experiment(experiment, lifecycle_stage=stage, last_update_time=self._now_ms())
            for run in self._runs.values():
                if run.info.experiment_id == experiment_id:
                    run.info = evolve(run.info, lifecycle_stage=stage)

    def set_experiment_tags(self, experiment_id: str, tags: Mapping[str, str]) -> None:
        with self._lock:
            experiment = self._active_experiment(experiment_id)
            checked = limits.check_tags("experiment tag", tags, limit=limits.EXPERIMENT_TAG_VALUE_MAX)
            self._change_experiment(experiment, tags={**experiment.tags, **checked})

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        with self._lock:
            experiment = self._active_experiment(experiment_id)
            if key not in experiment.tags:
                raise TagNotFound(f"experiment {experiment_id} has no tag {key!r}", key=key)
            self._change_experiment(experiment, tags={name: text for name, text in experiment.tags.items() if name != key})

    def _change_experiment(self, experiment: Experiment, **changes: Any) -> None:
        self._experiments[experiment.experiment_id] = evolve(experiment, **changes)

    def _check_name_is_free(self, name: str) -> None:
        taken = self.get_experiment_by_name(name)
        if taken:
            raise AlreadyExists(f"an experiment named {name!r} exists ({taken.lifecycle_stage}, id {taken.experiment_id})", name=name)

    def _experiment(self, experiment_id: str) -> Experiment:
        found = self._experiments.get(limits.check_experiment_id(experiment_id))
        if found is None:
            raise ExperimentNotFound(f"no experiment has the id {experiment_id}", experiment_id=experiment_id)
        return found

    def _active_experiment(self, experiment_id: str) -> Experiment:
        found = self._experiment(experiment_id)
        if found.lifecycle_stage != LifecycleStage.ACTIVE:
            raise WrongLifecycle(f"experiment {experiment_id} ({found.name!r}) is deleted; restore it first", experiment_id=experiment_id)
        return found

    # --- runs

    def create_run(self, new: NewRun) -> Run:
        name_in_tags = new.tags.get(_RUN_NAME_TAG)
        if new.run_name and name_in_tags and new.run_name != name_in_tags:
            raise InvalidValue(f"run_name is {new.run_name!r} but the tag {_RUN_NAME_TAG} is {name_in_tags!r}; give one, or the same")
        run_id = uuid.uuid4().hex if new.run_id is None else limits.check_run_id(new.run_id)
        with self._lock:
            twin = self._runs.get(run_id)
            if twin is not None:
                if twin.made_by != new:
                    raise AlreadyExists(f"run id {run_id} belongs to another run", run_id=run_id)
                return self._read(twin)
            experiment = self._active_experiment(new.experiment_id)
            name = new.run_name or name_in_tags or invent_run_name()
            info = RunInfo(
                run_id=run_id,
                experiment_id=experiment.experiment_id,
                run_name=name,
                user_id=new.user_id,
                status=RunStatus.RUNNING,
                start_time=new.start_time,
                end_time=None,
                lifecycle_stage=LifecycleStage.ACTIVE,
                artifact_uri=f"{experiment.artifact_location}/{run_id}/artifacts",
            )
            made = self._runs[run_id] = _Run(new, info, {**new.tags, _RUN_NAME_TAG: name})
            return self._read(made)

    def _read(self, run: _Run) -> Run:
        read = run.read()
        inputs, outputs = self._with_models(run.info.run_id, read.inputs)
        return evolve(read, inputs=inputs, outputs=outputs)

    def _kept(self, info: RunInfo, tags: Mapping[str, str]) -> _Run:
        return _Run(NewRun(info.experiment_id), info, dict(tags))

    def made_by(self, run_id: str) -> NewRun | None:
        """What the run was created from, for tests that repeat or vary the call; None for an unknown run."""
        with self._lock:
            return self._runs[run_id].made_by if run_id in self._runs else None

    def get_run(self, run_id: str) -> Run:
        with self._lock:
            return self._read(self._run(run_id))

    def search_runs(
        self,
        query: Query,
        *,
        experiment_ids: Sequence[str] | None,
        view: ViewType = ViewType.ACTIVE_ONLY,
        limit: int = 1000,
        page_token: str | None = None,
        summaries: bool = True,
    ) -> Page[Run]:
        limits.check_limit(limit)
        wanted = None if experiment_ids is None else frozenset(limits.check_experiment_id(one) for one in experiment_ids)
        with self._lock:
            seen = [
                self._read(run)
                for run in self._runs.values()
                if view.shows(run.info.lifecycle_stage) and (wanted is None or run.info.experiment_id in wanted)
            ]
            return self._tokens.search(
                query, seen, name_of=lambda run: run.info.run_id, scope=("runs", wanted, view), limit=limit, token=page_token
            )

    def update_run(
        self, run_id: str, *, status: RunStatus | None = None, end_time: int | None = None, run_name: str | None = None
    ) -> RunInfo:
        with self._lock:
            run = self._active_run(run_id)
            given: dict[str, Any] = {"status": status, "end_time": end_time, "run_name": run_name}
            run.info = evolve(run.info, **{name: value for name, value in given.items() if value is not None})
            if run_name is not None:
                run.tags[_RUN_NAME_TAG] = run_name
            if run.info.status.has_ended:
                self._beats = {place: beat for place, beat in self._beats.items() if place[0] != run_id}
            return run.info

    def set_run_stage(self, run_id: str, stage: LifecycleStage) -> None:
        with self._lock:
            run = self._run(run_id)
            run.info = evolve(run.info, lifecycle_stage=stage)

    def log_batch(self, run_id: str, batch: LogBatch) -> None:
        with self._lock:
            run = self._active_run(run_id)
            points, params, tags = self._checked(run, batch)
            of_models = self._check_model_points(batch.model_points)
            points += [(one.key, point) for one in of_models for point in one.points]
            self._keep_model_points(run_id, of_models)
            for key, point in points:
                run.points.setdefault(key, {}).setdefault(rank(*point), point)
            run.params.update(params)
            run.tags.update(tags)
            if _RUN_NAME_TAG in tags:
                run.info = evolve(run.info, run_name=tags[_RUN_NAME_TAG])

    def _checked(self, run: _Run, batch: LogBatch) -> tuple[list[tuple[str, _Point]], dict[str, str], dict[str, str]]:
        params = dict(limits.check_param(key, value) for key, value in batch.params.items())
        for key, value in params.items():
            kept = run.params.get(key, value)
            if kept != value:
                raise ParamConflict(f"param {key!r} of run {run.info.run_id} is {kept!r} and cannot become {value!r}", key=key)
        points: list[tuple[str, _Point]] = []
        for name, columns in batch.metrics.items():
            limits.check_key("metric", name)
            for step, timestamp, number in columns:
                limits.check_metric(name, number, timestamp, step)
                points.append((name, (step, timestamp, number)))
        return points, params, limits.check_tags("run tag", batch.tags, limit=None)

    def delete_run_tag(self, run_id: str, key: str) -> None:
        with self._lock:
            run = self._active_run(run_id)
            if key not in run.tags:
                raise TagNotFound(f"run {run_id} has no tag {key!r}", key=key)
            del run.tags[key]

    def log_inputs(self, run_id: str, datasets: Sequence[DatasetInput]) -> None:
        with self._lock:
            run = self._active_run(run_id)
            for given in [limits.check_dataset_input(one) for one in datasets]:
                name, digest = given.dataset.name, given.dataset.digest
                described = self._datasets.setdefault((run.info.experiment_id, name, digest), given.dataset)
                run.inputs.setdefault((name, digest), DatasetInput(described, tuple(given.tags)))

    def _run(self, run_id: str) -> _Run:
        found = self._runs.get(run_id)
        if found is None:
            raise RunNotFound(f"no run has the id {run_id!r}", run_id=run_id)
        return found

    def _active_run(self, run_id: str) -> _Run:
        found = self._run(run_id)
        if found.info.lifecycle_stage != LifecycleStage.ACTIVE:
            raise WrongLifecycle(f"run {run_id} is deleted; restore it first", run_id=run_id)
        return found

    # --- metric series

    def metric_history(self, run_id: str, key: str, *, limit: int = 25_000, page_token: str | None = None) -> Page[Metric]:
        limits.check_limit(limit)
        scope = ("history", run_id, key)
        with self._lock:
            last: Metric | None = self._tokens.last_shown(scope, page_token)
            run = self._runs.get(run_id)
            points = run.points.get(key, {}).values() if run else ()
            history = sorted((Metric(key, value, timestamp, step, run_id) for step, timestamp, value in points), key=_history_rank)
            rest = history if last is None else [one for one in history if _history_rank(one) > _history_rank(last)]
            return self._tokens.page(rest, scope=scope, limit=limit)

    def metric_bulk(
        self,
        run_ids: Sequence[str],
        keys: Sequence[str] | None = None,
        *,
        buckets: int | None = None,
        first_step: int | None = None,
        last_step: int | None = None,
    ) -> list[Series]:
        if buckets is not None and buckets < 1:
            raise InvalidValue(f"buckets is {buckets}; it must be 1 or more, or left out for every point")
        with self._lock:
            found = []
            for run_id in dict.fromkeys(run_ids):
                kept = self._runs[run_id].points if run_id in self._runs else {}
                for key in sorted(kept) if keys is None else dict.fromkeys(keys):
                    if key in kept:
                        points = sorted(kept[key].values(), key=lambda point: rank(*point))
                        low = points[0][0] if first_step is None else max(first_step, points[0][0])
                        high = points[-1][0] if last_step is None else min(last_step, points[-1][0])
                        points = [point for point in points if low <= point[0] <= high]
                        is_sampled = buckets is not None and len(points) > 3 * buckets
                        chosen = sample(points, bucket_width(low, high, buckets)) if buckets is not None and is_sampled else points
                        if points:
                            found.append(Series(run_id, key, Points.of(chosen), is_sampled))
            return found

    # --- shipping

    def shipped_to(self, writer: str) -> int:
        with self._lock:
            return self._positions.get(writer, 0)

    def ship(self, parcel: Parcel) -> Receipt:
        origin = limits.check_parcel(parcel).origin
        with self._lock:
            position = self.shipped_to(origin.writer)
            if origin.end <= position:
                return Receipt(is_repeat=True)
            if origin.start != position:
                raise OriginGap(
                    f"the journal of writer {origin.writer} is here up to {position}; a parcel from {origin.start} on cannot follow",
                    position=position,
                )
            runs, datasets, models = dict(self._runs), dict(self._datasets), self._kept_models(parcel)
            if parcel.run_id in runs:
                runs[parcel.run_id] = deepcopy(runs[parcel.run_id])
            try:
                receipt = self._take(parcel)
            except BaseException:
                self._runs, self._datasets = runs, datasets
                self._models, self._used, self._made = models
                raise
            self._positions[origin.writer] = origin.end
            return receipt

    def _take(self, parcel: Parcel) -> Receipt:
        if parcel.new is not None:
            self.create_run(parcel.new)
        self._take_models(parcel)
        run = self._active_run(parcel.run_id)
        for key in parcel.removed_tags:
            run.tags.pop(key, None)
        given = dict(limits.check_param(key, value) for key, value in parcel.batch.params.items())
        clashes = [ParamClash(key, run.params[key], value) for key, value in given.items() if run.params.get(key, value) != value]
        fitting = {key: value for key, value in given.items() if run.params.get(key, value) == value}
        self.log_batch(parcel.run_id, evolve(parcel.batch, params=fitting))
        self.log_inputs(parcel.run_id, parcel.inputs)
        self.update_run(parcel.run_id, status=parcel.status, end_time=parcel.end_time)
        return Receipt(tuple(clashes))

    def beat(self, beats: Sequence[Heartbeat]) -> None:
        checked = [limits.check_heartbeat(one) for one in beats]
        with self._lock:
            for one in checked:
                if one.run_id in self._runs and not self._runs[one.run_id].info.status.has_ended:
                    self._beats[one.run_id, one.writer] = one

    def heartbeats(self, run_ids: Sequence[str] | None = None) -> list[Heartbeat]:
        with self._lock:
            return [
                beat
                for (run_id, _), beat in sorted(self._beats.items())
                if self._runs[run_id].info.status is RunStatus.RUNNING and (run_ids is None or run_id in run_ids)
            ]


def _history_rank(metric: Metric) -> tuple[int, int, float, bool]:
    _, _, value, is_nan = rank(metric.step, metric.timestamp, metric.value)
    return metric.timestamp, metric.step, value, is_nan
