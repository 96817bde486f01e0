"""The logged models of an import: which runs use them and have made them, what becomes of each, and comparing them at the end.

Runs are brought first, by `bringing`, which tells of each one what it is tied to. What may be kept of a model is for `fitting`, its files are for
`carrying`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence

from attrs import evolve

from drupe.entities import Experiment, Metric, Run, WholeLoggedModel, limits
from drupe.entities.metrics import rank
from drupe.errors import DrupeError, StoreError
from drupe.extend import FoundLoggedModel, Loss, TrackingStore
from drupe.extend.features import Feature
from drupe.migrate.carrying import Carrier
from drupe.migrate.digests import digest_of_logged_model
from drupe.migrate.fitting import fit_logged_model
from drupe.migrate.merging import merge_logged_model
from drupe.migrate.reading import whole_logged_models
from drupe.migrate.report import Fate, ImportReport

__all__ = ["LoggedModels"]


class LoggedModels:
    """Those of one import."""

    def __init__(self, tracking: TrackingStore, carrier: Carrier, report: ImportReport, *, is_dry_run: bool) -> None:
        self._tracking, self._carrier, self._report, self._is_dry_run = tracking, carrier, report, is_dry_run
        self._used: dict[str, dict[str, None]] = {}  # by model, the runs that use it, in their order
        self._made: dict[str, dict[str, int]] = {}  # by model, the runs that have made it, and the step
        self._tied_anew: set[str] = set()  # models with a tie that is not here yet
        self._ties: dict[str, tuple[set[str], dict[str, int]]] = {}  # by run, what it uses and has made there
        self._digests: dict[str, bytes] = {}  # that each model has to have here

    @property
    def ids(self) -> list[str]:
        """Those that were brought, sorted."""
        return sorted(self._digests)

    def note(self, there: Run, here: Run | None) -> None:
        """Note what a run that was brought is tied to there; `here` is the run as it was here before."""
        used = dict.fromkeys(one.model_id for one in there.inputs.model_inputs)
        made = {one.model_id: one.step for one in there.outputs.model_outputs if limits.STEP_MIN <= one.step <= limits.STEP_MAX}
        if not (used or made):
            return
        run_id = there.info.run_id
        known_used = set() if here is None else {one.model_id for one in here.inputs.model_inputs}
        known_made = {} if here is None else {one.model_id: one.step for one in here.outputs.model_outputs}
        for model_id in used:
            self._used.setdefault(model_id, {})[run_id] = None
        for model_id, step in made.items():
            self._made.setdefault(model_id, {})[run_id] = step
        self._tied_anew |= (used.keys() - known_used) | (made.keys() - known_made.keys())
        self._ties[run_id] = set(used), {**made, **known_made}

    def bring(self, here: Experiment, page: Sequence[FoundLoggedModel], runs: Collection[str]) -> None:
        """Bring some of an experiment; `runs` are the ids of the runs that were brought."""
        if not self._tracking.features.get(Feature.LOGGED_MODELS):
            self._tell(Loss("logged model", f"experiment {here.experiment_id}", "the store here keeps no logged models", len(page)))
            return
        kept = whole_logged_models(self._tracking, [one.model.model_id for one in page])
        ready: list[tuple[WholeLoggedModel, Fate, WholeLoggedModel]] = []
        for found in page:
            old = kept.get(found.model.model_id)
            given = fit_logged_model(self._placed(found, here, runs, old), self._tell)
            if given is None:
                continue
            model_id = given.model.model_id
            if old is None:
                ready.append((given, Fate.NEW, given))
            elif old.model.experiment_id != here.experiment_id:
                self._tell(Loss("logged model", model_id, f"a model of experiment {old.model.experiment_id} has this id here"))
            elif old.is_deleted and not given.is_deleted:
                self._tell(Loss("logged model", model_id, "it was deleted here"))
            else:
                wanted = old if old.is_deleted else merge_logged_model(old, given, self._tell)
                is_same = digest_of_logged_model(old) == digest_of_logged_model(wanted) and model_id not in self._tied_anew
                ready.append((given, Fate.UNCHANGED if is_same or old.is_deleted else Fate.EXTENDED, wanted))
        written = self._write([given for given, fate, _ in ready if fate is not Fate.UNCHANGED])
        for given, fate, wanted in ready:
            model_id = given.model.model_id
            if fate is Fate.UNCHANGED or model_id in written:
                self._digests[model_id] = digest_of_logged_model(wanted)
                self._report.logged_models.add(fate)
                self._report.model_ties += len(given.used_by) + len(given.made_by)
                self._carrier.keep_logged_model(model_id)

    def tell_of_others(self) -> None:
        """Tell, once for each reason, of ties to models that were not brought."""
        left = Counter(model_id for ties in (self._used, self._made) for model_id, runs in ties.items() for _ in runs)
        count = sum(number for model_id, number in left.items() if model_id not in self._digests)
        if count:
            self._tell(Loss("tie to a logged model", "all", "the model was deleted there, or did not come over", count))

    def compare_ties(self, runs: Iterable[Run], differs: Callable[[str], None]) -> None:
        """Compare what runs that are here are tied to with what they were tied to there."""
        for run in runs:
            used, made = self._ties.get(run.info.run_id, (set(), {}))
            here = {one.model_id for one in run.inputs.model_inputs}
            produced = {one.model_id: one.step for one in run.outputs.model_outputs}
            if any(one in self._digests and one not in here for one in used) or any(
                one in self._digests and produced.get(one) != step for one, step in made.items()
            ):
                differs(f"the logged models of run {run.info.run_id} are not tied to it as they were read")

    def compare(self, model_ids: Sequence[str]) -> list[tuple[str, bytes, bytes | None]]:
        """For each of some models that were brought: its id, the digest that it has to have, and that which it has."""
        kept = whole_logged_models(self._tracking, model_ids)
        return [(one, self._digests[one], digest_of_logged_model(kept[one]) if one in kept else None) for one in model_ids]

    def _placed(self, found: FoundLoggedModel, here: Experiment, runs: Collection[str], old: WholeLoggedModel | None) -> WholeLoggedModel:
        """The model with its experiment and address here, after its files were copied, and with what belongs to runs that were brought."""
        model, model_id = found.model, found.model.model_id
        latest: dict[tuple[str, ...], Metric] = {}
        for one in model.metrics:
            place = one.key, one.run_id or "", one.dataset_name or "", one.dataset_digest or ""
            last = latest.get(place)
            if last is None or rank(last.step, last.timestamp, last.value) < rank(one.step, one.timestamp, one.value):
                latest[place] = evolve(
                    one, model_id=model_id, dataset_name=one.dataset_name or None, dataset_digest=one.dataset_digest or None
                )
        metrics = tuple(one for _, one in sorted(latest.items()) if one.run_id in runs)
        if len(metrics) < len(latest):
            why = "the runs that logged them did not come over"
            self._tell(Loss("metric of a logged model", model_id, why, len(latest) - len(metrics)))
        address = None if old is None else old.model.artifact_location
        placed = evolve(self._carrier.carry_logged_model(model, here, address), experiment_id=here.experiment_id, metrics=metrics)
        return WholeLoggedModel(placed, found.is_deleted, tuple(self._used.get(model_id, ())), dict(self._made.get(model_id, {})))

    def _write(self, changed: Sequence[WholeLoggedModel]) -> set[str]:
        """The ids of those that are here now."""
        there = {whole.model.model_id for whole in changed}
        if self._is_dry_run or not changed:
            return there
        try:
            self._tracking.import_logged_models(changed)
        except StoreError:
            raise
        except DrupeError:
            for whole in changed:
                try:
                    self._tracking.import_logged_models([whole])
                except StoreError:
                    raise
                except DrupeError as fault:
                    self._tell(Loss("logged model", whole.model.model_id, fault.message, is_damage=True))
                    there.discard(whole.model.model_id)
        return there

    def _tell(self, loss: Loss) -> None:
        self._report.losses.append(loss)
