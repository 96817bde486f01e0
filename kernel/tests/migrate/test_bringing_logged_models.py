"""What an import does with logged models: their records, files, metrics, and which runs use and have made them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from drupe.artifacts.repos import repo_for
from drupe.entities import (
    LoggedModel,
    LoggedModelStatus,
    Metric,
    ModelInput,
    ModelOutput,
    RunInputs,
    RunOutputs,
    WholeLoggedModel,
    WholeRun,
)
from drupe.errors import LoggedModelNotFound
from drupe.extend import FoundLoggedModel
from drupe.extend.features import Feature, Support
from drupe.migrate.bringing import Options, bring
from drupe.migrate.report import ImportReport
from drupe.testing.memory_registry import MemoryRegistryStore
from drupe.testing.memory_tracking import MemoryTrackingStore
from drupe.uris import ArtifactPath

from .shelf import ShelfSource, full_shelf, model, run, version

ONE, TWO, GONE = (f"m-{number:032x}" for number in (1, 2, 3))


def logged(model_id: str, **given: Any) -> FoundLoggedModel:
    made = LoggedModel(
        model_id,
        "7",
        "pie",
        f"/old/7/models/{model_id}/artifacts",
        10,
        20,
        LoggedModelStatus.READY,
        "tree",
        "a1",
        None,
        {"team": "red"},
        {"depth": "3"},
        (Metric("acc", 0.5, 1, 1, "a1"), Metric("acc", 0.75, 2, 2, "a1"), Metric("acc", 0.9, 3, 3, "nowhere")),
    )
    return FoundLoggedModel(evolve(made, **given))


def tied(whole: WholeRun, used: Sequence[str] = (), made: Sequence[tuple[str, int]] = ()) -> WholeRun:
    inputs = RunInputs((), tuple(map(ModelInput, used)))
    return evolve(whole, run=evolve(whole.run, inputs=inputs, outputs=RunOutputs(tuple(ModelOutput(*pair) for pair in made))))


def shelf() -> ShelfSource:
    source = full_shelf()
    source.logged = [logged(ONE), logged(TWO, metrics=()), evolve(logged(GONE, metrics=()), is_deleted=True)]
    source.runs["a1"] = tied(run("a1"), made=[(ONE, 4)])
    source.runs["b1"] = tied(source.runs["b1"], used=[ONE, TWO, f"m-{9:032x}"])
    source.shelved = [model(version("1", source=f"models:/{ONE}"), version("2"))]
    return source


class Here:
    def __init__(self, tracking: MemoryTrackingStore | None = None) -> None:
        self.tracking, self.registry = tracking or MemoryTrackingStore(), MemoryRegistryStore()

    def bring(self, source: ShelfSource, **options: Any) -> ImportReport:
        return bring(source, self.tracking, self.registry, options=Options(**options))


@pytest.fixture
def here() -> Here:
    return Here()


def fates(report: ImportReport) -> tuple[int, int, int]:
    return report.logged_models.new, report.logged_models.extended, report.logged_models.unchanged


def losses(report: ImportReport) -> list[tuple[str, str, int]]:
    return [(loss.what, loss.why, loss.count) for loss in report.losses if loss.what != "files"]


LEFT = [
    ("metric of a logged model", "the runs that logged them did not come over", 1),
    ("tie to a logged model", "the model was deleted there, or did not come over", 1),
]


def test_they_arrive_with_their_ids_metrics_and_runs(here: Here) -> None:
    report = here.bring(shelf())
    assert (fates(report), report.model_ties, losses(report)) == ((3, 0, 0), 3, LEFT)
    assert report.is_whole
    one = here.tracking.get_logged_model(ONE)
    address = f"memory:/artifacts/7/models/{ONE}/artifacts"
    latest = Metric("acc", 0.75, 2, 2, "a1", ONE)
    assert one == evolve(logged(ONE).model, artifact_location=address, metrics=(latest,))
    assert here.tracking.get_run("a1").outputs.model_outputs == (ModelOutput(ONE, 4),)
    assert here.tracking.get_run("b1").inputs.model_inputs == (ModelInput(ONE), ModelInput(TWO)), "the run is deleted"
    assert here.tracking.get_logged_model(GONE, allow_deleted=True).name == "pie"
    with pytest.raises(LoggedModelNotFound):
        here.tracking.get_logged_model(GONE)
    assert here.registry.get_model_version("pear", "1").source == f"models:/{ONE}"


def test_a_second_import_changes_nothing(here: Here) -> None:
    first, second = here.bring(shelf()), here.bring(shelf())
    assert (fates(second), second.digest, losses(second), second.mismatches) == ((0, 0, 3), first.digest, LEFT, [])


def test_a_dry_run_tells_the_same_and_writes_nothing(here: Here) -> None:
    dry = here.bring(shelf(), is_dry_run=True)
    assert (fates(dry), dry.model_ties, losses(dry)) == ((3, 0, 0), 3, LEFT)
    with pytest.raises(LoggedModelNotFound):
        here.tracking.get_logged_model(ONE)


def test_what_is_new_there_is_added(here: Here) -> None:
    here.bring(shelf())
    source = shelf()
    more = logged(ONE, tags={"team": "red", "new": "x"}, metrics=(Metric("acc", 0.8, 5, 5, "a1"),), last_updated_timestamp=30)
    source.logged = [more, *source.logged[1:]]
    source.runs["a2"] = tied(run("a2"), made=[(TWO, 0)])
    report = here.bring(source)
    assert (fates(report), report.mismatches) == ((0, 2, 1), [])
    one = here.tracking.get_logged_model(ONE)
    assert (one.tags, one.metrics[0].value, one.last_updated_timestamp) == ({"team": "red", "new": "x"}, 0.8, 30)
    assert here.tracking.get_run("a2").outputs.model_outputs == (ModelOutput(TWO, 0),)


def test_what_was_changed_here_stays_and_is_told(here: Here) -> None:
    here.bring(shelf())
    here.tracking.set_logged_model_tags(ONE, {"team": "mine"})
    here.tracking.delete_logged_model(TWO)
    report = here.bring(shelf())
    assert (fates(report), report.mismatches) == ((0, 0, 2), [])
    assert losses(report)[1:3] == [
        ("logged model tag", "another value is here, 'mine', and stays", 1),
        ("logged model", "it was deleted here", 1),
    ]


def test_its_files_come_too(here: Here, tmp_path: Path) -> None:
    source, place = shelf(), tmp_path / "there" / "models" / ONE / "artifacts"
    place.mkdir(parents=True)
    (place / "MLmodel").write_text("flavors: {}")
    source.files = {"/old/7": tmp_path / "there"}
    location = (tmp_path / "fruit").as_uri()
    here.tracking.create_experiment("fruit", artifact_location=location)
    report = here.bring(source)
    assert (report.files.new, report.file_bytes) == (1, 11)
    address = here.tracking.get_logged_model(ONE).artifact_location
    assert address == f"{location}/models/{ONE}/artifacts"
    assert repo_for(address).is_file(ArtifactPath.parse("MLmodel"))
    assert here.bring(source).files.unchanged == 1
    linked = Here()
    linked.bring(source, link=True)
    assert linked.tracking.get_logged_model(ONE).artifact_location == place.as_uri()


@pytest.mark.parametrize("change", [{"name": "a/b"}, {"model_id": "m-1"}, {"last_updated_timestamp": -1}])
def test_one_that_cannot_be_kept_is_told_and_its_files_stay_those_of_its_versions(here: Here, change: dict[str, Any]) -> None:
    source = shelf()
    source.logged = [evolve(logged(ONE), model=evolve(logged(ONE).model, **change))]
    source.shelved = [model(version("1", source=f"models:/{change.get('model_id', ONE)}"))]
    report = here.bring(source)
    assert [(loss.what, loss.is_damage) for loss in report.losses if loss.is_damage] == [("logged model", True)]
    assert here.registry.get_model_version("pear", "1").source.startswith("memory:/artifacts/7/models/m-")


def test_a_store_without_logged_models_is_told(here: Here) -> None:
    class Old(MemoryTrackingStore):
        features = {Feature.IMPORTS: Support.FULL}  # noqa: RUF012 - as a class of a plugin would have it

    report = Here(Old()).bring(shelf())
    assert ("logged model", "the store here keeps no logged models", 3) in losses(report)
    assert (report.runs.new, report.is_whole) == (4, True)


def test_a_store_that_keeps_them_wrong_is_found_out() -> None:
    class Forgetful(MemoryTrackingStore):
        def _take_in_model(self, whole: WholeLoggedModel) -> None:
            super()._take_in_model(evolve(whole, made_by={}, model=evolve(whole.model, params={})))

    mismatches = Here(Forgetful()).bring(shelf()).mismatches
    assert mismatches[0] == "the logged models of run a1 are not tied to it as they were read"
    assert f"logged model {ONE} is not here as it was read" in mismatches
