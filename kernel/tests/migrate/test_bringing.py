"""What an import does with what a source has: ids kept, interrupted and repeated, met by what is here already."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from attrs import evolve

from drupe.entities import Experiment, LifecycleStage, LogBatch, NewRun, Points, RunData, RunStatus, WholeRun
from drupe.errors import InvalidName, StoreFull, UnsupportedFeature
from drupe.extend import ImportSource
from drupe.extend.features import Feature, Support
from drupe.migrate.bringing import Options, bring
from drupe.migrate.report import ImportReport
from drupe.testing.import_source import ImportSourceKit
from drupe.testing.memory_registry import MemoryRegistryStore
from drupe.testing.memory_tracking import MemoryTrackingStore

from .shelf import ShelfSource, full_shelf, model, run, version


class TestShelf(ImportSourceKit):
    @pytest.fixture
    def open_source(self) -> Callable[[], ImportSource]:
        return full_shelf


class Here:
    def __init__(self) -> None:
        self.tracking, self.registry = MemoryTrackingStore(), MemoryRegistryStore()

    def bring(self, source: ImportSource, **options: Any) -> ImportReport:
        return bring(source, self.tracking, self.registry, options=Options(**options))


@pytest.fixture
def here() -> Here:
    return Here()


def fates(report: ImportReport) -> dict[str, tuple[int, int, int]]:
    return {what: (one.new, one.extended, one.unchanged) for what, one in report.tallies().items() if one.total}


def told(report: ImportReport) -> list[tuple[str, str]]:
    return [(loss.name, loss.why) for loss in report.losses if loss.what != "files"]


def test_all_of_it_arrives_with_its_ids_and_times(here: Here) -> None:
    source = full_shelf()
    report = here.bring(source)
    assert fates(report) == {"experiments": (2, 0, 0), "runs": (4, 0, 0), "models": (1, 0, 0), "versions": (2, 0, 0)}
    assert report.is_whole
    assert here.tracking.get_experiment("7").creation_time == 500
    assert here.tracking.get_experiment("8") == source.found[1]
    kept = here.tracking.get_run("a1").info
    assert kept == evolve(source.runs["a1"].run.info, artifact_uri="memory:/artifacts/7/a1/artifacts")
    assert here.tracking.get_run("b1").info == source.runs["b1"].run.info, "the address of an object store stays"


def test_an_import_that_was_interrupted_goes_on_where_it_stopped() -> None:
    class Full(MemoryTrackingStore):
        writes = 0

        def import_runs(self, runs: Sequence[WholeRun]) -> None:
            self.writes += 1
            if self.writes == 3:
                raise StoreFull("no space is left")
            super().import_runs(runs)

    here = Here()
    here.tracking = Full()
    source = full_shelf(count=170)
    with pytest.raises(StoreFull):
        here.bring(source)
    report = here.bring(source)
    assert fates(report)["runs"] == (71, 0, 100)
    assert (report.is_whole, report.mismatches) == (True, [])
    assert fates(here.bring(source))["runs"] == (0, 0, 171)


def test_a_second_import_adds_what_is_new_and_nothing_else(here: Here) -> None:
    source = full_shelf()
    source.runs["a1"] = run("a1", status=RunStatus.RUNNING, end_time=None)
    here.bring(source)
    source.runs["a1"] = evolve(
        run("a1"), points={"loss": Points.of([(0, 1, 0.5), (1, 2, 0.25), (2, 3, 0.1)]), "acc": Points.of([(0, 1, 0.9)])}
    )
    source.runs["a9"] = run("a9")
    source.shelved = [model(version("1"), version("2"), version("3"), aliases={"champion": "2", "next": "3"})]
    report = here.bring(source)
    assert fates(report) == {"experiments": (0, 0, 2), "runs": (1, 1, 3), "models": (0, 1, 0), "versions": (1, 0, 2)}
    kept = here.tracking.get_run("a1")
    assert (kept.info.status, kept.info.end_time, kept.data.summaries["loss"].count) == (RunStatus.FINISHED, 2000, 3)
    assert here.registry.get_registered_model("pear").aliases == {"champion": "2", "next": "3"}
    assert (told(report), report.mismatches) == ([], [])


def test_what_was_changed_here_stays_and_is_told(here: Here) -> None:
    source = full_shelf()
    here.bring(source)
    here.tracking.log_batch("a1", LogBatch({}, {}, {"mlflow.runName": "mine"}))
    here.tracking.set_experiment_tags("7", {"team": "mine"})
    here.registry.set_registered_model_tag("pear", "task", "mine")
    here.registry.set_alias("pear", "champion", "1")
    here.registry.delete_model_version("pear", "2")
    changed = run("a2")
    source.runs["a2"] = evolve(changed, run=evolve(changed.run, data=RunData(params={"a": "2"}, tags=changed.run.data.tags)))
    report = here.bring(source)
    assert (report.mismatches, report.is_whole) == ([], True)
    assert sorted(name for name, _ in told(report)) == [
        "experiment 7 ('fruit'), tag 'team'",
        "registered model 'pear', alias 'champion'",
        "registered model 'pear', tag 'task'",
        "registered model 'pear', version 2",
        "run a1",
        "run a1, tag 'mlflow.runName'",
        "run a2, param 'a'",
    ]
    assert here.tracking.get_run("a1").info.run_name == "mine"
    assert here.tracking.get_run("a2").data.params == {"a": "1"}
    assert here.registry.get_registered_model("pear").aliases == {"champion": "1"}


def test_an_id_that_is_taken_here_gives_the_experiment_another(here: Here) -> None:
    here.tracking.import_experiment(Experiment("7", "mine", "s3://mine", creation_time=1))
    report = here.bring(full_shelf())
    assert report.renumbered == [("fruit", "7", "9")]
    assert here.tracking.get_run("a1").info.experiment_id == "9"
    assert report.is_whole
    again = here.bring(full_shelf())
    assert fates(again)["runs"] == (0, 0, 4)


def test_runs_of_an_experiment_whose_name_is_here_join_it(here: Here) -> None:
    mine = here.tracking.create_experiment("fruit")
    report = here.bring(full_shelf())
    assert report.renumbered[0] == ("fruit", "7", mine.experiment_id)
    assert here.tracking.get_run("a1").info.experiment_id == mine.experiment_id


def test_an_experiment_that_was_renamed_there_is_the_same(here: Here) -> None:
    source = full_shelf()
    here.bring(source)
    source.found[0] = evolve(source.found[0], name="fruit salad")
    report = here.bring(source)
    assert fates(report)["experiments"] == (0, 0, 2)
    assert [why for _, why in told(report)] == ["its name is 'fruit salad' there and 'fruit' here, which stays"]


def test_an_id_of_a_run_of_another_experiment_is_told(here: Here) -> None:
    here.tracking.create_run(NewRun("0", run_id="a1"))
    report = here.bring(full_shelf())
    assert told(report) == [("run a1", "a run of experiment 0 has this id here")]
    assert fates(report)["runs"] == (3, 0, 0)


def test_a_version_of_another_origin_keeps_its_number(here: Here) -> None:
    here.registry.create_registered_model("pear", description="a pear")
    here.registry.create_model_version("pear", "s3://mine")
    report = here.bring(full_shelf())
    assert told(report) == [("registered model 'pear', version 1", "another version has this number here, and stays")]
    assert here.registry.get_model_version("pear", "1").source == "s3://mine"
    assert here.registry.get_registered_model("pear").aliases == {"champion": "2"}


def test_sources_of_versions_follow_the_files(here: Here, tmp_path: Path) -> None:
    here.bring(full_shelf())
    assert here.registry.get_model_version("pear", "1").source == "memory:/artifacts/7/a1/artifacts/model"


def test_a_run_that_a_store_refuses_is_told_and_the_others_arrive(here: Here) -> None:
    class Picky(MemoryTrackingStore):
        def import_runs(self, runs: Sequence[WholeRun]) -> None:
            if any(one.run.info.run_id == "a2" for one in runs):
                raise InvalidName("not this one")
            super().import_runs(runs)

    here.tracking = Picky()
    report = here.bring(full_shelf())
    assert told(report) == [("run a2", "not this one")]
    assert fates(report)["runs"] == (3, 0, 0)
    assert not report.is_whole


def test_what_a_store_keeps_otherwise_than_it_was_read_is_found_at_the_end(here: Here) -> None:
    class Lossy(MemoryTrackingStore):
        def import_runs(self, runs: Sequence[WholeRun]) -> None:
            super().import_runs([evolve(one, points={}) if one.run.info.run_id == "a2" else one for one in runs])

    here.tracking = Lossy()
    report = here.bring(full_shelf())
    assert report.mismatches == ["run a2 is not here as it was read"]
    assert not report.is_whole


def test_a_store_that_keeps_no_ids_is_refused_before_anything_is_read() -> None:
    class Plain(MemoryTrackingStore):
        features: ClassVar[Mapping[Feature, Support]] = {}

    with pytest.raises(UnsupportedFeature):
        bring(ShelfSource(), Plain(), MemoryRegistryStore())


def test_progress_is_told_up_to_the_end(here: Here) -> None:
    seen: list[tuple[int, int, str]] = []
    bring(full_shelf(), here.tracking, here.registry, progress=lambda done, total, what: seen.append((done, total, what)))
    assert (5, 5, "pear") in seen
    assert seen[-1][2] == "comparing"


def test_a_deleted_experiment_here_gets_no_tags(here: Here) -> None:
    source = full_shelf()
    here.bring(source)
    here.tracking.set_experiment_stage("7", LifecycleStage.DELETED)
    source.found[0] = evolve(source.found[0], tags={"team": "a", "more": "b"})
    assert [why for name, why in told(here.bring(source)) if "experiment" in name][-1] == "it is deleted here, so no tags are added"
