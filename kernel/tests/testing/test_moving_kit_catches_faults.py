"""The part of the tracking kit about moving runs has teeth: each store below breaks one promise, and the test named beside it says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar

import pytest
from attrs import evolve

from drupe.entities import NewRun, Parcel, Receipt, Run
from drupe.errors import DrupeError
from drupe.extend.features import Feature, Support
from drupe.extend.tracking_store import TrackingStore
from drupe.testing.kit_moves import MovingTests
from drupe.testing.memory_tracking import MemoryTrackingStore
from drupe.testing.tracking_store import TrackingStoreKit

from .kit_runner import Faults, complaint, promises_of

FAULTS = Faults()
caught_by = FAULTS.caught_by


@caught_by("test_a_moved_run_is_as_it_was_but_for_its_experiment")
class MovesTheArtifactsToo(MemoryTrackingStore):
    def move_runs(self, run_ids: Sequence[str], experiment_id: str) -> None:
        super().move_runs(run_ids, experiment_id)
        for run in map(self._run, run_ids):
            run.info = evolve(run.info, artifact_uri=f"s3://bucket/wine/{run.info.run_id}/artifacts")


@caught_by("test_a_moved_run_is_found_in_its_new_experiment_only_whatever_is_asked")
@caught_by("test_what_is_logged_after_the_move_is_found_there_too")
class SearchesWhereTheRunWasMade(MemoryTrackingStore):
    def search_runs(self, query: Any, *, experiment_ids: Sequence[str] | None, **given: Any) -> Any:
        made = {one.info.run_id: one.made_by.experiment_id for one in self._runs.values()}
        found = super().search_runs(query, experiment_ids=None, **given)
        found[:] = [run for run in found if experiment_ids is None or made[run.info.run_id] in experiment_ids]
        return found


@caught_by("test_moving_is_all_or_nothing")
class MovesOneByOne(MemoryTrackingStore):
    def move_runs(self, run_ids: Sequence[str], experiment_id: str) -> None:
        for run_id in run_ids:
            super().move_runs([run_id], experiment_id)


@caught_by("test_moving_again_or_nothing_changes_nothing")
class RefusesWhatIsThereAlready(MemoryTrackingStore):
    def move_runs(self, run_ids: Sequence[str], experiment_id: str) -> None:
        if any(self._run(one).info.experiment_id == experiment_id for one in run_ids):
            raise DrupeError("it is there already")
        super().move_runs(run_ids, experiment_id)


@caught_by("test_a_deleted_run_moves_out_of_a_deleted_experiment_and_stays_deleted")
class WantsActiveRuns(MemoryTrackingStore):
    def move_runs(self, run_ids: Sequence[str], experiment_id: str) -> None:
        for run_id in run_ids:
            self._active_run(run_id)
        super().move_runs(run_ids, experiment_id)


@caught_by("test_a_dataset_is_described_as_its_new_experiment_knows_it")
class LeavesTheDatasetsAsTheyWere(MemoryTrackingStore):
    def move_runs(self, run_ids: Sequence[str], experiment_id: str) -> None:
        before = {run_id: dict(self._runs[run_id].inputs) for run_id in run_ids if run_id in self._runs}
        super().move_runs(run_ids, experiment_id)
        for run_id, inputs in before.items():
            self._run(run_id).inputs = inputs


@caught_by("test_logged_models_go_with_the_run_that_made_them")
class LeavesTheModels(MemoryTrackingStore):
    def move_runs(self, run_ids: Sequence[str], experiment_id: str) -> None:
        before = {model_id: kept.model for model_id, kept in self._models.items()}
        super().move_runs(run_ids, experiment_id)
        for model_id, model in before.items():
            self._models[model_id].model = model


@caught_by("test_a_request_for_a_run_that_comes_again_after_the_move_finds_it")
class LooksForTheRunWhereItWasMade(MemoryTrackingStore):
    def create_run(self, new: NewRun) -> Run:
        with suppress(DrupeError):
            known = self.get_run(str(new.run_id))
            assert known.info.experiment_id == new.experiment_id, "another run has this id"
        return super().create_run(new)


@caught_by("test_a_journal_goes_on_after_the_move")
class MakesModelsWhereTheJournalSays(MemoryTrackingStore):
    def ship(self, parcel: Parcel) -> Receipt:
        for model in parcel.models:
            self.create_logged_model(model)
        return super().ship(evolve(parcel, models=()))


@caught_by("test_a_store_that_moves_no_runs_says_so")
class MovesAndDoesNotSaySo(MemoryTrackingStore):
    features: ClassVar[Mapping[Feature, Support]] = {Feature.LOGGED_MODELS: Support.FULL}


@FAULTS.each()
def test_the_named_test_complains_about_the_broken_store_and_not_about_the_sound_one(kind: type[MemoryTrackingStore], test: str) -> None:
    sound = _MovesNothing if test == "test_a_store_that_moves_no_runs_says_so" else MemoryTrackingStore
    assert complaint(TrackingStoreKit, test, sound) is None
    assert complaint(TrackingStoreKit, test, kind) is not None


def test_a_store_that_forgets_moves_when_it_is_closed_is_complained_about() -> None:
    test = "test_moves_are_there_after_reopening"
    assert complaint(TrackingStoreKit, test, MemoryTrackingStore) is None
    assert complaint(TrackingStoreKit, test, MemoryTrackingStore, reopen=lambda store: MemoryTrackingStore()) is not None


def test_every_promise_about_moving_is_broken_by_some_store() -> None:
    assert promises_of(MovingTests) == FAULTS.tests | {"test_moves_are_there_after_reopening"}


class _MovesNothing(MemoryTrackingStore):
    """What a third party's store is that knows nothing of moving."""

    features: ClassVar[Mapping[Feature, Support]] = {}
    move_runs = TrackingStore.move_runs


class TestStoreThatMovesNothing(MovingTests):
    @pytest.fixture
    def store(self) -> MemoryTrackingStore:
        return _MovesNothing()
