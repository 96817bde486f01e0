"""A store copied into another, between stores in memory: all of it, once more, after an interruption, and where the two disagree."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from attrs import evolve

from drupe.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LifecycleStage,
    LogBatch,
    LoggedModelStatus,
    ModelInput,
    ModelOutput,
    ModelPoints,
    NewLoggedModel,
    NewRun,
    Points,
    RunStatus,
    Stage,
    ViewType,
    WholeRun,
)
from drupe.errors import AlreadyExists, StoreUnavailable, UnsupportedFeature
from drupe.extend import Feature, TrackingStore
from drupe.migrate import copying
from drupe.migrate.copying import Stores, copy_store
from drupe.search import Kind, parse
from drupe.testing.memory import MemoryRegistryStore, MemoryTrackingStore
from drupe.testing.random_population import fill_registry, fill_tracking

EVERY_RUN = parse(Kind.RUNS)


@pytest.fixture
def source() -> Stores:
    """Experiments, one of them deleted; sixty random runs; models with deleted versions, aliases, stages, a prompt among them."""
    store, registry = MemoryTrackingStore(now_ms=lambda: 1000), MemoryRegistryStore()
    fill_tracking(store, runs=60)
    store.set_experiment_tags("1", {"team": "red"})
    store.rename_experiment("0", "the first")
    gone = store.create_experiment("gone").experiment_id
    store.create_run(NewRun(gone, run_id="in-gone"))
    store.set_experiment_stage(gone, LifecycleStage.DELETED)
    store.create_run(NewRun("0", run_id="odd", tags={"a//b": "kept without checks"}))
    store.log_batch("odd", LogBatch({"m": Points.of((n, n, math.nan if n % 3 == 0 else n / 7) for n in range(1000))}))
    store.log_inputs("odd", [DatasetInput(Dataset("iris", "d1", schema="{}"), (InputTag("mlflow.data.context", "training"),))])
    store.update_run("odd", status=RunStatus.FAILED, end_time=5)
    fill_registry(registry, versions=40)
    registry.create_registered_model("clf", description="words")
    for _ in range(3):
        registry.create_model_version("clf", "s3://b", run_id="odd")
    registry.transition_model_version_stage("clf", "2", Stage.PRODUCTION)
    registry.set_alias("clf", "champion", "1")
    registry.delete_model_version("clf", "3")
    return Stores("source", store, registry)


@pytest.fixture
def target() -> Stores:
    return Stores("target", MemoryTrackingStore(now_ms=lambda: 2000), MemoryRegistryStore())


def run_ids(stores: Stores) -> list[str]:
    return [run.info.run_id for run in stores.tracking.search_runs(EVERY_RUN, experiment_ids=None, view=ViewType.ALL)]


def test_everything_arrives_with_ids_numbers_and_times(source: Stores, target: Stores) -> None:
    report = copy_store(source, target)
    assert report.differences == []
    assert (report.experiments, report.runs, report.copied_runs) == (4, 62, 62)
    assert (report.models, report.copied_models) == (6, 6)
    assert run_ids(target) == run_ids(source)
    there = target.tracking
    assert there.get_experiment("3") == source.tracking.get_experiment("3")
    assert there.get_experiment("0").name == "the first"
    assert there.get_run("odd").data.tags["a//b"] == "kept without checks"
    assert there.get_run("odd").inputs == source.tracking.get_run("odd").inputs
    assert there.get_run("in-gone").info.lifecycle_stage is LifecycleStage.DELETED
    assert len(there.metric_history("odd", "m")) == 1000
    assert target.registry is not None
    assert target.registry.get_version_by_alias("clf", "champion").version == "1"
    assert target.registry.get_model_version("clf", "2").current_stage is Stage.PRODUCTION
    assert target.registry.create_model_version("clf", "s3://b").version == "4"


def test_a_second_copy_finds_nothing_to_do(source: Stores, target: Stores) -> None:
    copy_store(source, target)
    again = copy_store(source, target)
    assert (again.copied_experiments, again.copied_runs, again.copied_models, again.differences) == (0, 0, 0, [])


class Failing(MemoryTrackingStore):
    """Loses its connection at the third parcel of runs, once."""

    calls = 0

    def import_runs(self, runs: Sequence[WholeRun]) -> None:
        self.calls += 1
        if self.calls == 3:
            raise StoreUnavailable("the line is cut")
        super().import_runs(runs)


def test_a_copy_that_was_cut_goes_on_where_it_was(source: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "PAGE", 20)
    target = Stores("target", Failing(), MemoryRegistryStore())
    with pytest.raises(StoreUnavailable):
        copy_store(source, target)
    there = len(run_ids(target))
    assert 0 < there < 62
    report = copy_store(source, target)
    assert (report.copied_runs, report.differences) == (62 - there, [])


def test_long_series_go_metric_by_metric(source: Stores, target: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "POINTS", 10)
    assert copy_store(source, target).differences == []
    assert target.tracking.get_run("odd").info.status is RunStatus.FAILED


def test_runs_that_went_on_meanwhile_are_brought_up_to_date(source: Stores, target: Stores) -> None:
    source.tracking.create_run(NewRun("1", run_id="alive"))
    copy_store(source, target)
    source.tracking.log_batch("alive", LogBatch({"m": Points.of([(0, 0, 0.5)])}, {"p": "1"}))
    source.tracking.update_run("alive", status=RunStatus.FINISHED, end_time=9)
    source.tracking.set_experiment_tags("1", {"team": "blue"})
    report = copy_store(source, target)
    assert (report.copied_runs, report.copied_experiments, report.differences) == (1, 1, [])
    assert target.tracking.get_run("alive").info.status is RunStatus.FINISHED
    assert target.tracking.get_experiment("1").tags == {"team": "blue"}


def test_what_cannot_be_made_equal_is_told(source: Stores, target: Stores) -> None:
    copy_store(source, target)
    target.tracking.log_batch("odd", LogBatch({"m": Points.of([(5000, 0, 0.5)])}, {}, {"mine": "x"}))
    target.tracking.create_run(NewRun("1", run_id="own"))
    assert target.registry is not None
    target.registry.set_registered_model_tag("clf", "task", "mine")
    target.registry.create_registered_model("own")
    assert sorted(copy_store(source, target).differences) == [
        "registered model 'clf' differs",
        "registered model 'own' is in the target only",
        "run odd differs in tags, metrics",
        "run own is in target only",
    ]


def give_models(store: TrackingStore) -> list[str]:
    """Three logged models of the run `odd`: one with all that belongs to it, one that failed, one that was deleted."""
    whole = store.create_logged_model(
        NewLoggedModel("0", name="net", model_type="tree", source_run_id="odd", tags={"a": "b"}, params={"p": "1"})
    )
    points = Points.of([(0, 1, 0.5), (3, 4, math.nan)])
    store.log_batch("odd", LogBatch(model_points=(ModelPoints(whole.model_id, "acc", points, "iris", "d1"),)))
    store.log_outputs("odd", [ModelOutput(whole.model_id, 3)])
    failed = store.create_logged_model(NewLoggedModel("1", name="other"))
    store.set_logged_model_status(failed.model_id, LoggedModelStatus.FAILED, message="no room")
    store.log_model_inputs("odd", [ModelInput(failed.model_id)])
    return [whole.model_id, failed.model_id]


def test_logged_models_are_copied_with_the_runs_that_use_and_made_them(source: Stores, target: Stores) -> None:
    ids = give_models(source.tracking)
    report = copy_store(source, target)
    assert (report.logged_models, report.copied_logged_models, report.differences) == (2, 2, [])
    for model_id in ids:
        assert repr(target.tracking.get_logged_model(model_id)) == repr(source.tracking.get_logged_model(model_id))
    ours, theirs = (store.tracking.get_run("odd") for store in (source, target))
    assert theirs.outputs == ours.outputs
    assert theirs.inputs == ours.inputs
    again = copy_store(source, target)
    assert (again.copied_runs, again.copied_logged_models, again.differences, again.digest) == (0, 0, [], report.digest)


def test_logged_models_that_came_later_are_copied_by_the_next_copy(source: Stores, target: Stores) -> None:
    first = copy_store(source, target)
    give_models(source.tracking)
    report = copy_store(source, target)
    assert (report.copied_logged_models, report.differences) == (2, [])
    assert report.digest != first.digest


def test_what_differs_in_a_logged_model_is_told(source: Stores, target: Stores) -> None:
    whole, failed = give_models(source.tracking)
    copy_store(source, target)
    target.tracking.set_logged_model_tags(whole, {"mine": "x"})
    extra = target.tracking.create_logged_model(NewLoggedModel("0", name="extra"))
    told = copy_store(source, target).differences
    assert f"logged model {whole} ('net') differs in info, tags" in told or f"logged model {whole} ('net') differs in tags" in told
    assert f"logged model {extra.model_id} ('extra') is in the target only" in told
    assert not any(failed in one for one in told)


def test_logged_models_that_stay_behind_are_told(source: Stores, target: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    source.tracking.create_logged_model(NewLoggedModel("0", name="net"))
    features = {one: level for one, level in target.tracking.features.items() if one is not Feature.LOGGED_MODELS}
    monkeypatch.setattr(target.tracking, "features", features)
    (told,) = copy_store(source, target).differences
    assert told == "1 logged models, and which runs use and made them, were not copied: target keeps none"


def test_another_experiment_under_the_same_id_stops_the_copy_before_any_run(source: Stores, target: Stores) -> None:
    target.tracking.create_experiment("mine")
    with pytest.raises(AlreadyExists, match="copy into an empty store"):
        copy_store(source, target)
    assert run_ids(target) == []


def test_a_target_that_cannot_keep_ids_is_refused(source: Stores) -> None:
    class Plain(MemoryTrackingStore):
        features = {}  # noqa: RUF012

    with pytest.raises(UnsupportedFeature, match="target"):
        copy_store(source, Stores("target", Plain(), MemoryRegistryStore()))


def test_a_copy_tells_how_far_it_is(source: Stores, target: Stores) -> None:
    told: list[tuple[int, int, str]] = []
    copy_store(source, target, progress=lambda *heard: told.append(heard))
    assert told[0] == (62, 124, "copying runs")
    assert told[-1] == (124, 124, "comparing runs")


def test_runs_alone_are_copied_where_there_is_no_registry(source: Stores, target: Stores) -> None:
    report = copy_store(source, evolve(target, registry=None))
    assert (report.copied_runs, report.models, report.differences) == (62, 0, [])
