"""The tracking store on a server: what is asked in MLflow's own words.

`own` holds the rest for drupe's server, which has more words, `mlflow_tracking` for MLflow's, which have fewer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self, cast

from attrs import evolve

from drupe.entities import (
    DatasetInput,
    Experiment,
    LifecycleStage,
    Metric,
    Page,
    RunInfo,
    RunStatus,
    ViewType,
    limits,
)
from drupe.errors import AlreadyExists, ExperimentNotFound, RunNotFound, TagNotFound
from drupe.extend import TrackingStore
from drupe.search.query import Query
from drupe.search.render import render
from drupe.uris import Uri
from drupe.wire import tracking as wire
from drupe_store_http.link import Link, link_for
from drupe_store_http.servers import Server, server_at
from drupe_store_http.settings import HttpSettings

__all__ = ["HttpTrackingStore"]


class HttpTrackingStore(TrackingStore):
    """Experiments and runs on a server."""

    def __init__(self, link: Link, server: Server) -> None:
        self._link, self._server = link, server

    @classmethod
    def open(cls, uri: Uri, settings: HttpSettings | None = None) -> Self:
        link = link_for(uri, settings)
        return cls(link, server_at(link))

    def close(self) -> None:
        self._link.close()

    # --- experiments

    def create_experiment(self, name: str, *, artifact_location: str | None = None, tags: Mapping[str, str] | None = None) -> Experiment:
        asked = wire.CreateExperiment(
            name=limits.check_experiment_name(name),
            artifact_location=artifact_location,
            tags=tuple(wire.ExperimentTag(key, value) for key, value in (tags or {}).items()),
        )
        made = self._link.ask("POST experiments/create", asked, done=(AlreadyExists,))
        if made is not None:
            return self.get_experiment(made.experiment_id)
        found = self.get_experiment_by_name(name)  # a try of which no answer came has made it, or somebody else has
        if found is None or any(found.tags.get(key) != value for key, value in (tags or {}).items()):
            raise AlreadyExists(f"an experiment named {name!r} exists", name=name)
        return found

    def get_experiment(self, experiment_id: str) -> Experiment:
        asked = wire.OneExperiment(experiment_id=limits.check_experiment_id(experiment_id))
        return cast("Experiment", self._link.ask("GET experiments/get", asked, missing=ExperimentNotFound).experiment)

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        if not name:
            return None
        try:
            asked = wire.GetExperimentByName(experiment_name=name)
            return cast("Experiment", self._link.ask("GET experiments/get-by-name", asked, missing=ExperimentNotFound).experiment)
        except ExperimentNotFound:
            return None

    def search_experiments(
        self, query: Query, *, view: ViewType = ViewType.ACTIVE_ONLY, limit: int = 1000, page_token: str | None = None
    ) -> Page[Experiment]:
        limits.check_limit(limit)
        filter, order_by = render(query)
        return self._experiments_page(filter, order_by, view, limit, page_token)

    def _experiments_page(self, filter: str, order_by: Sequence[str], view: ViewType, limit: int, token: str | None) -> Page[Experiment]:
        asked = wire.SearchExperiments(limit, token, filter or None, tuple(order_by), view)
        found = self._link.ask("POST experiments/search", asked)
        return Page(found.experiments, found.next_page_token or None)

    def rename_experiment(self, experiment_id: str, name: str) -> None:
        asked = wire.UpdateExperiment(experiment_id=experiment_id, new_name=limits.check_experiment_name(name))
        self._link.ask("POST experiments/update", asked, missing=ExperimentNotFound)

    def set_experiment_stage(self, experiment_id: str, stage: LifecycleStage) -> None:
        verb = "delete" if stage is LifecycleStage.DELETED else "restore"
        asked = wire.OneExperiment(experiment_id=experiment_id)
        self._link.ask(f"POST experiments/{verb}", asked, missing=ExperimentNotFound, done=(ExperimentNotFound,))

    def set_experiment_tags(self, experiment_id: str, tags: Mapping[str, str]) -> None:
        for key, value in tags.items():
            asked = wire.SetExperimentTag(experiment_id=experiment_id, key=key, value=value)
            self._link.ask("POST experiments/set-experiment-tag", asked, missing=ExperimentNotFound)

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        asked = wire.DeleteExperimentTag(experiment_id=experiment_id, key=key)
        self._link.ask("POST experiments/delete-experiment-tag", asked, missing=TagNotFound, done=(TagNotFound,))

    # --- runs

    def update_run(
        self, run_id: str, *, status: RunStatus | None = None, end_time: int | None = None, run_name: str | None = None
    ) -> RunInfo:
        asked = wire.UpdateRun(run_id=run_id, status=status, end_time=end_time, run_name=run_name)
        return cast("RunInfo", self._link.ask("POST runs/update", asked, missing=RunNotFound).run_info)

    def set_run_stage(self, run_id: str, stage: LifecycleStage) -> None:
        verb = "delete" if stage is LifecycleStage.DELETED else "restore"
        self._link.ask(f"POST runs/{verb}", wire.OneRun(run_id=run_id), missing=RunNotFound)

    def delete_run_tag(self, run_id: str, key: str) -> None:
        self._link.ask("POST runs/delete-tag", wire.DeleteTag(run_id=run_id, key=key), missing=RunNotFound, done=(TagNotFound,))

    def log_inputs(self, run_id: str, datasets: Sequence[DatasetInput]) -> None:
        self._link.ask("POST runs/log-inputs", wire.LogInputs(run_id=run_id, datasets=tuple(datasets)), missing=RunNotFound)

    # --- metric series

    def metric_history(self, run_id: str, key: str, *, limit: int = 25_000, page_token: str | None = None) -> Page[Metric]:
        limits.check_limit(limit)
        found = self._link.ask("GET metrics/get-history", wire.GetHistory(key, run_id, None, page_token, limit))
        return Page((evolve(metric, run_id=run_id) for metric in found.metrics), found.next_page_token or None)
