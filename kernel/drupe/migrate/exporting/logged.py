"""Sending logged models, after the runs that they are tied to. Where the server keeps none, their files go below the run that made them."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from attrs import evolve

from drupe.entities import (
    LogBatch,
    LoggedModel,
    Metric,
    ModelInput,
    ModelOutput,
    ModelPoints,
    NewLoggedModel,
    Points,
    Run,
    WholeLoggedModel,
)
from drupe.errors import DrupeError, StoreError
from drupe.extend import Loss, TrackingStore
from drupe.extend.features import Feature
from drupe.migrate.digests import digest_of_logged_model
from drupe.migrate.exporting.files import Files
from drupe.migrate.exporting.report import MARK_TAG, MODEL_TAG, ExportReport
from drupe.migrate.exporting.runs import Place, Runs, pages
from drupe.migrate.report import Fate
from drupe.search.parse import parse
from drupe.search.query import Kind

__all__ = ["LoggedModels", "told_of_metrics"]

PAGE = 1000
_ALL = parse(Kind.LOGGED_MODELS)


class LoggedModels:
    """The logged models of one export."""

    def __init__(self, source: TrackingStore, target: TrackingStore, runs: Runs, files: Files, report: ExportReport) -> None:
        self._source, self._target, self._runs, self._files, self._report = source, target, runs, files, report
        self._used: dict[str, list[str]] = {}  # by model, the runs here that use it
        self._made: dict[str, dict[str, int]] = {}  # by model, the runs here that have made it, and the step
        self._places: dict[str, Place] = {}  # by run
        self.are_kept = bool(target.features.get(Feature.LOGGED_MODELS))

    def note(self, place: Place, run: Run) -> None:
        """Note what a run is tied to."""
        run_id = run.info.run_id
        self._places[run_id] = place
        for one in run.inputs.model_inputs:
            self._used.setdefault(one.model_id, []).append(run_id)
        for made in run.outputs.model_outputs:
            self._made.setdefault(made.model_id, {})[run_id] = made.step

    def send(self, place: Place, models: list[LoggedModel], *, is_dry_run: bool) -> None:
        """Send all logged models of one experiment."""
        if not models:
            return
        if not self.are_kept:
            self._send_files(models, is_dry_run=is_dry_run)
            return
        known = {} if place.there is None else self._known(place.there.experiment_id)
        for model in models:
            there, mark = known.get(model.model_id), self._mark(model)
            if there is not None and there.tags.get(MARK_TAG) == mark:
                self._report.logged_models.add(Fate.UNCHANGED)
                self._note(model, there)
                continue
            self._report.logged_models.add(Fate.NEW if there is None else Fate.EXTENDED)
            if is_dry_run:
                self._files.send(model.artifact_location, None, f"logged model {model.model_id}")
                continue
            self._runs.open(place)
            if there is None:
                there = self._created(place, model)
            if there is not None:
                self._note(model, there)
                self._fill(model, there, mark)

    def wanted_there(self, model: LoggedModel) -> tuple[Any, ...]:
        """What a logged model has to be there: name, status, type, params, tags, and the latest points with the runs as they are called there."""
        runs = self._report.mapping.runs
        metrics = told_of_metrics(evolve(one, run_id=runs[one.run_id]) for one in model.metrics if one.run_id in runs)
        return model.name, model.status, model.model_type, dict(model.params), {**_plain(model.tags), MODEL_TAG: model.model_id}, metrics

    def ties_there(self, model_id: str) -> tuple[list[str], dict[str, int]]:
        """By the ids that they have there: the runs that use a model, and those that have made it with the step."""
        runs = self._report.mapping.runs
        used = [runs[one] for one in self._used.get(model_id, ()) if one in runs]
        return used, {runs[one]: step for one, step in self._made.get(model_id, {}).items() if one in runs}

    def _known(self, experiment_id: str) -> dict[str, LoggedModel]:
        found = pages(lambda token: self._target.search_logged_models(_ALL, experiment_ids=[experiment_id], limit=PAGE, page_token=token))
        return {model.tags[MODEL_TAG]: model for model in found if MODEL_TAG in model.tags}

    def _created(self, place: Place, model: LoggedModel) -> LoggedModel | None:
        assert place.there is not None
        source = self._report.mapping.runs.get(model.source_run_id or "")
        tags = {**_plain(model.tags), MODEL_TAG: model.model_id}
        new = NewLoggedModel(place.there.experiment_id, None, model.name, model.model_type, source, tags, model.params)
        made: LoggedModel | None = self._try(model, "record", lambda: self._target.create_logged_model(new))
        return made

    def _fill(self, model: LoggedModel, there: LoggedModel, mark: str) -> None:
        model_id = there.model_id
        params = {key: value for key, value in model.params.items() if there.params.get(key) != value}
        if params:
            self._try(model, "params", lambda: self._target.log_logged_model_params(model_id, params))
        tags = {key: value for key, value in _plain(model.tags).items() if there.tags.get(key) != value}
        if tags:
            self._try(model, "tags", lambda: self._target.set_logged_model_tags(model_id, tags))
        self._files.send(model.artifact_location, there.artifact_location, f"logged model {model.model_id}")
        runs = self._report.mapping.runs
        for run_id in self._used.get(model.model_id, ()):
            if run_id in runs:
                self._runs.activate(self._places[run_id], run_id)
                self._try(model, f"use by run {run_id}", partial(self._target.log_model_inputs, runs[run_id], [ModelInput(model_id)]))
        for run_id, step in self._made.get(model.model_id, {}).items():
            if run_id in runs:
                self._runs.activate(self._places[run_id], run_id)
                tie = [ModelOutput(model_id, step)]
                self._try(model, f"making by run {run_id}", partial(self._target.log_outputs, runs[run_id], tie))
        kept = {(one.key, one.run_id, one.step, one.timestamp) for one in there.metrics}
        for one in self._points_of_runs(model):
            to = runs[one.run_id or ""]
            if (one.key, to, one.step, one.timestamp) not in kept:
                self._runs.activate(self._places[one.run_id or ""], one.run_id or "")
                self._try(model, f"metric {one.key}", partial(self._target.log_batch, to, _batch(model_id, one)))
        if model.status is not there.status:
            self._try(
                model,
                "status",
                lambda: self._target.set_logged_model_status(model_id, model.status, message=model.status_message),
            )
        self._try(model, "mark", lambda: self._target.set_logged_model_tags(model_id, {MARK_TAG: mark}))

    def _points_of_runs(self, model: LoggedModel) -> Iterator[Metric]:
        """Those of its metrics that are points of runs that were sent, as they are there: logging them is logging those points again.

        MLflow keeps NaN as 0 with a model, and not with the run.
        """
        left = 0
        series: dict[tuple[str, str], set[tuple[int, int, str]]] = {}
        of_runs = [run_id for run_id in {one.run_id: None for one in model.metrics} if run_id in self._report.mapping.runs]
        for found in self._source.metric_bulk([run_id for run_id in of_runs if run_id], sorted({one.key for one in model.metrics})):
            series[found.run_id, found.key] = {(step, at, repr(value)) for step, at, value in found.points}
        for one in model.metrics:
            points = series.get((one.run_id or "", one.key), set())
            if (one.step, one.timestamp, repr(one.value)) in points:
                yield one
            elif one.value == 0 and (one.step, one.timestamp, "nan") in points:
                yield evolve(one, value=math.nan)
            else:
                left += 1
        if left:
            why = "the runs that logged them were not sent, or do not have these points"
            self._report.losses.append(Loss("metric of a logged model", model.model_id, why, left))

    def _send_files(self, models: list[LoggedModel], *, is_dry_run: bool) -> None:
        """For a server of before there were logged models: versions that were registered from them need their files."""
        runs = self._report.mapping.runs
        left = 0
        for model in models:
            below_its_run = self._files.follow(model.artifact_location)
            if below_its_run is not None:  # they went there with the run's
                self._files.moved(model.model_uri, below_its_run)
                continue
            run_id = model.source_run_id or ""
            place = self._places.get(run_id)
            if is_dry_run or place is None or run_id not in runs:
                left += 1
                continue
            address = f"{place.runs[run_id].info.artifact_uri.rstrip('/')}/logged_models/{model.model_id}"
            self._files.send(model.artifact_location, address, f"logged model {model.model_id}")
            self._files.moved(model.model_uri, address)
        why = "the server keeps none; the files of those that a run has made go below it, in logged_models"
        self._report.losses.append(Loss("logged model", f"experiment {models[0].experiment_id}", why, len(models)))

    def _note(self, model: LoggedModel, there: LoggedModel) -> None:
        self._report.mapping.logged_models[model.model_id] = there.model_id
        self._files.moved(model.model_uri, there.model_uri)
        self._files.moved(model.artifact_location, there.artifact_location)

    def _try(self, model: LoggedModel, what: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except StoreError:
            raise
        except DrupeError as fault:
            place = f"{model.model_id}, {what}"
            self._report.losses.append(Loss("logged model", place, f"the server refuses it: {fault.message[:300]}"))
            return None

    def _mark(self, model: LoggedModel) -> str:
        ties = [self._used.get(model.model_id, []), sorted(self._made.get(model.model_id, {}).items())]
        told = json.dumps([ties, self._files.below(model.artifact_location)])
        return hashlib.sha256(digest_of_logged_model(WholeLoggedModel(evolve(model, tags=_plain(model.tags)))) + told.encode()).hexdigest()


def told_of_metrics(metrics: Iterable[Metric]) -> list[tuple[Any, ...]]:
    """Metrics of a logged model in a form that compares; NaN is 0, see above."""
    return sorted((one.key, one.run_id, one.step, one.timestamp, 0.0 if math.isnan(one.value) else one.value) for one in metrics)


def _batch(model_id: str, one: Metric) -> LogBatch:
    points = Points.of([(one.step, one.timestamp, one.value)])
    return LogBatch(model_points=(ModelPoints(model_id, one.key, points, one.dataset_name, one.dataset_digest),))


def _plain(tags: Any) -> dict[str, str]:
    """Without what an earlier export has left, and without the list of versions, which the server keeps itself."""
    return {key: value for key, value in tags.items() if key not in (MODEL_TAG, MARK_TAG, "mlflow.modelVersions")}
