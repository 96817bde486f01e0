"""The kits' tests of imports have teeth: each store below breaks one promise, and the test of the kit named beside it says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from attrs import evolve

from drupe.entities import Experiment, LifecycleStage, Points, RunInputs, WholeLoggedModel, WholeModel, WholeRun
from drupe.testing.memory_registry import MemoryRegistryStore
from drupe.testing.memory_tracking import MemoryTrackingStore
from drupe.testing.registry_store import RegistryStoreKit
from drupe.testing.tracking_store import TrackingStoreKit

from .kit_runner import complaint

FAULTS: list[tuple[type, type, str]] = []


def caught_by(*tests: str) -> Any:
    """Registers a broken store with the names of the tests that must complain about it."""

    def register(broken: type) -> type:
        kit = TrackingStoreKit if issubclass(broken, MemoryTrackingStore) else RegistryStoreKit
        FAULTS.extend((kit, broken, test) for test in tests)
        return broken

    return register


class _Changed(MemoryTrackingStore):
    def _take_in(self, whole: WholeRun) -> None:
        super()._take_in(self.change(whole))

    def change(self, whole: WholeRun) -> WholeRun:
        return whole


def _info(whole: WholeRun, **changes: Any) -> WholeRun:
    return evolve(whole, run=evolve(whole.run, info=evolve(whole.run.info, **changes)))


@caught_by("test_an_experiment_is_taken_in_as_it_was")
class ForgetsTimes(MemoryTrackingStore):
    def import_experiment(self, experiment: Experiment) -> Experiment:
        return super().import_experiment(evolve(experiment, creation_time=None))


@caught_by("test_an_experiment_is_taken_in_as_it_was", "test_the_next_experiment_gets_another_id")
class NumbersAnew(MemoryTrackingStore):
    def import_experiment(self, experiment: Experiment) -> Experiment:
        return super().import_experiment(evolve(experiment, experiment_id=""))


@caught_by("test_an_id_or_a_name_that_is_taken_is_refused")
class Replaces(MemoryTrackingStore):
    def import_experiment(self, experiment: Experiment) -> Experiment:
        self._experiments.pop(experiment.experiment_id, None)
        return super().import_experiment(experiment)


@caught_by("test_a_run_is_taken_in_as_it_was")
class RestoresRuns(_Changed):
    def change(self, whole: WholeRun) -> WholeRun:
        return _info(whole, lifecycle_stage=LifecycleStage.ACTIVE)


@caught_by("test_a_run_is_taken_in_as_it_was")
class KeepsNoInputs(_Changed):
    def change(self, whole: WholeRun) -> WholeRun:
        return evolve(whole, run=evolve(whole.run, inputs=RunInputs()))


@caught_by("test_a_run_is_taken_in_as_it_was")
class KeepsTheLastPointOnly(_Changed):
    def change(self, whole: WholeRun) -> WholeRun:
        return evolve(whole, points={key: Points.of(list(points)[-1:]) for key, points in whole.points.items()})


@caught_by("test_a_run_that_has_ended_here_keeps_its_end_and_its_stage", "test_a_run_that_is_here_gets_what_it_lacks_and_keeps_what_it_has")
class TakesWhateverCameLast(_Changed):
    def _take_in(self, whole: WholeRun) -> None:
        self._runs.pop(whole.run.info.run_id, None)
        super()._take_in(whole)


@caught_by("test_a_run_that_is_here_gets_what_it_lacks_and_keeps_what_it_has")
class LeavesRunsThatAreHere(_Changed):
    def _take_in(self, whole: WholeRun) -> None:
        if whole.run.info.run_id not in self._runs:
            super()._take_in(whole)


@caught_by("test_one_run_that_cannot_be_keeps_all_out", "test_a_run_of_no_experiment_keeps_all_out")
class TakesOneByOne(MemoryTrackingStore):
    def import_runs(self, runs: Sequence[WholeRun]) -> None:
        for one in runs:
            super().import_runs([one])


class _ChangedModels(MemoryTrackingStore):
    def _take_in_model(self, whole: WholeLoggedModel) -> None:
        super()._take_in_model(self.change(whole))

    def change(self, whole: WholeLoggedModel) -> WholeLoggedModel:
        return whole


@caught_by("test_runs_know_the_logged_models_that_were_taken_in")
class ForgetsStepsOfModels(_ChangedModels):
    def change(self, whole: WholeLoggedModel) -> WholeLoggedModel:
        return evolve(whole, made_by=dict.fromkeys(whole.made_by, 0))


@caught_by("test_a_logged_model_is_taken_in_as_it_was")
class KeepsOneMetricOfAModel(_ChangedModels):
    def change(self, whole: WholeLoggedModel) -> WholeLoggedModel:
        return evolve(whole, model=evolve(whole.model, metrics=whole.model.metrics[:1]))


@caught_by("test_a_deleted_logged_model_stays_deleted")
class RestoresModels(_ChangedModels):
    def change(self, whole: WholeLoggedModel) -> WholeLoggedModel:
        return evolve(whole, is_deleted=False)


@caught_by(
    "test_a_logged_model_that_is_here_gets_what_it_lacks_and_keeps_what_it_has",
    "test_one_that_is_ready_keeps_its_status_and_one_deleted_here_is_left_alone",
)
class TakesTheLoggedModelThatCameLast(_ChangedModels):
    def _take_in_model(self, whole: WholeLoggedModel) -> None:
        self._models.pop(whole.model.model_id, None)
        super()._take_in_model(whole)


@caught_by("test_one_logged_model_that_cannot_be_keeps_all_out")
class TakesModelsOneByOne(MemoryTrackingStore):
    def import_logged_models(self, models: Sequence[WholeLoggedModel]) -> None:
        for one in models:
            super().import_logged_models([one])


@caught_by("test_the_next_version_comes_after_every_number_ever_used")
class ForgetsTheHighest(MemoryRegistryStore):
    def import_model(self, whole: WholeModel) -> None:
        super().import_model(evolve(whole, highest=0))


@caught_by("test_a_model_that_is_here_gets_what_it_lacks_and_keeps_what_it_has")
class TakesTheModelThatCameLast(MemoryRegistryStore):
    def import_model(self, whole: WholeModel) -> None:
        self._models.pop(whole.model.name, None)
        super().import_model(whole)


@caught_by("test_a_model_is_taken_in_as_it_was")
class KeepsNoAliases(MemoryRegistryStore):
    def import_model(self, whole: WholeModel) -> None:
        super().import_model(evolve(whole, model=evolve(whole.model, aliases={})))


@pytest.mark.parametrize(("kit", "broken", "test"), FAULTS, ids=[f"{broken.__name__}-{test}" for _, broken, test in FAULTS])
def test_the_named_test_complains_about_the_broken_store_and_not_about_the_sound_one(kit: type, broken: type, test: str) -> None:
    assert complaint(kit, test, _sound(broken)) is None
    assert complaint(kit, test, broken) is not None


def _sound(broken: type) -> type:
    return MemoryTrackingStore if issubclass(broken, MemoryTrackingStore) else MemoryRegistryStore
