"""The part of the tracking kit about experiments: making, finding, renaming, deleting, tagging, searching."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from drupe.entities import Experiment, ExperimentActivity, LifecycleStage, ViewType
from drupe.errors import (
    AlreadyExists,
    ExperimentNotFound,
    InvalidName,
    InvalidPageToken,
    InvalidValue,
    TagNotFound,
    ValueTooLong,
    WrongLifecycle,
)
from drupe.extend.tracking_store import TrackingStore
from drupe.search.parse import parse
from drupe.search.query import Kind, Query
from drupe.testing.kit import StoreKit, all_pages, log, new_run, query_runs, tick

__all__ = ["ExperimentTests"]

_ACTIVE, _DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED


def _query(filter: str | None = None, order_by: list[str] | None = None) -> Query:
    return parse(Kind.EXPERIMENTS, filter, order_by)


def _orchard(store: TrackingStore) -> None:
    """Experiments 1 to 4 beside Default; number 3 is deleted. No two are made in the same millisecond."""
    for name, tags in [("Apple", {"team": "red"}), ("apple pie", {"team": "blue"}), ("Plum", {"team": "red"}), ("quince", {})]:
        tick()
        store.create_experiment(name, tags=tags)
    store.set_experiment_stage("3", _DELETED)


class ExperimentTests(StoreKit):
    # --- making and reading

    def test_a_new_store_has_the_experiment_default_with_id_0(self, store: TrackingStore) -> None:
        default = store.get_experiment("0")
        assert (default.experiment_id, default.name, default.lifecycle_stage) == ("0", "Default", _ACTIVE)
        assert store.get_experiment_by_name("Default") == default

    def test_experiment_ids_are_decimal_numbers_counted_from_1(self, store: TrackingStore) -> None:
        assert [store.create_experiment(name).experiment_id for name in ("a", "b", "c")] == ["1", "2", "3"]

    def test_a_new_experiment_reads_back_as_it_was_answered(self, store: TrackingStore) -> None:
        made = store.create_experiment("fruit", artifact_location="s3://bucket/fruit", tags={"team": "red", "empty": ""})
        assert (made.name, made.artifact_location, made.lifecycle_stage) == ("fruit", "s3://bucket/fruit", _ACTIVE)
        assert made.tags == {"team": "red", "empty": ""}
        assert store.get_experiment(made.experiment_id) == made
        assert store.get_experiment_by_name("fruit") == made

    def test_an_experiment_without_a_location_gets_one_that_ends_in_its_id(self, store: TrackingStore) -> None:
        root = store.get_experiment("0").artifact_location.removesuffix("/0")
        made = store.create_experiment("fruit")
        assert made.artifact_location == f"{root}/1"

    def test_a_new_experiment_knows_when_it_was_made(self, store: TrackingStore) -> None:
        before = tick()
        made = store.create_experiment("fruit")
        assert made.creation_time is not None
        assert before <= made.creation_time < tick()
        assert made.last_update_time == made.creation_time

    def test_experiment_names_are_any_text_and_case_matters(self, store: TrackingStore) -> None:
        names = ["a", "A", " a ", "päron/åäö: 🍐", 'it\'s "quoted"', "%_", "x" * 500]
        assert [store.create_experiment(name).name for name in names] == names
        assert [found.name for name in names if (found := store.get_experiment_by_name(name))] == names

    def test_an_experiment_that_does_not_exist_is_not_found_by_id(self, store: TrackingStore) -> None:
        for unknown in ("1", "99999", "9" * 40):
            with pytest.raises(ExperimentNotFound):
                store.get_experiment(unknown)

    def test_an_experiment_id_that_is_no_number_is_refused(self, store: TrackingStore) -> None:
        for bad in ("", "abc", "-1", "1.0", "0x1", "1 OR 1=1", "²"):
            with pytest.raises(InvalidValue):
                store.get_experiment(bad)

    def test_a_name_that_no_experiment_has_is_answered_with_none(self, store: TrackingStore) -> None:
        assert store.get_experiment_by_name("default") is None
        assert store.get_experiment_by_name("") is None

    def test_an_experiment_name_is_taken_also_when_its_experiment_is_deleted(self, store: TrackingStore) -> None:
        store.create_experiment("fruit")
        with pytest.raises(AlreadyExists):
            store.create_experiment("fruit")
        store.set_experiment_stage("1", _DELETED)
        with pytest.raises(AlreadyExists):
            store.create_experiment("fruit")
        assert store.create_experiment("other").experiment_id == "2"

    def test_a_refused_experiment_leaves_nothing_behind(self, store: TrackingStore) -> None:
        for name, tags, error in [
            ("", {}, InvalidName),
            ("   ", {}, InvalidName),
            ("a\x00b", {}, InvalidValue),
            ("x" * 501, {}, ValueTooLong),
            ("good", {"a//b": "x"}, InvalidName),
            ("good", {"ok": "x", "long": "x" * 20_001}, ValueTooLong),
        ]:
            with pytest.raises(error):
                store.create_experiment(name, tags=tags)
        assert [one.name for one in store.search_experiments(_query(), view=ViewType.ALL)] == ["Default"]
        assert store.create_experiment("good").experiment_id == "1"

    # --- renaming

    def test_a_renamed_experiment_is_found_by_its_new_name_only(self, store: TrackingStore) -> None:
        store.create_experiment("fruit")
        tick()
        store.rename_experiment("1", "berries")
        renamed = store.get_experiment("1")
        assert renamed.name == "berries"
        assert store.get_experiment_by_name("fruit") is None
        assert store.get_experiment_by_name("berries") == renamed
        assert renamed.last_update_time is not None
        assert renamed.creation_time is not None
        assert renamed.last_update_time > renamed.creation_time

    def test_renaming_an_experiment_to_a_taken_name_is_refused(self, store: TrackingStore) -> None:
        store.create_experiment("fruit")
        store.create_experiment("gone")
        store.set_experiment_stage("2", _DELETED)
        for taken in ("Default", "gone"):
            with pytest.raises(AlreadyExists):
                store.rename_experiment("1", taken)
        assert store.get_experiment("1").name == "fruit"

    def test_renaming_an_experiment_to_its_own_name_is_allowed(self, store: TrackingStore) -> None:
        store.rename_experiment("0", "Default")
        assert store.get_experiment("0").name == "Default"

    def test_a_deleted_experiment_cannot_be_renamed(self, store: TrackingStore) -> None:
        store.set_experiment_stage("0", _DELETED)
        with pytest.raises(WrongLifecycle):
            store.rename_experiment("0", "other")
        assert store.get_experiment("0").name == "Default"

    def test_renaming_an_unknown_experiment_or_to_a_bad_name_is_refused(self, store: TrackingStore) -> None:
        with pytest.raises(ExperimentNotFound):
            store.rename_experiment("7", "other")
        with pytest.raises(InvalidName):
            store.rename_experiment("0", " ")
        assert store.get_experiment("0").name == "Default"

    # --- deleting and restoring

    def test_deleting_an_experiment_deletes_all_of_its_runs_and_no_others(self, store: TrackingStore) -> None:
        store.create_experiment("fruit")
        inside, outside = new_run(store, "1").info.run_id, new_run(store, "0").info.run_id
        store.set_experiment_stage("1", _DELETED)
        assert store.get_experiment("1").lifecycle_stage == _DELETED
        assert store.get_run(inside).info.lifecycle_stage == _DELETED
        assert store.get_run(outside).info.lifecycle_stage == _ACTIVE

    def test_restoring_an_experiment_restores_also_the_runs_that_were_deleted_before_it(self, store: TrackingStore) -> None:
        store.create_experiment("fruit")
        first, second = new_run(store, "1").info.run_id, new_run(store, "1").info.run_id
        store.set_run_stage(first, _DELETED)
        store.set_experiment_stage("1", _DELETED)
        store.set_experiment_stage("1", _ACTIVE)
        assert store.get_experiment("1").lifecycle_stage == _ACTIVE
        assert store.get_run(first).info.lifecycle_stage == _ACTIVE
        assert store.get_run(second).info.lifecycle_stage == _ACTIVE

    def test_deleting_a_deleted_experiment_or_restoring_an_active_one_finds_none(self, store: TrackingStore) -> None:
        with pytest.raises(ExperimentNotFound):
            store.set_experiment_stage("0", _ACTIVE)
        store.set_experiment_stage("0", _DELETED)
        with pytest.raises(ExperimentNotFound):
            store.set_experiment_stage("0", _DELETED)
        with pytest.raises(ExperimentNotFound):
            store.set_experiment_stage("7", _DELETED)

    def test_a_deleted_experiment_is_still_read_by_id_and_by_name(self, store: TrackingStore) -> None:
        store.create_experiment("fruit", tags={"team": "red"})
        store.set_experiment_stage("1", _DELETED)
        found = store.get_experiment("1")
        assert (found.name, found.lifecycle_stage, found.tags) == ("fruit", _DELETED, {"team": "red"})
        assert store.get_experiment_by_name("fruit") == found

    def test_no_run_can_be_made_in_a_deleted_or_unknown_experiment(self, store: TrackingStore) -> None:
        store.create_experiment("fruit")
        store.set_experiment_stage("1", _DELETED)
        with pytest.raises(WrongLifecycle):
            new_run(store, "1")
        with pytest.raises(ExperimentNotFound):
            new_run(store, "2")
        assert store.search_runs(query_runs(), experiment_ids=None, view=ViewType.ALL) == []

    def test_deleting_and_restoring_an_experiment_loses_nothing_that_was_logged(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(0, 1, 0.5)]}, params={"alpha": "1"}, tags={"team": "red"})
        before = store.get_run(run_id)
        store.set_experiment_stage("0", _DELETED)
        store.set_experiment_stage("0", _ACTIVE)
        assert store.get_run(run_id) == before

    # --- tags

    def test_the_last_experiment_tag_wins_and_others_stay(self, store: TrackingStore) -> None:
        store.create_experiment("fruit", tags={"team": "red", "stage": "one"})
        store.set_experiment_tags("1", {"team": "blue", "new": "x" * 20_000})
        assert store.get_experiment("1").tags == {"team": "blue", "stage": "one", "new": "x" * 20_000}

    def test_a_bad_experiment_tag_leaves_all_tags_as_they_were(self, store: TrackingStore) -> None:
        store.create_experiment("fruit", tags={"team": "red"})
        for tags, error in [
            ({"team": "blue", "": "x"}, InvalidName),
            ({"team": "blue", "../a": "x"}, InvalidName),
            ({"team": "blue", "k" * 251: "x"}, ValueTooLong),
            ({"team": "blue", "long": "x" * 20_001}, ValueTooLong),
        ]:
            with pytest.raises(error):
                store.set_experiment_tags("1", tags)
        assert store.get_experiment("1").tags == {"team": "red"}

    def test_a_deleted_experiment_tag_is_gone_and_cannot_be_deleted_again(self, store: TrackingStore) -> None:
        store.create_experiment("fruit", tags={"team": "red", "stage": "one"})
        store.delete_experiment_tag("1", "team")
        assert store.get_experiment("1").tags == {"stage": "one"}
        with pytest.raises(TagNotFound):
            store.delete_experiment_tag("1", "team")

    def test_tags_of_a_deleted_or_unknown_experiment_cannot_be_changed(self, store: TrackingStore) -> None:
        store.create_experiment("fruit", tags={"team": "red"})
        store.set_experiment_stage("1", _DELETED)
        with pytest.raises(WrongLifecycle):
            store.set_experiment_tags("1", {"team": "blue"})
        with pytest.raises(WrongLifecycle):
            store.delete_experiment_tag("1", "team")
        assert store.get_experiment("1").tags == {"team": "red"}
        with pytest.raises(ExperimentNotFound):
            store.set_experiment_tags("2", {"team": "blue"})
        with pytest.raises(ExperimentNotFound):
            store.delete_experiment_tag("2", "team")

    # --- searching

    def test_a_search_shows_active_experiments_newest_first_until_asked_for_deleted_ones(self, store: TrackingStore) -> None:
        _orchard(store)

        def ids(**given: Any) -> list[str]:
            return [one.experiment_id for one in store.search_experiments(_query(), **given)]

        assert ids() == ["4", "2", "1", "0"]
        assert ids(view=ViewType.ACTIVE_ONLY) == ["4", "2", "1", "0"]
        assert ids(view=ViewType.DELETED_ONLY) == ["3"]
        assert ids(view=ViewType.ALL) == ["4", "3", "2", "1", "0"]

    @pytest.mark.parametrize(
        ("filter", "expected"),
        [
            ("name = 'Apple'", ["1"]),
            ("name != 'Apple'", ["0", "2", "4"]),
            ("name LIKE 'Apple%'", ["1"]),
            ("name ILIKE 'apple%'", ["1", "2"]),
            ("attribute.name LIKE '%ple%'", ["1", "2"]),
            ("tags.team = 'red'", ["1"]),
            ("tags.team != 'red'", ["2"]),
            ("tags.team ILIKE 'R_D'", ["1"]),
            ("tags.team IS NULL", ["0", "4"]),
            ("tags.team IS NOT NULL", ["1", "2"]),
            ("experiment_id IN ('1', '4', '77')", ["1", "4"]),
            ("experiment_id NOT IN ('1', '4')", ["0", "2"]),
            ("creation_time > 0 AND last_update_time > 0", ["0", "1", "2", "4"]),
            ("creation_time < 1", []),
            ("tags.team = 'red' OR name = 'quince'", ["1", "4"]),
            ("NOT tags.team = 'red'", ["0", "2", "4"]),
        ],
    )
    def test_an_experiment_filter_finds_exactly_what_it_says(self, store: TrackingStore, filter: str, expected: list[str]) -> None:
        _orchard(store)
        found = store.search_experiments(_query(filter))
        assert sorted(one.experiment_id for one in found) == expected

    @pytest.mark.parametrize(
        ("order_by", "expected"),
        [
            (["name"], ["1", "0", "2", "4"]),
            (["name DESC"], ["4", "2", "0", "1"]),
            (["creation_time"], ["0", "1", "2", "4"]),
            (["experiment_id DESC"], ["4", "2", "1", "0"]),
        ],
    )
    def test_experiments_come_in_the_order_asked_for(self, store: TrackingStore, order_by: list[str], expected: list[str]) -> None:
        _orchard(store)
        assert [one.experiment_id for one in store.search_experiments(_query(None, order_by))] == expected

    def test_experiment_ids_sort_as_numbers(self, store: TrackingStore) -> None:
        for number in range(1, 12):
            store.create_experiment(f"experiment {number}")
        found = store.search_experiments(_query(None, ["experiment_id"]))
        assert [one.experiment_id for one in found] == ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]

    def test_a_found_experiment_is_complete(self, store: TrackingStore) -> None:
        made = store.create_experiment("fruit", tags={"team": "red"})
        assert store.search_experiments(_query("name = 'fruit'")) == [made]

    @pytest.mark.parametrize("limit", [1, 2, 5, 6])
    def test_pages_of_experiments_hold_each_one_once_in_order(self, store: TrackingStore, limit: int) -> None:
        for name in "abcde":
            store.create_experiment(name)
        query = _query(None, ["name"])
        pages = all_pages(lambda token: store.search_experiments(query, limit=limit, page_token=token))
        assert [one.name for page in pages for one in page] == ["Default", "a", "b", "c", "d", "e"]
        assert all(len(page) == limit for page in pages[:-1])
        assert pages[-1]

    def test_an_experiment_search_refuses_foreign_tokens_and_page_sizes(self, store: TrackingStore) -> None:
        for token in ("garbage", "MTIz", "-1", "eyJvZmZzZXQiOiAwfQ==", "é"):
            with pytest.raises(InvalidPageToken):
                store.search_experiments(_query(), page_token=token)
        for limit in (0, -1, 50_001):
            with pytest.raises(InvalidValue):
                store.search_experiments(_query(), limit=limit)

    # --- their runs

    def test_the_activity_of_experiments_counts_runs_and_tells_the_newest_start(self, store: TrackingStore) -> None:
        _orchard(store)
        for experiment_id, start in (("1", 30), ("1", 70), ("1", 50), ("2", 90)):
            made = new_run(store, experiment_id, start_time=start)
        store.set_run_stage(made.info.run_id, _DELETED)
        asked = ["1", "2", "4", "77"]
        none = ExperimentActivity()
        assert store.experiment_activity(asked) == {"1": ExperimentActivity(3, 70), "2": none, "4": none, "77": none}
        assert store.experiment_activity(["2"], view=ViewType.DELETED_ONLY) == {"2": ExperimentActivity(1, 90)}
        assert store.experiment_activity(["2", "1"], view=ViewType.ALL) == {"2": ExperimentActivity(1, 90), "1": ExperimentActivity(3, 70)}
        assert store.experiment_activity([]) == {}
        with pytest.raises(InvalidValue):
            store.experiment_activity(["fruit"])

    def test_what_is_kept_of_an_experiment_counts_runs_and_points(self, store: TrackingStore) -> None:
        store.create_experiment("fruit")
        first, other = (new_run(store, "1").info.run_id for _ in range(2))
        for run_id in (first, other, new_run(store).info.run_id):
            log(store, run_id, {"loss": [(0, 1, 0.5), (1, 2, 0.25), (2, 3, 0.125)]})
        store.set_run_stage(other, _DELETED)
        found, empty = store.experiment_storage("1"), store.experiment_storage("77")
        if found is None:
            pytest.skip("this store does not tell what it keeps of an experiment")
        assert found.runs == 2
        assert found.points in (6, None)
        assert found.point_bytes is None or found.point_bytes > 0
        assert empty is not None
        assert empty.runs == 0

    # --- lasting

    def test_experiments_outlive_the_opened_store(self, store: TrackingStore, reopen: Callable[[], TrackingStore]) -> None:
        _orchard(store)

        def everything(opened: TrackingStore) -> list[Experiment]:
            return list(opened.search_experiments(_query(), view=ViewType.ALL))

        before = everything(store)
        again = reopen()
        assert everything(again) == before
        assert again.create_experiment("next").experiment_id == "5"

    def test_a_deleted_default_experiment_is_not_made_anew(self, store: TrackingStore, reopen: Callable[[], TrackingStore]) -> None:
        store.set_experiment_stage("0", _DELETED)
        again = reopen()
        assert again.get_experiment("0").lifecycle_stage == _DELETED
        assert again.search_experiments(_query()) == []
