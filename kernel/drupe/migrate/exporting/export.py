"""The export: experiments with their runs, logged models, registered models; at the end all is read on both sides and compared.

It can be interrupted at any point and repeated: what was sent is known by a tag with the id that it has here, and what is whole there by the digest
of what was sent, so a second export makes no twins and sends only what is new or was left half done.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from drupe.entities import Experiment, LifecycleStage, LoggedModel, ViewType, WholeModel, WholeRun
from drupe.errors import DrupeError, StoreError
from drupe.extend import Loss, RegistryStore, TrackingStore
from drupe.extend.features import Feature
from drupe.migrate.exporting.files import Files
from drupe.migrate.exporting.logged import LoggedModels
from drupe.migrate.exporting.proving import Proof
from drupe.migrate.exporting.registry import Models
from drupe.migrate.exporting.report import ExportReport
from drupe.migrate.exporting.runs import Place, Runs, pages
from drupe.migrate.reading import pages_of, whole_model, whole_runs
from drupe.migrate.report import Fate
from drupe.search.parse import parse
from drupe.search.query import Kind, Query
from drupe.uris import Uri

__all__ = ["Progress", "send"]

PAGE = 50  # runs read at a time, with all their points
IDS_PAGE = 1000
_EXPERIMENTS = parse(Kind.EXPERIMENTS, None, ["creation_time"])
_RUNS = parse(Kind.RUNS, None, ["attributes.start_time ASC"])
_LOGGED = parse(Kind.LOGGED_MODELS)
_MODELS = Query(Kind.REGISTERED_MODELS, None, parse(Kind.REGISTERED_MODELS, None, ["name"]).order)  # prompts too


class Progress(Protocol):
    """Told how far an export is: things done, things in all, and what is being looked at."""

    def __call__(self, done: int, total: int, what: str, /) -> None: ...


def send(
    source: tuple[TrackingStore, RegistryStore],
    target: tuple[TrackingStore, RegistryStore],
    address: Uri,
    *,
    report: ExportReport,
    progress: Progress | None = None,
) -> ExportReport:
    """Send all that the source has to the target, which is a server at `address`; `report` is filled, and says whether to write anything.

    Raises what a store raises that goes on with nothing: StoreUnavailable, StoreFull, StoreReadOnly. What was sent until then stays, and the next
    export goes on from there.
    """
    return _Export(source, target, address, report, progress).run()


class _Export:
    def __init__(
        self,
        source: tuple[TrackingStore, RegistryStore],
        target: tuple[TrackingStore, RegistryStore],
        address: Uri,
        report: ExportReport,
        progress: Progress | None,
    ) -> None:
        (self._tracking, self._registry), (self._target, _) = source, target
        self.report, self._progress = report, progress
        files = Files(address, report)
        self._runs = Runs(target[0], files, report)
        self._logged = LoggedModels(source[0], target[0], self._runs, files, report)
        self._models = Models(target[1], files, report)
        self._proof = Proof(*target, files, report)
        self._done = self._total = 0

    def run(self) -> ExportReport:
        """All of it."""
        is_dry_run = self.report.is_dry_run
        experiments = list(
            pages(lambda token: self._tracking.search_experiments(_EXPERIMENTS, view=ViewType.ALL, limit=IDS_PAGE, page_token=token))
        )
        self._total = self._tracking.count_runs(_RUNS, view=ViewType.ALL)
        places = [place for one in experiments if (place := self._settled(one)) is not None]
        for place in places:
            for page in self._pages(place.here):
                for whole in page:
                    self._logged.note(place, whole.run)
                    self._runs.send(place, whole, is_dry_run=is_dry_run)
                self._step(len(page), place.here.name)
        for place in places:
            self._logged.send(place, self._logged_models(place.here), is_dry_run=is_dry_run)
        if not is_dry_run:
            self._runs.finish()
            for place in places:
                self._close(place)
        models = list(self._registered())
        self._total += len(models)
        for model in models:
            self._models.send(model, is_dry_run=is_dry_run)
            self._step(1, model.model.name)
        if not is_dry_run:
            self._compare(places, models)
        return self.report

    # --- experiments

    def _settled(self, here: Experiment) -> Place | None:
        """Where the runs of an experiment go: to that of its name, or a new one. None where that is not possible."""
        there = self._target.get_experiment_by_name(here.name)
        is_dry_run, place = self.report.is_dry_run, f"experiment {here.experiment_id} ({here.name!r:.100})"
        if there is None:
            self.report.experiments.add(Fate.NEW)
            if is_dry_run:
                return Place(here, None)
            try:
                there = self._target.create_experiment(here.name, tags=here.tags)
            except StoreError:
                raise
            except DrupeError as fault:
                self._tell(Loss("experiment", place, f"the server refuses it: {fault.message[:300]}"))
                return None
            self.report.mapping.experiments[here.experiment_id] = there.experiment_id
            return Place(here, there, is_open=True)
        if there.lifecycle_stage is LifecycleStage.DELETED and here.lifecycle_stage is LifecycleStage.ACTIVE:
            self._tell(Loss("experiment", place, "it is deleted there, so none of its runs is sent; restore it there, or rename it here"))
            return None
        self.report.mapping.experiments[here.experiment_id] = there.experiment_id
        missing = {key: value for key, value in here.tags.items() if key not in there.tags}
        self.report.experiments.add(Fate.EXTENDED if missing else Fate.UNCHANGED)
        found = Place(here, there, self._runs.known(there))
        if missing and not is_dry_run:
            self._runs.open(found)
            self._target.set_experiment_tags(there.experiment_id, missing)
        for key, value in here.tags.items():
            if there.tags.get(key, value) != value:
                self._tell(Loss("experiment tag", f"{place}, tag {key!r:.100}", "another value is there, and stays"))
        return found

    def _close(self, place: Place) -> None:
        if place.there is None or not place.is_deleted:
            return
        if place.is_open or place.there.lifecycle_stage is LifecycleStage.ACTIVE:
            self._target.set_experiment_stage(place.there.experiment_id, LifecycleStage.DELETED)

    # --- what is here

    def _pages(self, here: Experiment) -> Iterator[list[WholeRun]]:
        asked = [here.experiment_id]
        found = pages(
            lambda token: self._tracking.search_runs(_RUNS, experiment_ids=asked, view=ViewType.ALL, limit=IDS_PAGE, page_token=token)
        )
        for page in pages_of((run.info.run_id for run in found), PAGE):
            yield list(whole_runs(self._tracking, page).values())

    def _logged_models(self, here: Experiment) -> list[LoggedModel]:
        if not self._tracking.features.get(Feature.LOGGED_MODELS):
            return []
        asked = [here.experiment_id]
        return list(
            pages(lambda token: self._tracking.search_logged_models(_LOGGED, experiment_ids=asked, limit=IDS_PAGE, page_token=token))
        )

    def _registered(self) -> Iterator[WholeModel]:
        for model in pages(lambda token: self._registry.search_registered_models(_MODELS, limit=IDS_PAGE, page_token=token)):
            whole = whole_model(self._registry, model.name)
            if whole is not None:
                yield whole

    # --- the end of it

    def _compare(self, places: list[Place], models: list[WholeModel]) -> None:
        self._done, self._total = 0, self.report.runs.total + len(models)
        for place in places:
            for page in self._pages(place.here):
                self._proof.of_runs(page, self._runs)
                self._step(len(page), "comparing")
            for model in self._logged_models(place.here):
                self._proof.of_logged_model(model, self._logged)
        for whole in models:
            self._proof.of_model(whole, self._models)
            self._step(1, "comparing")
        self.report.digest = self._proof.digest

    def _tell(self, loss: Loss) -> None:
        self.report.losses.append(loss)

    def _step(self, count: int, what: str) -> None:
        self._done += count
        if self._progress is not None:
            self._progress(self._done, self._total, what)
