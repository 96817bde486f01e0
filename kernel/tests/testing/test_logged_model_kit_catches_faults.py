"""The part of the tracking kit about logged models has teeth: each store below breaks one promise, and the test named beside it says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import pytest
from attrs import evolve

from drupe.entities import (
    LifecycleStage,
    LogBatch,
    LoggedModel,
    LoggedModelStatus,
    ModelInput,
    ModelOutput,
    ModelPoints,
    NewLoggedModel,
    Page,
    Parcel,
    Receipt,
    Run,
    RunOutputs,
)
from drupe.entities.metrics import rank
from drupe.errors import AlreadyExists, TagNotFound, WrongLifecycle
from drupe.extend.features import Feature, Support
from drupe.extend.tracking_store import TrackingStore
from drupe.search.query import And, Comparison, Condition, Entity, Field, Not, Op, Or, Query
from drupe.testing.kit_logged_models import LoggedModelTests
from drupe.testing.memory_tracking import MemoryTrackingStore
from drupe.testing.tracking_store import TrackingStoreKit

from .kit_runner import Faults, complaint

FAULTS = Faults()
caught_by = FAULTS.caught_by


# --- making and reading


@caught_by("test_a_new_logged_model_reads_back_as_it_was_answered")
class KeepsArtifactsBesideTheExperiment(MemoryTrackingStore):
    def create_logged_model(self, new: NewLoggedModel) -> LoggedModel:
        made = super().create_logged_model(new)
        return evolve(made, artifact_location=f"memory:/models/{made.model_id}")


@caught_by("test_a_logged_model_needs_no_more_than_an_experiment")
class KeepsEmptyTexts(MemoryTrackingStore):
    def create_logged_model(self, new: NewLoggedModel) -> LoggedModel:
        made = super().create_logged_model(new)
        found = self._models[made.model_id]
        found.model = evolve(found.model, model_type=new.model_type, source_run_id=new.source_run_id)
        return found.read()


@caught_by("test_names_of_logged_models_need_not_be_unique")
class WantsUniqueNames(MemoryTrackingStore):
    def create_logged_model(self, new: NewLoggedModel) -> LoggedModel:
        if any(one.model.name == new.name for one in self._models.values()):
            raise AlreadyExists("taken")
        return super().create_logged_model(new)


@caught_by("test_the_same_request_for_a_logged_model_makes_no_twin")
class RefusesARepeatedRequest(MemoryTrackingStore):
    def create_logged_model(self, new: NewLoggedModel) -> LoggedModel:
        if new.model_id in self._models:
            raise AlreadyExists("there")
        return super().create_logged_model(new)


@caught_by("test_the_id_of_another_logged_model_is_refused")
class AnswersAnyRequestWithAKnownId(MemoryTrackingStore):
    def create_logged_model(self, new: NewLoggedModel) -> LoggedModel:
        return self._models[new.model_id].read() if new.model_id in self._models else super().create_logged_model(new)


@caught_by("test_a_refused_logged_model_leaves_nothing_behind")
class MakesTheModelBeforeItChecksParams(MemoryTrackingStore):
    def create_logged_model(self, new: NewLoggedModel) -> LoggedModel:
        made = super().create_logged_model(evolve(new, params={}))
        self.log_logged_model_params(made.model_id, new.params)
        return self.get_logged_model(made.model_id)


@caught_by("test_no_logged_model_is_made_in_a_deleted_experiment")
class MakesModelsInDeletedExperiments(MemoryTrackingStore):
    def _active_experiment(self, experiment_id: str) -> Any:
        return self.get_experiment(experiment_id)


@caught_by("test_an_unknown_logged_model_is_not_found")
class TiesTheFirstBeforeItMissesTheSecond(MemoryTrackingStore):
    def log_outputs(self, run_id: str, models: Sequence[ModelOutput]) -> None:
        for one in models:
            super().log_outputs(run_id, [one])


# --- changing


@caught_by("test_a_status_is_changed_with_what_is_said_of_it")
class KeepsAnOldMessage(MemoryTrackingStore):
    def set_logged_model_status(self, model_id: str, status: LoggedModelStatus, *, message: str | None = None) -> LoggedModel:
        before = self.get_logged_model(model_id).status_message
        return super().set_logged_model_status(model_id, status, message=message or before)


@caught_by("test_tags_of_a_logged_model_are_set_replaced_and_removed")
class ForgetsTheTagsThatWereThere(MemoryTrackingStore):
    def set_logged_model_tags(self, model_id: str, tags: Mapping[str, str]) -> LoggedModel:
        self._models[model_id].model = evolve(self._models[model_id].model, tags={})
        return super().set_logged_model_tags(model_id, tags)


@caught_by("test_tags_of_a_logged_model_are_set_replaced_and_removed")
class RemovesTagsThatAreNotThere(MemoryTrackingStore):
    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        try:
            super().delete_logged_model_tag(model_id, key)
        except TagNotFound:
            return


@caught_by("test_params_of_a_logged_model_are_written_once")
class ReplacesParams(MemoryTrackingStore):
    def log_logged_model_params(self, model_id: str, params: Mapping[str, str]) -> None:
        self._models[model_id].model = evolve(self._models[model_id].model, params={})
        super().log_logged_model_params(model_id, params)


@caught_by("test_params_of_a_logged_model_are_written_once")
class WritesParamsOneByOne(MemoryTrackingStore):
    def log_logged_model_params(self, model_id: str, params: Mapping[str, str]) -> None:
        for key, value in params.items():
            super().log_logged_model_params(model_id, {key: value})


# --- deleting


@caught_by("test_a_deleted_logged_model_is_hidden_until_asked_for")
class ShowsDeletedModels(MemoryTrackingStore):
    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        return super().get_logged_model(model_id, allow_deleted=True)


@caught_by("test_a_deleted_logged_model_is_hidden_until_asked_for")
class DeletesForGood(MemoryTrackingStore):
    def delete_logged_model(self, model_id: str) -> None:
        self._model(model_id)
        del self._models[model_id]


@caught_by("test_deleting_a_logged_model_again_changes_nothing")
class DeletesOnce(MemoryTrackingStore):
    def delete_logged_model(self, model_id: str) -> None:
        self._model(model_id)
        super().delete_logged_model(model_id)


@caught_by("test_a_deleted_logged_model_takes_nothing_in")
class TagsDeletedModels(MemoryTrackingStore):
    def set_logged_model_tags(self, model_id: str, tags: Mapping[str, str]) -> LoggedModel:
        return self._change(self._model(model_id, allow_deleted=True), tags=dict(tags))


# --- metrics


@caught_by("test_points_of_a_logged_model_are_points_of_the_run_too")
class KeepsPointsOfModelsFromTheRun(MemoryTrackingStore):
    def log_batch(self, run_id: str, batch: LogBatch) -> None:
        super().log_batch(run_id, evolve(batch, model_points=()))
        with self._lock:
            self._keep_model_points(run_id, self._check_model_points(batch.model_points))


@caught_by("test_a_logged_model_keeps_the_latest_of_every_metric_run_and_dataset")
class KeepsTheLastThatArrived(MemoryTrackingStore):
    def _keep_model_points(self, run_id: str, checked: Iterable[ModelPoints]) -> None:
        for one in checked:
            self._models[one.model_id].metrics.pop((one.key, run_id, one.dataset_name or "", one.dataset_digest or ""), None)
            super()._keep_model_points(run_id, [one])


@caught_by("test_a_logged_model_keeps_the_latest_of_every_metric_run_and_dataset")
class MixesDatasets(MemoryTrackingStore):
    def _keep_model_points(self, run_id: str, checked: Iterable[ModelPoints]) -> None:
        super()._keep_model_points(run_id, [evolve(one, dataset_digest=None) for one in checked])


@caught_by("test_the_latest_point_is_that_of_a_run_whatever_the_order_of_arrival")
class DropsNan(MemoryTrackingStore):
    def _keep_model_points(self, run_id: str, checked: Iterable[ModelPoints]) -> None:
        given = [(one, [point for point in one.points if not rank(*point)[3]]) for one in checked]
        super()._keep_model_points(run_id, [evolve(one, points=one.points.of(points)) for one, points in given])


@caught_by("test_points_do_not_move_the_last_update_of_a_logged_model")
class TouchesTheModelWithEveryPoint(MemoryTrackingStore):
    def _keep_model_points(self, run_id: str, checked: Iterable[ModelPoints]) -> None:
        for one in checked:
            self._change(self._models[one.model_id])
            super()._keep_model_points(run_id, [one])


@caught_by("test_points_of_an_unknown_logged_model_are_refused_with_the_batch")
class LeavesOutUnknownModels(MemoryTrackingStore):
    def _check_model_points(self, given: Iterable[ModelPoints]) -> list[ModelPoints]:
        return super()._check_model_points([one for one in given if one.model_id in self._models])


@caught_by("test_points_of_an_unknown_logged_model_are_refused_with_the_batch")
class LogsWhatIsOfTheRunFirst(MemoryTrackingStore):
    def log_batch(self, run_id: str, batch: LogBatch) -> None:
        super().log_batch(run_id, evolve(batch, model_points=()))
        super().log_batch(run_id, LogBatch(model_points=batch.model_points))


@caught_by("test_points_of_a_deleted_logged_model_are_refused")
class MeasuresDeletedModels(MemoryTrackingStore):
    def _check_model_points(self, given: Iterable[ModelPoints]) -> list[ModelPoints]:
        gone = [one for one in self._models.values() if one.is_deleted]
        for one in gone:
            one.is_deleted = False
        checked = super()._check_model_points(given)
        for one in gone:
            one.is_deleted = True
        return checked


@caught_by("test_faulty_points_of_a_logged_model_are_refused_with_the_batch")
class TakesPointsUnchecked(MemoryTrackingStore):
    def _check_model_points(self, given: Iterable[ModelPoints]) -> list[ModelPoints]:
        return list(given)


# --- runs that use and make them


@caught_by("test_a_run_shows_the_logged_models_it_uses_and_has_made")
class HidesWhatARunUses(MemoryTrackingStore):
    def get_run(self, run_id: str) -> Run:
        run = super().get_run(run_id)
        return evolve(run, inputs=evolve(run.inputs, model_inputs=()))


@caught_by("test_a_run_shows_the_logged_models_it_uses_and_has_made")
class LeavesOutputsOutOfSearches(MemoryTrackingStore):
    def search_runs(self, query: Query, **given: Any) -> Page[Run]:
        page = super().search_runs(query, **given)
        return Page((evolve(run, outputs=RunOutputs()) for run in page), page.token)


@caught_by("test_a_logged_model_that_a_run_has_made_keeps_its_first_step")
class KeepsTheLastStep(MemoryTrackingStore):
    def log_outputs(self, run_id: str, models: Sequence[ModelOutput]) -> None:
        super().log_outputs(run_id, models)
        self._made[run_id].update({one.model_id: one.step for one in models})


@caught_by("test_a_run_goes_on_showing_a_deleted_logged_model")
class UntiesDeletedModels(MemoryTrackingStore):
    def delete_logged_model(self, model_id: str) -> None:
        super().delete_logged_model(model_id)
        for made in self._made.values():
            made.pop(model_id, None)


@caught_by("test_only_an_active_run_is_tied_to_logged_models")
class TiesDeletedRuns(MemoryTrackingStore):
    def log_model_inputs(self, run_id: str, models: Sequence[ModelInput]) -> None:
        try:
            super().log_model_inputs(run_id, models)
        except WrongLifecycle:
            self.set_run_stage(run_id, LifecycleStage.ACTIVE)
            super().log_model_inputs(run_id, models)
            self.set_run_stage(run_id, LifecycleStage.DELETED)


# --- searches


class _Searches(MemoryTrackingStore):
    """What a search is changed to before it is made."""

    change: ClassVar[Callable[[Query], Query]]

    def search_logged_models(self, query: Query, **given: Any) -> Page[LoggedModel]:
        return super().search_logged_models(type(self).change(query), **given)


def _with_comparisons(condition: Condition | None, change: Callable[[Comparison], Condition]) -> Condition | None:
    if condition is None or isinstance(condition, Comparison):
        return condition and change(condition)
    if isinstance(condition, Not):
        inner = _with_comparisons(condition.part, change)
        assert inner is not None
        return Not(inner)
    parts = tuple(part for part in (_with_comparisons(part, change) for part in condition.parts) if part is not None)
    return And(parts) if isinstance(condition, And) else Or(parts)


def _without_datasets(field: Field) -> Field:
    return evolve(field, datasets=())


@caught_by("test_a_filter_of_logged_models_finds_exactly_what_it_says")
class TakesMissingForUnequal(_Searches):
    @staticmethod
    def change(query: Query) -> Query:  # type: ignore[override]
        return evolve(
            query,
            where=_with_comparisons(query.where, lambda one: Not(evolve(one, op=Op.EQ)) if one.op is Op.NE else one),
        )


@caught_by("test_datasets_narrow_a_search_of_logged_models")
class IgnoresDatasets(_Searches):
    @staticmethod
    def change(query: Query) -> Query:  # type: ignore[override]
        return evolve(
            query,
            where=_with_comparisons(query.where, lambda one: evolve(one, field=_without_datasets(one.field))),
        )


@caught_by("test_datasets_narrow_a_search_of_logged_models")
class LooksAtNamesOfDatasetsAlone(_Searches):
    @staticmethod
    def change(query: Query) -> Query:  # type: ignore[override]
        def of_any_digest(one: Comparison) -> Condition:
            return evolve(one, field=evolve(one.field, datasets=tuple(evolve(dataset, digest=None) for dataset in one.field.datasets)))

        return evolve(query, where=_with_comparisons(query.where, of_any_digest))


@caught_by("test_logged_models_come_in_the_order_asked_for_on_pages_of_any_size")
class SortsByAnyDataset(_Searches):
    @staticmethod
    def change(query: Query) -> Query:  # type: ignore[override]
        return evolve(query, order=tuple(evolve(key, field=_without_datasets(key.field)) for key in query.order))


@caught_by("test_logged_models_come_in_the_order_asked_for_on_pages_of_any_size")
class DoesNotSortByMetrics(_Searches):
    @staticmethod
    def change(query: Query) -> Query:  # type: ignore[override]
        return evolve(query, order=tuple(key for key in query.order if key.field.entity is not Entity.METRIC))


@caught_by("test_logged_models_are_searched_in_the_experiments_given")
class TakesNoExperimentsForAll(MemoryTrackingStore):
    def search_logged_models(self, query: Query, *, experiment_ids: Sequence[str] | None, **given: Any) -> Page[LoggedModel]:
        return super().search_logged_models(query, experiment_ids=experiment_ids or None, **given)


@caught_by("test_a_found_logged_model_is_complete")
class LeavesMetricsOutOfSearches(MemoryTrackingStore):
    def search_logged_models(self, query: Query, **given: Any) -> Page[LoggedModel]:
        page = super().search_logged_models(query, **given)
        return Page((evolve(model, metrics=()) for model in page), page.token)


@caught_by("test_logged_models_made_meanwhile_do_not_move_the_pages")
class PagesByOffset(MemoryTrackingStore):
    def search_logged_models(
        self, query: Query, *, experiment_ids: Sequence[str] | None, limit: int = 50, page_token: str | None = None
    ) -> Page[LoggedModel]:
        start = int(page_token or 0)
        everything = super().search_logged_models(query, experiment_ids=experiment_ids, limit=50_000)
        return Page(everything[start : start + limit], str(start + limit) if len(everything) > start + limit else None)


@caught_by("test_a_page_token_of_another_search_of_logged_models_is_refused")
class TakesAnyToken(MemoryTrackingStore):
    def search_logged_models(self, query: Query, *, page_token: str | None = None, **given: Any) -> Page[LoggedModel]:
        known = page_token if page_token in self._tokens._issued and self._tokens._issued[page_token][0][0] == query else None
        return super().search_logged_models(query, page_token=known, **given)


@caught_by("test_a_page_of_logged_models_has_a_size_that_can_be")
class TakesNoLimitForTheUsual(MemoryTrackingStore):
    def search_logged_models(self, query: Query, *, limit: int = 50, **given: Any) -> Page[LoggedModel]:
        return super().search_logged_models(query, limit=limit or 50, **given)


# --- from journals, and under their run


@caught_by("test_a_logged_model_can_lie_among_the_files_of_its_run")
class KeepsEveryModelApart(MemoryTrackingStore):
    def create_logged_model(self, new: NewLoggedModel) -> LoggedModel:
        return super().create_logged_model(evolve(new, artifact_path=None))


@caught_by("test_only_the_files_of_a_run_that_is_there_can_hold_a_logged_model")
class PutsModelsUnderAnyRun(MemoryTrackingStore):
    def create_logged_model(self, new: NewLoggedModel) -> LoggedModel:
        run = self._runs.get(str(new.source_run_id))
        home = new.experiment_id if run is None else run.info.experiment_id
        return super().create_logged_model(evolve(new, experiment_id=home))


@caught_by("test_a_parcel_brings_logged_models_with_their_ties_and_points")
class ForgetsTies(MemoryTrackingStore):
    def ship(self, parcel: Parcel) -> Receipt:
        return super().ship(evolve(parcel, model_outputs=()))


@caught_by("test_a_parcel_with_logged_models_is_taken_once")
class TakesTheLastStep(MemoryTrackingStore):
    def _take_models(self, parcel: Parcel) -> None:
        super()._take_models(parcel)
        for one in parcel.model_outputs:
            self._made[parcel.run_id][one.model_id] = one.step + len(self._positions)


@caught_by("test_a_parcel_whose_logged_models_cannot_be_leaves_nothing")
class KeepsModelsOfARefusedParcel(MemoryTrackingStore):
    def _kept_models(self, parcel: Parcel) -> tuple[Any, ...]:
        return self._models, self._used, self._made


@FAULTS.each()
def test_the_named_test_complains_about_the_broken_store_and_not_about_the_sound_one(kind: type[MemoryTrackingStore], test: str) -> None:
    assert complaint(TrackingStoreKit, test, MemoryTrackingStore) is None
    assert complaint(TrackingStoreKit, test, kind) is not None


def test_logged_models_that_are_forgotten_when_the_store_is_closed_are_complained_about() -> None:
    test = "test_logged_models_outlive_the_opened_store"
    assert complaint(TrackingStoreKit, test, MemoryTrackingStore) is None
    assert complaint(TrackingStoreKit, test, MemoryTrackingStore, reopen=lambda store: MemoryTrackingStore()) is not None


def test_a_store_that_claims_less_than_it_does_is_complained_about() -> None:
    class Hides(MemoryTrackingStore):
        features: ClassVar[Mapping[Feature, Support]] = {}

    assert complaint(TrackingStoreKit, "test_a_store_without_logged_models_says_so", Hides) is not None


class _KeepsNoLoggedModels(MemoryTrackingStore):
    """What a third party's store is that knows nothing of them."""

    features: ClassVar[Mapping[Feature, Support]] = {}
    create_logged_model, get_logged_model = TrackingStore.create_logged_model, TrackingStore.get_logged_model
    search_logged_models, delete_logged_model = TrackingStore.search_logged_models, TrackingStore.delete_logged_model
    set_logged_model_status, set_logged_model_tags = TrackingStore.set_logged_model_status, TrackingStore.set_logged_model_tags
    delete_logged_model_tag, log_logged_model_params = TrackingStore.delete_logged_model_tag, TrackingStore.log_logged_model_params
    log_model_inputs, log_outputs = TrackingStore.log_model_inputs, TrackingStore.log_outputs


class TestStoreWithoutLoggedModels(LoggedModelTests):
    @pytest.fixture
    def store(self) -> MemoryTrackingStore:
        return _KeepsNoLoggedModels()
