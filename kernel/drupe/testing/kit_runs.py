"""The part of the tracking kit about runs: making, reading, changing, deleting, their tags and their inputs."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from drupe.entities import Dataset, DatasetInput, InputTag, LifecycleStage, NewRun, RunStatus, ViewType
from drupe.errors import AlreadyExists, InvalidName, InvalidValue, RunNotFound, TagNotFound, ValueTooLong, WrongLifecycle
from drupe.extend.tracking_store import TrackingStore
from drupe.testing.kit import StoreKit, log, new_run, query_runs

__all__ = ["RunTests"]

_ACTIVE, _DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED
_NAME_TAG = "mlflow.runName"
_IRIS = Dataset("iris", "d1", "local", "/data/iris.csv", '{"columns": 4}', '{"rows": 150}')
_WINE = Dataset("wine", "d2", "http", "https://example.org/wine", None, None)
_TRAINING = InputTag("mlflow.data.context", "training")
_EVALUATION = InputTag("mlflow.data.context", "evaluation")


class RunTests(StoreKit):
    # --- making and reading

    def test_a_new_run_is_running_and_reads_back_as_it_was_answered(self, store: TrackingStore) -> None:
        store.create_experiment("fruit", artifact_location="s3://bucket/fruit")
        made = new_run(store, "1", run_id="apple", run_name="first", user_id="ada", start_time=123, tags={"team": "red"})
        assert (made.info.run_id, made.info.experiment_id, made.info.run_name, made.info.user_id) == ("apple", "1", "first", "ada")
        assert (made.info.status, made.info.start_time, made.info.end_time) == (RunStatus.RUNNING, 123, None)
        assert made.info.lifecycle_stage == _ACTIVE
        assert made.info.artifact_uri == "s3://bucket/fruit/apple/artifacts"
        assert made.data.tags == {"team": "red", _NAME_TAG: "first"}
        assert (made.data.metrics, made.data.params, made.data.summaries, made.inputs.dataset_inputs) == ({}, {}, {}, ())
        assert store.get_run("apple") == made

    def test_a_run_without_an_id_gets_32_hex_digits_of_its_own(self, store: TrackingStore) -> None:
        ids = {new_run(store).info.run_id for _ in range(20)}
        assert len(ids) == 20
        assert all(re.fullmatch("[0-9a-f]{32}", one) for one in ids)

    def test_a_run_without_a_name_gets_adjective_noun_number_also_as_its_tag(self, store: TrackingStore) -> None:
        made = new_run(store)
        assert re.fullmatch(r"[a-z]+-[a-z]+-\d+", made.info.run_name)
        assert made.data.tags[_NAME_TAG] == made.info.run_name

    def test_a_run_named_by_its_tag_has_that_name(self, store: TrackingStore) -> None:
        assert new_run(store, tags={_NAME_TAG: "first"}).info.run_name == "first"
        assert new_run(store, run_name="second", tags={_NAME_TAG: "second"}).info.run_name == "second"

    def test_a_run_named_in_two_ways_is_refused(self, store: TrackingStore) -> None:
        with pytest.raises(InvalidValue):
            new_run(store, run_id="apple", run_name="first", tags={_NAME_TAG: "second"})
        with pytest.raises(RunNotFound):
            store.get_run("apple")

    def test_run_names_are_any_text_and_need_not_be_unique(self, store: TrackingStore) -> None:
        names = ["twin", "twin", "päron/åäö: 🍐", 'it\'s "quoted"', "%_", " "]
        ids = [new_run(store, run_name=name).info.run_id for name in names]
        assert [store.get_run(one).info.run_name for one in ids] == names

    def test_tags_of_a_new_run_are_kept_under_any_name(self, store: TrackingStore) -> None:
        tags = {"a//b": "1", "../up": "2", "semi;colon": "3"}
        made = new_run(store, run_name="odd", tags=tags)
        assert store.get_run(made.info.run_id).data.tags == {**tags, _NAME_TAG: "odd"}

    def test_a_start_time_of_0_is_kept(self, store: TrackingStore) -> None:
        assert store.get_run(new_run(store, start_time=0).info.run_id).info.start_time == 0

    def test_an_unknown_run_is_not_found(self, store: TrackingStore) -> None:
        for unknown in ("0" * 32, "", "not a run", "x" * 1000):
            with pytest.raises(RunNotFound):
                store.get_run(unknown)

    def test_making_the_same_run_again_answers_with_the_first(self, store: TrackingStore) -> None:
        new = NewRun("0", run_id="apple", run_name="first", user_id="ada", start_time=5, tags={"team": "red"})
        made = store.create_run(new)
        assert store.create_run(new) == made
        log(store, "apple", {"loss": [(0, 1, 0.5)]}, tags={"team": "blue"})
        assert store.create_run(new) == store.get_run("apple")
        assert store.get_run("apple").data.tags["team"] == "blue"
        assert len(store.search_runs(query_runs(), experiment_ids=None)) == 1

    def test_making_an_unnamed_run_again_keeps_its_invented_name(self, store: TrackingStore) -> None:
        new = NewRun("0", run_id="apple", start_time=5)
        assert store.create_run(new) == store.create_run(new)

    def test_a_run_id_that_belongs_to_another_run_is_refused(self, store: TrackingStore) -> None:
        store.create_experiment("fruit")
        made = new_run(store, "0", run_id="apple", user_id="ada", start_time=5)
        for other in (
            NewRun("1", run_id="apple", user_id="ada", start_time=5),
            NewRun("0", run_id="apple", user_id="ada", start_time=6),
            NewRun("0", run_id="apple", user_id="bob", start_time=5),
        ):
            with pytest.raises(AlreadyExists):
                store.create_run(other)
        assert store.get_run("apple") == made

    def test_a_run_id_with_odd_characters_is_refused(self, store: TrackingStore) -> None:
        for bad in ("", "../up", "a/b", "a b", "-a", "x" * 257, "a\x00"):
            with pytest.raises(InvalidName):
                new_run(store, run_id=bad)
        assert store.search_runs(query_runs(), experiment_ids=None, view=ViewType.ALL) == []

    # --- changing

    def test_an_update_changes_only_what_is_given(self, store: TrackingStore) -> None:
        new_run(store, run_id="apple", run_name="first", user_id="ada", start_time=5)
        assert store.update_run("apple", status=RunStatus.FINISHED).status == RunStatus.FINISHED
        info = store.update_run("apple", end_time=99)
        assert (info.status, info.end_time, info.run_name) == (RunStatus.FINISHED, 99, "first")
        info = store.update_run("apple", run_name="second")
        assert (info.status, info.end_time, info.run_name) == (RunStatus.FINISHED, 99, "second")
        assert (info.user_id, info.start_time) == ("ada", 5)
        assert store.update_run("apple") == info
        assert store.get_run("apple").info == info

    def test_an_end_time_of_0_is_kept(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        assert store.update_run(run_id, end_time=0).end_time == 0
        assert store.get_run(run_id).info.end_time == 0

    @pytest.mark.parametrize("status", list(RunStatus))
    def test_every_status_is_kept(self, store: TrackingStore, status: RunStatus) -> None:
        run_id = new_run(store).info.run_id
        store.update_run(run_id, status=status)
        assert store.get_run(run_id).info.status is status

    def test_an_ended_run_goes_back_to_running_and_keeps_its_end_time(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        store.update_run(run_id, status=RunStatus.FINISHED, end_time=99)
        log(store, run_id, {"loss": [(0, 1, 0.5)]}, params={"late": "yes"})
        info = store.update_run(run_id, status=RunStatus.RUNNING)
        assert (info.status, info.end_time) == (RunStatus.RUNNING, 99)
        assert store.get_run(run_id).data.params == {"late": "yes"}

    def test_renaming_a_run_sets_its_name_tag(self, store: TrackingStore) -> None:
        new_run(store, run_id="apple", run_name="first")
        store.update_run("apple", run_name="second")
        assert store.get_run("apple").data.tags[_NAME_TAG] == "second"

    def test_setting_the_name_tag_renames_the_run(self, store: TrackingStore) -> None:
        new_run(store, run_id="apple", run_name="first")
        log(store, "apple", tags={_NAME_TAG: "second"})
        assert store.get_run("apple").info.run_name == "second"

    def test_an_unknown_run_cannot_be_changed(self, store: TrackingStore) -> None:
        for change in _CHANGES.values():
            with pytest.raises(RunNotFound):
                change(store, "unknown")

    # --- deleting and restoring

    def test_a_deleted_run_can_be_read_and_restored_without_loss(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(0, 1, 0.5)]}, params={"alpha": "1"}, tags={"team": "red"})
        before = store.get_run(run_id)
        store.set_run_stage(run_id, _DELETED)
        read = store.get_run(run_id)
        assert read.info.lifecycle_stage == _DELETED
        assert read.data == before.data
        assert [point.value for point in store.metric_history(run_id, "loss")] == [0.5]
        store.set_run_stage(run_id, _ACTIVE)
        assert store.get_run(run_id) == before

    def test_deleting_or_restoring_a_run_twice_changes_nothing(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        store.set_run_stage(run_id, _ACTIVE)
        store.set_run_stage(run_id, _DELETED)
        store.set_run_stage(run_id, _DELETED)
        assert store.get_run(run_id).info.lifecycle_stage == _DELETED
        with pytest.raises(RunNotFound):
            store.set_run_stage("unknown", _DELETED)

    def test_a_deleted_run_cannot_be_changed(self, store: TrackingStore) -> None:
        run_id = new_run(store, tags={"team": "red"}).info.run_id
        store.set_run_stage(run_id, _DELETED)
        before = store.get_run(run_id)
        for change in _CHANGES.values():
            with pytest.raises(WrongLifecycle):
                change(store, run_id)
        assert store.get_run(run_id) == before

    # --- tags

    def test_the_last_run_tag_wins_and_others_stay(self, store: TrackingStore) -> None:
        new_run(store, run_id="apple", run_name="first", tags={"team": "red", "kind": "fruit"})
        log(store, "apple", tags={"team": "blue", "empty": ""})
        log(store, "apple", tags={"team": "green"})
        assert store.get_run("apple").data.tags == {"team": "green", "kind": "fruit", "empty": "", _NAME_TAG: "first"}

    def test_a_run_tag_is_cut_at_8000_characters(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, tags={"long": "ä" * 8001, "exact": "b" * 8000})
        tags = store.get_run(run_id).data.tags
        assert (tags["long"], tags["exact"]) == ("ä" * 8000, "b" * 8000)

    def test_a_deleted_run_tag_is_gone_and_cannot_be_deleted_again(self, store: TrackingStore) -> None:
        new_run(store, run_id="apple", run_name="first", tags={"team": "red"})
        store.delete_run_tag("apple", "team")
        assert store.get_run("apple").data.tags == {_NAME_TAG: "first"}
        with pytest.raises(TagNotFound):
            store.delete_run_tag("apple", "team")

    # --- inputs

    def test_inputs_are_read_back_with_dataset_and_tags(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        store.log_inputs(run_id, [DatasetInput(_IRIS, (_TRAINING, InputTag("fold", "1"))), DatasetInput(_WINE)])
        kept = {one.dataset.name: one for one in store.get_run(run_id).inputs.dataset_inputs}
        assert kept["iris"].dataset == _IRIS
        assert set(kept["iris"].tags) == {_TRAINING, InputTag("fold", "1")}
        assert kept["wine"] == DatasetInput(_WINE)
        assert len(kept) == 2

    def test_inputs_are_part_of_what_a_search_finds(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        store.log_inputs(run_id, [DatasetInput(_IRIS, (_TRAINING,))])
        assert store.search_runs(query_runs(), experiment_ids=["0"]) == [store.get_run(run_id)]

    def test_the_first_description_of_an_input_wins(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        other = Dataset("iris", "d1", "http", "elsewhere", '{"columns": 5}', None)
        store.log_inputs(run_id, [DatasetInput(_IRIS, (_TRAINING,)), DatasetInput(other, (_EVALUATION,))])
        store.log_inputs(run_id, [DatasetInput(other, (_EVALUATION,))])
        assert store.get_run(run_id).inputs.dataset_inputs == (DatasetInput(_IRIS, (_TRAINING,)),)

    def test_another_digest_or_name_is_another_dataset(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        variants = [Dataset("iris", "d1"), Dataset("iris", "d2"), Dataset("Iris", "d1")]
        store.log_inputs(run_id, [DatasetInput(one) for one in variants])
        kept = [one.dataset for one in store.get_run(run_id).inputs.dataset_inputs]
        assert sorted((one.name, one.digest) for one in kept) == [("Iris", "d1"), ("iris", "d1"), ("iris", "d2")]

    def test_runs_of_one_experiment_share_a_dataset_but_not_its_use(self, store: TrackingStore) -> None:
        first, second = new_run(store).info.run_id, new_run(store).info.run_id
        store.log_inputs(first, [DatasetInput(_IRIS, (_TRAINING,))])
        store.log_inputs(second, [DatasetInput(Dataset("iris", "d1", schema="another"), (_EVALUATION,))])
        assert store.get_run(first).inputs.dataset_inputs == (DatasetInput(_IRIS, (_TRAINING,)),)
        assert store.get_run(second).inputs.dataset_inputs == (DatasetInput(_IRIS, (_EVALUATION,)),)

    def test_experiments_do_not_share_datasets(self, store: TrackingStore) -> None:
        store.create_experiment("fruit")
        first, second = new_run(store, "0").info.run_id, new_run(store, "1").info.run_id
        other = Dataset("iris", "d1", "http", "elsewhere")
        store.log_inputs(first, [DatasetInput(_IRIS)])
        store.log_inputs(second, [DatasetInput(other)])
        assert store.get_run(second).inputs.dataset_inputs == (DatasetInput(other),)

    def test_an_input_beyond_the_limits_is_refused_and_none_is_written(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        for bad in (
            DatasetInput(Dataset("n" * 501, "d")),
            DatasetInput(Dataset("n", "d" * 37)),
            DatasetInput(Dataset("n", "d", source="s" * 65_536)),
            DatasetInput(Dataset("n", "d", schema="s" * 1_048_576)),
            DatasetInput(Dataset("n", "d", profile="p" * 16_777_216)),
            DatasetInput(Dataset("n", "d"), (InputTag("k" * 256, "v"),)),
            DatasetInput(Dataset("n", "d"), (InputTag("k", "v" * 501),)),
        ):
            with pytest.raises(ValueTooLong):
                store.log_inputs(run_id, [DatasetInput(_WINE), bad])
        assert store.get_run(run_id).inputs.dataset_inputs == ()

    # --- looking after it

    def test_a_sound_store_finds_no_damage_in_itself(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(step, step, 0.5) for step in range(2_000)]}, params={"alpha": "1"}, tags={"team": "red"})
        store.log_inputs(run_id, [DatasetInput(_IRIS, (_TRAINING,))])
        store.set_run_stage(run_id, _DELETED)
        assert store.find_damage() == []

    def test_a_store_that_knows_its_size_takes_some_space(self, store: TrackingStore) -> None:
        log(store, new_run(store).info.run_id, {"loss": [(step, step, 0.5) for step in range(2_000)]})
        size = store.size_bytes()
        assert size is None or size > 0

    # --- lasting

    def test_runs_outlive_the_opened_store(self, store: TrackingStore, reopen: Callable[[], TrackingStore]) -> None:
        new_run(store, run_id="apple", run_name="first", user_id="ada", start_time=5, tags={"team": "red"})
        log(store, "apple", {"loss": [(0, 1, 0.5), (1, 2, 0.25)]}, params={"alpha": "0.1"}, tags={"kind": "fruit"})
        store.log_inputs("apple", [DatasetInput(_IRIS, (_TRAINING,))])
        store.update_run("apple", status=RunStatus.FINISHED, end_time=99)
        new_run(store, run_id="plum")
        store.set_run_stage("plum", _DELETED)
        before = [store.get_run("apple"), store.get_run("plum")]
        again = reopen()
        assert [again.get_run("apple"), again.get_run("plum")] == before

    def test_closing_a_store_twice_is_harmless(self, store: TrackingStore) -> None:
        store.close()
        store.close()


_CHANGES: dict[str, Callable[[TrackingStore, str], object]] = {
    "status": lambda store, run_id: store.update_run(run_id, status=RunStatus.FAILED),
    "name": lambda store, run_id: store.update_run(run_id, run_name="other"),
    "metric": lambda store, run_id: log(store, run_id, {"loss": [(0, 1, 0.5)]}),
    "param": lambda store, run_id: log(store, run_id, params={"alpha": "1"}),
    "tag": lambda store, run_id: log(store, run_id, tags={"team": "blue"}),
    "nothing": lambda store, run_id: log(store, run_id),
    "delete tag": lambda store, run_id: store.delete_run_tag(run_id, "team"),
    "input": lambda store, run_id: store.log_inputs(run_id, [DatasetInput(_IRIS)]),
}
