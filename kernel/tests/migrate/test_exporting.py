"""What an export does with what is here: ids kept in tags, no twins, interrupted and repeated, met by what is there already; compared in the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from attrs import evolve

from drupe.artifacts.repos import repo_for
from drupe.entities import (
    Experiment,
    LifecycleStage,
    LogBatch,
    LoggedModel,
    ModelInput,
    ModelOutput,
    NewLoggedModel,
    NewRun,
    Points,
    Run,
    RunData,
    RunInputs,
    RunOutputs,
    RunStatus,
    Stage,
    ViewType,
)
from drupe.errors import InvalidValue, StoreUnavailable, UnsupportedFeature
from drupe.extend.features import Feature, Support
from drupe.migrate.bringing import bring
from drupe.migrate.exporting.export import send
from drupe.migrate.exporting.report import ExportReport
from drupe.search.parse import parse
from drupe.search.query import Kind
from drupe.testing.memory_registry import MemoryRegistryStore
from drupe.testing.memory_tracking import MemoryTrackingStore
from drupe.uris import ArtifactPath, Uri

from .shelf import ShelfSource, full_shelf, model, run, version
from .test_bringing_logged_models import ONE, logged

ADDRESS = Uri.parse("http://127.0.0.1:5000")


class Server(MemoryTrackingStore):
    """A store that gives ids itself, as a server of MLflow does."""

    features: ClassVar[Mapping[Feature, Support]] = {Feature.LOGGED_MODELS: Support.FULL}

    def create_run(self, new: NewRun) -> Run:
        assert new.run_id is None
        return super().create_run(new)

    def create_logged_model(self, new: NewLoggedModel) -> LoggedModel:
        assert new.model_id is None
        return super().create_logged_model(new)


class Breaking(Server):
    """Is gone after so many writes."""

    writes_left = 1000


def _breaking(name: str) -> Callable[..., Any]:
    def call(self: Breaking, *given: Any, **named: Any) -> Any:
        self.writes_left -= 1
        if self.writes_left == 0:
            raise StoreUnavailable("the server is gone")
        return getattr(Server, name)(self, *given, **named)

    return call


for _name in (
    *("create_experiment", "set_experiment_tags", "set_experiment_stage", "create_run", "log_batch", "update_run", "set_run_stage"),
    *("create_logged_model", "set_logged_model_tags", "log_outputs", "log_model_inputs", "set_logged_model_status"),
):
    setattr(Breaking, _name, _breaking(_name))


class There:
    def __init__(self, tmp_path: Path, tracking: MemoryTrackingStore | None = None) -> None:
        root = (tmp_path / "there").as_uri()
        self.tracking, self.registry = tracking or Server(artifact_root=root), MemoryRegistryStore()

    def run_of(self, run_id: str) -> Run:
        (found,) = self.tracking.search_runs(parse(Kind.RUNS, f"tags.`drupe.run_id` = '{run_id}'"), experiment_ids=None, view=ViewType.ALL)
        return found


class Here:
    """A store that was filled from a shelf, with files of two runs and of a logged model."""

    def __init__(self, tmp_path: Path, source: ShelfSource) -> None:
        self.tracking, self.registry = MemoryTrackingStore(artifact_root=(tmp_path / "here").as_uri()), MemoryRegistryStore()
        for name in ("a1/artifacts/model/MLmodel", "a2/artifacts/deep/50% done.txt", f"models/{ONE}/artifacts/MLmodel"):
            file = tmp_path / "old" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(name)
        source.files = {"/old/7": tmp_path / "old"}
        bring(source, self.tracking, self.registry)

    def send(self, there: There, **options: Any) -> ExportReport:
        report = ExportReport("here", "there", **options)
        return send((self.tracking, self.registry), (there.tracking, there.registry), ADDRESS, report=report)


def shelf() -> ShelfSource:
    source = full_shelf()
    source.found[1] = evolve(source.found[1], artifact_location="/old/8")
    source.runs["b1"] = run("b1", "8", artifact_uri="/old/8/b1/artifacts", lifecycle_stage=LifecycleStage.DELETED)
    first = evolve(run("a1", status=RunStatus.FAILED), points={**run("a1").points, "acc": Points.of([(1, 1, 0.5), (2, 2, 0.75)])})
    source.runs["a1"] = evolve(first, run=evolve(first.run, outputs=RunOutputs((ModelOutput(ONE, 4),))))
    child = run("a2")
    tags = {**child.run.data.tags, "mlflow.parentRunId": "a1", "odd $name": "x"}
    used = RunInputs((), (ModelInput(ONE),))
    points = {"loss": Points.of([(0, 1, float("inf")), (1, 2, float("nan")), (1, 2, 0.5), (-3, 1, 1.0)])}
    source.runs["a2"] = evolve(child, points=points, run=evolve(child.run, inputs=used, data=evolve(child.run.data, tags=tags)))
    source.runs["a3"] = run("a3", lifecycle_stage=LifecycleStage.DELETED, status=RunStatus.RUNNING, end_time=None)
    source.logged = [logged(ONE)]
    versions = (
        version("1", source=f"models:/{ONE}", current_stage=Stage.PRODUCTION, tags={"i": "1"}),
        version("3", source="/old/7/a1/artifacts/model", description="three"),
        version("4", source="s3://bucket/4", run_id=None),
    )
    source.shelved = [model(*versions, aliases={"champion": "3"})]
    return source


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path, shelf())


@pytest.fixture
def there(tmp_path: Path) -> There:
    return There(tmp_path)


def fates(report: ExportReport) -> dict[str, tuple[int, int, int]]:
    return {what: (one.new, one.extended, one.unchanged) for what, one in report.tallies().items() if one.total}


ALL_NEW = {
    "experiments": (2, 0, 1),
    "runs": (4, 0, 0),
    "logged_models": (1, 0, 0),
    "models": (1, 0, 0),
    "versions": (3, 0, 0),
    "files": (3, 0, 0),
}


def test_all_of_it_is_there_under_other_ids(here: Here, there: There) -> None:
    report = here.send(there)
    assert (fates(report), report.losses, report.mismatches) == (ALL_NEW, [], [])
    assert report.digest is not None
    sent = there.run_of("a1")
    assert report.mapping.runs["a1"] == sent.info.run_id != "a1"
    assert (sent.info.run_name, sent.info.status, sent.info.start_time, sent.info.end_time) == ("name of a1", RunStatus.FAILED, 1000, 2000)
    child = there.run_of("a2")
    assert child.data.tags["mlflow.parentRunId"] == sent.info.run_id
    assert child.data.tags["odd $name"] == "x"
    (series,) = there.tracking.metric_bulk([child.info.run_id])
    assert [(step, repr(value)) for step, _, value in series.points] == [(-3, "1.0"), (0, "inf"), (1, "nan"), (1, "0.5")]
    assert repo_for(child.info.artifact_uri).is_file(ArtifactPath.parse("deep/50% done.txt"))
    unfinished = there.run_of("a3").info
    assert (unfinished.lifecycle_stage, unfinished.status, unfinished.end_time) == (LifecycleStage.DELETED, RunStatus.RUNNING, None)
    gone = there.tracking.get_experiment_by_name("gone")
    assert gone is not None
    assert gone.lifecycle_stage is LifecycleStage.DELETED


def test_logged_models_are_tied_to_the_runs_there(here: Here, there: There) -> None:
    report = here.send(there)
    sent = there.tracking.get_logged_model(report.mapping.logged_models[ONE])
    runs = report.mapping.runs
    assert (sent.name, sent.status.value, sent.source_run_id, sent.params) == ("pie", "READY", runs["a1"], {"depth": "3"})
    assert [(one.key, one.value, one.run_id) for one in sent.metrics] == [("acc", 0.75, runs["a1"])]
    assert there.run_of("a1").outputs.model_outputs == (ModelOutput(sent.model_id, 4),)
    assert there.run_of("a2").inputs.model_inputs == (ModelInput(sent.model_id),)
    assert repo_for(sent.artifact_location).is_file(ArtifactPath.parse("MLmodel"))


def test_versions_keep_their_numbers_and_point_to_their_files_there(here: Here, there: There) -> None:
    report = here.send(there)
    kept = there.registry.get_registered_model("pear")
    assert (kept.description, kept.tags, kept.aliases) == ("a pear", {"task": "x"}, {"champion": "3"})
    one, three, four = (there.registry.get_model_version("pear", number) for number in ("1", "3", "4"))
    assert (one.source, one.current_stage, one.tags["i"]) == (f"models:/{report.mapping.logged_models[ONE]}", Stage.PRODUCTION, "1")
    assert three.source == f"{there.run_of('a1').info.artifact_uri}/model"
    assert (three.run_id, three.description, four.source) == (report.mapping.runs["a3"], "three", "s3://bucket/4")
    assert there.registry.create_model_version("pear", "s3://next").version == "5"


def test_a_second_export_changes_nothing(here: Here, there: There) -> None:
    first, second = here.send(there), here.send(there)
    assert fates(second) == {what: (0, 0, sum(counts)) for what, counts in ALL_NEW.items() if what != "files"}
    assert (second.digest, second.mapping, second.losses) == (first.digest, first.mapping, [])


def test_a_dry_run_tells_the_same_and_writes_nothing(here: Here, there: There) -> None:
    report = here.send(there, is_dry_run=True)
    assert (fates(report), report.digest) == (ALL_NEW, None)
    assert there.tracking.get_experiment_by_name("fruit") is None
    assert list(there.registry.search_registered_models(parse(Kind.REGISTERED_MODELS))) == []


def test_an_export_that_breaks_off_at_any_write_goes_on_without_twins(here: Here, tmp_path: Path) -> None:
    for last in range(1, 1000):
        there = There(tmp_path, Breaking(artifact_root=(tmp_path / f"there{last}").as_uri()))
        there.tracking.writes_left = last  # type: ignore[attr-defined]
        try:
            here.send(there)
        except StoreUnavailable:
            there.tracking.writes_left = 1000  # type: ignore[attr-defined]
            report = here.send(there)
        else:
            break
        assert (report.mismatches, report.losses) == ([], [])
        assert there.tracking.count_runs(parse(Kind.RUNS), view=ViewType.ALL) == 4
        assert len(there.tracking.search_logged_models(parse(Kind.LOGGED_MODELS), experiment_ids=None)) == 1
        assert there.run_of("a3").info.lifecycle_stage is LifecycleStage.DELETED
    assert last > 25, "there are so many writes"


def test_what_is_new_here_is_added_there(here: Here, there: There) -> None:
    here.send(there)
    here.tracking.log_batch("a1", LogBatch({"loss": Points.of([(2, 9, 0.1)])}, {"new": "p"}, {"note": "n"}))
    made = here.tracking.create_run(NewRun("7", run_name="late", start_time=9))
    here.registry.create_model_version("pear", "s3://bucket/5")
    report = here.send(there)
    assert (fates(report)["runs"], fates(report)["versions"], report.mismatches) == ((1, 1, 3), (1, 0, 3), [])
    assert there.run_of("a1").data.summaries["loss"].count == 3
    assert there.run_of("a1").data.params["new"] == "p"
    assert there.run_of(made.info.run_id).info.run_name == "late"


def test_an_experiment_that_was_deleted_there_is_left_alone_and_told(here: Here, there: There) -> None:
    made = there.tracking.create_experiment("fruit")
    there.tracking.set_experiment_stage(made.experiment_id, LifecycleStage.DELETED)
    report = here.send(there)
    assert [(loss.what, "deleted there" in loss.why) for loss in report.losses if loss.what == "experiment"] == [("experiment", True)]
    assert fates(report)["runs"] == (1, 0, 0)
    assert {loss.what for loss in report.losses} == {"experiment", "model version"}


def test_versions_of_others_keep_their_numbers_there(here: Here, there: There) -> None:
    there.registry.create_registered_model("pear", tags={"task": "theirs"})
    there.registry.create_model_version("pear", "s3://theirs")
    report = here.send(there)
    assert report.mapping.versions == {"pear/1": "pear/2", "pear/3": "pear/3", "pear/4": "pear/4"}
    assert there.registry.get_model_version("pear", "1").source == "s3://theirs"
    assert [(loss.what, loss.why) for loss in report.losses] == [
        ("registered model tag", "another value is there, and stays"),
        ("model version", "it has the number 2 there; 1 is another one's"),
    ]
    assert here.send(there).mapping == report.mapping


def test_what_a_server_refuses_is_told_and_the_rest_goes(here: Here, tmp_path: Path) -> None:
    class Picky(Server):
        def log_batch(self, run_id: str, batch: LogBatch) -> None:
            if "a" in batch.params or "extra" in batch.metrics:
                raise InvalidValue("no such names here")
            super().log_batch(run_id, batch)

    here.tracking.log_batch("a1", LogBatch({"extra": Points.of([(0, 1, 1.0)])}))
    there = There(tmp_path, Picky(artifact_root=(tmp_path / "there").as_uri()))
    report = here.send(there)
    assert {(loss.what, loss.name) for loss in report.losses} == {
        ("metric", "run a1, metric 'extra'"),
        *((("param", f"run {run_id}, param 'a'")) for run_id in ("a1", "a2", "a3", "b1")),
    }
    assert report.mismatches == []
    assert there.run_of("a1").data.summaries["loss"].count == 2


def test_without_logged_models_there_their_files_go_below_the_run_that_made_them(here: Here, tmp_path: Path) -> None:
    class Old(Server):
        features: ClassVar[Mapping[Feature, Support]] = {}

        def log_model_inputs(self, run_id: str, models: Sequence[ModelInput]) -> None:
            raise UnsupportedFeature("none here")

    there = There(tmp_path, Old(artifact_root=(tmp_path / "there").as_uri()))
    report = here.send(there)
    assert [(loss.what, loss.count) for loss in report.losses] == [("logged model", 1)]
    source = there.registry.get_model_version("pear", "1").source
    assert source == f"{there.run_of('a1').info.artifact_uri}/logged_models/{ONE}"
    assert repo_for(source).is_file(ArtifactPath.parse("MLmodel"))
    assert report.mismatches == []


def test_a_server_that_keeps_things_wrong_is_found_out(here: Here, tmp_path: Path) -> None:
    class Forgetful(Server):
        def log_batch(self, run_id: str, batch: LogBatch) -> None:
            super().log_batch(run_id, evolve(batch, metrics={key: Points.of(list(one)[:1]) for key, one in batch.metrics.items()}))

        def set_run_stage(self, run_id: str, stage: LifecycleStage) -> None:
            pass

        def log_outputs(self, run_id: str, models: Sequence[ModelOutput]) -> None:
            super().log_outputs(run_id, [evolve(one, step=0) for one in models])

    there = There(tmp_path, Forgetful(artifact_root=(tmp_path / "there").as_uri()))
    report = here.send(there)
    assert "run a1 differs there in metrics" in report.mismatches
    assert "run a3 differs there in stage, metrics" in report.mismatches
    assert f"logged model {ONE} differs there in ties to runs" in report.mismatches
    assert not report.is_whole


def test_the_default_experiment_goes_to_the_default_experiment(here: Here, there: There) -> None:
    made = here.tracking.create_run(NewRun("0", run_name="loose"))
    report = here.send(there)
    assert there.run_of(made.info.run_id).info.experiment_id == "0"
    assert report.mapping.experiments["0"] == "0"


def test_files_of_a_server_that_keeps_them_on_its_own_machine_are_not_written_here(here: Here, tmp_path: Path) -> None:
    there = There(tmp_path, Server(artifact_root=(tmp_path / "elsewhere").as_uri()))
    report = ExportReport("here", "there")
    sides = (here.tracking, here.registry), (there.tracking, there.registry)
    send(*sides, Uri.parse("http://mlflow.example.org:5000"), report=report)
    assert {loss.what for loss in report.losses if "--serve-artifacts" in loss.why} == {"files"}
    assert not (tmp_path / "elsewhere").exists()


def test_history_of_models_names_the_run_there(tmp_path: Path, there: There) -> None:
    source = ShelfSource([Experiment("7", "fruit", "s3://b/7")], {"a1": run("a1", artifact_uri="s3://b/7/a1")})
    told = source.runs["a1"]
    tags = {"mlflow.log-model.history": '[{"run_id": "a1"}]', **told.run.data.tags}
    source.runs["a1"] = evolve(told, run=evolve(told.run, data=RunData(tags=tags)))
    report = Here(tmp_path, source).send(there)
    assert there.run_of("a1").data.tags["mlflow.log-model.history"] == f'[{{"run_id": "{report.mapping.runs["a1"]}"}}]'
