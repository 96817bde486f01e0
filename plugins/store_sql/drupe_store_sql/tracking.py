"""The tracking store on any SQL database: checks arguments, opens a transaction, and calls the room that does the work.

A database's plugin subclasses it and adds `open`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from drupe.entities import (
    DatasetInput,
    Deleted,
    DeletedKind,
    Experiment,
    ExperimentActivity,
    ExperimentStorage,
    Heartbeat,
    LifecycleStage,
    LogBatch,
    LoggedModel,
    LoggedModelStatus,
    Metric,
    ModelInput,
    ModelOutput,
    NewLoggedModel,
    NewRun,
    Page,
    Parcel,
    Points,
    Receipt,
    Run,
    RunColumns,
    RunInfo,
    RunKeys,
    RunStatus,
    Series,
    ViewType,
    WholeLoggedModel,
    WholeRun,
    limits,
    logged_limits,
)
from drupe.errors import InvalidValue
from drupe.extend.columns import KEYS_MAX, RUNS_MAX, check_fields
from drupe.extend.moving import check_moved
from drupe.extend.tracking_store import TrackingStore
from drupe.search.query import Field, Query
from drupe.uris import Uri
from drupe_store_sql import (
    columns,
    curves,
    experiments,
    history,
    importing,
    inputs,
    logged_importing,
    logged_models,
    moving,
    readout,
    removal,
    run_keys,
    runs,
    shipping,
    storage,
    tables,
    ties,
)
from drupe_store_sql.database import Database
from drupe_store_sql.scope import Scope
from drupe_store_sql.search import count_of, page_of

__all__ = ["SqlTrackingStore"]


class SqlTrackingStore(TrackingStore):
    """Experiments and runs in one database.

    `artifact_root` is the address below which experiments keep their artifacts; `on_close` lets go of the database.
    """

    def __init__(self, database: Database, artifact_root: str, *, on_close: Callable[[], None]) -> None:
        self._database, self._artifact_root = database, artifact_root
        self._on_close: Callable[[], None] | None = on_close

    def close(self) -> None:
        if self._on_close is not None:
            on_close, self._on_close = self._on_close, None
            on_close()

    # --- experiments

    def create_experiment(self, name: str, *, artifact_location: str | None = None, tags: Mapping[str, str] | None = None) -> Experiment:
        limits.check_experiment_name(name)
        checked = limits.check_tags("experiment tag", tags or {}, limit=limits.EXPERIMENT_TAG_VALUE_MAX)
        location = _absolute(artifact_location) if artifact_location else None
        with self._database.write() as session:
            return experiments.add(
                session, name, artifact_root=self._artifact_root, artifact_location=location, tags=checked, now=self._database.clock()
            )

    def get_experiment(self, experiment_id: str) -> Experiment:
        experiments.row_number(experiment_id)
        with self._database.read() as session:
            return experiments.get(session, experiment_id)

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        with self._database.read() as session:
            return experiments.by_name(session, name)

    def search_experiments(
        self, query: Query, *, view: ViewType = ViewType.ACTIVE_ONLY, limit: int = 1000, page_token: str | None = None
    ) -> Page[Experiment]:
        limits.check_limit(limit)
        with self._database.read() as session:
            wanted = list(tables.experiments.columns)
            rows, token = page_of(session, query, wanted, scope=Scope(view), limit=limit, token=page_token)
            return Page(experiments.read(session, [tuple(row) for row in rows]), token)

    def rename_experiment(self, experiment_id: str, name: str) -> None:
        limits.check_experiment_name(name)
        with self._database.write() as session:
            experiments.rename(session, experiment_id, name, now=self._database.clock())

    def set_experiment_stage(self, experiment_id: str, stage: LifecycleStage) -> None:
        with self._database.write() as session:
            experiments.set_stage(session, experiment_id, stage, now=self._database.clock())

    def set_experiment_tags(self, experiment_id: str, tags: Mapping[str, str]) -> None:
        checked = limits.check_tags("experiment tag", tags, limit=limits.EXPERIMENT_TAG_VALUE_MAX)
        with self._database.write() as session:
            number = experiments.require_active(session, experiment_id)[0]
            experiments.set_tags(session, number, checked)

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        with self._database.write() as session:
            experiments.delete_tag(session, experiment_id, key)

    def experiment_activity(self, experiment_ids: Sequence[str], *, view: ViewType = ViewType.ACTIVE_ONLY) -> dict[str, ExperimentActivity]:
        with self._database.read() as session:
            return experiments.activity(session, experiment_ids, view)

    # --- runs

    def create_run(self, new: NewRun) -> Run:
        run_id = uuid.uuid4().hex if new.run_id is None else limits.check_run_id(new.run_id)
        with self._database.write() as session:
            return runs.add(session, new, run_id)

    def get_run(self, run_id: str) -> Run:
        with self._database.read() as session:
            return readout.by_id(session, run_id)

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
        scope = _scope(experiment_ids, view)
        with self._database.read() as session:
            rows, token = page_of(session, query, readout.INFO, scope=scope, limit=limit, token=page_token)
            return Page(readout.read(session, rows, summaries=summaries), token)

    def count_runs(self, query: Query, *, experiment_ids: Sequence[str] | None = None, view: ViewType = ViewType.ACTIVE_ONLY) -> int:
        scope = _scope(experiment_ids, view)
        with self._database.read() as session:
            return count_of(session, query, scope=scope)

    def run_columns(
        self,
        query: Query,
        *,
        experiment_ids: Sequence[str] | None,
        view: ViewType = ViewType.ACTIVE_ONLY,
        fields: Sequence[Field] = (),
        limit: int = 100_000,
    ) -> RunColumns:
        limits.check_limit(limit, maximum=RUNS_MAX, name="limit")
        checked, scope = check_fields(fields), _scope(experiment_ids, view)
        with self._database.read() as session:
            return columns.read(session, query, checked, scope=scope, limit=limit)

    def run_keys(
        self, *, experiment_ids: Sequence[str] | None, view: ViewType = ViewType.ACTIVE_ONLY, prefix: str = "", limit: int = 1000
    ) -> RunKeys:
        limits.check_limit(limit, maximum=KEYS_MAX, name="limit")
        scope = _scope(experiment_ids, view)
        with self._database.read() as session:
            return run_keys.read(session, scope=scope, prefix=prefix, limit=limit)

    def update_run(
        self, run_id: str, *, status: RunStatus | None = None, end_time: int | None = None, run_name: str | None = None
    ) -> RunInfo:
        with self._database.write() as session:
            number = runs.change(session, run_id, status=status, end_time=end_time, run_name=run_name)
            return readout.info_of(session, number)

    def set_run_stage(self, run_id: str, stage: LifecycleStage) -> None:
        with self._database.write() as session:
            runs.set_stage(session, run_id, stage, now=self._database.clock())

    def move_runs(self, run_ids: Sequence[str], experiment_id: str) -> None:
        wanted = check_moved(run_ids)
        with self._database.write() as session:
            moving.move(session, wanted, experiment_id)

    def log_batch(self, run_id: str, batch: LogBatch) -> None:
        checked = runs.check_batch(batch)
        with self._database.write() as session:
            runs.log(session, run_id, checked)

    def delete_run_tag(self, run_id: str, key: str) -> None:
        with self._database.write() as session:
            runs.delete_tag(session, run_id, key)

    def log_inputs(self, run_id: str, datasets: Sequence[DatasetInput]) -> None:
        checked = [limits.check_dataset_input(one) for one in datasets]
        with self._database.write() as session:
            inputs.tie(session, runs.require_active(session, run_id), checked)

    # --- metric series

    def metric_history(self, run_id: str, key: str, *, limit: int = 25_000, page_token: str | None = None) -> Page[Metric]:
        points, token = self.history_columns(run_id, key, limit=limit, page_token=page_token)
        return Page([Metric(key, value, time, step, run_id) for step, time, value in points], token)

    def history_columns(self, run_id: str, key: str, *, limit: int = 25_000, page_token: str | None = None) -> tuple[Points, str | None]:
        limits.check_limit(limit)
        with self._database.read() as session:
            return history.page(session, run_id, key, limit=limit, token=page_token)

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
        with self._database.read() as session:
            return curves.read(session, run_ids, keys, buckets=buckets, first_step=first_step, last_step=last_step)

    # --- logged models

    def create_logged_model(self, new: NewLoggedModel) -> LoggedModel:
        checked = logged_limits.check_new_logged_model(new)
        with self._database.write() as session:
            return logged_models.add(session, checked, now=self._database.clock())

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        with self._database.read() as session:
            return logged_models.get(session, model_id, allow_deleted=allow_deleted)

    def search_logged_models(
        self, query: Query, *, experiment_ids: Sequence[str] | None, limit: int = 50, page_token: str | None = None
    ) -> Page[LoggedModel]:
        limits.check_limit(limit)
        scope = _scope(experiment_ids, ViewType.ACTIVE_ONLY)
        with self._database.read() as session:
            rows, token = page_of(session, query, logged_models.COLUMNS, scope=scope, limit=limit, token=page_token)
            return Page(logged_models.read(session, rows), token)

    def set_logged_model_status(self, model_id: str, status: LoggedModelStatus, *, message: str | None = None) -> LoggedModel:
        told = logged_limits.check_status_message(message)
        with self._database.write() as session:
            return logged_models.set_status(session, model_id, status, told, now=self._database.clock())

    def delete_logged_model(self, model_id: str) -> None:
        with self._database.write() as session:
            logged_models.remove(session, model_id, now=self._database.clock())

    def set_logged_model_tags(self, model_id: str, tags: Mapping[str, str]) -> LoggedModel:
        checked = limits.check_tags("logged model tag", tags, limit=None)
        with self._database.write() as session:
            return logged_models.set_tags(session, model_id, checked, now=self._database.clock())

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        with self._database.write() as session:
            logged_models.delete_tag(session, model_id, key, now=self._database.clock())

    def log_logged_model_params(self, model_id: str, params: Mapping[str, str]) -> None:
        checked = dict(limits.check_param(key, value) for key, value in params.items())
        with self._database.write() as session:
            logged_models.add_params(session, model_id, checked, now=self._database.clock())

    def log_model_inputs(self, run_id: str, models: Sequence[ModelInput]) -> None:
        with self._database.write() as session:
            ties.tie_inputs(session, runs.require_active(session, run_id), models)

    def log_outputs(self, run_id: str, models: Sequence[ModelOutput]) -> None:
        logged_limits.check_model_outputs(models)
        with self._database.write() as session:
            ties.tie_outputs(session, runs.require_active(session, run_id), models)

    # --- many calls at once

    def apply(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        return self._database.together(calls)

    # --- shipping

    def shipped_to(self, writer: str) -> int:
        with self._database.read() as session:
            return shipping.shipped_to(session, writer)

    def ship(self, parcel: Parcel) -> Receipt:
        limits.check_parcel(parcel)
        with self._database.write() as session:
            return shipping.ship(session, parcel, now=self._database.clock())

    def beat(self, beats: Sequence[Heartbeat]) -> None:
        checked = [limits.check_heartbeat(one) for one in beats]
        if checked:
            with self._database.write() as session:
                shipping.beat(session, checked)

    def heartbeats(self, run_ids: Sequence[str] | None = None) -> list[Heartbeat]:
        with self._database.read() as session:
            return shipping.heard(session, run_ids)

    # --- taking in what was in another store

    def import_experiment(self, experiment: Experiment) -> Experiment:
        checked = limits.check_whole_experiment(experiment)
        with self._database.write() as session:
            return importing.take_experiment(session, checked, artifact_root=self._artifact_root, now=self._database.clock())

    def import_runs(self, runs: Sequence[WholeRun]) -> None:
        checked = [limits.check_whole_run(one) for one in runs]
        if checked:
            with self._database.write() as session:
                for one in checked:
                    importing.take_run(session, one, now=self._database.clock())

    def import_logged_models(self, models: Sequence[WholeLoggedModel]) -> None:
        checked = [logged_limits.check_whole_logged_model(one) for one in models]
        if checked:
            with self._database.write() as session:
                for one in checked:
                    logged_importing.take(session, one)

    # --- looking after it

    def schema_version(self) -> int | None:
        with self._database.read() as session:
            return storage.schema_version(session)

    def experiment_storage(self, experiment_id: str) -> ExperimentStorage | None:
        number = experiments.row_number(experiment_id)
        with self._database.read() as session:
            return storage.of_experiment(session, number)

    def deleted(self) -> list[Deleted]:
        with self._database.read() as session:
            return removal.listed(session)

    def remove(self, things: Sequence[Deleted]) -> None:
        for kind, removed in ((DeletedKind.RUN, removal.runs_with), (DeletedKind.LOGGED_MODEL, removal.models)):
            for ids in _batches([thing.id for thing in things if thing.kind is kind]):
                with self._database.write() as session:
                    removed(session, ids)
        for thing in things:
            number = experiments.row_number(thing.id) if thing.kind is DeletedKind.EXPERIMENT else 0
            if number > 0:
                self._remove_experiment(number)

    def _remove_experiment(self, number: int) -> None:
        for some in (removal.runs_of, removal.models_of):
            is_more = True
            while is_more:
                with self._database.write() as session:
                    is_more = some(session, number)
        with self._database.write() as session:
            removal.experiment(session, number)


def _scope(experiment_ids: Sequence[str] | None, view: ViewType) -> Scope:
    numbers = None if experiment_ids is None else tuple(sorted({experiments.row_number(one) for one in experiment_ids}))
    return Scope(view, numbers)


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), removal.AT_ONCE):
        yield ids[start : start + removal.AT_ONCE]


def _absolute(location: str) -> str:
    """A relative path means one below the working folder of now, not of whoever reads it later."""
    has_scheme = ":" in location.partition("/")[0]
    return location if has_scheme or Path(location).is_absolute() else Uri.parse(location).text
