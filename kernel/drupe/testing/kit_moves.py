"""The part of the tracking kit about moving runs to another experiment."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from drupe.entities import (
    Dataset,
    DatasetInput,
    LifecycleStage,
    LogBatch,
    NewLoggedModel,
    NewRun,
    Origin,
    Parcel,
    Points,
    Run,
    RunStatus,
    ViewType,
)
from drupe.errors import ExperimentNotFound, InvalidValue, RunNotFound, UnsupportedFeature, WrongLifecycle
from drupe.extend.features import Feature
from drupe.extend.moving import MOVED_MAX
from drupe.extend.tracking_store import TrackingStore
from drupe.search.query import Query
from drupe.testing.kit import StoreKit, log, new_run, query_logged_models, query_runs

__all__ = ["MovingTests"]

_IRIS, _OTHER_WORDS = Dataset("iris", "d1", "local", "/data/iris.csv"), Dataset("iris", "d1", "http", "https://example.org/iris")
_MADE, _DELETED, _ALONE = (f"m-{number:032}" for number in (1, 2, 3))
_EVERYWHERE = (
    query_runs(),
    query_runs("metrics.loss < 1"),
    query_runs("params.lr = '0.1'"),
    query_runs("tags.team = 'red'"),
    query_runs("datasets.name = 'iris'"),
    query_runs(order_by=["metrics.loss DESC"]),
    query_runs(order_by=["params.lr"]),
)


def _ids(store: TrackingStore, query: Query, experiment_id: str, view: ViewType = ViewType.ACTIVE_ONLY) -> list[str]:
    return [run.info.run_id for run in store.search_runs(query, experiment_ids=[experiment_id], view=view)]


class MovingTests(StoreKit):
    @pytest.fixture
    def moving(self, store: TrackingStore) -> TrackingStore:
        """The store; skips where MOVES is not declared."""
        if not store.features.get(Feature.MOVES):
            pytest.skip("this store moves no runs (Feature.MOVES)")
        return store

    def test_a_store_that_moves_no_runs_says_so(self, store: TrackingStore) -> None:
        if store.features.get(Feature.MOVES):
            pytest.skip("this store moves runs")
        with pytest.raises(UnsupportedFeature):
            store.move_runs([new_run(store).info.run_id], "0")

    def test_a_moved_run_is_as_it_was_but_for_its_experiment(self, moving: TrackingStore) -> None:
        _make_places(moving)
        before = _filled(moving, "apple")
        moving.move_runs(["apple"], "2")
        after = moving.get_run("apple")
        assert after.info.experiment_id == "2"
        assert after.info.artifact_uri == "s3://bucket/fruit/apple/artifacts"
        assert (after.data, after.inputs) == (before.data, before.inputs)
        assert [metric.value for metric in moving.metric_history("apple", "loss")] == [0.5, 0.25]

    def test_a_moved_run_is_found_in_its_new_experiment_only_whatever_is_asked(self, moving: TrackingStore) -> None:
        _make_places(moving)
        _filled(moving, "apple")
        _filled(moving, "pear")
        moving.move_runs(["apple"], "2")
        assert [_ids(moving, query, "2") for query in _EVERYWHERE] == [["apple"]] * len(_EVERYWHERE)
        assert [_ids(moving, query, "1") for query in _EVERYWHERE] == [["pear"]] * len(_EVERYWHERE)
        assert [activity.runs for activity in moving.experiment_activity(["1", "2"]).values()] == [1, 1]
        assert moving.run_columns(query_runs(), experiment_ids=["2"]).run_ids == ["apple"]

    def test_what_is_logged_after_the_move_is_found_there_too(self, moving: TrackingStore) -> None:
        _make_places(moving)
        new_run(moving, "1", run_id="apple")
        moving.move_runs(["apple"], "2")
        log(moving, "apple", {"loss": [(0, 1, 0.5)]}, params={"lr": "0.1"}, tags={"team": "red"})
        moving.log_inputs("apple", [DatasetInput(_IRIS)])
        assert [_ids(moving, query, "2") for query in _EVERYWHERE] == [["apple"]] * len(_EVERYWHERE)

    def test_moving_is_all_or_nothing(self, moving: TrackingStore) -> None:
        _make_places(moving)
        new_run(moving, "1", run_id="apple")
        with pytest.raises(RunNotFound):
            moving.move_runs(["apple", "unknown"], "2")
        with pytest.raises(ExperimentNotFound):
            moving.move_runs(["apple"], "77")
        with pytest.raises(InvalidValue):
            moving.move_runs(["apple"], "fruit")
        with pytest.raises(InvalidValue):
            moving.move_runs(["apple"] + [f"r{number}" for number in range(MOVED_MAX)], "2")
        moving.set_experiment_stage("2", LifecycleStage.DELETED)
        with pytest.raises(WrongLifecycle):
            moving.move_runs(["apple"], "2")
        assert moving.get_run("apple").info.experiment_id == "1"

    def test_moving_again_or_nothing_changes_nothing(self, moving: TrackingStore) -> None:
        _make_places(moving)
        _filled(moving, "apple")
        moving.move_runs([], "2")
        moving.move_runs(["apple", "apple"], "2")
        before = moving.get_run("apple")
        moving.move_runs(["apple"], "2")
        assert moving.get_run("apple") == before

    def test_a_deleted_run_moves_out_of_a_deleted_experiment_and_stays_deleted(self, moving: TrackingStore) -> None:
        _make_places(moving)
        new_run(moving, "1", run_id="apple")
        moving.set_experiment_stage("1", LifecycleStage.DELETED)
        moving.move_runs(["apple"], "2")
        assert _ids(moving, query_runs(), "2", ViewType.DELETED_ONLY) == ["apple"]
        moving.set_experiment_stage("1", LifecycleStage.ACTIVE)
        assert moving.get_run("apple").info.lifecycle_stage == LifecycleStage.DELETED

    def test_a_dataset_is_described_as_its_new_experiment_knows_it(self, moving: TrackingStore) -> None:
        _make_places(moving)
        for run_id, home, dataset in (("apple", "1", _IRIS), ("pear", "1", _IRIS), ("plum", "2", _OTHER_WORDS)):
            new_run(moving, home, run_id=run_id)
            moving.log_inputs(run_id, [DatasetInput(dataset)])
        moving.move_runs(["apple"], "2")
        described = {run_id: moving.get_run(run_id).inputs.dataset_inputs[0].dataset for run_id in ("apple", "pear", "plum")}
        assert described == {"apple": _OTHER_WORDS, "pear": _IRIS, "plum": _OTHER_WORDS}

    def test_logged_models_go_with_the_run_that_made_them(self, moving: TrackingStore) -> None:
        _make_places(moving)
        if not moving.features.get(Feature.LOGGED_MODELS):
            pytest.skip("this store keeps no logged models (Feature.LOGGED_MODELS)")
        new_run(moving, "1", run_id="apple")
        for model_id, source in ((_MADE, "apple"), (_DELETED, "apple"), (_ALONE, None)):
            moving.create_logged_model(NewLoggedModel("1", model_id, source_run_id=source))
        moving.delete_logged_model(_DELETED)
        before = moving.get_logged_model(_MADE)
        moving.move_runs(["apple"], "2")
        found = {home: moving.search_logged_models(query_logged_models(), experiment_ids=[home]) for home in ("1", "2")}
        assert {home: [model.model_id for model in page] for home, page in found.items()} == {"1": [_ALONE], "2": [_MADE]}
        assert found["2"][0].artifact_location == before.artifact_location
        assert moving.get_logged_model(_DELETED, allow_deleted=True).experiment_id == "2"
        assert moving.create_logged_model(NewLoggedModel("1", _MADE, source_run_id="apple")).experiment_id == "2"

    def test_a_request_for_a_run_that_comes_again_after_the_move_finds_it(self, moving: TrackingStore) -> None:
        _make_places(moving)
        asked = NewRun("1", run_id="apple", run_name="first")
        moving.create_run(asked)
        moving.move_runs(["apple"], "2")
        assert moving.create_run(asked).info.experiment_id == "2"

    def test_a_journal_goes_on_after_the_move(self, moving: TrackingStore) -> None:
        _make_places(moving)
        writer = "a" * 32
        begin = Parcel("apple", Origin(writer, 0, 10), new=NewRun("1", run_id="apple"), batch=_batch(0))
        moving.ship(begin)
        moving.move_runs(["apple"], "2")
        assert moving.ship(begin).is_repeat is bool(moving.features.get(Feature.ORIGINS))
        models = (
            (NewLoggedModel("1", _MADE, source_run_id="apple", artifact_path="model"),)
            if moving.features.get(Feature.LOGGED_MODELS)
            else ()
        )
        moving.ship(Parcel("apple", Origin(writer, 10, 20), batch=_batch(1), models=models, status=RunStatus.FINISHED, end_time=9))
        found = moving.get_run("apple")
        assert (found.info.experiment_id, found.info.status) == ("2", RunStatus.FINISHED)
        assert found.data.summaries["loss"].count == 2
        assert _ids(moving, query_runs("metrics.loss >= 0"), "2") == ["apple"]
        for model in models:
            made = moving.get_logged_model(str(model.model_id))
            assert (made.experiment_id, made.artifact_location) == ("2", f"{found.info.artifact_uri}/model")

    def test_moves_are_there_after_reopening(self, moving: TrackingStore, reopen: Callable[[], TrackingStore]) -> None:
        _make_places(moving)
        _filled(moving, "apple")
        moving.move_runs(["apple"], "2")
        again = reopen()
        assert [_ids(again, query, "2") for query in _EVERYWHERE] == [["apple"]] * len(_EVERYWHERE)


def _make_places(store: TrackingStore) -> None:
    """The experiments "1" and "2"."""
    store.create_experiment("fruit", artifact_location="s3://bucket/fruit")
    store.create_experiment("wine", artifact_location="s3://bucket/wine")


def _filled(store: TrackingStore, run_id: str) -> Run:
    new_run(store, "1", run_id=run_id)
    log(store, run_id, {"loss": [(0, 1, 0.5), (1, 2, 0.25)]}, params={"lr": "0.1"}, tags={"team": "red"})
    store.log_inputs(run_id, [DatasetInput(_IRIS)])
    return store.get_run(run_id)


def _batch(step: int) -> LogBatch:
    return LogBatch({"loss": Points.of([(step, step, 0.5)])})
