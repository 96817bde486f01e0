"""The tracking store that is not there: runs are made, logged to and read in the journals below one folder, until `drupe sync` ships them.

It knows the runs that were started here without their store, and nothing else. Experiments are named, not made: their id is `name:<name>` until
the run is shipped.
"""

from __future__ import annotations

import os
import threading
import uuid
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

from attrs import evolve

from drupe.entities import (
    DatasetInput,
    Experiment,
    LifecycleStage,
    LogBatch,
    Metric,
    NewRun,
    Page,
    Parcel,
    Points,
    Run,
    RunInfo,
    RunStatus,
    Series,
    ViewType,
    limits,
)
from drupe.entities.names import invent_run_name
from drupe.errors import AlreadyExists, InvalidValue, ParamConflict, RunNotFound, StoreUnavailable, TagNotFound, WrongLifecycle
from drupe.extend import Feature, Support, TrackingStore
from drupe.search.match import find
from drupe.search.query import Query
from drupe.tracking.journal import outbox
from drupe.tracking.journal.adoption import run_folders
from drupe.tracking.journal.folding import model_points_form, new_run_form
from drupe.tracking.journal.layout import FrameKind
from drupe.tracking.journal.local_runs import NAME_TAG, LocalRun, points_of
from drupe.tracking.journal.outbox import Line
from drupe.tracking.journal.places import journals_root
from drupe.tracking.offline_models import OfflineModels
from drupe.uris import Uri, redact

__all__ = ["OfflineStore", "by_name", "settle_experiment"]

BY_NAME = "name:"
DEFAULT = "0"


def by_name(experiment_id: str) -> str | None:
    """The name of an experiment that had no id yet when it was used; None for an id."""
    return experiment_id.removeprefix(BY_NAME) if experiment_id.startswith(BY_NAME) else None


def settle_experiment(opened: Callable[[], TrackingStore]) -> Callable[[Parcel], Parcel]:
    """What a parcel with a new run needs before it is shipped: the id of its experiment, which is made where it is not there yet."""

    def prepare(parcel: Parcel) -> Parcel:
        name = None if parcel.new is None else by_name(parcel.new.experiment_id)
        if parcel.new is None or name is None:
            return parcel
        store = opened()
        found = store.get_experiment_by_name(name)
        if found is None:
            try:
                found = store.create_experiment(name)
            except AlreadyExists:  # another process was quicker
                return prepare(parcel)
        return evolve(parcel, new=evolve(parcel.new, experiment_id=found.experiment_id))

    def settle(parcel: Parcel) -> Parcel:
        if not any(by_name(model.experiment_id) for model in parcel.models):
            return prepare(parcel)
        settled = prepare(parcel)
        home = settled.new.experiment_id if settled.new is not None else opened().get_run(parcel.run_id).info.experiment_id
        return evolve(settled, models=tuple(evolve(model, experiment_id=home) for model in settled.models))

    return settle


_stores: weakref.WeakSet[OfflineStore] = weakref.WeakSet()


class OfflineStore(OfflineModels):
    """Runs in the journals for the store at `uri`. `opened` opens that store when it is there again; None where nobody is to try."""

    features: ClassVar[Mapping[Feature, Support]] = {Feature.LOGGED_MODELS: Support.SOME_VERSIONS}

    def __init__(self, uri: str, opened: Callable[[], TrackingStore] | None) -> None:
        self._uri, self._opened = uri, opened
        self._root = journals_root(uri)
        self._runs: dict[str, LocalRun] = {}
        self._following = threading.Lock()
        _stores.add(self)

    def _in_child(self) -> None:
        self._following, self._runs = threading.Lock(), {}  # another thread of the parent may have been reading

    @classmethod
    def open(cls, uri: Uri, settings: Any = None) -> Self:
        return cls(uri.text, None)

    def close(self) -> None:
        return

    # --- experiments

    def create_experiment(self, name: str, *, artifact_location: str | None = None, tags: Mapping[str, str] | None = None) -> Experiment:
        if artifact_location or tags:
            raise self._needs_store(f"an experiment with tags or a location of its own ({name!r})")
        return _experiment(BY_NAME + limits.check_experiment_name(name))

    def get_experiment(self, experiment_id: str) -> Experiment:
        if by_name(experiment_id) is None and not experiment_id.isdecimal():
            raise InvalidValue(f"experiment id {experiment_id[:60]!r} is not a number")
        return _experiment(experiment_id)

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        return _experiment(DEFAULT if name == "Default" else BY_NAME + limits.check_experiment_name(name))

    def search_experiments(
        self, query: Query, *, view: ViewType = ViewType.ACTIVE_ONLY, limit: int = 1000, page_token: str | None = None
    ) -> Page[Experiment]:
        used = {run.read().info.experiment_id for run in self._all()}
        return Page(find(query, map(_experiment, sorted(used)))[:limit])

    def rename_experiment(self, experiment_id: str, name: str) -> None:
        raise self._needs_store("renaming an experiment")

    def set_experiment_stage(self, experiment_id: str, stage: LifecycleStage) -> None:
        raise self._needs_store("deleting or restoring an experiment")

    def set_experiment_tags(self, experiment_id: str, tags: Mapping[str, str]) -> None:
        raise self._needs_store("a tag of an experiment")

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        raise self._needs_store("a tag of an experiment")

    # --- runs

    def create_run(self, new: NewRun) -> Run:
        run_id = uuid.uuid4().hex if new.run_id is None else limits.check_run_id(new.run_id)
        tagged = new.tags.get(NAME_TAG)
        if new.run_name and tagged and new.run_name != tagged:
            raise InvalidValue(f"run_name is {new.run_name!r} but the tag {NAME_TAG} is {tagged!r}; give one, or the same text twice")
        name = new.run_name or tagged or invent_run_name()
        told = evolve(new, run_id=run_id, run_name=name, tags={**new.tags, NAME_TAG: name})
        line = self._line(run_id)
        line.journal.note(FrameKind.NEW, new_run_form(told))
        return self._run(run_id).read()

    def get_run(self, run_id: str) -> Run:
        return self._run(run_id).read()

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
        seen = [run.read() for run in self._all()]
        return Page(find(query, [run for run in seen if experiment_ids is None or run.info.experiment_id in experiment_ids])[:limit])

    def update_run(
        self, run_id: str, *, status: RunStatus | None = None, end_time: int | None = None, run_name: str | None = None
    ) -> RunInfo:
        self._run(run_id)
        line = self._line(run_id)
        if run_name is not None:
            line.journal.note(FrameKind.TAGS, {NAME_TAG: run_name})
        line.journal.note(FrameKind.CHANGE, {"status": None if status is None else RunStatus(status).value, "end_time": end_time})
        return self._run(run_id).read().info

    def set_run_stage(self, run_id: str, stage: LifecycleStage) -> None:
        raise WrongLifecycle(
            f"run {run_id} is not in its store yet; ship it with `drupe sync` before it is deleted or restored", run_id=run_id
        )

    def log_batch(self, run_id: str, batch: LogBatch) -> None:
        run = self._run(run_id)
        checked = dict(limits.check_param(key, value) for key, value in batch.params.items())
        for key, value in checked.items():
            if run.params.get(key, value) != value:
                raise ParamConflict(f"run {run_id}: param {key!r} is {run.params[key][:100]!r} and cannot become {value[:100]!r}", key=key)
        tags = limits.check_tags("run tag", batch.tags, limit=None)
        journal = self._line(run_id).journal
        for one in batch.model_points:
            on = (one.dataset_name, one.dataset_digest or "") if one.dataset_name else None
            told = [(limits.check_key("metric", one.key), *point) for point in one.points]
            journal.note(FrameKind.MODEL_POINTS, model_points_form(one.model_id, told, on))
        if checked:
            journal.note(FrameKind.PARAMS, checked)
        for key, points in batch.metrics.items():
            journal.series(limits.check_key("metric", key), points)
        if tags:
            journal.note(FrameKind.TAGS, tags)

    def delete_run_tag(self, run_id: str, key: str) -> None:
        if key not in self._run(run_id).tags:
            raise TagNotFound(f"run {run_id} has no tag {key!r}", run_id=run_id, key=key)
        self._line(run_id).journal.note(FrameKind.UNTAG, key)

    def log_inputs(self, run_id: str, datasets: Sequence[DatasetInput]) -> None:
        self._run(run_id)
        self._line(run_id).journal.inputs([limits.check_dataset_input(one) for one in datasets])

    # --- metric series

    def metric_history(self, run_id: str, key: str, *, limit: int = 25_000, page_token: str | None = None) -> Page[Metric]:
        found = points_of(self._root / limits.check_run_id(run_id)).get(key, Points())
        points = sorted(found, key=lambda point: (point[1], point[0]))
        return Page([Metric(key, value, time_ms, step, run_id) for step, time_ms, value in points])

    def metric_bulk(
        self,
        run_ids: Sequence[str],
        keys: Sequence[str] | None = None,
        *,
        buckets: int | None = None,
        first_step: int | None = None,
        last_step: int | None = None,
    ) -> list[Series]:
        found = []
        for run_id in dict.fromkeys(run_ids):
            kept = points_of(self._root / limits.check_run_id(run_id))
            for key in sorted(kept) if keys is None else [key for key in dict.fromkeys(keys) if key in kept]:
                points = Points.of(
                    point
                    for point in kept[key]
                    if (first_step is None or point[0] >= first_step) and (last_step is None or point[0] <= last_step)
                )
                if len(points):
                    found.append(Series(run_id, key, points))
        return found

    def _all(self) -> list[LocalRun]:
        found = (self._followed(folder.name) for folder in run_folders(self._root))
        return [run for run in found if run is not None]

    def _run(self, run_id: str) -> LocalRun:
        found = self._followed(limits.check_run_id(run_id))
        if found is None:
            raise RunNotFound(
                f"no run with the id {run_id[:60]!r} was started here without its store ({redact(self._uri)}), which is not asked now",
                run_id=run_id,
            )
        return found

    def _followed(self, run_id: str) -> LocalRun | None:
        with self._following:
            return self._runs.setdefault(run_id, LocalRun(self._root / run_id)).follow()

    def _line(self, run_id: str) -> Line:
        opened = self._opened
        if opened is None:
            return outbox.open_line(self._uri, run_id, self._not_now, is_held=True)
        return outbox.open_line(self._uri, run_id, opened, prepare=settle_experiment(opened))

    def _not_now(self) -> TrackingStore:
        raise self._needs_store("shipping a run")

    def _needs_store(self, what: str) -> StoreUnavailable:
        return StoreUnavailable(f"{what} needs the store at {redact(self._uri)}, and this process works offline", place=redact(self._uri))


def _experiment(experiment_id: str) -> Experiment:
    name = by_name(experiment_id) or ("Default" if experiment_id == DEFAULT else experiment_id)
    return Experiment(experiment_id, name, artifact_location="")


def _after_fork() -> None:
    for store in _stores:
        store._in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
