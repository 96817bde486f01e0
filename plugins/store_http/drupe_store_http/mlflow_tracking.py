"""The tracking store on an MLflow server, 2.x and 3.x: what it cannot do itself is done here, or refused. Parcels of journals are in `mlflow_shipping`."""

from __future__ import annotations

import base64
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import ClassVar, cast

from attrs import evolve

from drupe.entities import (
    DatasetInput,
    Experiment,
    LifecycleStage,
    LogBatch,
    Metric,
    NewRun,
    Page,
    Run,
    RunInfo,
    RunStatus,
    RunTag,
    Series,
    ViewType,
    limits,
)
from drupe.errors import (
    AlreadyExists,
    ExperimentNotFound,
    InvalidPageToken,
    InvalidValue,
    NotFound,
    RunNotFound,
    StoreUnavailable,
    TagNotFound,
    UnsupportedFeature,
    WrongLifecycle,
)
from drupe.extend import Feature, Support
from drupe.search.query import Query
from drupe.wire import tracking as wire
from drupe_store_http.batches import log_in_pieces
from drupe_store_http.dialect import asked_of
from drupe_store_http.ids import ID_TAG, PARENT_TAG, PRIVATE, RunIds, experiment_ids as all_experiment_ids
from drupe_store_http.link import Link
from drupe_store_http.series import series_points
from drupe_store_http.servers import Server
from drupe_store_http.tracking import HttpTrackingStore
from drupe_store_http.walking import all_of, walked

__all__ = ["MlflowRuns", "without_private"]

NAME_TAG = "mlflow.runName"
HISTORY_PAGE = 25_000


class MlflowRuns(HttpTrackingStore):
    """Experiments and runs on a server of MLflow's."""

    features: ClassVar[Mapping[Feature, Support]] = {Feature.CONCURRENT_PROCESSES: Support.FULL}

    def __init__(self, link: Link, server: Server) -> None:
        super().__init__(link, server)
        self._ids = RunIds(link)

    # --- experiments

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        with suppress(InvalidValue):
            return super().get_experiment_by_name(name)
        return None

    def search_experiments(
        self, query: Query, *, view: ViewType = ViewType.ACTIVE_ONLY, limit: int = 1000, page_token: str | None = None
    ) -> Page[Experiment]:
        limits.check_limit(limit)
        asked = asked_of(query, self._server)

        def fetch(size: int, token: str | None) -> tuple[Iterable[Experiment], str | None]:
            page = self._experiments_page(asked.filter, asked.order_by, view, size, token)
            return page, page.token

        return walked(fetch, asked.rest, search=(query, view), limit=limit, token=page_token)

    def rename_experiment(self, experiment_id: str, name: str) -> None:
        limits.check_experiment_name(name)
        with self._in_active_experiment(experiment_id):
            try:
                super().rename_experiment(experiment_id, name)
            except InvalidValue as fault:
                if self.get_experiment_by_name(name) is None:
                    raise
                raise AlreadyExists(f"an experiment named {name!r} exists", name=name) from fault

    def set_experiment_tags(self, experiment_id: str, tags: Mapping[str, str]) -> None:
        checked = limits.check_tags("experiment tag", tags, limit=limits.EXPERIMENT_TAG_VALUE_MAX)
        with self._in_active_experiment(experiment_id):
            super().set_experiment_tags(experiment_id, checked)

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        if not self._server.has_history_pages:
            raise UnsupportedFeature("an MLflow server before 3.0 cannot remove a tag of an experiment")
        if key not in self.get_experiment(experiment_id).tags:
            raise TagNotFound(f"experiment {experiment_id} has no tag {key!r}", key=key)
        with self._in_active_experiment(experiment_id):
            super().delete_experiment_tag(experiment_id, key)

    # --- runs

    def create_run(self, new: NewRun) -> Run:
        """As the contract says, but that the id is the server's; the one that is given finds the run as well."""
        _check_names(new)
        run_id = None if new.run_id is None else limits.check_run_id(new.run_id)
        found = None if run_id is None else self._ids.chosen_here(run_id, (new.experiment_id,))
        if found is None:
            found = self._created(new, run_id)
        elif found.info.start_time != new.start_time:
            raise AlreadyExists(f"run {run_id} exists", run_id=run_id)
        if run_id is not None:
            self._ids.note(run_id, found.info.run_id)
        return without_private(self._ids.read(found.info.run_id))

    def _created(self, new: NewRun, run_id: str | None) -> Run:
        tags = {**new.tags} | ({} if run_id is None else {ID_TAG: run_id})
        if PARENT_TAG in tags:
            with suppress(RunNotFound):
                tags[PARENT_TAG] = self._ids.there(tags[PARENT_TAG])
        asked = wire.CreateRun(
            experiment_id=limits.check_experiment_id(new.experiment_id),
            user_id=new.user_id,
            run_name=new.run_name,
            start_time=new.start_time,
            tags=tuple(RunTag(key, value) for key, value in tags.items()),
        )
        with self._in_active_experiment(new.experiment_id):
            try:
                return cast("Run", self._link.ask("POST runs/create", asked, missing=ExperimentNotFound, is_repeatable=False).run)
            except StoreUnavailable:
                found = None if run_id is None else self._ids.chosen_here(run_id, (new.experiment_id,))
                if found is None:
                    raise
                return found  # it was made, and only the answer was lost

    def get_run(self, run_id: str) -> Run:
        return without_private(self._ids.read(run_id))

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
        ids = all_experiment_ids(self._link) if experiment_ids is None else tuple(map(limits.check_experiment_id, experiment_ids))
        if not ids:
            return Page()
        asked = asked_of(query, self._server)

        def fetch(size: int, token: str | None) -> tuple[Iterable[Run], str | None]:
            request = wire.SearchRuns(ids, asked.filter or None, view, size, asked.order_by, token)
            found = self._link.ask("POST runs/search", request)
            return map(without_private, found.runs), found.next_page_token

        return walked(fetch, asked.rest, search=(query, experiment_ids, view), limit=limit, token=page_token)

    def update_run(
        self, run_id: str, *, status: RunStatus | None = None, end_time: int | None = None, run_name: str | None = None
    ) -> RunInfo:
        there = self._ids.there(run_id)
        with self._ids.in_active_run(there):
            return super().update_run(there, status=status, end_time=end_time, run_name=run_name)

    def set_run_stage(self, run_id: str, stage: LifecycleStage) -> None:
        super().set_run_stage(self._ids.there(run_id), stage)

    def delete_run_tag(self, run_id: str, key: str) -> None:
        there = self._ids.there(run_id)
        with self._ids.in_active_run(there):
            try:
                super().delete_run_tag(there, key)
            except NotFound as fault:
                raise TagNotFound(f"run {run_id} has no tag {key!r}", run_id=run_id, key=key) from fault

    def log_batch(self, run_id: str, batch: LogBatch) -> None:
        """As the contract says, but that a batch too large for one request is written piece by piece."""
        if batch.model_points and Feature.LOGGED_MODELS not in self.features:
            self._has_no_logged_models()
        log_in_pieces(self._link, self._ids, self._ids.there(run_id), self._with_ids_there(batch))

    def _with_ids_there(self, batch: LogBatch) -> LogBatch:
        """The batch with the ids that logged models have there."""
        return batch

    def log_inputs(self, run_id: str, datasets: Sequence[DatasetInput]) -> None:
        checked = [limits.check_dataset_input(one) for one in datasets]
        there = self._ids.there(run_id)
        with self._ids.in_active_run(there):
            super().log_inputs(there, checked)

    # --- metric series

    def metric_history(self, run_id: str, key: str, *, limit: int = 25_000, page_token: str | None = None) -> Page[Metric]:
        limits.check_limit(limit)
        try:
            there = self._ids.there(run_id)
        except RunNotFound:
            return Page()
        if self._server.has_history_pages:
            found = super().metric_history(there, key, limit=limit, page_token=page_token)
            return Page(map(_finite_or_not, found), found.token)
        return _slice(self._whole_history(there, key), limit, page_token)

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
            try:
                run = self._ids.read(run_id)
            except RunNotFound:
                continue
            wanted = sorted(run.data.metrics) if keys is None else [key for key in dict.fromkeys(keys) if key in run.data.metrics]
            for key in wanted:
                history = ((one.step, one.timestamp, one.value) for one in self._whole_history(run.info.run_id, key))
                points, is_sampled = series_points(history, buckets=buckets, first_step=first_step, last_step=last_step)
                if len(points):
                    found.append(Series(run_id, key, points, is_sampled))
        return found

    def _whole_history(self, there: str, key: str) -> list[Metric]:
        """All points, by time, step and value."""

        def page(token: str | None) -> tuple[Iterator[Metric], str | None]:
            asked = wire.GetHistory(key, there, None, token, HISTORY_PAGE if self._server.has_history_pages else None)
            found = self._link.ask("GET metrics/get-history", asked)
            return (_finite_or_not(evolve(one, run_id=there)) for one in found.metrics), found.next_page_token or None

        def place(one: Metric) -> tuple[int, int, float]:
            return one.timestamp, one.step, 0.0 if math.isnan(one.value) else one.value

        return sorted(all_of(page), key=place)

    # --- how

    @contextmanager
    def _in_active_experiment(self, experiment_id: str) -> Iterator[None]:
        try:
            yield
        except (InvalidValue, WrongLifecycle) as fault:
            if type(fault) is not InvalidValue or self.get_experiment(experiment_id).lifecycle_stage is not LifecycleStage.DELETED:
                raise
            raise WrongLifecycle(f"experiment {experiment_id} is deleted; restore it first", experiment_id=experiment_id) from fault


def without_private(run: Run) -> Run:
    """The run as others are to see it: without the store's own tags, and with the infinities that the server keeps as the largest numbers."""
    data = run.data
    tags = {key: value for key, value in data.tags.items() if not key.startswith(PRIVATE)}
    metrics = {key: _infinite(value) for key, value in data.metrics.items()}
    summaries = {key: evolve(summary, last=_infinite(summary.last)) for key, summary in data.summaries.items()}
    return evolve(run, data=evolve(data, tags=tags, metrics=metrics, summaries=summaries))


def _finite_or_not(metric: Metric) -> Metric:
    return evolve(metric, value=_infinite(metric.value)) if abs(metric.value) == sys.float_info.max else metric


def _infinite(value: float) -> float:
    return math.copysign(math.inf, value) if abs(value) == sys.float_info.max else value


def _check_names(new: NewRun) -> None:
    tagged = new.tags.get(NAME_TAG)
    if new.run_name and tagged and new.run_name != tagged:
        raise InvalidValue(f"run_name is {new.run_name!r} but the tag {NAME_TAG} is {tagged!r}; give one, or the same text twice")


def _slice(points: list[Metric], limit: int, token: str | None) -> Page[Metric]:
    start = 0
    if token is not None:
        try:
            start = int(base64.b64decode(token.encode("ascii"), validate=True))
        except ValueError:
            raise InvalidPageToken(f"page token {token[:40]!r} is not one; start again without a token") from None
    end = start + limit
    return Page(points[start:end], base64.b64encode(str(end).encode()).decode() if end < len(points) else None)
