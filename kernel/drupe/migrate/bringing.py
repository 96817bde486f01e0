"""The import: experiments, their runs page by page, logged models, registered models, what is left; at the end all is read again and compared.

It can be interrupted at any point and repeated: a run is written whole after its files, what is here already is left as it is, and only what it
lacks is added. What a source has and how it is read is the source's affair.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from attrs import evolve, field, frozen

from drupe.entities import Experiment, LifecycleStage, WholeModel, WholeRun
from drupe.errors import DrupeError, ExperimentNotFound, InvalidValue, StoreError, UnsupportedFeature
from drupe.extend import FoundExperiment, FoundLoggedModel, FoundRun, ImportSource, Loss, RegistryStore, TrackingStore
from drupe.extend.features import Feature
from drupe.migrate.carrying import Carrier
from drupe.migrate.digests import digest_of_model, digest_of_run, ordered
from drupe.migrate.fitting import fit_experiment, fit_model, fit_run
from drupe.migrate.logged import LoggedModels
from drupe.migrate.merging import merge_model, merge_run
from drupe.migrate.places import Roots
from drupe.migrate.reading import ahead, pages_of, whole_model, whole_runs
from drupe.migrate.report import Fate, ImportReport

__all__ = ["Options", "Progress", "bring"]

PAGE = 50  # runs read at a time and written in one transaction


class Progress(Protocol):
    """Told how far an import is: things done, things in all, and what is being looked at."""

    def __call__(self, done: int, total: int, what: str, /) -> None: ...


@frozen
class Options:
    """How to import: `link` leaves artifacts where they are, `roots` says where local addresses lie now, `workers` threads read at once."""

    link: bool = False
    is_dry_run: bool = False
    roots: tuple[tuple[str, Path], ...] = field(default=())
    workers: int = 4


def bring(
    source: ImportSource,
    tracking: TrackingStore,
    registry: RegistryStore,
    *,
    target: str = "",
    options: Options | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Bring all that `source` has into the two stores; `target` names them in the report.

    Raises UnsupportedFeature when a store cannot keep ids and times, and what a source or store raises that goes on with nothing: StoreUnavailable,
    StoreFull, StoreReadOnly. What was written until then stays, whole, and the next import goes on from there.
    """
    for store in (tracking, registry):
        if not store.features.get(Feature.IMPORTS):
            raise UnsupportedFeature(
                f"{type(store).__name__} cannot keep the ids and times of another store; import into a store of this machine or a database, "
                "such as sqlite:///drupe.db",
                feature=Feature.IMPORTS.name,
            )
    return _Import(source, tracking, registry, target, options or Options(), progress).run()


class _Import:
    def __init__(
        self,
        source: ImportSource,
        tracking: TrackingStore,
        registry: RegistryStore,
        target: str,
        options: Options,
        progress: Progress | None,
    ) -> None:
        self._source, self._tracking, self._registry, self._options, self._progress = source, tracking, registry, options, progress
        self.report = ImportReport(source.description(), target, options.is_dry_run)
        self._found = list(source.experiments())
        roots = Roots((*options.roots, *source.roots()))
        self._carrier = Carrier(source, roots, self.report, link=options.link, is_dry_run=options.is_dry_run)
        self._logged = LoggedModels(tracking, self._carrier, self.report, is_dry_run=options.is_dry_run)
        self._runs: dict[str, bytes] = {}  # the digest that each run has to have here
        self._models: dict[str, bytes] = {}
        self._names: set[str] = set()  # of all experiments there
        self._done = self._total = 0

    def run(self) -> ImportReport:
        """All of it."""
        fitted = [there for found in self._found if (there := self._read(found)) is not None]
        self._names = {there.experiment.name for there in fitted}
        fitted.sort(key=lambda there: self._needs_another_id(there.experiment))  # so that nobody's own id is given away
        places = [(there, self._settle(there)) for there in fitted]
        waiting = [(there, here, list(self._source.run_ids(there.experiment.experiment_id))) for there, here in places]
        self._total = sum(len(run_ids) for *_, run_ids in waiting)
        for there, here, run_ids in waiting:
            for folder in there.folders:
                self._carrier.carry_folder(there.experiment, here, folder)
            self._bring_runs(there.experiment, here, run_ids)
        for there, here, _ in waiting:
            self._bring_logged_models(there.experiment, here)
        self._logged.tell_of_others()
        models = list(self._source.models())
        self._total += len(models)
        for model in models:
            self._bring_model(model)
            self._step(1, model.name if isinstance(model, Loss) else model.model.name)
        self._carrier.finish()
        for left in self._source.leftovers():
            self._tell(left)
        if not self._options.is_dry_run:
            self._compare()
        return self.report

    # --- experiments

    def _read(self, found: FoundExperiment | Loss) -> FoundExperiment | None:
        if isinstance(found, Loss):
            self._tell(found)
            return None
        for loss in found.losses:
            self._tell(loss)
        fitted = fit_experiment(found.experiment, self._tell)
        return None if fitted is None else evolve(found, experiment=fitted)

    def _settle(self, found: FoundExperiment) -> Experiment:
        """The experiment here that runs of one there belong to: the one that was brought before, that of its name, or a new one."""
        there = found.experiment
        here = self._known(there)
        if here is None:
            self.report.experiments.add(Fate.NEW)
            location = self._carrier.location_of(there)
            taken = self._numbered(there.experiment_id) is not None
            wanted = evolve(there, artifact_location=location, experiment_id="" if taken else there.experiment_id)
            here = wanted if self._options.is_dry_run else self._tracking.import_experiment(wanted)
        else:
            self.report.experiments.add(self._complete(there, here))
        if here.experiment_id != there.experiment_id:
            self.report.renumbered.append((there.name, there.experiment_id, here.experiment_id or "the next"))
        return here

    def _known(self, there: Experiment) -> Experiment | None:
        named = self._tracking.get_experiment_by_name(there.name)
        if named is not None:
            return named
        numbered = self._numbered(there.experiment_id)
        is_renamed = (
            numbered is not None
            and numbered.creation_time == there.creation_time
            and there.creation_time is not None
            and numbered.name not in self._names
        )
        return numbered if is_renamed else None

    def _needs_another_id(self, there: Experiment) -> bool:
        return self._known(there) is None and self._numbered(there.experiment_id) is not None

    def _numbered(self, experiment_id: str) -> Experiment | None:
        with suppress(ExperimentNotFound, InvalidValue):
            return self._tracking.get_experiment(experiment_id)
        return None

    def _complete(self, there: Experiment, here: Experiment) -> Fate:
        place = f"experiment {here.experiment_id} ({here.name!r})"
        for name in ("name", "lifecycle_stage"):
            mine, theirs = getattr(here, name), getattr(there, name)
            if mine != theirs:
                self._tell(Loss("experiment", place, f"its {name} is {str(theirs)!r} there and {str(mine)!r} here, which stays"))
        for key, value in there.tags.items():
            if here.tags.get(key, value) != value:
                self._tell(Loss("experiment tag", f"{place}, tag {key!r}", f"another value is here, {here.tags[key][:60]!r}, and stays"))
        missing = {key: value for key, value in there.tags.items() if key not in here.tags}
        if not missing:
            return Fate.UNCHANGED
        if here.lifecycle_stage == LifecycleStage.DELETED:
            self._tell(Loss("experiment tag", place, "it is deleted here, so no tags are added", count=len(missing)))
            return Fate.UNCHANGED
        if not self._options.is_dry_run:
            self._tracking.set_experiment_tags(here.experiment_id, missing)
        return Fate.EXTENDED

    # --- runs

    def _bring_runs(self, there: Experiment, here: Experiment, run_ids: Sequence[str]) -> None:
        def read(page: list[str]) -> tuple[int, list[FoundRun | Loss]]:
            return len(page), list(self._source.read_runs(there.experiment_id, page))

        for size, found in ahead(read, pages_of(run_ids, PAGE), workers=self._options.workers):
            for loss in found:
                self._tell_all((loss,) if isinstance(loss, Loss) else loss.losses)
            fitted = [whole for one in found if isinstance(one, FoundRun) and (whole := fit_run(one.whole, self._tell)) is not None]
            self._bring_page(here, fitted)
            self._step(size, there.name)

    def _bring_page(self, here: Experiment, page: Sequence[WholeRun]) -> None:
        kept = whole_runs(self._tracking, [one.run.info.run_id for one in page])
        ready: list[tuple[WholeRun, Fate, WholeRun]] = []
        for given in page:
            run_id = given.run.info.run_id
            old = kept.get(run_id)
            if old is not None and old.run.info.experiment_id != here.experiment_id:
                why = f"a run of experiment {old.run.info.experiment_id} has this id here"
                self._tell(Loss("run", f"run {run_id}", why))
                continue
            address = None if old is None else old.run.info.artifact_uri
            placed = self._carrier.carry_run(given, here, address)
            wanted = placed if old is None else merge_run(old, placed, self._tell)
            fate = Fate.NEW if old is None else Fate.UNCHANGED if digest_of_run(old) == digest_of_run(wanted) else Fate.EXTENDED
            ready.append((placed, fate, wanted))
        written = self._write([(placed, fate) for placed, fate, _ in ready])
        for placed, fate, wanted in ready:
            run_id = wanted.run.info.run_id
            if run_id in written:
                self._runs[run_id] = digest_of_run(wanted)
                self._logged.note(placed.run, kept[run_id].run if run_id in kept else None)
                self._count(wanted, fate)

    def _write(self, runs: Sequence[tuple[WholeRun, Fate]]) -> set[str]:
        """The ids of the runs that are here now."""
        changed = [whole for whole, fate in runs if fate is not Fate.UNCHANGED]
        there = {whole.run.info.run_id for whole, _ in runs}
        if self._options.is_dry_run or not changed:
            return there
        try:
            self._tracking.import_runs(changed)
        except StoreError:
            raise
        except DrupeError:
            for whole in changed:
                try:
                    self._tracking.import_runs([whole])
                except StoreError:
                    raise
                except DrupeError as fault:
                    self._tell(Loss("run", f"run {whole.run.info.run_id}", fault.message, is_damage=True))
                    there.discard(whole.run.info.run_id)
        return there

    def _count(self, whole: WholeRun, fate: Fate) -> None:
        report, run = self.report, whole.run
        report.runs.add(fate)
        report.params += len(run.data.params)
        report.tags += len(run.data.tags)
        report.inputs += len(run.inputs.dataset_inputs)
        report.points += sum(len(ordered(points)) for points in whole.points.values())

    # --- models

    def _bring_logged_models(self, there: Experiment, here: Experiment) -> None:
        for page in pages_of(self._source.logged_models(there.experiment_id), PAGE):
            self._total += len(page)
            for loss in page:
                self._tell_all((loss,) if isinstance(loss, Loss) else loss.losses)
            self._logged.bring(here, [one for one in page if isinstance(one, FoundLoggedModel)], self._runs.keys())
            self._step(len(page), there.name)

    def _bring_model(self, found: WholeModel | Loss) -> None:
        if isinstance(found, Loss):
            self._tell(found)
            return
        given = fit_model(self._carrier.point_to_files(found), self._tell)
        if given is None:
            return
        name = given.model.name
        old = whole_model(self._registry, name)
        wanted, taken = (given, given) if old is None else merge_model(old, given, self._tell)
        before = set() if old is None else {version.version for version in old.versions}
        if not self._options.is_dry_run:
            self._registry.import_model(taken)
            wanted = self._as_far_as_taken(wanted, before)
        for version in wanted.versions:
            self.report.versions.add(Fate.UNCHANGED if version.version in before else Fate.NEW)
        is_same = old is not None and digest_of_model(old) == digest_of_model(wanted)
        self.report.models.add(Fate.NEW if old is None else Fate.UNCHANGED if is_same else Fate.EXTENDED)
        self._models[name] = digest_of_model(wanted)

    def _as_far_as_taken(self, wanted: WholeModel, before: set[str]) -> WholeModel:
        """Without versions whose number a store has used before: only the store knows those of deleted versions."""
        now = whole_model(self._registry, wanted.model.name)
        there = set() if now is None else {version.version for version in now.versions}
        gone = [version.version for version in wanted.versions if version.version not in there]
        if not before or not gone:
            return wanted
        for number in gone:
            place = f"registered model {wanted.model.name!r}, version {number}"
            self._tell(Loss("model version", place, "this number was used here before, by a version that was deleted"))
        aliases = {alias: number for alias, number in wanted.model.aliases.items() if number in there}
        versions = tuple(version for version in wanted.versions if version.version in there)
        return evolve(wanted, model=evolve(wanted.model, aliases=aliases), versions=versions)

    # --- the end of it

    def _compare(self) -> None:
        """Read everything here again and compare it with what was read there."""
        made = hashlib.sha256()
        self._done, self._total = 0, len(self._runs) + len(self._logged.ids) + len(self._models)
        for page in pages_of(sorted(self._runs), PAGE):
            kept = whole_runs(self._tracking, page)
            for run_id in page:
                self._check(f"run {run_id}", self._runs[run_id], digest_of_run(kept[run_id]) if run_id in kept else None)
                made.update(self._runs[run_id])
            self._logged.compare_ties((one.run for one in kept.values()), self.report.mismatches.append)
            self._step(len(page), "comparing")
        for page in pages_of(self._logged.ids, PAGE):
            for model_id, wanted, found in self._logged.compare(page):
                self._check(f"logged model {model_id}", wanted, found)
                made.update(wanted)
            self._step(len(page), "comparing")
        for name in sorted(self._models):
            model = whole_model(self._registry, name)
            self._check(f"registered model {name!r}", self._models[name], None if model is None else digest_of_model(model))
            made.update(self._models[name])
        self.report.digest = made.hexdigest()

    def _check(self, what: str, wanted: bytes, found: bytes | None) -> None:
        if found is None:
            self.report.mismatches.append(f"{what} is not here")
        elif found != wanted:
            self.report.mismatches.append(f"{what} is not here as it was read")

    def _tell(self, loss: Loss) -> None:
        self.report.losses.append(loss)

    def _tell_all(self, losses: Sequence[Loss]) -> None:
        self.report.losses.extend(losses)

    def _step(self, count: int, what: str) -> None:
        self._done += count
        if self._progress is not None:
            self._progress(self._done, self._total, what)
