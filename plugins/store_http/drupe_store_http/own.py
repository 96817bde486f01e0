"""The tracking store on drupe's own server: whole parcels, exactly once, and all that MLflow's protocol has no words for."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, cast

from attrs import evolve

from drupe.entities import (
    Heartbeat,
    LogBatch,
    LoggedModel,
    NewLoggedModel,
    NewRun,
    Page,
    Parcel,
    Receipt,
    Run,
    RunColumns,
    RunKeys,
    RunTag,
    Series,
    ViewType,
    limits,
    logged_limits,
)
from drupe.entities.codec import from_plain
from drupe.errors import RunNotFound
from drupe.extend import Feature, Support
from drupe.extend.columns import KEYS_MAX, RUNS_MAX, check_fields
from drupe.extend.moving import check_moved
from drupe.search.query import Field, Query
from drupe.search.render import render
from drupe.wire import logged_models, own, run_columns, tracking as wire
from drupe_store_http.listening import changes_on
from drupe_store_http.logged_models import LoggedModelCalls, worded

__all__ = ["OwnTrackingStore"]


class OwnTrackingStore(LoggedModelCalls):
    """Experiments and runs on drupe's server."""

    features: ClassVar[Mapping[Feature, Support]] = dict.fromkeys(
        (Feature.CONCURRENT_PROCESSES, Feature.ORIGINS, Feature.HEARTBEATS, Feature.LOGGED_MODELS, Feature.MOVES, Feature.CHANGES),
        Support.FULL,
    )

    def set_experiment_tags(self, experiment_id: str, tags: Mapping[str, str]) -> None:
        self._link.ask("POST drupe/set-experiment-tags", own.SetExperimentTags(experiment_id=experiment_id, tags=_tags(tags)))

    def create_run(self, new: NewRun) -> Run:
        asked = wire.CreateRun(
            experiment_id=new.experiment_id,
            user_id=new.user_id,
            run_name=new.run_name,
            start_time=new.start_time,
            tags=_tags(new.tags),
            run_id=uuid.uuid4().hex if new.run_id is None else limits.check_run_id(new.run_id),
        )
        run = cast("Run", self._link.ask("POST runs/create", asked).run)
        return self.get_run(run.info.run_id) if run.data.metrics else run  # made before: with its summaries

    def get_run(self, run_id: str) -> Run:
        if not run_id:
            raise RunNotFound("no run has an empty id", run_id=run_id)
        return from_plain(self._link.ask("POST drupe/get-run", own.ReadRun(run_id=run_id)).run, Run)

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
        if experiment_ids is not None and not experiment_ids:
            return Page()
        filter, order_by = render(query)
        ids = None if experiment_ids is None else tuple(experiment_ids)
        found = self._link.ask("POST drupe/search-runs", own.FindRuns(ids, filter or None, tuple(order_by), view, limit, page_token))
        return Page((from_plain(form, Run) for form in found.runs), found.next_page_token)

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
        check_fields(fields)
        if experiment_ids is not None and not experiment_ids:
            return RunColumns([], [[] for _ in fields])
        filter, order_by = render(query)
        ids = None if experiment_ids is None else tuple(experiment_ids)
        asked = run_columns.AskColumns(ids, filter or None, tuple(order_by), view, tuple(map(run_columns.field_form, fields)), limit)
        return run_columns.columns_of(self._link.ask("POST drupe/run-columns", asked), fields)

    def run_keys(
        self, *, experiment_ids: Sequence[str] | None, view: ViewType = ViewType.ACTIVE_ONLY, prefix: str = "", limit: int = 1000
    ) -> RunKeys:
        limits.check_limit(limit, maximum=KEYS_MAX, name="limit")
        if experiment_ids is not None and not experiment_ids:
            return RunKeys()
        ids = None if experiment_ids is None else tuple(experiment_ids)
        return run_columns.keys_of(self._link.ask("POST drupe/run-keys", run_columns.AskKeys(ids, view, prefix or None, limit)))

    def move_runs(self, run_ids: Sequence[str], experiment_id: str) -> None:
        wanted = tuple(check_moved(run_ids))
        asked = own.MoveRuns(run_ids=wanted, experiment_id=limits.check_experiment_id(experiment_id))
        if wanted:
            self._link.ask("POST drupe/move-runs", asked)

    def changes(self) -> Iterator[Mapping[str, str] | None]:
        return changes_on(self._link)

    def log_batch(self, run_id: str, batch: LogBatch) -> None:
        for key, value in batch.params.items():  # what is no text may have no form in JSON
            limits.check_param(key, value)
        self._link.ask("POST drupe/log-columns", own.columns_form(run_id, batch))

    def metric_bulk(
        self,
        run_ids: Sequence[str],
        keys: Sequence[str] | None = None,
        *,
        buckets: int | None = None,
        first_step: int | None = None,
        last_step: int | None = None,
    ) -> list[Series]:
        if not run_ids or (keys is not None and not keys):
            return []
        asked = own.AskSeries(tuple(run_ids), None if keys is None else tuple(keys), buckets, first_step, last_step)
        found: list[Series] = self._link.ask("POST drupe/series", asked)
        return found

    # --- logged models

    def create_logged_model(self, new: NewLoggedModel) -> LoggedModel:
        new = logged_limits.check_new_logged_model(new)
        known = evolve(new, model_id=new.model_id or f"m-{uuid.uuid4().hex}")
        return self._model("POST logged-models", logged_models.new_model_form(known))

    def search_logged_models(
        self, query: Query, *, experiment_ids: Sequence[str] | None, limit: int = 50, page_token: str | None = None
    ) -> Page[LoggedModel]:
        limits.check_limit(limit)
        if experiment_ids is not None and not experiment_ids:
            return Page()
        filter, datasets, order_by = worded(query)
        ids = None if experiment_ids is None else tuple(experiment_ids)
        asked = own.FindLoggedModels(ids, filter, datasets, order_by, limit, page_token)
        found = self._link.ask("POST drupe/search-logged-models", asked)
        return Page(found.models, found.next_page_token or None)

    # --- shipping

    def shipped_to(self, writer: str) -> int:
        return int(self._link.ask("POST drupe/shipped-to", own.Writer(writer=writer)).position)

    def ship(self, parcel: Parcel) -> Receipt:
        limits.check_parcel(parcel)
        told = self._link.ask("POST drupe/ship", own.ship_form(parcel))
        return Receipt(told.clashes, told.is_repeat)

    def beat(self, beats: Sequence[Heartbeat]) -> None:
        if beats:
            self._link.ask("POST drupe/beat", own.Beats(tuple(beats)))

    def heartbeats(self, run_ids: Sequence[str] | None = None) -> list[Heartbeat]:
        if run_ids is not None and not run_ids:
            return []
        return list(self._link.ask("POST drupe/heartbeats", own.AskBeats(None if run_ids is None else tuple(run_ids))).beats)


def _tags(tags: Mapping[str, str]) -> tuple[RunTag, ...]:
    return tuple(RunTag(key, value) for key, value in tags.items())
