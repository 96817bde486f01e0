"""The tracking kit has teeth: each store below breaks one promise, and the test of the kit named beside it says so."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pytest
from attrs import evolve

from drupe.entities import (
    DatasetInput,
    Experiment,
    ExperimentActivity,
    ExperimentStorage,
    Heartbeat,
    LifecycleStage,
    LogBatch,
    Metric,
    NewRun,
    Page,
    ParamClash,
    Parcel,
    Points,
    Receipt,
    Run,
    RunInfo,
    Series,
    ViewType,
)
from drupe.errors import AlreadyExists, InvalidPageToken, InvalidValue, ParamConflict, RunNotFound
from drupe.extend.features import Feature, Support
from drupe.extend.tracking_store import TrackingStore
from drupe.search.query import Query
from drupe.testing.memory_series import sample
from drupe.testing.memory_tracking import MemoryTrackingStore
from drupe.testing.tracking_store import TrackingStoreKit

from .kit_runner import Faults, complaint

FAULTS = Faults()
caught_by = FAULTS.caught_by


# --- many calls at once


@caught_by("test_calls_that_are_applied_together_have_their_results_in_order")
class AnswersInTheOrderOfHaste(MemoryTrackingStore):
    def apply(self, calls: Sequence[Any]) -> list[Any]:
        return super().apply(calls[::-1])[::-1]


@caught_by("test_a_call_that_fails_leaves_those_beside_it_alone")
class StopsAtTheFirstFault(MemoryTrackingStore):
    def apply(self, calls: Sequence[Any]) -> list[Any]:
        return [call() for call in calls]


@caught_by("test_a_call_of_several_steps_is_all_or_nothing")
class KeepsTheFirstStep(MemoryTrackingStore):
    features: ClassVar = {**MemoryTrackingStore.features, Feature.GROUP_COMMIT: Support.FULL}


# --- experiments


@caught_by("test_an_experiment_name_is_taken_also_when_its_experiment_is_deleted")
class ReusesNamesOfDeletedExperiments(MemoryTrackingStore):
    def _check_name_is_free(self, name: str) -> None:
        taken = self.get_experiment_by_name(name)
        if taken and taken.lifecycle_stage == LifecycleStage.ACTIVE:
            super()._check_name_is_free(name)


@caught_by("test_deleting_an_experiment_deletes_all_of_its_runs_and_no_others")
class DeletesTheExperimentOnly(MemoryTrackingStore):
    def set_experiment_stage(self, experiment_id: str, stage: LifecycleStage) -> None:
        runs = {run_id: run.info for run_id, run in self._runs.items()}
        super().set_experiment_stage(experiment_id, stage)
        for run_id, info in runs.items():
            self._runs[run_id].info = info


@caught_by("test_restoring_an_experiment_restores_also_the_runs_that_were_deleted_before_it")
class RestoresOnlyWhatItDeleted(MemoryTrackingStore):
    def set_experiment_stage(self, experiment_id: str, stage: LifecycleStage) -> None:
        deleted = [run_id for run_id, run in self._runs.items() if run.info.lifecycle_stage == LifecycleStage.DELETED]
        was_deleted = getattr(self, "_deleted_before", [])
        super().set_experiment_stage(experiment_id, stage)
        if stage == LifecycleStage.DELETED:
            self._deleted_before = deleted
        else:
            for run_id in was_deleted:
                self.set_run_stage(run_id, LifecycleStage.DELETED)


@caught_by("test_deleting_a_deleted_experiment_or_restoring_an_active_one_finds_none")
class DeletesDeletedExperimentsAgain(MemoryTrackingStore):
    def set_experiment_stage(self, experiment_id: str, stage: LifecycleStage) -> None:
        if self.get_experiment(experiment_id).lifecycle_stage != stage:
            super().set_experiment_stage(experiment_id, stage)


@caught_by("test_a_search_shows_active_experiments_newest_first_until_asked_for_deleted_ones")
class ShowsDeletedExperiments(MemoryTrackingStore):
    def search_experiments(
        self, query: Query, *, view: ViewType = ViewType.ACTIVE_ONLY, limit: int = 1000, page_token: str | None = None
    ) -> Page[Experiment]:
        return super().search_experiments(query, view=ViewType.ALL, limit=limit, page_token=page_token)


@caught_by("test_a_refused_experiment_leaves_nothing_behind")
class MakesTheExperimentBeforeItChecksTags(MemoryTrackingStore):
    def create_experiment(self, name: str, *, artifact_location: str | None = None, tags: Mapping[str, str] | None = None) -> Experiment:
        made = super().create_experiment(name, artifact_location=artifact_location)
        self.set_experiment_tags(made.experiment_id, tags or {})
        return self.get_experiment(made.experiment_id)


# --- runs


@caught_by("test_setting_the_name_tag_renames_the_run")
class KeepsTheNameWhenItsTagChanges(MemoryTrackingStore):
    def log_batch(self, run_id: str, batch: LogBatch) -> None:
        name = self._run(run_id).info.run_name
        super().log_batch(run_id, batch)
        self._run(run_id).info = evolve(self._run(run_id).info, run_name=name)


@caught_by("test_an_update_changes_only_what_is_given")
class ForgetsTheEndTime(MemoryTrackingStore):
    def update_run(self, run_id: str, **given: Any) -> RunInfo:
        super().update_run(run_id, **given)
        self._run(run_id).info = evolve(self._run(run_id).info, end_time=given.get("end_time"))
        return self._run(run_id).info


@caught_by("test_a_deleted_run_cannot_be_changed")
class WritesToDeletedRuns(MemoryTrackingStore):
    def _active_run(self, run_id: str) -> Any:
        return self._run(run_id)


@caught_by("test_making_the_same_run_again_answers_with_the_first")
class MakesTwins(MemoryTrackingStore):
    def create_run(self, new: NewRun) -> Run:
        return super().create_run(evolve(new, run_id=f"{new.run_id}-again") if new.run_id in self._runs else new)


@caught_by("test_a_run_id_that_belongs_to_another_run_is_refused")
class AnswersWithAnyRunOfThatId(MemoryTrackingStore):
    def create_run(self, new: NewRun) -> Run:
        return self._runs[new.run_id].read() if new.run_id in self._runs else super().create_run(new)


@caught_by("test_the_first_description_of_an_input_wins")
class TakesTheLastDescriptionOfAnInput(MemoryTrackingStore):
    def log_inputs(self, run_id: str, datasets: Sequence[DatasetInput]) -> None:
        self._active_run(run_id)
        for given in datasets:
            self._run(run_id).inputs[given.dataset.name, given.dataset.digest] = given


# --- batches


@caught_by("test_a_param_never_changes")
class OverwritesParams(MemoryTrackingStore):
    def log_batch(self, run_id: str, batch: LogBatch) -> None:
        for key in batch.params:
            self._active_run(run_id).params.pop(key, None)
        super().log_batch(run_id, batch)


@caught_by("test_a_param_conflict_leaves_nothing_of_its_batch")
class WritesMetricsBeforeItChecksParams(MemoryTrackingStore):
    def log_batch(self, run_id: str, batch: LogBatch) -> None:
        super().log_batch(run_id, LogBatch(batch.metrics))
        super().log_batch(run_id, evolve(batch, metrics={}))


@caught_by("test_a_batch_with_one_fault_gets_one_error_and_leaves_nothing")
class WritesParamsOneByOne(MemoryTrackingStore):
    def log_batch(self, run_id: str, batch: LogBatch) -> None:
        for key, value in batch.params.items():
            super().log_batch(run_id, LogBatch(params={key: value}))
        super().log_batch(run_id, batch)


@caught_by("test_a_param_is_cut_at_6000_characters")
class CutsParamsShort(MemoryTrackingStore):
    def log_batch(self, run_id: str, batch: LogBatch) -> None:
        super().log_batch(run_id, evolve(batch, params={key: value[:500] for key, value in batch.params.items()}))


@caught_by("test_of_threads_that_log_one_param_differently_exactly_one_wins")
class LetsALateParamPass(MemoryTrackingStore):
    def log_batch(self, run_id: str, batch: LogBatch) -> None:
        try:
            super().log_batch(run_id, batch)
        except ParamConflict:
            super().log_batch(run_id, evolve(batch, params={}))


# --- metrics


@caught_by("test_the_latest_value_does_not_depend_on_the_order_of_arrival")
class TakesTheLastArrivalAsLatest(MemoryTrackingStore):
    def get_run(self, run_id: str) -> Run:
        run = super().get_run(run_id)
        arrived = {key: list(points.values())[-1][2] for key, points in self._run(run_id).points.items()}
        return evolve(run, data=evolve(run.data, metrics=arrived))


@caught_by("test_nan_is_kept_as_a_value")
class DropsNaN(MemoryTrackingStore):
    def log_batch(self, run_id: str, batch: LogBatch) -> None:
        kept = {key: Points.of(p for p in points if not math.isnan(p[2])) for key, points in batch.metrics.items()}
        super().log_batch(run_id, evolve(batch, metrics=kept))


@caught_by("test_infinities_are_kept_as_values")
class CapsInfinities(MemoryTrackingStore):
    def log_batch(self, run_id: str, batch: LogBatch) -> None:
        most = 1.7976931348623157e308
        kept = {key: Points.of((s, t, max(-most, min(most, v))) for s, t, v in points) for key, points in batch.metrics.items()}
        super().log_batch(run_id, evolve(batch, metrics=kept))


@caught_by("test_a_point_that_differs_in_one_thing_is_kept")
class KeepsOnePointPerStep(MemoryTrackingStore):
    def log_batch(self, run_id: str, batch: LogBatch) -> None:
        known = {key: {step for step, _, _ in points.values()} for key, points in self._run(run_id).points.items()}
        kept = {key: Points.of(p for p in points if p[0] not in known.get(key, ())) for key, points in batch.metrics.items()}
        super().log_batch(run_id, evolve(batch, metrics=kept))


@caught_by("test_a_repeated_point_counts_once_in_the_summary")
class CountsRepeatedPoints(MemoryTrackingStore):
    def log_batch(self, run_id: str, batch: LogBatch) -> None:
        super().log_batch(run_id, batch)
        arrived = self.__dict__.setdefault("_arrived", {})
        for key, points in batch.metrics.items():
            arrived[run_id, key] = arrived.get((run_id, key), 0) + len(points)

    def get_run(self, run_id: str) -> Run:
        run = super().get_run(run_id)
        counted = {key: evolve(summary, count=self.__dict__["_arrived"][run_id, key]) for key, summary in run.data.summaries.items()}
        return evolve(run, data=evolve(run.data, summaries=counted))


@caught_by("test_history_is_ordered_by_time_then_step_then_value")
class GivesHistoryByStep(MemoryTrackingStore):
    def metric_history(self, run_id: str, key: str, *, limit: int = 25_000, page_token: str | None = None) -> Page[Metric]:
        page = super().metric_history(run_id, key, limit=limit, page_token=page_token)
        return Page(sorted(page, key=lambda point: (point.step, point.timestamp)), page.token)


@caught_by("test_history_of_an_unknown_metric_or_run_is_empty")
class MissesUnknownRunsInHistory(MemoryTrackingStore):
    def metric_history(self, run_id: str, key: str, *, limit: int = 25_000, page_token: str | None = None) -> Page[Metric]:
        if run_id not in self._runs:
            raise RunNotFound(f"no run {run_id}")
        return super().metric_history(run_id, key, limit=limit, page_token=page_token)


@caught_by("test_a_sampled_series_keeps_every_spike_and_both_ends_of_the_values")
class SamplesEveryNthPoint(MemoryTrackingStore):
    def metric_bulk(
        self, run_ids: Sequence[str], keys: Sequence[str] | None = None, *, buckets: int | None = None, **steps: Any
    ) -> list[Series]:
        series = super().metric_bulk(run_ids, keys)
        if buckets is None:
            return series
        return [evolve(one, points=Points.of(list(one.points)[:: len(one.points) // buckets]), is_sampled=True) for one in series]


@caught_by("test_bulk_keeps_a_short_series_whole")
class SamplesShortSeriesToo(MemoryTrackingStore):
    def metric_bulk(
        self, run_ids: Sequence[str], keys: Sequence[str] | None = None, *, buckets: int | None = None, **steps: Any
    ) -> list[Series]:
        series = super().metric_bulk(run_ids, keys)
        return [evolve(one, points=Points.of(sample(list(one.points), 4)), is_sampled=True) for one in series]


@caught_by("test_ranges_of_steps_begin_at_multiples_of_their_width_and_so_stay_as_the_series_grows")
class CutsRangesFromTheFirstStepOn(MemoryTrackingStore):
    def metric_bulk(
        self, run_ids: Sequence[str], keys: Sequence[str] | None = None, *, buckets: int | None = None, **steps: Any
    ) -> list[Series]:
        series = super().metric_bulk(run_ids, keys, **steps)
        if buckets is None:
            return series
        return [evolve(one, points=Points.of(self._cut(list(one.points), buckets)), is_sampled=True) for one in series]

    def _cut(self, points: list[tuple[int, int, float]], buckets: int) -> list[tuple[int, int, float]]:
        start, width = points[0][0], (points[-1][0] - points[0][0]) // buckets + 1
        return [(step + start, time, value) for step, time, value in sample([(s - start, t, v) for s, t, v in points], width)]


@caught_by("test_bulk_gives_only_the_points_between_the_steps_asked_for")
class TakesTheLastStepForTheEnd(MemoryTrackingStore):
    def metric_bulk(
        self, run_ids: Sequence[str], keys: Sequence[str] | None = None, *, last_step: int | None = None, **given: Any
    ) -> list[Series]:
        return super().metric_bulk(run_ids, keys, last_step=None if last_step is None else last_step - 1, **given)


@caught_by("test_a_sampled_range_is_cut_as_finely_as_its_own_steps_allow")
class SamplesBeforeItLooksAtTheRange(MemoryTrackingStore):
    def metric_bulk(
        self,
        run_ids: Sequence[str],
        keys: Sequence[str] | None = None,
        *,
        buckets: int | None = None,
        first_step: int | None = None,
        last_step: int | None = None,
    ) -> list[Series]:
        low, high = first_step if first_step is not None else -math.inf, last_step if last_step is not None else math.inf
        whole = super().metric_bulk(run_ids, keys, buckets=buckets)
        return [evolve(one, points=Points.of(point for point in one.points if low <= point[0] <= high)) for one in whole]


# --- shipping


@caught_by("test_a_parcel_that_is_sent_again_does_nothing")
@caught_by("test_threads_that_send_the_same_parcels_write_each_once")
class ForgetsOrigins(MemoryTrackingStore):
    def ship(self, parcel: Parcel) -> Receipt:
        self._positions[parcel.origin.writer] = parcel.origin.start
        return super().ship(parcel)


@caught_by("test_a_writer_is_known_up_to_the_end_of_its_last_parcel")
class CountsParcelsInsteadOfPositions(MemoryTrackingStore):
    def shipped_to(self, writer: str) -> int:
        return int(super().shipped_to(writer) > 0)


@caught_by("test_a_parcel_that_does_not_follow_the_last_one_is_refused_with_the_position")
@caught_by("test_the_first_parcel_of_a_writer_starts_at_0")
class JumpsOverGaps(MemoryTrackingStore):
    def ship(self, parcel: Parcel) -> Receipt:
        if parcel.origin.start > self.shipped_to(parcel.origin.writer):
            self._positions[parcel.origin.writer] = parcel.origin.start
        return super().ship(parcel)


@caught_by("test_a_parcel_that_does_not_follow_the_last_one_is_refused_with_the_position")
class TakesOverlappingParcels(MemoryTrackingStore):
    def ship(self, parcel: Parcel) -> Receipt:
        if parcel.origin.start < self.shipped_to(parcel.origin.writer) < parcel.origin.end:
            self._positions[parcel.origin.writer] = parcel.origin.start
        return super().ship(parcel)


@caught_by("test_a_parcel_that_is_sent_again_after_its_run_was_deleted_is_still_a_repeat")
class ComplainsBeforeItRecognisesARepeat(MemoryTrackingStore):
    def ship(self, parcel: Parcel) -> Receipt:
        if parcel.run_id in self._runs:
            self._active_run(parcel.run_id)
        return super().ship(parcel)


@caught_by("test_a_writer_is_known_up_to_the_end_of_its_last_parcel")
class TakesWritersThatDifferInCaseForOne(MemoryTrackingStore):
    def ship(self, parcel: Parcel) -> Receipt:
        return super().ship(evolve(parcel, origin=evolve(parcel.origin, writer=parcel.origin.writer.lower())))

    def shipped_to(self, writer: str) -> int:
        return super().shipped_to(writer.lower())


@caught_by("test_a_refused_parcel_leaves_nothing_of_itself")
@caught_by("test_a_refused_parcel_does_not_leave_the_run_that_it_would_have_made")
class ShipsInParts(MemoryTrackingStore):
    def ship(self, parcel: Parcel) -> Receipt:
        position = self.shipped_to(parcel.origin.writer)
        receipt = TrackingStore.ship(self, parcel)
        if parcel.origin.start != position:
            return super().ship(parcel)
        self._positions[parcel.origin.writer] = parcel.origin.end
        return receipt


@caught_by("test_a_refused_parcel_leaves_nothing_of_itself")
class CountsRefusedParcels(MemoryTrackingStore):
    def ship(self, parcel: Parcel) -> Receipt:
        try:
            return super().ship(parcel)
        except InvalidValue:
            self._positions[parcel.origin.writer] = max(self.shipped_to(parcel.origin.writer), parcel.origin.end)
            raise


@caught_by("test_a_param_with_another_value_is_told_and_the_rest_is_written")
class RefusesParcelsThatClash(MemoryTrackingStore):
    def ship(self, parcel: Parcel) -> Receipt:
        if parcel.run_id in self._runs:
            self._checked(self._run(parcel.run_id), parcel.batch)
        return super().ship(parcel)


@caught_by("test_a_param_with_another_value_is_told_and_the_rest_is_written")
class KeepsClashesToItself(MemoryTrackingStore):
    def ship(self, parcel: Parcel) -> Receipt:
        return evolve(super().ship(parcel), clashes=())


@caught_by("test_a_long_param_clashes_by_what_would_be_kept_of_it")
class ComparesWholeParams(MemoryTrackingStore):
    def ship(self, parcel: Parcel) -> Receipt:
        super().ship(parcel)
        kept = self._run(parcel.run_id).params
        return Receipt(tuple(ParamClash(key, kept[key], value) for key, value in parcel.batch.params.items() if kept[key] != value))


@caught_by("test_removing_a_tag_that_is_not_set_is_no_fault")
class MissesTagsThatAreNotSet(MemoryTrackingStore):
    def ship(self, parcel: Parcel) -> Receipt:
        for key in parcel.removed_tags:
            self.delete_run_tag(parcel.run_id, key)
        return super().ship(parcel)


@caught_by("test_a_tag_that_is_removed_and_set_in_one_parcel_is_set")
class RemovesTagsLast(MemoryTrackingStore):
    def ship(self, parcel: Parcel) -> Receipt:
        receipt = super().ship(parcel)
        for key in parcel.removed_tags:
            self._run(parcel.run_id).tags.pop(key, None)
        return receipt


@caught_by("test_a_parcel_does_all_that_it_holds")
class LeavesInputsOut(MemoryTrackingStore):
    def ship(self, parcel: Parcel) -> Receipt:
        return super().ship(evolve(parcel, inputs=()))


@caught_by("test_a_parcel_does_all_that_it_holds")
class LeavesTheEndOut(MemoryTrackingStore):
    def ship(self, parcel: Parcel) -> Receipt:
        return super().ship(evolve(parcel, status=None, end_time=None))


@caught_by("test_a_parcel_cannot_take_the_id_of_another_run")
class WritesIntoWhateverRunHasTheId(MemoryTrackingStore):
    def ship(self, parcel: Parcel) -> Receipt:
        return super().ship(evolve(parcel, new=None) if parcel.run_id in self._runs else parcel)


@caught_by("test_two_writers_that_bring_the_same_new_run_share_it")
class RefusesARunThatIsThere(MemoryTrackingStore):
    def ship(self, parcel: Parcel) -> Receipt:
        if parcel.new is not None and parcel.run_id in self._runs:
            raise AlreadyExists("it is there")
        return super().ship(parcel)


@caught_by("test_a_parcel_for_a_deleted_run_is_refused")
class ShipsIntoTheTrash(MemoryTrackingStore):
    def ship(self, parcel: Parcel) -> Receipt:
        stage = self._run(parcel.run_id).info.lifecycle_stage
        self.set_run_stage(parcel.run_id, LifecycleStage.ACTIVE)
        receipt = super().ship(parcel)
        self.set_run_stage(parcel.run_id, stage)
        return receipt


# --- signs of life


@caught_by("test_the_latest_sign_of_life_of_each_writer_is_kept")
class KeepsOneSignOfLifePerRun(MemoryTrackingStore):
    def beat(self, beats: Sequence[Heartbeat]) -> None:
        super().beat(beats)
        self._beats = {(run_id, ""): beat for (run_id, _), beat in self._beats.items()}


@caught_by("test_the_latest_sign_of_life_of_each_writer_is_kept")
class KeepsTheFirstSignOfLife(MemoryTrackingStore):
    def beat(self, beats: Sequence[Heartbeat]) -> None:
        super().beat([beat for beat in beats if (beat.run_id, beat.writer) not in self._beats])


@caught_by("test_signs_of_life_go_when_the_run_ends")
class KeepsSignsOfLifeOfTheDead(MemoryTrackingStore):
    def update_run(self, run_id: str, **given: Any) -> RunInfo:
        kept = self._beats
        try:
            return super().update_run(run_id, **given)
        finally:
            self._beats = kept


@caught_by("test_unknown_and_ended_runs_get_no_signs_of_life")
class TakesSignsOfLifeOfTheDead(MemoryTrackingStore):
    def beat(self, beats: Sequence[Heartbeat]) -> None:
        self._beats.update({(beat.run_id, beat.writer): beat for beat in beats if beat.run_id in self._runs})


@caught_by("test_only_running_runs_have_signs_of_life")
class ShowsSignsOfLifeOfScheduledRuns(MemoryTrackingStore):
    def heartbeats(self, run_ids: Sequence[str] | None = None) -> list[Heartbeat]:
        return [beat for beat in self._beats.values() if run_ids is None or beat.run_id in run_ids]


@caught_by("test_signs_of_life_can_be_asked_of_some_runs")
class TakesNoRunsForAll(MemoryTrackingStore):
    def heartbeats(self, run_ids: Sequence[str] | None = None) -> list[Heartbeat]:
        return super().heartbeats(run_ids or None)


# --- searching


@caught_by("test_a_deleted_run_is_hidden_from_search_until_asked_for")
class IgnoresTheView(MemoryTrackingStore):
    def search_runs(self, query: Query, *, view: ViewType = ViewType.ACTIVE_ONLY, **given: Any) -> Page[Run]:
        return super().search_runs(query, view=ViewType.ALL, **given)


@caught_by("test_a_search_looks_only_into_the_experiments_given")
class TakesNoExperimentsForAll(MemoryTrackingStore):
    def search_runs(self, query: Query, *, experiment_ids: Sequence[str] | None, **given: Any) -> Page[Run]:
        return super().search_runs(query, experiment_ids=experiment_ids or None, **given)


class _Offsets(MemoryTrackingStore):
    """Pages by offset, with readable tokens; `overlap` rows are shown again."""

    overlap = 0

    def search_runs(self, query: Query, *, limit: int = 1000, page_token: str | None = None, **given: Any) -> Page[Run]:
        offset = self._offset(page_token)
        found = super().search_runs(query, **given)
        end = offset + limit
        return Page(found[offset:end], str(max(offset + 1, end - self.overlap)) if end < len(found) else None)

    def _offset(self, page_token: str | None) -> int:
        try:
            return int(page_token or 0)
        except ValueError as fault:
            raise InvalidPageToken("not a number") from fault


@caught_by("test_pages_of_runs_hold_each_run_once_in_order")
class OverlapsPages(_Offsets):
    overlap = 1


@caught_by("test_runs_made_between_pages_neither_repeat_nor_hide_others")
@caught_by("test_a_run_deleted_between_pages_hides_no_other")
@caught_by("test_a_token_of_another_search_is_refused")
class PagesByOffset(_Offsets):
    pass


@caught_by("test_a_run_search_refuses_foreign_tokens_and_page_sizes")
class StartsAgainOnAGarbledToken(_Offsets):
    def _offset(self, page_token: str | None) -> int:
        return int(page_token) if page_token and page_token.isascii() and page_token.isdecimal() else 0


@caught_by("test_a_last_page_that_is_just_full_has_no_token")
class AlwaysOffersAnotherPage(MemoryTrackingStore):
    def search_runs(self, query: Query, *, limit: int = 1000, **given: Any) -> Page[Run]:
        page = super().search_runs(query, limit=limit, **given)
        return Page(page, page.token or ("more" if len(page) == limit else None))


@caught_by("test_a_found_run_is_complete")
class LeavesParamsOutOfSearches(MemoryTrackingStore):
    def search_runs(self, query: Query, **given: Any) -> Page[Run]:
        page = super().search_runs(query, **given)
        return Page((evolve(run, data=evolve(run.data, params={})) for run in page), page.token)


@caught_by("test_runs_come_in_the_order_asked_for")
class IgnoresTheOrder(MemoryTrackingStore):
    def search_runs(self, query: Query, **given: Any) -> Page[Run]:
        return super().search_runs(evolve(query, order=query.order[-2:]), **given)


@caught_by("test_a_run_filter_finds_exactly_what_it_says")
class IgnoresTheFilter(MemoryTrackingStore):
    def search_runs(self, query: Query, **given: Any) -> Page[Run]:
        return super().search_runs(evolve(query, where=None), **given)


@caught_by("test_a_count_looks_into_the_experiments_and_view_given")
class CountsDeletedRuns(MemoryTrackingStore):
    def count_runs(self, query: Query, *, view: ViewType = ViewType.ACTIVE_ONLY, **given: Any) -> int:
        return super().count_runs(query, view=ViewType.ALL, **given)


@caught_by("test_a_count_is_the_number_of_runs_that_the_filter_finds")
class CountsOneRunForEachPoint(MemoryTrackingStore):
    """What a join over the points does to a count."""

    def count_runs(self, query: Query, **given: Any) -> int:
        found = self.search_runs(query, experiment_ids=given.get("experiment_ids"))
        return sum(max(1, sum(summary.count for summary in run.data.summaries.values())) for run in found)


@caught_by("test_the_activity_of_experiments_counts_runs_and_tells_the_newest_start")
class TellsTheActivityOfDeletedRuns(MemoryTrackingStore):
    def experiment_activity(self, experiment_ids: Sequence[str], *, view: ViewType = ViewType.ACTIVE_ONLY) -> dict[str, ExperimentActivity]:
        return super().experiment_activity(experiment_ids, view=ViewType.ALL)


@caught_by("test_what_is_kept_of_an_experiment_counts_runs_and_points")
class CountsWhatAllExperimentsKeep(MemoryTrackingStore):
    def experiment_storage(self, experiment_id: str) -> ExperimentStorage:
        return ExperimentStorage(len(self._runs), None)


@FAULTS.each()
def test_the_named_test_complains_about_the_broken_store_and_not_about_the_sound_one(kind: type[MemoryTrackingStore], test: str) -> None:
    assert complaint(TrackingStoreKit, test, MemoryTrackingStore) is None
    assert complaint(TrackingStoreKit, test, kind) is not None


@pytest.mark.parametrize(
    "test",
    [
        "test_experiments_outlive_the_opened_store",
        "test_a_deleted_default_experiment_is_not_made_anew",
        "test_runs_outlive_the_opened_store",
        "test_series_outlive_the_opened_store_and_go_on_growing",
        "test_origins_outlive_the_opened_store",
        "test_signs_of_life_outlive_the_opened_store",
    ],
)
def test_a_store_that_forgets_when_it_is_closed_is_complained_about(test: str) -> None:
    assert complaint(TrackingStoreKit, test, MemoryTrackingStore) is None
    assert complaint(TrackingStoreKit, test, MemoryTrackingStore, reopen=lambda store: MemoryTrackingStore()) is not None
