"""The part of the tracking kit about columns and keys of runs has teeth, as `test_tracking_kit_catches_faults` has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import evolve

from drupe.entities import RunColumns, RunKeys, Stat, ViewType
from drupe.errors import InvalidQuery
from drupe.search.query import Entity, Field, Query
from drupe.testing.memory_tracking import MemoryTrackingStore
from drupe.testing.tracking_store import TrackingStoreKit

from .kit_runner import Faults, complaint

FAULTS = Faults()
caught_by = FAULTS.caught_by


class _Changed(MemoryTrackingStore):
    def run_columns(self, query: Query, **given: Any) -> RunColumns:
        return self.changed(super().run_columns(query, **given), list(given.get("fields", ())))

    def changed(self, found: RunColumns, fields: list[Field]) -> RunColumns:
        return found


@caught_by("test_columns_without_fields_are_the_ids_in_order")
class SortsById(_Changed):
    def changed(self, found: RunColumns, fields: list[Field]) -> RunColumns:
        return evolve(found, run_ids=sorted(found.run_ids))


@caught_by("test_columns_are_aligned_with_the_ids_and_have_none_for_what_a_run_lacks")
@caught_by("test_more_fields_than_a_database_joins_are_told_at_once")
class LeavesOutWhatARunLacks(_Changed):
    def changed(self, found: RunColumns, fields: list[Field]) -> RunColumns:
        return evolve(found, columns=[[value for value in column if value is not None] for column in found.columns])


@caught_by("test_columns_are_aligned_with_the_ids_and_have_none_for_what_a_run_lacks")
@caught_by("test_a_series_of_nan_alone_has_nan_for_what_it_cannot_say")
class TakesNanForMissing(_Changed):
    def changed(self, found: RunColumns, fields: list[Field]) -> RunColumns:
        return evolve(found, columns=[[None if value != value else value for value in column] for column in found.columns])


@caught_by("test_a_metric_has_a_column_for_each_statistic_and_all_are_floats")
class CountsInWholeNumbers(_Changed):
    def changed(self, found: RunColumns, fields: list[Field]) -> RunColumns:
        return evolve(
            found,
            columns=[
                [None if value is None else int(value) for value in column] if field.stat is Stat.COUNT else column
                for field, column in zip(fields, found.columns, strict=True)
            ],
        )


@caught_by("test_a_metric_has_a_column_for_each_statistic_and_all_are_floats")
class KnowsTheLatestOnly(MemoryTrackingStore):
    def run_columns(self, query: Query, *, fields: Sequence[Field] = (), **given: Any) -> RunColumns:
        return super().run_columns(query, fields=[evolve(field, stat=field.stat and Stat.LAST) for field in fields], **given)


@caught_by("test_a_column_of_attributes_has_what_the_info_of_runs_has")
class TellsAttributesAsText(_Changed):
    def changed(self, found: RunColumns, fields: list[Field]) -> RunColumns:
        return evolve(found, columns=[[value if value is None else str(value) for value in column] for column in found.columns])


@caught_by("test_a_field_may_be_asked_for_twice_and_an_unknown_key_is_an_empty_column")
class HasOneColumnForAField(_Changed):
    def changed(self, found: RunColumns, fields: list[Field]) -> RunColumns:
        return evolve(found, columns=list(dict(zip(fields, found.columns, strict=True)).values()))


@caught_by("test_a_column_of_a_metric_that_is_called_like_a_statistic_prefers_it_by_run")
class TakesTheStatistic(MemoryTrackingStore):
    def run_columns(self, query: Query, *, fields: Sequence[Field] = (), **given: Any) -> RunColumns:
        return super().run_columns(query, fields=[evolve(field, shadow=None) for field in fields], **given)


@caught_by("test_columns_say_when_there_are_more_runs_than_asked_for")
class NeverSaysThatItIsCut(_Changed):
    def changed(self, found: RunColumns, fields: list[Field]) -> RunColumns:
        return evolve(found, is_cut=False)


@caught_by("test_columns_look_into_the_experiments_and_view_given")
class ShowsDeletedRuns(MemoryTrackingStore):
    def run_columns(self, query: Query, *, view: ViewType = ViewType.ACTIVE_ONLY, **given: Any) -> RunColumns:
        return super().run_columns(query, view=ViewType.ALL, **given)


@caught_by("test_columns_that_cannot_be_are_refused")
class AnswersWhateverIsAsked(MemoryTrackingStore):
    def run_columns(self, query: Query, *, fields: Sequence[Field] = (), **given: Any) -> RunColumns:
        try:
            return super().run_columns(query, fields=fields, **given)
        except InvalidQuery:
            return super().run_columns(
                query, fields=[field for field in fields[:1000] if field.entity is Entity.PARAM and field.key], **given
            )


# --- keys


class _KeysChanged(MemoryTrackingStore):
    def run_keys(self, **given: Any) -> RunKeys:
        return self.changed(super().run_keys(**given))

    def changed(self, found: RunKeys) -> RunKeys:
        return found


@caught_by("test_keys_are_told_with_the_number_of_runs_that_have_them")
class SortsKeysByName(_KeysChanged):
    def changed(self, found: RunKeys) -> RunKeys:
        return evolve(found, metrics=tuple(sorted(found.metrics, key=lambda key: key.name)))


@caught_by("test_a_key_differs_when_the_runs_that_have_it_have_two_values")
class TakesAllForDiffering(_KeysChanged):
    def changed(self, found: RunKeys) -> RunKeys:
        return evolve(found, params=tuple(evolve(key, differs=True) for key in found.params))


@caught_by("test_keys_look_into_the_experiments_and_view_given")
class LooksEverywhere(MemoryTrackingStore):
    def run_keys(self, *, experiment_ids: Any, **given: Any) -> RunKeys:
        return super().run_keys(experiment_ids=None, **given)


@caught_by("test_keys_are_found_by_how_they_begin_and_cut_where_they_are_many")
class NeverSaysThatKeysAreCut(_KeysChanged):
    def changed(self, found: RunKeys) -> RunKeys:
        return evolve(found, cut=())


@caught_by("test_keys_are_found_by_how_they_begin_and_cut_where_they_are_many")
class IgnoresThePrefix(MemoryTrackingStore):
    def run_keys(self, *, prefix: str = "", **given: Any) -> RunKeys:
        return super().run_keys(**given)


@FAULTS.each()
def test_the_named_test_complains_about_the_broken_store_and_not_about_the_sound_one(kind: type[MemoryTrackingStore], test: str) -> None:
    assert complaint(TrackingStoreKit, test, MemoryTrackingStore) is None
    assert complaint(TrackingStoreKit, test, kind) is not None
