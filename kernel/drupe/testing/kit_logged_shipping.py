"""The part of the tracking kit about logged models that journals bring, and those whose files lie under their run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from drupe.entities import (
    LogBatch,
    ModelInput,
    ModelOutput,
    ModelPoints,
    NewLoggedModel,
    NewRun,
    Origin,
    Parcel,
    Points,
)
from drupe.errors import DrupeError, InvalidPath, InvalidValue, LoggedModelNotFound, RunNotFound
from drupe.extend.features import Feature, Support
from drupe.extend.tracking_store import TrackingStore
from drupe.testing.kit import StoreKit, new_run

__all__ = ["LoggedShippingTests"]

_ID, _OTHER = f"m-{'1' * 32}", f"m-{'2' * 32}"
_POINTS = (ModelPoints(_ID, "acc", Points.of([(3, 10, 0.5)]), "test", "d1"),)
# Each is a change to a good parcel that makes it one that no store takes.
_FAULTS: list[tuple[dict[str, Any], type[DrupeError]]] = [
    ({"models": (NewLoggedModel("0", None, "pie", source_run_id="apple"),)}, InvalidValue),
    ({"models": (NewLoggedModel("0", _ID, "pie", source_run_id="other"),)}, InvalidValue),
    ({"models": (NewLoggedModel("0", _ID, "a/b", source_run_id="apple"),)}, InvalidValue),
    ({"model_inputs": (ModelInput(_OTHER),)}, LoggedModelNotFound),
    ({"model_outputs": (ModelOutput(_OTHER),)}, LoggedModelNotFound),
]


class LoggedShippingTests(StoreKit):
    @pytest.fixture
    def taking(self, store: TrackingStore) -> TrackingStore:
        """The store, for tests of what LOGGED_MODELS and ORIGINS promise together."""
        if not (store.features.get(Feature.LOGGED_MODELS) is Support.FULL and store.features.get(Feature.ORIGINS)):
            pytest.skip("this store does not take logged models from journals (Feature.LOGGED_MODELS and ORIGINS)")
        return store

    def test_a_logged_model_can_lie_among_the_files_of_its_run(self, taking: TrackingStore) -> None:
        run = new_run(taking)
        made = taking.create_logged_model(NewLoggedModel("0", None, "clf", source_run_id=run.info.run_id, artifact_path="models/clf"))
        assert made.artifact_location == f"{run.info.artifact_uri.rstrip('/')}/models/clf"
        assert taking.get_logged_model(made.model_id) == made

    def test_only_the_files_of_a_run_that_is_there_can_hold_a_logged_model(self, taking: TrackingStore) -> None:
        other = taking.create_experiment("other").experiment_id
        run_id = new_run(taking).info.run_id
        for faulty, fault in (
            (NewLoggedModel("0", artifact_path="clf"), InvalidValue),
            (NewLoggedModel("0", source_run_id="nobody", artifact_path="clf"), RunNotFound),
            (NewLoggedModel(other, source_run_id=run_id, artifact_path="clf"), InvalidValue),
            (NewLoggedModel("0", source_run_id=run_id, artifact_path="../clf"), InvalidPath),
        ):
            with pytest.raises(fault):
                taking.create_logged_model(faulty)

    def test_a_parcel_brings_logged_models_with_their_ties_and_points(self, taking: TrackingStore) -> None:
        used = taking.create_logged_model(NewLoggedModel("0", _OTHER)).model_id
        taking.ship(_whole(used))
        run, model = taking.get_run("apple"), taking.get_logged_model(_ID)
        assert (model.name, model.source_run_id, model.params) == ("pie", "apple", {"depth": "3"})
        assert model.artifact_location == f"{run.info.artifact_uri.rstrip('/')}/pie"
        assert run.outputs.model_outputs == (ModelOutput(_ID, 3),)
        assert run.inputs.model_inputs == (ModelInput(used),)
        assert run.data.metrics == {"acc": 0.5}
        assert [(one.key, one.value, one.step, one.dataset_name) for one in model.metrics] == [("acc", 0.5, 3, "test")]

    def test_a_parcel_with_logged_models_is_taken_once(self, taking: TrackingStore) -> None:
        parcel = _whole(taking.create_logged_model(NewLoggedModel("0", _OTHER)).model_id)
        assert not taking.ship(parcel).is_repeat
        assert taking.ship(parcel).is_repeat
        assert taking.ship(evolve(parcel, origin=Origin("another-writer", 0, 5))).is_repeat is False
        assert [one.step for one in taking.get_run("apple").outputs.model_outputs] == [3]
        assert len(taking.get_logged_model(_ID).metrics) == 1

    @pytest.mark.parametrize(("change", "fault"), _FAULTS, ids=range(len(_FAULTS)))
    def test_a_parcel_whose_logged_models_cannot_be_leaves_nothing(
        self, taking: TrackingStore, change: dict[str, Any], fault: type[DrupeError]
    ) -> None:
        good = _whole(taking.create_logged_model(NewLoggedModel("0", _OTHER)).model_id)
        taking.delete_logged_model(_OTHER)
        good = evolve(good, model_inputs=())
        with pytest.raises(fault):
            taking.ship(evolve(good, **change))
        questions: list[tuple[Callable[[], object], type[DrupeError]]] = [
            (lambda: taking.get_run("apple"), RunNotFound),
            (lambda: taking.get_logged_model(_ID), LoggedModelNotFound),
        ]
        for question, answer in questions:
            with pytest.raises(answer):
                question()
        assert taking.shipped_to("w") == 0
        taking.ship(good)


def _whole(used: str) -> Parcel:
    return Parcel(
        "apple",
        Origin("w", 0, 5),
        NewRun("0", "apple"),
        LogBatch(model_points=_POINTS),
        models=(NewLoggedModel("0", _ID, "pie", None, "apple", {}, {"depth": "3"}, "pie"),),
        model_inputs=(ModelInput(used),),
        model_outputs=(ModelOutput(_ID, 3),),
    )
