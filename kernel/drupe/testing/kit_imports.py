"""The parts of the store kits about taking in what was in another store. Skipped for stores that do not declare IMPORTS."""

from __future__ import annotations

import math
from typing import Any

import pytest
from attrs import evolve

from drupe.entities import (
    Dataset,
    DatasetInput,
    Experiment,
    InputTag,
    LifecycleStage,
    ModelVersion,
    ModelVersionStatus,
    Points,
    RegisteredModel,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunStatus,
    Series,
    Stage,
    ViewType,
    WholeModel,
    WholeRun,
)
from drupe.errors import (
    AlreadyExists,
    DrupeError,
    ExperimentNotFound,
    InvalidName,
    InvalidValue,
    RegisteredModelNotFound,
    RunNotFound,
    UnsupportedFeature,
    ValueTooLong,
)
from drupe.extend.features import Feature
from drupe.extend.registry_store import RegistryStore
from drupe.extend.tracking_store import TrackingStore
from drupe.testing.kit import StoreKit, log, new_run, query_runs

__all__ = ["ModelImportTests", "RunImportTests"]

_FRUIT = Experiment("788122067151523548", "fruit", "s3://bucket/fruit", LifecycleStage.ACTIVE, 1000, 2000, {"team": "a"})
_INFO = RunInfo(
    "abc123", _FRUIT.experiment_id, "quiet otter", "ada", RunStatus.FINISHED, 5000, 6000, LifecycleStage.ACTIVE, "s3://bucket/old/abc123"
)
_IRIS = DatasetInput(Dataset("iris", "d1", "local", "iris.csv", "{}", "{}"), (InputTag("mlflow.data.context", "training"),))
_LOSS = [(0, 10, 1.0), (1, 20, math.nan), (2, 30, math.inf), (2, 30, 0.5), (-3, 5, 1e-300)]
_RUN = WholeRun(
    Run(_INFO, RunData(params={"depth": "3", "empty": ""}, tags={"mlflow.runName": "quiet otter", "odd $name": "x"}), RunInputs((_IRIS,))),
    {"loss": Points.of(_LOSS)},
)
_PEAR = RegisteredModel("pear", 1000, 9000, "a **pear**", {"task": "x"}, {"champion": "2"})


def _version(number: str, **given: Any) -> ModelVersion:
    return ModelVersion("pear", number, 1000 + int(number), 2000, f"s3://bucket/{number}", **given)


_WHOLE = WholeModel(
    _PEAR,
    (
        _version(
            "2", run_id="abc123", description="two", current_stage=Stage.PRODUCTION, tags={"i": "1"}, user_id="ada", run_link="http://l"
        ),
        _version("5", status=ModelVersionStatus.FAILED_REGISTRATION, status_message="lost"),
    ),
    highest=7,
)


def _with(run: WholeRun = _RUN, *, points: Any = None, data: RunData | None = None, **info: Any) -> WholeRun:
    changed = evolve(run.run, info=evolve(run.run.info, **info), data=data or run.run.data)
    return WholeRun(changed, run.points if points is None else points)


def _rows(series: Series) -> list[tuple[int, int, str]]:
    return [(step, time, repr(value)) for step, time, value in series.points]


class RunImportTests(StoreKit):
    def _importing(self, store: TrackingStore) -> None:
        if not store.features.get(Feature.IMPORTS):
            pytest.skip("the store does not declare IMPORTS")

    def test_without_the_feature_an_import_is_refused_by_name(self, store: TrackingStore) -> None:
        if store.features.get(Feature.IMPORTS):
            return
        with pytest.raises(UnsupportedFeature):
            store.import_experiment(_FRUIT)
        with pytest.raises(UnsupportedFeature):
            store.import_runs([_RUN])

    @pytest.mark.parametrize("stage", list(LifecycleStage))
    def test_an_experiment_is_taken_in_as_it_was(self, store: TrackingStore, stage: LifecycleStage) -> None:
        self._importing(store)
        given = evolve(_FRUIT, lifecycle_stage=stage)
        assert store.import_experiment(given) == given
        assert store.get_experiment(given.experiment_id) == given
        assert store.get_experiment_by_name("fruit") == given

    def test_what_an_experiment_lacks_is_filled_in(self, store: TrackingStore) -> None:
        self._importing(store)
        made = store.import_experiment(evolve(_FRUIT, experiment_id="", artifact_location="", creation_time=None, last_update_time=None))
        default = store.get_experiment("0")
        assert made.experiment_id == "1"
        assert made.artifact_location == f"{default.artifact_location.removesuffix('/0')}/1"
        assert (made.creation_time or 0) >= (default.creation_time or 0)
        assert store.get_experiment("1") == made

    def test_the_next_experiment_gets_another_id(self, store: TrackingStore) -> None:
        self._importing(store)
        store.import_experiment(evolve(_FRUIT, experiment_id="7"))
        assert store.create_experiment("next").experiment_id == "8"

    @pytest.mark.parametrize("name", ["fruit", "other"])
    def test_an_id_or_a_name_that_is_taken_is_refused(self, store: TrackingStore, name: str) -> None:
        self._importing(store)
        store.import_experiment(_FRUIT)
        with pytest.raises(AlreadyExists):
            store.import_experiment(evolve(_FRUIT, name=name, experiment_id=_FRUIT.experiment_id if name == "other" else "9"))
        assert store.get_experiment(_FRUIT.experiment_id) == _FRUIT

    @pytest.mark.parametrize(
        ("change", "fault"),
        [
            ({"experiment_id": "x"}, InvalidValue),
            ({"experiment_id": "01"}, InvalidValue),
            ({"experiment_id": "1" + "0" * 18}, InvalidValue),
            ({"name": " "}, InvalidName),
            ({"tags": {"k": "x" * 20_001}}, ValueTooLong),
            ({"creation_time": -1}, InvalidValue),
        ],
    )
    def test_an_experiment_that_cannot_be_is_refused(self, store: TrackingStore, change: dict[str, Any], fault: type[DrupeError]) -> None:
        self._importing(store)
        with pytest.raises(fault):
            store.import_experiment(evolve(_FRUIT, **change))
        assert store.get_experiment_by_name("fruit") is None

    @pytest.mark.parametrize("stage", list(LifecycleStage))
    @pytest.mark.parametrize("status", list(RunStatus))
    def test_a_run_is_taken_in_as_it_was(self, store: TrackingStore, stage: LifecycleStage, status: RunStatus) -> None:
        self._importing(store)
        store.import_experiment(evolve(_FRUIT, lifecycle_stage=LifecycleStage.DELETED))
        given = _with(lifecycle_stage=stage, status=status, end_time=6000 if status.has_ended else None)
        store.import_runs([given])
        kept = store.get_run("abc123")
        assert kept.info == given.run.info
        assert (kept.data.params, kept.data.tags, kept.inputs) == (given.run.data.params, given.run.data.tags, given.run.inputs)
        (series,) = store.metric_bulk(["abc123"])
        assert _rows(series) == [(-3, 5, "1e-300"), (0, 10, "1.0"), (1, 20, "nan"), (2, 30, "0.5"), (2, 30, "inf")]
        assert kept.data.summaries["loss"].count == 5
        found = store.search_runs(query_runs("metrics.loss > 1"), experiment_ids=[_FRUIT.experiment_id], view=ViewType.ALL)
        assert [run.info.run_id for run in found] == ["abc123"]

    def test_a_run_without_an_address_or_a_name_tag_gets_them(self, store: TrackingStore) -> None:
        self._importing(store)
        store.import_experiment(_FRUIT)
        store.import_runs([_with(artifact_uri="", data=RunData())])
        kept = store.get_run("abc123")
        assert kept.info.artifact_uri == "s3://bucket/fruit/abc123/artifacts"
        assert kept.data.tags == {"mlflow.runName": "quiet otter"}

    def test_taking_the_same_in_again_changes_nothing(self, store: TrackingStore) -> None:
        self._importing(store)
        store.import_experiment(_FRUIT)
        store.import_runs([_RUN])
        before = store.get_run("abc123")
        store.import_runs([_RUN])
        assert repr(store.get_run("abc123")) == repr(before)
        assert [len(series.points) for series in store.metric_bulk(["abc123"])] == [5]

    def test_a_run_that_is_here_gets_what_it_lacks_and_keeps_what_it_has(self, store: TrackingStore) -> None:
        self._importing(store)
        store.import_experiment(_FRUIT)
        store.import_runs([_with(status=RunStatus.RUNNING, end_time=None, points={"loss": Points.of(_LOSS[:2])})])
        log(store, "abc123", {"mine": [(0, 1, 1.0)]}, params={"own": "1"}, tags={"odd": "mine"})
        later = RunData(params={"depth": "4", "new": "n"}, tags={"odd": "theirs", "more": "m", "mlflow.runName": "other"})
        store.import_runs([_with(data=later, run_name="other")])
        kept = store.get_run("abc123")
        assert (kept.info.status, kept.info.end_time, kept.info.run_name) == (RunStatus.FINISHED, 6000, "quiet otter")
        assert kept.data.params == {"depth": "3", "empty": "", "own": "1", "new": "n"}
        assert kept.data.tags == {"mlflow.runName": "quiet otter", "odd $name": "x", "odd": "mine", "more": "m"}
        assert {one.key: len(one.points) for one in store.metric_bulk(["abc123"])} == {"loss": 5, "mine": 1}

    def test_a_run_that_has_ended_here_keeps_its_end_and_its_stage(self, store: TrackingStore) -> None:
        self._importing(store)
        store.import_experiment(_FRUIT)
        store.import_runs([_with(status=RunStatus.FAILED)])
        store.import_runs([_with(status=RunStatus.FINISHED, end_time=7000, lifecycle_stage=LifecycleStage.DELETED)])
        kept = store.get_run("abc123").info
        assert (kept.status, kept.end_time, kept.lifecycle_stage) == (RunStatus.FAILED, 6000, LifecycleStage.ACTIVE)

    def test_a_run_of_another_experiment_keeps_its_id(self, store: TrackingStore) -> None:
        self._importing(store)
        store.import_experiment(_FRUIT)
        new_run(store, "0", run_id="abc123")
        with pytest.raises(AlreadyExists):
            store.import_runs([_RUN])
        assert store.get_run("abc123").data.params == {}

    def test_a_run_needs_its_experiment(self, store: TrackingStore) -> None:
        self._importing(store)
        with pytest.raises(ExperimentNotFound):
            store.import_runs([_RUN])

    @pytest.mark.parametrize(
        ("change", "fault"),
        [
            ({"run_id": "../x"}, InvalidName),
            ({"start_time": -1}, InvalidValue),
            ({"points": {"a//b": Points.of(_LOSS)}}, InvalidName),
            ({"points": {"loss": Points.of([(0, -1, 0.5)])}}, InvalidValue),
            ({"data": RunData(params={"": "x"})}, InvalidName),
            ({"data": RunData(tags={"k": "x\x00"})}, InvalidValue),
        ],
    )
    def test_one_run_that_cannot_be_keeps_all_out(self, store: TrackingStore, change: dict[str, Any], fault: type[DrupeError]) -> None:
        self._importing(store)
        store.import_experiment(_FRUIT)
        with pytest.raises(fault):
            store.import_runs([_with(run_id="good"), _with(**change)])
        with pytest.raises(RunNotFound):
            store.get_run("good")

    def test_a_run_of_no_experiment_keeps_all_out(self, store: TrackingStore) -> None:
        self._importing(store)
        store.import_experiment(_FRUIT)
        with pytest.raises(ExperimentNotFound):
            store.import_runs([_with(run_id="good"), _with(run_id="bad", experiment_id="55")])
        with pytest.raises(RunNotFound):
            store.get_run("good")

    def test_a_run_that_was_taken_in_goes_on_like_any_other(self, store: TrackingStore) -> None:
        self._importing(store)
        store.import_experiment(_FRUIT)
        store.import_runs([_RUN])
        log(store, "abc123", {"loss": [(3, 40, 0.25)]}, params={"new": "1"}, tags={"mlflow.runName": "renamed"})
        kept = store.get_run("abc123")
        assert (kept.data.metrics["loss"], kept.data.summaries["loss"].count, kept.info.run_name) == (0.25, 6, "renamed")


class ModelImportTests(StoreKit):
    def _importing(self, store: RegistryStore) -> None:
        if not store.features.get(Feature.IMPORTS):
            pytest.skip("the store does not declare IMPORTS")

    def test_without_the_feature_an_import_of_a_model_is_refused_by_name(self, store: RegistryStore) -> None:
        if not store.features.get(Feature.IMPORTS):
            with pytest.raises(UnsupportedFeature):
                store.import_model(_WHOLE)

    def test_a_model_is_taken_in_as_it_was(self, store: RegistryStore) -> None:
        self._importing(store)
        store.import_model(_WHOLE)
        two, five = _WHOLE.versions
        assert store.get_registered_model("pear") == evolve(_PEAR, latest_versions=(five, two))
        assert store.get_model_version("pear", "2") == evolve(two, aliases=("champion",))
        assert store.get_model_version("pear", "5") == five

    def test_the_highest_version_is_that_of_the_newest_and_of_one_deleted_where_imports_are_declared(self, store: RegistryStore) -> None:
        with pytest.raises(RegisteredModelNotFound):
            store.highest_version("pear")
        store.create_registered_model("pear")
        assert store.highest_version("pear") == 0
        for _ in range(3):
            store.create_model_version("pear", "s3://bucket")
        assert store.highest_version("pear") == 3
        store.delete_model_version("pear", "3")
        assert store.highest_version("pear") == (3 if store.features.get(Feature.IMPORTS) else 2)

    def test_the_next_version_comes_after_every_number_ever_used(self, store: RegistryStore) -> None:
        self._importing(store)
        store.import_model(_WHOLE)
        assert store.create_model_version("pear", "s3://bucket/new").version == "8"

    def test_taking_the_same_model_in_again_changes_nothing(self, store: RegistryStore) -> None:
        self._importing(store)
        store.import_model(_WHOLE)
        before = store.get_registered_model("pear")
        store.import_model(_WHOLE)
        assert store.get_registered_model("pear") == before

    def test_a_model_that_is_here_gets_what_it_lacks_and_keeps_what_it_has(self, store: RegistryStore) -> None:
        self._importing(store)
        store.import_model(WholeModel(_PEAR, _WHOLE.versions[:1], 4))
        store.set_registered_model_tag("pear", "task", "mine")
        mine = store.get_model_version("pear", "2")
        changed = evolve(_WHOLE.versions[0], source="s3://elsewhere", current_stage=Stage.ARCHIVED)
        later = evolve(_PEAR, description="other", tags={"task": "theirs", "more": "m"}, aliases={"champion": "5", "next": "5"})
        store.import_model(WholeModel(later, (changed, _version("3"), _WHOLE.versions[1]), 5))
        kept = store.get_registered_model("pear")
        assert (kept.description, kept.tags, kept.aliases) == (
            "a **pear**",
            {"task": "mine", "more": "m"},
            {"champion": "2", "next": "5"},
        )
        assert store.get_model_version("pear", "2") == mine
        found = {version.version for version in kept.latest_versions}
        assert found == {"2", "5"}, "a number below the highest that is not here was deleted here"

    @pytest.mark.parametrize(
        "whole",
        [
            evolve(_WHOLE, model=evolve(_PEAR, name="a/b")),
            evolve(_WHOLE, model=evolve(_PEAR, aliases={"champion": "3"})),
            evolve(_WHOLE, model=evolve(_PEAR, aliases={"latest": "2"})),
            evolve(_WHOLE, model=evolve(_PEAR, tags={"a//b": "x"})),
            evolve(_WHOLE, versions=(_version("2"), _version("2"))),
            evolve(_WHOLE, versions=(evolve(_version("2"), version="0"),)),
            evolve(_WHOLE, highest=10**18),
        ],
    )
    def test_a_model_that_cannot_be_is_refused_whole(self, store: RegistryStore, whole: WholeModel) -> None:
        self._importing(store)
        with pytest.raises(InvalidValue):
            store.import_model(whole)
        with pytest.raises(DrupeError):
            store.get_registered_model(whole.model.name)
