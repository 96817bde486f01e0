"""The conformance kit of import sources: what every implementation of `drupe.extend.ImportSource` must do.

A plugin's test module subclasses the kit and opens a source; nothing else is needed:

    class TestMySource(ImportSourceKit):
        @pytest.fixture
        def open_source(self, recorded_store):
            return lambda: MySource.open(Uri.parse(f"mine:///{recorded_store}"))

The source must have at least two experiments, two runs in one of them, and a registered model. Whether what is read is what the other tool
has stored is for the plugin's own tests, best against recorded stores; so is what a damaged or hostile store leads to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from drupe.entities import WholeModel
from drupe.extend import FoundExperiment, FoundRun, ImportSource, Loss
from drupe.migrate.bringing import bring
from drupe.migrate.digests import digest_of_model, digest_of_run
from drupe.testing.kit import in_threads
from drupe.testing.memory_registry import MemoryRegistryStore
from drupe.testing.memory_tracking import MemoryTrackingStore

__all__ = ["ImportSourceKit"]


class ImportSourceKit:
    """Subclass it as `Test…` and override the fixture `open_source`.

    `cannot` names tests that this source does not pass, each with the reason; they are skipped and the reason shown.
    """

    cannot: ClassVar[Mapping[str, str]] = {}

    @pytest.fixture
    def open_source(self) -> Callable[[], ImportSource]:
        """A function that opens the same source, anew each time."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture `open_source` that gives a function without arguments")

    @pytest.fixture
    def source(self, open_source: Callable[[], ImportSource]) -> Iterator[ImportSource]:
        """The source, opened, and closed afterwards."""
        opened = open_source()
        yield opened
        opened.close()

    @pytest.fixture(autouse=True)
    def _leave_out_what_the_source_cannot(self, request: pytest.FixtureRequest) -> None:
        reason = self.cannot.get(getattr(request.function, "__name__", ""))
        if reason:
            pytest.skip(reason)

    def test_what_is_left_out_are_tests_of_this_kit(self) -> None:
        assert [name for name in self.cannot if not callable(getattr(self, name, None))] == []

    def test_every_experiment_comes_once(self, source: ImportSource) -> None:
        found = _experiments(source)
        assert len(found) >= 2, "the kit needs a source with two experiments"
        for values in ([one.experiment.experiment_id for one in found], [one.experiment.name for one in found]):
            assert len(set(values)) == len(values)

    def test_runs_come_in_the_order_in_which_they_are_asked_for(self, source: ImportSource) -> None:
        experiment_id, run_ids = _most_runs(source)
        assert len(run_ids) >= 2, "the kit needs an experiment with two runs"
        assert len(set(run_ids)) == len(run_ids)
        for asked in (run_ids, run_ids[::-1], run_ids[1:2]):
            assert [one.whole.run.info.run_id for one in _runs(source, experiment_id, asked)] == asked

    def test_a_run_names_its_experiment(self, source: ImportSource) -> None:
        experiment_id, run_ids = _most_runs(source)
        assert {one.whole.run.info.experiment_id for one in _runs(source, experiment_id, run_ids)} == {experiment_id}

    def test_a_run_that_has_gone_is_left_out(self, source: ImportSource) -> None:
        experiment_id, run_ids = _most_runs(source)
        asked = ["0" * 32, run_ids[0]]
        assert [one.whole.run.info.run_id for one in _runs(source, experiment_id, asked)] == run_ids[:1]

    def test_what_is_opened_again_has_the_same(self, source: ImportSource, open_source: Callable[[], ImportSource]) -> None:
        again = open_source()
        try:
            assert _content(again) == _content(source)
            assert again.description() == source.description()
        finally:
            again.close()

    def test_several_threads_read_at_once(self, source: ImportSource) -> None:
        experiment_id, run_ids = _most_runs(source)
        wanted = [digest_of_run(one.whole) for one in _runs(source, experiment_id, run_ids)]
        seen: list[list[bytes]] = []

        def read() -> None:
            seen.append([digest_of_run(one.whole) for one in _runs(source, experiment_id, run_ids)])

        assert in_threads([read for _ in range(6)]) == []
        assert seen == [wanted] * 6

    def test_versions_belong_to_their_model_and_count_for_the_highest(self, source: ImportSource) -> None:
        found = [one for one in source.models() if isinstance(one, WholeModel)]
        assert found, "the kit needs a source with a registered model"
        for whole in found:
            assert {version.name for version in whole.versions} <= {whole.model.name}
            numbers = [int(version.version) for version in whole.versions]
            assert len(set(numbers)) == len(numbers)
            assert whole.highest >= max(numbers, default=0)

    def test_what_is_told_is_text_for_a_person(self, source: ImportSource) -> None:
        assert source.description().strip()
        told = [*source.leftovers(), *(one for one in source.experiments() if isinstance(one, Loss))]
        assert [loss for loss in told if not (loss.what and loss.name and loss.why and loss.count >= 1)] == []

    def test_roots_are_folders(self, source: ImportSource) -> None:
        _experiments(source)
        assert [folder for _, folder in source.roots() if not (isinstance(folder, Path) and folder.is_absolute())] == []

    def test_an_import_of_it_arrives_whole_and_a_second_one_adds_nothing(self, source: ImportSource) -> None:
        tracking, registry = MemoryTrackingStore(), MemoryRegistryStore()
        first = bring(_without_files(source), tracking, registry)
        assert first.mismatches == []
        assert first.runs.new >= 2
        second = bring(_without_files(source), tracking, registry)
        assert second.digest == first.digest
        assert (second.runs.new, second.runs.extended, second.models.new, second.experiments.new) == (0, 0, 0, 0)

    def test_closing_twice_is_harmless(self, open_source: Callable[[], ImportSource]) -> None:
        opened = open_source()
        opened.close()
        opened.close()


class _WithoutFiles:
    """A source of which no files are reached: those are for `drupe.testing.artifact_repo` and the plugin's own tests."""

    def __init__(self, source: ImportSource) -> None:
        self._source = source

    def __getattr__(self, name: str) -> Any:
        return {"roots": tuple, "repo_at": lambda address, run_id: None}.get(name) or getattr(self._source, name)


def _without_files(source: ImportSource) -> ImportSource:
    return cast(ImportSource, _WithoutFiles(source))


def _experiments(source: ImportSource) -> list[FoundExperiment]:
    return [one for one in source.experiments() if isinstance(one, FoundExperiment)]


def _runs(source: ImportSource, experiment_id: str, run_ids: list[str]) -> list[FoundRun]:
    return [one for one in source.read_runs(experiment_id, run_ids) if isinstance(one, FoundRun)]


def _most_runs(source: ImportSource) -> tuple[str, list[str]]:
    found = [(one.experiment.experiment_id, list(source.run_ids(one.experiment.experiment_id))) for one in _experiments(source)]
    return max(found, key=lambda pair: len(pair[1]))


def _content(source: ImportSource) -> tuple[list[FoundExperiment], list[bytes], list[bytes]]:
    experiments = _experiments(source)
    ids = [one.experiment.experiment_id for one in experiments]
    runs = [digest_of_run(one.whole) for each in ids for one in _runs(source, each, list(source.run_ids(each)))]
    models = [digest_of_model(one) for one in source.models() if isinstance(one, WholeModel)]
    return experiments, runs, models
