"""The part of the tracking kit about logged models: making, changing and deleting them, their metrics, and which runs use and make them.

Skipped for a store without LOGGED_MODELS. Searching them is in `kit_logged_model_search`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from drupe.entities import (
    LifecycleStage,
    LogBatch,
    LoggedModel,
    LoggedModelStatus,
    Metric,
    ModelInput,
    ModelOutput,
    ModelPoints,
    NewLoggedModel,
    Points,
    RunOutputs,
)
from drupe.errors import (
    AlreadyExists,
    DrupeError,
    ExperimentNotFound,
    InvalidName,
    InvalidValue,
    LoggedModelNotFound,
    ParamConflict,
    RunNotFound,
    TagNotFound,
    UnsupportedFeature,
    ValueTooLong,
    WrongLifecycle,
)
from drupe.extend.features import Feature, Support
from drupe.extend.tracking_store import TrackingStore
from drupe.testing.kit import StoreKit, in_threads, new_run, query_logged_models, query_runs, tick

__all__ = ["LoggedModelTests", "measured"]

_ID = "m-" + "0123456789abcdef" * 2
_UNKNOWN = "m-" + "f" * 32
_REFUSED: list[tuple[NewLoggedModel, type[DrupeError]]] = [
    (NewLoggedModel("0", "m-1"), InvalidName),
    (NewLoggedModel("0", _ID.upper()), InvalidName),
    *((NewLoggedModel("0", name=f"a{letter}b"), InvalidName) for letter in "/:.%\"'"),
    (NewLoggedModel("0", name="n" * 501), ValueTooLong),
    (NewLoggedModel("0", model_type="t" * 501), ValueTooLong),
    (NewLoggedModel("0", source_run_id="a b"), InvalidName),
    (NewLoggedModel("0", tags={"a//b": "x"}), InvalidName),
    (NewLoggedModel("0", params={"good": "x", "": "x"}), InvalidName),
    (NewLoggedModel("0", params={"huge": "x" * 1_000_001}), ValueTooLong),
    (NewLoggedModel("99"), ExperimentNotFound),
    (NewLoggedModel("name"), InvalidValue),
]


def measured(
    store: TrackingStore,
    run_id: str,
    model_id: str,
    key: str,
    *points: tuple[int, int, float],
    dataset: tuple[str | None, str | None] = (None, None),
) -> None:
    """Log (step, timestamp, value) points of a run that are a logged model's as well."""
    store.log_batch(run_id, LogBatch(model_points=(ModelPoints(model_id, key, Points.of(points), *dataset),)))


class LoggedModelTests(StoreKit):
    @pytest.fixture
    def modelling(self, store: TrackingStore) -> TrackingStore:
        """The store, for tests of what LOGGED_MODELS promises."""
        if store.features.get(Feature.LOGGED_MODELS) is not Support.FULL:
            pytest.skip("this store keeps no logged models (Feature.LOGGED_MODELS)")
        return store

    def test_a_store_without_logged_models_says_so(self, store: TrackingStore) -> None:
        if store.features.get(Feature.LOGGED_MODELS) is Support.FULL:
            return
        run_id = new_run(store).info.run_id
        calls: list[Callable[[], object]] = [
            lambda: store.create_logged_model(NewLoggedModel("0")),
            lambda: store.get_logged_model(_ID),
            lambda: store.search_logged_models(query_logged_models(), experiment_ids=None),
            lambda: store.set_logged_model_status(_ID, LoggedModelStatus.READY),
            lambda: store.delete_logged_model(_ID),
            lambda: store.set_logged_model_tags(_ID, {}),
            lambda: store.delete_logged_model_tag(_ID, "team"),
            lambda: store.log_logged_model_params(_ID, {}),
            lambda: store.log_model_inputs(run_id, [ModelInput(_ID)]),
            lambda: store.log_outputs(run_id, [ModelOutput(_ID)]),
        ]
        for call in calls:
            with pytest.raises(UnsupportedFeature):
                call()

    # --- making and reading

    def test_a_new_logged_model_reads_back_as_it_was_answered(self, modelling: TrackingStore) -> None:
        before = tick()
        made = modelling.create_logged_model(NewLoggedModel("0", None, "pie", "tree", "r1", {"team": "red"}, {"depth": "3", "empty": ""}))
        assert re.fullmatch("m-[0-9a-f]{32}", made.model_id)
        assert (made.experiment_id, made.name, made.model_type, made.source_run_id) == ("0", "pie", "tree", "r1")
        assert (made.status, made.status_message, made.metrics) == (LoggedModelStatus.PENDING, None, ())
        assert (made.tags, made.params) == ({"team": "red"}, {"depth": "3", "empty": ""})
        assert before <= made.creation_timestamp == made.last_updated_timestamp < tick()
        root = modelling.get_experiment("0").artifact_location
        assert made.artifact_location == f"{root}/models/{made.model_id}/artifacts"
        assert modelling.get_logged_model(made.model_id) == made

    @pytest.mark.parametrize("empty", [None, ""])
    def test_a_logged_model_needs_no_more_than_an_experiment(self, modelling: TrackingStore, empty: str | None) -> None:
        made = modelling.create_logged_model(NewLoggedModel("0", empty, empty, empty, empty))
        assert made.name
        assert (made.model_type, made.source_run_id, made.tags, made.params) == (None, None, {}, {})
        assert modelling.get_logged_model(made.model_id) == made

    def test_names_of_logged_models_need_not_be_unique(self, modelling: TrackingStore) -> None:
        one, other = (modelling.create_logged_model(NewLoggedModel("0", name="päron 🍐")) for _ in range(2))
        assert one.model_id != other.model_id
        assert one.name == other.name == "päron 🍐"

    def test_the_same_request_for_a_logged_model_makes_no_twin(self, modelling: TrackingStore) -> None:
        new = NewLoggedModel("0", _ID, None, "tree", None, {"a": "1", "b": "2"}, {"p": "1"})
        made = modelling.create_logged_model(new)
        modelling.set_logged_model_tags(_ID, {"team": "red"})
        again = modelling.create_logged_model(evolve(new, tags={"b": "2", "a": "1"}))
        assert (made.model_id, again.name, again.tags) == (_ID, made.name, {"a": "1", "b": "2", "team": "red"})
        assert len(modelling.search_logged_models(query_logged_models(), experiment_ids=None)) == 1

    @pytest.mark.parametrize("change", [{"name": "x"}, {"model_type": "x"}, {"tags": {}}, {"params": {"p": "2"}}, {"source_run_id": "r"}])
    def test_the_id_of_another_logged_model_is_refused(self, modelling: TrackingStore, change: dict[str, Any]) -> None:
        new = NewLoggedModel("0", _ID, tags={"a": "1"}, params={"p": "1"})
        made = modelling.create_logged_model(new)
        with pytest.raises(AlreadyExists):
            modelling.create_logged_model(evolve(new, **change))
        assert modelling.get_logged_model(_ID) == made

    @pytest.mark.parametrize(("new", "error"), _REFUSED)
    def test_a_refused_logged_model_leaves_nothing_behind(
        self, modelling: TrackingStore, new: NewLoggedModel, error: type[DrupeError]
    ) -> None:
        with pytest.raises(error):
            modelling.create_logged_model(new)
        assert modelling.search_logged_models(query_logged_models(), experiment_ids=None) == []

    def test_no_logged_model_is_made_in_a_deleted_experiment(self, modelling: TrackingStore) -> None:
        modelling.set_experiment_stage("0", LifecycleStage.DELETED)
        with pytest.raises(WrongLifecycle):
            modelling.create_logged_model(NewLoggedModel("0"))

    @pytest.mark.parametrize("model_id", [_UNKNOWN, "", "m-1", "x" * 1000])
    def test_an_unknown_logged_model_is_not_found(self, modelling: TrackingStore, model_id: str) -> None:
        modelling.create_logged_model(NewLoggedModel("0", _ID))
        run_id = new_run(modelling).info.run_id
        calls: list[Callable[[], object]] = [
            lambda: modelling.get_logged_model(model_id),
            lambda: modelling.get_logged_model(model_id, allow_deleted=True),
            lambda: modelling.set_logged_model_status(model_id, LoggedModelStatus.READY),
            lambda: modelling.delete_logged_model(model_id),
            lambda: modelling.set_logged_model_tags(model_id, {"a": "b"}),
            lambda: modelling.delete_logged_model_tag(model_id, "a"),
            lambda: modelling.log_logged_model_params(model_id, {"a": "b"}),
            lambda: modelling.log_model_inputs(run_id, [ModelInput(_ID), ModelInput(model_id)]),
            lambda: modelling.log_outputs(run_id, [ModelOutput(_ID), ModelOutput(model_id)]),
        ]
        for call in calls:
            with pytest.raises(LoggedModelNotFound):
                call()
        run = modelling.get_run(run_id)
        assert (run.inputs.model_inputs, run.outputs) == ((), RunOutputs())

    # --- changing

    def test_a_status_is_changed_with_what_is_said_of_it(self, modelling: TrackingStore) -> None:
        made = modelling.create_logged_model(NewLoggedModel("0", name="pie"))
        tick()
        failed = modelling.set_logged_model_status(made.model_id, LoggedModelStatus.FAILED, message="disk full")
        assert (failed.status, failed.status_message) == (LoggedModelStatus.FAILED, "disk full")
        assert failed.last_updated_timestamp > made.last_updated_timestamp
        assert failed.creation_timestamp == made.creation_timestamp
        assert modelling.get_logged_model(made.model_id) == failed
        ready = modelling.set_logged_model_status(made.model_id, LoggedModelStatus.READY)
        assert (ready.status, ready.status_message) == (LoggedModelStatus.READY, None)

    def test_tags_of_a_logged_model_are_set_replaced_and_removed(self, modelling: TrackingStore) -> None:
        made = modelling.create_logged_model(NewLoggedModel("0", tags={"a": "1", "b": "2"}))
        tick()
        changed = modelling.set_logged_model_tags(made.model_id, {"b": "3", "c": "", "long": "x" * 9000})
        assert changed.tags == {"a": "1", "b": "3", "c": "", "long": "x" * 8000}
        assert changed.last_updated_timestamp > made.last_updated_timestamp
        modelling.delete_logged_model_tag(made.model_id, "a")
        assert set(modelling.get_logged_model(made.model_id).tags) == {"b", "c", "long"}
        with pytest.raises(TagNotFound):
            modelling.delete_logged_model_tag(made.model_id, "a")
        with pytest.raises(InvalidName):
            modelling.set_logged_model_tags(made.model_id, {"good": "x", "a//b": "x"})
        assert "good" not in modelling.get_logged_model(made.model_id).tags

    def test_params_of_a_logged_model_are_written_once(self, modelling: TrackingStore) -> None:
        made = modelling.create_logged_model(NewLoggedModel("0", params={"a": "1"}))
        modelling.log_logged_model_params(made.model_id, {"a": "1", "b": "2", "long": "x" * 7000})
        expected = {"a": "1", "b": "2", "long": "x" * 6000}
        assert modelling.get_logged_model(made.model_id).params == expected
        with pytest.raises(ParamConflict):
            modelling.log_logged_model_params(made.model_id, {"c": "3", "a": "2"})
        assert modelling.get_logged_model(made.model_id).params == expected

    # --- deleting

    def test_a_deleted_logged_model_is_hidden_until_asked_for(self, modelling: TrackingStore) -> None:
        kept, gone = (modelling.create_logged_model(NewLoggedModel("0", name=name)) for name in ("kept", "gone"))
        modelling.delete_logged_model(gone.model_id)
        with pytest.raises(LoggedModelNotFound):
            modelling.get_logged_model(gone.model_id)
        assert modelling.get_logged_model(gone.model_id, allow_deleted=True).name == "gone"
        assert [model.model_id for model in modelling.search_logged_models(query_logged_models(), experiment_ids=["0"])] == [kept.model_id]

    def test_deleting_a_logged_model_again_changes_nothing(self, modelling: TrackingStore) -> None:
        made = modelling.create_logged_model(NewLoggedModel("0"))
        modelling.delete_logged_model(made.model_id)
        modelling.delete_logged_model(made.model_id)
        assert modelling.get_logged_model(made.model_id, allow_deleted=True) == made

    def test_a_deleted_logged_model_takes_nothing_in(self, modelling: TrackingStore) -> None:
        made = modelling.create_logged_model(NewLoggedModel("0", tags={"a": "1"}))
        run_id = new_run(modelling).info.run_id
        modelling.delete_logged_model(made.model_id)
        calls: list[Callable[[], object]] = [
            lambda: modelling.set_logged_model_status(made.model_id, LoggedModelStatus.READY),
            lambda: modelling.set_logged_model_tags(made.model_id, {"b": "1"}),
            lambda: modelling.delete_logged_model_tag(made.model_id, "a"),
            lambda: modelling.log_logged_model_params(made.model_id, {"a": "b"}),
            lambda: modelling.log_model_inputs(run_id, [ModelInput(made.model_id)]),
            lambda: modelling.log_outputs(run_id, [ModelOutput(made.model_id)]),
        ]
        for call in calls:
            with pytest.raises(LoggedModelNotFound):
                call()
        assert modelling.get_logged_model(made.model_id, allow_deleted=True) == made

    # --- metrics

    def test_points_of_a_logged_model_are_points_of_the_run_too(self, modelling: TrackingStore) -> None:
        model, run_id = modelling.create_logged_model(NewLoggedModel("0")), new_run(modelling).info.run_id
        points = Points.of([(0, 1, 0.5)])
        batch = LogBatch({"loss": points, "acc": points}, model_points=(ModelPoints(model.model_id, "acc", Points.of([(1, 2, 0.75)])),))
        modelling.log_batch(run_id, batch)
        measured(modelling, run_id, model.model_id, "acc", (0, 1, 0.5))  # the run has it already
        history = [(metric.step, metric.value) for metric in modelling.metric_history(run_id, "acc")]
        assert history == [(0, 0.5), (1, 0.75)]
        assert modelling.get_run(run_id).data.metrics == {"loss": 0.5, "acc": 0.75}
        assert modelling.get_logged_model(model.model_id).metrics == (Metric("acc", 0.75, 2, 1, run_id, model.model_id),)

    def test_a_logged_model_keeps_the_latest_of_every_metric_run_and_dataset(self, modelling: TrackingStore) -> None:
        model_id = modelling.create_logged_model(NewLoggedModel("0")).model_id
        for run_id in ("r1", "r2"):
            new_run(modelling, run_id=run_id)
        measured(modelling, "r1", model_id, "acc", (0, 5, 0.1), (2, 3, 0.2), (1, 9, 0.3))
        measured(modelling, "r1", model_id, "acc", (1, 9, 0.9))  # late, and not the latest
        measured(modelling, "r2", model_id, "acc", (0, 1, 0.4))
        measured(modelling, "r1", model_id, "acc", (0, 1, 0.5), dataset=("iris", "d1"))
        measured(modelling, "r1", model_id, "acc", (0, 1, 0.6), dataset=("iris", "d2"))
        measured(modelling, "r1", model_id, "acc", (0, 1, 0.7), dataset=("iris", ""))
        measured(modelling, "r1", model_id, "Loss", (0, 1, math.inf), dataset=("", None))
        assert modelling.get_logged_model(model_id).metrics == (
            Metric("Loss", math.inf, 1, 0, "r1", model_id),
            Metric("acc", 0.2, 3, 2, "r1", model_id),
            Metric("acc", 0.7, 1, 0, "r1", model_id, "iris"),
            Metric("acc", 0.5, 1, 0, "r1", model_id, "iris", "d1"),
            Metric("acc", 0.6, 1, 0, "r1", model_id, "iris", "d2"),
            Metric("acc", 0.4, 1, 0, "r2", model_id),
        )

    @pytest.mark.parametrize(
        ("points", "latest"),
        [
            ([(0, 1, 2.0), (0, 1, 1.0)], 2.0),
            ([(0, 1, -1.0), (0, 1, math.nan)], math.nan),  # NaN counts as 0
            ([(0, 1, math.nan), (0, 1, 0.5)], 0.5),
            ([(0, 1, 0.0), (0, 1, math.nan)], math.nan),
            ([(-5, 1, 3.0), (-9, 7, 4.0)], 3.0),
            ([(0, 1, 1.0), (0, 2, -1.0)], -1.0),
        ],
    )
    @pytest.mark.parametrize("is_backwards", [False, True])
    def test_the_latest_point_is_that_of_a_run_whatever_the_order_of_arrival(
        self, modelling: TrackingStore, points: list[tuple[int, int, float]], latest: float, is_backwards: bool
    ) -> None:
        model_id, run_id = modelling.create_logged_model(NewLoggedModel("0")).model_id, new_run(modelling).info.run_id
        for point in reversed(points) if is_backwards else points:
            measured(modelling, run_id, model_id, "acc", point)
        (metric,) = modelling.get_logged_model(model_id).metrics
        assert repr(metric.value) == repr(latest) == repr(modelling.get_run(run_id).data.metrics["acc"])

    def test_points_do_not_move_the_last_update_of_a_logged_model(self, modelling: TrackingStore) -> None:
        made, run_id = modelling.create_logged_model(NewLoggedModel("0")), new_run(modelling).info.run_id
        tick()
        measured(modelling, run_id, made.model_id, "acc", (0, 1, 0.5))
        assert modelling.get_logged_model(made.model_id).last_updated_timestamp == made.last_updated_timestamp

    @pytest.mark.parametrize("model_id", [_UNKNOWN, "m-1", ""])
    def test_points_of_an_unknown_logged_model_are_refused_with_the_batch(self, modelling: TrackingStore, model_id: str) -> None:
        known, run_id = modelling.create_logged_model(NewLoggedModel("0")).model_id, new_run(modelling).info.run_id
        before, points = modelling.get_run(run_id), Points.of([(0, 1, 0.5)])
        of_models = (ModelPoints(known, "acc", points), ModelPoints(model_id, "acc", points))
        with pytest.raises(InvalidValue):
            modelling.log_batch(run_id, LogBatch({"loss": points}, {"p": "1"}, {"t": "1"}, of_models))
        assert modelling.get_run(run_id) == before
        assert modelling.get_logged_model(known).metrics == ()

    def test_points_of_a_deleted_logged_model_are_refused(self, modelling: TrackingStore) -> None:
        model_id, run_id = modelling.create_logged_model(NewLoggedModel("0")).model_id, new_run(modelling).info.run_id
        modelling.delete_logged_model(model_id)
        with pytest.raises(InvalidValue):
            measured(modelling, run_id, model_id, "acc", (0, 1, 0.5))

    @pytest.mark.parametrize(
        ("key", "point", "dataset", "error"),
        [
            ("a//b", (0, 1, 0.5), (None, None), InvalidName),
            ("acc", (0, -1, 0.5), (None, None), InvalidValue),
            ("acc", (0, 1, 0.5), ("n" * 501, None), ValueTooLong),
            ("acc", (0, 1, 0.5), ("iris", "d" * 37), ValueTooLong),
        ],
    )
    def test_faulty_points_of_a_logged_model_are_refused_with_the_batch(
        self,
        modelling: TrackingStore,
        key: str,
        point: tuple[int, int, float],
        dataset: tuple[str | None, str | None],
        error: type[DrupeError],
    ) -> None:
        model_id, run_id = modelling.create_logged_model(NewLoggedModel("0")).model_id, new_run(modelling).info.run_id
        good, bad = ModelPoints(model_id, "good", Points.of([(0, 1, 0.5)])), ModelPoints(model_id, key, Points.of([point]), *dataset)
        with pytest.raises(error):
            modelling.log_batch(run_id, LogBatch(params={"p": "1"}, model_points=(good, bad)))
        data = modelling.get_run(run_id).data
        assert (data.metrics, data.params) == ({}, {})
        assert modelling.get_logged_model(model_id).metrics == ()

    # --- runs that use and make them

    def test_a_run_shows_the_logged_models_it_uses_and_has_made(self, modelling: TrackingStore) -> None:
        one, other, third = (modelling.create_logged_model(NewLoggedModel("0")).model_id for _ in range(3))
        run_id, bystander = (new_run(modelling).info.run_id for _ in range(2))
        modelling.log_model_inputs(run_id, [ModelInput(other), ModelInput(one), ModelInput(other)])
        modelling.log_model_inputs(run_id, [ModelInput(one)])
        modelling.log_outputs(run_id, [ModelOutput(third, 7), ModelOutput(one, -2)])
        run = modelling.get_run(run_id)
        assert run.inputs.model_inputs == (ModelInput(one), ModelInput(other))
        assert run.outputs.model_outputs == (ModelOutput(one, -2), ModelOutput(third, 7))
        assert modelling.search_runs(query_runs(f"run_id = '{run_id}'"), experiment_ids=["0"]) == [run]
        assert modelling.get_run(bystander).outputs == RunOutputs()

    def test_a_logged_model_that_a_run_has_made_keeps_its_first_step(self, modelling: TrackingStore) -> None:
        model_id, run_id = modelling.create_logged_model(NewLoggedModel("0")).model_id, new_run(modelling).info.run_id
        modelling.log_outputs(run_id, [ModelOutput(model_id, 3), ModelOutput(model_id, 4)])
        modelling.log_outputs(run_id, [ModelOutput(model_id, 5)])
        assert modelling.get_run(run_id).outputs.model_outputs == (ModelOutput(model_id, 3),)

    def test_a_run_goes_on_showing_a_deleted_logged_model(self, modelling: TrackingStore) -> None:
        model_id, run_id = modelling.create_logged_model(NewLoggedModel("0")).model_id, new_run(modelling).info.run_id
        modelling.log_outputs(run_id, [ModelOutput(model_id)])
        modelling.delete_logged_model(model_id)
        assert modelling.get_run(run_id).outputs.model_outputs == (ModelOutput(model_id),)

    def test_only_an_active_run_is_tied_to_logged_models(self, modelling: TrackingStore) -> None:
        model_id, run_id = modelling.create_logged_model(NewLoggedModel("0")).model_id, new_run(modelling).info.run_id
        modelling.set_run_stage(run_id, LifecycleStage.DELETED)
        for gone, error in ((run_id, WrongLifecycle), ("nobody", RunNotFound)):
            with pytest.raises(error):
                modelling.log_model_inputs(gone, [ModelInput(model_id)])
            with pytest.raises(error):
                modelling.log_outputs(gone, [ModelOutput(model_id)])
        with pytest.raises(InvalidValue):
            modelling.log_outputs(new_run(modelling).info.run_id, [ModelOutput(model_id, 2**63)])

    # --- threads and lasting

    def test_logged_models_are_changed_from_several_threads(self, modelling: TrackingStore) -> None:
        model_id, run_id = modelling.create_logged_model(NewLoggedModel("0")).model_id, new_run(modelling).info.run_id

        def work(number: int) -> None:
            modelling.create_logged_model(NewLoggedModel("0", name="many"))
            modelling.set_logged_model_tags(model_id, {f"t{number}": "1"})
            modelling.log_logged_model_params(model_id, {f"p{number}": "1"})
            measured(modelling, run_id, model_id, "acc", (number, 1, number / 4))

        assert in_threads([lambda number=number: work(number) for number in range(8)]) == []  # type: ignore[misc]
        found = modelling.get_logged_model(model_id)
        assert (len(found.tags), len(found.params)) == (8, 8)
        assert [metric.value for metric in found.metrics] == [7 / 4]
        assert len(modelling.search_logged_models(query_logged_models("name = 'many'"), experiment_ids=["0"])) == 8

    def test_logged_models_outlive_the_opened_store(self, modelling: TrackingStore, reopen: Callable[[], TrackingStore]) -> None:
        new = NewLoggedModel("0", _ID, "pie", params={"p": "1"})
        modelling.create_logged_model(new)
        run_id = new_run(modelling).info.run_id
        modelling.log_outputs(run_id, [ModelOutput(_ID, 3)])
        measured(modelling, run_id, _ID, "acc", (0, 1, 0.5), dataset=("iris", "d1"))
        before = modelling.set_logged_model_status(_ID, LoggedModelStatus.READY)
        run = modelling.get_run(run_id)
        again = reopen()
        assert _without_time(again.create_logged_model(new)) == _without_time(before)
        assert again.get_run(run_id) == run


def _without_time(model: LoggedModel) -> LoggedModel:
    return evolve(model, last_updated_timestamp=0)
