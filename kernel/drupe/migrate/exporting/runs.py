"""Sending runs: each is made, filled, ended, and in the end marked as whole; one that is marked with what it is now is left alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from attrs import define, field

from drupe.entities import Experiment, LifecycleStage, LogBatch, NewRun, Points, Run, RunStatus, ViewType, WholeRun
from drupe.errors import DrupeError, StoreError
from drupe.extend import Loss, TrackingStore
from drupe.migrate.digests import digest_of_run
from drupe.migrate.exporting.files import Files
from drupe.migrate.exporting.report import MARK_TAG, RUN_TAG, ExportReport
from drupe.migrate.report import Fate
from drupe.search.parse import parse
from drupe.search.query import Kind

__all__ = ["Place", "Runs", "pages"]

PAGE = 1000
_RUNS = parse(Kind.RUNS, None, ["run_id"])
_PARENT, _HISTORY = "mlflow.parentRunId", "mlflow.log-model.history"


@define
class Place:
    """An experiment here, what it is there (None in a dry run that would make it), and its runs there by their ids here."""

    here: Experiment
    there: Experiment | None
    runs: dict[str, Run] = field(factory=dict)
    is_open: bool = False  # may be written to

    @property
    def is_deleted(self) -> bool:
        """True when it is deleted here, so that it has to be in the end there too."""
        return self.here.lifecycle_stage is LifecycleStage.DELETED


class Runs:
    """The runs of one export."""

    def __init__(self, target: TrackingStore, files: Files, report: ExportReport) -> None:
        self._target, self._files, self._report = target, files, report
        self._unfinished: dict[str, tuple[Place, WholeRun, str]] = {}  # by id here; with its mark
        self._restored: dict[str, LifecycleStage] = {}  # by id here: the stage to go back to
        self.refused: set[tuple[str, str, str]] = set()  # what was not taken, as (id here, kind, key)

    def known(self, there: Experiment) -> dict[str, Run]:
        """The runs that were sent to an experiment before, by their ids here."""
        asked = [there.experiment_id]
        found = pages(lambda token: self._target.search_runs(_RUNS, experiment_ids=asked, view=ViewType.ALL, limit=PAGE, page_token=token))
        return {run.data.tags[RUN_TAG]: run for run in found if RUN_TAG in run.data.tags}

    def send(self, place: Place, whole: WholeRun, *, is_dry_run: bool) -> None:
        """Send one run, but for what needs all others to be there."""
        run_id, address = whole.run.info.run_id, whole.run.info.artifact_uri
        mark = self._mark(whole)
        known = place.runs.get(run_id)
        self._report.points += sum(map(len, whole.points.values()))
        if known is not None and known.data.tags.get(MARK_TAG) == mark:
            self._report.runs.add(Fate.UNCHANGED)
            self._report.mapping.runs[run_id] = known.info.run_id
            self._files.moved(address, known.info.artifact_uri)
            if whole.run.info.lifecycle_stage is LifecycleStage.DELETED and known.info.lifecycle_stage is LifecycleStage.ACTIVE:
                self._restored[run_id] = LifecycleStage.DELETED  # an export broke off just before it was
            return
        self._report.runs.add(Fate.NEW if known is None else Fate.EXTENDED)
        if is_dry_run:
            self._files.send(address, None, f"run {run_id}")
            return
        self.open(place)
        if known is None:
            known = place.runs[run_id] = self._made(place, whole)
        self._report.mapping.runs[run_id] = known.info.run_id
        self.activate(place, run_id)
        self._fill(whole, known)
        self._files.send(address, known.info.artifact_uri, f"run {run_id}")
        self._unfinished[run_id] = (place, whole, mark)

    def open(self, place: Place) -> None:
        """Make sure that an experiment can be written to: one that is deleted is restored until the end."""
        if not place.is_open and place.there is not None:
            if place.there.lifecycle_stage is LifecycleStage.DELETED:
                self._target.set_experiment_stage(place.there.experiment_id, LifecycleStage.ACTIVE)
            place.is_open = True

    def activate(self, place: Place, run_id: str) -> None:
        """Make sure that a run can be written to."""
        known = place.runs[run_id]
        if known.info.lifecycle_stage is LifecycleStage.DELETED and run_id not in self._restored:
            self.open(place)
            self._target.set_run_stage(known.info.run_id, LifecycleStage.ACTIVE)
            self._restored[run_id] = LifecycleStage.DELETED

    def finish(self) -> None:
        """Tie runs to their parents, mark them as whole, and delete those that are."""
        stages = dict(self._restored)
        for run_id, (_, whole, mark) in self._unfinished.items():
            there = self._report.mapping.runs[run_id]
            self._set_tags(run_id, there, {**self._tied(whole.run), MARK_TAG: mark})
            stages[run_id] = whole.run.info.lifecycle_stage
        for run_id, stage in stages.items():
            if stage is LifecycleStage.DELETED:
                self._target.set_run_stage(self._report.mapping.runs[run_id], stage)

    def tags_there(self, run: Run) -> dict[str, str]:
        """The tags that a run has to have there."""
        return {**_untied(run.data.tags), **self._tied(run), RUN_TAG: run.info.run_id}

    def _made(self, place: Place, whole: WholeRun) -> Run:
        assert place.there is not None
        info = whole.run.info
        tags = {**_untied(whole.run.data.tags), RUN_TAG: info.run_id}  # the names of those that a run is made with are not checked
        return self._target.create_run(NewRun(place.there.experiment_id, None, info.run_name or None, info.user_id, info.start_time, tags))

    def _fill(self, whole: WholeRun, known: Run) -> None:
        run, run_id, there = whole.run, whole.run.info.run_id, known.info.run_id
        params = {key: value for key, value in run.data.params.items() if known.data.params.get(key) != value}
        self._log(run_id, there, whole.points, params)
        tags = {key: value for key, value in _untied(run.data.tags).items() if known.data.tags.get(key) != value}
        self._set_tags(run_id, there, tags)
        for one in run.inputs.dataset_inputs:
            self._try(run_id, "dataset", one.dataset.name, partial(self._target.log_inputs, there, [one]))
        info = run.info
        status = None if info.status is RunStatus.RUNNING and known.info.status is RunStatus.RUNNING else info.status
        if status is not None or info.end_time is not None:
            self._try(run_id, "run", "status", lambda: self._target.update_run(there, status=status, end_time=info.end_time))

    def _log(self, run_id: str, there: str, points: Mapping[str, Points], params: Mapping[str, str]) -> None:
        try:
            if points or params:
                self._target.log_batch(there, LogBatch(points, params))
        except StoreError:
            raise
        except DrupeError:  # one of them is refused: which?
            for key, series in points.items():
                self._try(run_id, "metric", key, partial(self._target.log_batch, there, LogBatch({key: series})))
            for key, value in params.items():
                self._try(run_id, "param", key, partial(self._target.log_batch, there, LogBatch({}, {key: value})))

    def _set_tags(self, run_id: str, there: str, tags: Mapping[str, str]) -> None:
        try:
            if tags:
                self._target.log_batch(there, LogBatch({}, {}, tags))
        except StoreError:
            raise
        except DrupeError:
            for key, value in tags.items():
                self._try(run_id, "tag", key, partial(self._target.log_batch, there, LogBatch({}, {}, {key: value})))

    def _try(self, run_id: str, what: str, key: str, call: Callable[[], Any]) -> None:
        try:
            call()
        except StoreError:
            raise
        except DrupeError as fault:
            self.refused.add((run_id, what, key))
            self._report.losses.append(Loss(what, f"run {run_id}, {what} {key!r:.100}", f"the server refuses it: {fault.message[:300]}"))

    def _tied(self, run: Run) -> dict[str, str]:
        """The tags that hold ids of runs, with those that they have there."""
        runs, tags = self._report.mapping.runs, run.data.tags
        found = {}
        if _PARENT in tags:
            found[_PARENT] = runs.get(tags[_PARENT], tags[_PARENT])
        if _HISTORY in tags:
            found[_HISTORY] = tags[_HISTORY].replace(run.info.run_id, runs.get(run.info.run_id, run.info.run_id))
        return found

    def _mark(self, whole: WholeRun) -> str:
        files = json.dumps(self._files.below(whole.run.info.artifact_uri))
        return hashlib.sha256(digest_of_run(whole) + files.encode("utf-8", "surrogatepass")).hexdigest()


def pages(read: Callable[[str | None], Any]) -> Iterator[Any]:
    """All things of a search that comes page by page."""
    token: str | None = None
    while True:
        page = read(token)
        yield from page
        token = page.token
        if token is None:
            return


def _untied(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in tags.items() if key not in (_PARENT, _HISTORY, MARK_TAG, RUN_TAG)}
