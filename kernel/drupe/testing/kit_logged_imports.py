"""The part of the tracking kit about taking in logged models of another store. Skipped without IMPORTS or LOGGED_MODELS."""

from __future__ import annotations

import math
from typing import Any

import pytest
from attrs import evolve

from drupe.entities import (
    Experiment,
    LifecycleStage,
    LoggedModel,
    LoggedModelStatus,
    Metric,
    ModelInput,
    ModelOutput,
    NewLoggedModel,
    Run,
    RunInfo,
    RunStatus,
    WholeLoggedModel,
    WholeRun,
)
from drupe.errors import AlreadyExists, DrupeError, ExperimentNotFound, InvalidName, InvalidValue, LoggedModelNotFound, UnsupportedFeature
from drupe.extend.features import Feature
from drupe.extend.tracking_store import TrackingStore
from drupe.testing.kit import StoreKit, new_run, query_logged_models

__all__ = ["LoggedModelImportTests"]

_ID, _OTHER = "m-" + "0123456789abcdef" * 2, "m-" + "f" * 32
_FRUIT = Experiment("71", "fruit", "s3://bucket/fruit", LifecycleStage.ACTIVE, 1000, 2000)
_METRICS = (
    Metric("acc", 0.9, 40, 2, "abc", _ID, None, None),
    Metric("acc", math.inf, 40, 2, "abc", _ID, "iris", "d1"),
    Metric("loss", 0.5, 30, -1, "def", _ID, None, None),
)
_MODEL = LoggedModel(
    _ID,
    "71",
    "pie",
    "s3://bucket/old/pie",
    3000,
    4000,
    LoggedModelStatus.FAILED,
    "tree",
    "abc",
    "lost",
    {"team": "red"},
    {"depth": "3", "empty": ""},
    _METRICS,
)
_WHOLE = WholeLoggedModel(_MODEL, used_by=("def",), made_by={"abc": 7, "def": 0})


def _with(*, metrics: tuple[Metric, ...] = _METRICS, **changes: Any) -> WholeLoggedModel:
    return evolve(_WHOLE, model=evolve(_MODEL, metrics=metrics, **changes))


class LoggedModelImportTests(StoreKit):
    def _with_runs(self, store: TrackingStore) -> None:
        """An experiment and two runs of another store, one of them deleted; skips where the two features are not declared."""
        if not (store.features.get(Feature.IMPORTS) and store.features.get(Feature.LOGGED_MODELS)):
            pytest.skip("this store takes in no logged models (Feature.IMPORTS, Feature.LOGGED_MODELS)")
        store.import_experiment(_FRUIT)
        infos = [
            RunInfo(run_id, "71", run_id, "ada", RunStatus.FINISHED, 5000, 6000, stage, f"s3://bucket/{run_id}")
            for run_id, stage in (("abc", LifecycleStage.ACTIVE), ("def", LifecycleStage.DELETED))
        ]
        store.import_runs([WholeRun(Run(info)) for info in infos])

    def test_without_the_features_an_import_of_a_logged_model_is_refused_by_name(self, store: TrackingStore) -> None:
        if not (store.features.get(Feature.IMPORTS) and store.features.get(Feature.LOGGED_MODELS)):
            with pytest.raises(UnsupportedFeature):
                store.import_logged_models([_WHOLE])

    @pytest.mark.parametrize("status", list(LoggedModelStatus))
    def test_a_logged_model_is_taken_in_as_it_was(self, store: TrackingStore, status: LoggedModelStatus) -> None:
        self._with_runs(store)
        given = _with(status=status)
        store.import_logged_models([given])
        assert store.get_logged_model(_ID) == given.model
        assert list(store.search_logged_models(query_logged_models("metrics.loss < 1"), experiment_ids=["71"])) == [given.model]

    def test_runs_know_the_logged_models_that_were_taken_in(self, store: TrackingStore) -> None:
        self._with_runs(store)
        store.import_logged_models([_WHOLE, evolve(_with(model_id=_OTHER, metrics=()), used_by=("abc",), made_by={})])
        one, other = store.get_run("abc"), store.get_run("def")
        assert one.outputs.model_outputs == (ModelOutput(_ID, 7),)
        assert one.inputs.model_inputs == (ModelInput(_OTHER),)
        assert (other.outputs.model_outputs, other.inputs.model_inputs) == ((ModelOutput(_ID, 0),), (ModelInput(_ID),))

    def test_a_deleted_logged_model_stays_deleted(self, store: TrackingStore) -> None:
        self._with_runs(store)
        store.import_logged_models([evolve(_WHOLE, is_deleted=True)])
        with pytest.raises(LoggedModelNotFound):
            store.get_logged_model(_ID)
        assert store.get_logged_model(_ID, allow_deleted=True) == _MODEL

    def test_a_logged_model_without_an_address_gets_one(self, store: TrackingStore) -> None:
        self._with_runs(store)
        store.import_logged_models([_with(artifact_location="")])
        assert store.get_logged_model(_ID).artifact_location == f"s3://bucket/fruit/models/{_ID}/artifacts"

    def test_what_belongs_to_runs_that_are_not_here_is_left_out(self, store: TrackingStore) -> None:
        self._with_runs(store)
        more = (*_METRICS, Metric("acc", 0.1, 1, 1, "elsewhere", _ID), Metric("acc", 0.2, 1, 1, None, _ID))
        store.import_logged_models([evolve(_with(metrics=more), used_by=("elsewhere",), made_by={"nowhere": 1})])
        assert store.get_logged_model(_ID) == _MODEL

    def test_taking_the_same_logged_model_in_again_changes_nothing(self, store: TrackingStore) -> None:
        self._with_runs(store)
        store.import_logged_models([_WHOLE])
        store.import_logged_models([_WHOLE, _WHOLE])
        assert store.get_logged_model(_ID) == _MODEL
        assert store.get_run("abc").outputs.model_outputs == (ModelOutput(_ID, 7),)

    def test_a_logged_model_that_is_here_gets_what_it_lacks_and_keeps_what_it_has(self, store: TrackingStore) -> None:
        self._with_runs(store)
        store.import_logged_models([_with(status=LoggedModelStatus.PENDING, status_message=None)])
        later = evolve(_METRICS[0], step=3, value=0.95)
        older = evolve(_METRICS[2], step=-2)
        changes = {"tags": {"team": "blue", "new": "t"}, "params": {"depth": "4", "more": "m"}, "name": "cake", "model_type": "bush"}
        again = _with(
            metrics=(later, older), status=LoggedModelStatus.READY, status_message="found", last_updated_timestamp=9000, **changes
        )
        store.import_logged_models([evolve(again, made_by={"abc": 8})])
        assert store.get_logged_model(_ID) == evolve(
            _MODEL,
            status=LoggedModelStatus.READY,
            status_message="found",
            last_updated_timestamp=9000,
            tags={"team": "red", "new": "t"},
            params={"depth": "3", "empty": "", "more": "m"},
            metrics=(later, *_METRICS[1:]),
        )
        assert store.get_run("abc").outputs.model_outputs == (ModelOutput(_ID, 7),)

    def test_one_that_is_ready_keeps_its_status_and_one_deleted_here_is_left_alone(self, store: TrackingStore) -> None:
        self._with_runs(store)
        store.import_logged_models([_WHOLE])
        store.import_logged_models([evolve(_with(status=LoggedModelStatus.READY), is_deleted=True)])
        assert store.get_logged_model(_ID) == _MODEL
        store.delete_logged_model(_ID)
        store.import_logged_models([_with(tags={"late": "x"})])
        assert store.get_logged_model(_ID, allow_deleted=True) == _MODEL

    def test_the_id_of_a_model_of_another_experiment_is_refused(self, store: TrackingStore) -> None:
        self._with_runs(store)
        store.create_logged_model(NewLoggedModel("0", _ID, "mine"))
        with pytest.raises(AlreadyExists):
            store.import_logged_models([_WHOLE])
        assert store.get_logged_model(_ID).name == "mine"

    @pytest.mark.parametrize(
        ("change", "fault"),
        [
            ({"model_id": "m-1"}, InvalidName),
            ({"name": "a/b"}, InvalidName),
            ({"name": ""}, InvalidName),
            ({"creation_timestamp": -1}, InvalidValue),
            ({"tags": {"a//b": "x"}}, InvalidName),
            ({"params": {"k": "x\x00"}}, InvalidValue),
            ({"metrics": (Metric("a//b", 1.0, 1, 1, "abc"),)}, InvalidName),
            ({"metrics": (Metric("a", 1.0, -1, 1, "abc"),)}, InvalidValue),
            ({"experiment_id": "72"}, ExperimentNotFound),
            ({"experiment_id": "x"}, InvalidValue),
        ],
    )
    def test_one_logged_model_that_cannot_be_keeps_all_out(
        self, store: TrackingStore, change: dict[str, Any], fault: type[DrupeError]
    ) -> None:
        self._with_runs(store)
        with pytest.raises(fault):
            store.import_logged_models([_with(model_id=_OTHER), _with(**change)])
        with pytest.raises(LoggedModelNotFound):
            store.get_logged_model(_OTHER)

    def test_a_logged_model_that_was_taken_in_goes_on_like_any_other(self, store: TrackingStore) -> None:
        self._with_runs(store)
        store.import_logged_models([_with(status=LoggedModelStatus.PENDING)])
        store.set_logged_model_tags(_ID, {"team": "green"})
        store.log_logged_model_params(_ID, {"more": "1"})
        changed = store.set_logged_model_status(_ID, LoggedModelStatus.READY)
        assert (changed.tags, changed.params["more"], changed.status) == ({"team": "green"}, "1", LoggedModelStatus.READY)
        user = new_run(store, "71").info.run_id
        store.log_model_inputs(user, [ModelInput(_ID)])
        assert store.get_run(user).inputs.model_inputs == (ModelInput(_ID),)
