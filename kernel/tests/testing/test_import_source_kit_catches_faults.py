"""The kit of import sources has teeth: each source below breaks one promise, and the test of the kit named beside it says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from attrs import evolve

from drupe.entities import Experiment, Points, WholeModel
from drupe.extend import FoundExperiment, FoundRun, ImportSource, Loss
from drupe.testing.import_source import ImportSourceKit

from ..migrate.shelf import ShelfSource, full_shelf

FAULTS: list[tuple[type[ShelfSource], str]] = []


def caught_by(test: str) -> Any:
    """Registers a broken source with the name of the test that must complain about it."""

    def register(broken: type[ShelfSource]) -> type[ShelfSource]:
        FAULTS.append((broken, test))
        return broken

    return register


@caught_by("test_every_experiment_comes_once")
class TellsExperimentsTwice(ShelfSource):
    def experiments(self) -> Iterator[FoundExperiment | Loss]:
        yield from super().experiments()
        yield from super().experiments()


@caught_by("test_runs_come_in_the_order_in_which_they_are_asked_for")
class SortsRuns(ShelfSource):
    def read_runs(self, experiment_id: str, run_ids: Sequence[str]) -> Iterator[FoundRun | Loss]:
        yield from super().read_runs(experiment_id, sorted(run_ids))


@caught_by("test_a_run_names_its_experiment")
class ForgetsTheExperiment(ShelfSource):
    def read_runs(self, experiment_id: str, run_ids: Sequence[str]) -> Iterator[FoundRun | Loss]:
        for one in super().read_runs(experiment_id, run_ids):
            assert isinstance(one, FoundRun)
            info = evolve(one.whole.run.info, experiment_id="0")
            yield FoundRun(evolve(one.whole, run=evolve(one.whole.run, info=info)))


@caught_by("test_a_run_that_has_gone_is_left_out")
class FailsForRunsThatHaveGone(ShelfSource):
    def read_runs(self, experiment_id: str, run_ids: Sequence[str]) -> Iterator[FoundRun | Loss]:
        yield from (FoundRun(self.runs[run_id]) for run_id in run_ids)


@caught_by("test_what_is_opened_again_has_the_same")
class TellsLessTheSecondTime(ShelfSource):
    opened = 0

    def models(self) -> Iterator[WholeModel | Loss]:
        type(self).opened += 1
        if type(self).opened % 2:
            yield from super().models()


@caught_by("test_versions_belong_to_their_model_and_count_for_the_highest")
class ForgetsTheHighest(ShelfSource):
    def models(self) -> Iterator[WholeModel | Loss]:
        yield from (evolve(one, highest=0) for one in self.shelved)


@caught_by("test_what_is_told_is_text_for_a_person")
class TellsNothing(ShelfSource):
    def leftovers(self) -> Iterator[Loss]:
        yield Loss("trace", "all", "")


@caught_by("test_an_import_of_it_arrives_whole_and_a_second_one_adds_nothing")
class InventsPoints(ShelfSource):
    def read_runs(self, experiment_id: str, run_ids: Sequence[str]) -> Iterator[FoundRun | Loss]:
        for one in super().read_runs(experiment_id, run_ids):
            assert isinstance(one, FoundRun)
            self.asked.append("again")
            yield FoundRun(evolve(one.whole, points={"loss": Points.of([(len(self.asked), 1, 1.0)])}))


@caught_by("test_closing_twice_is_harmless")
class ClosesOnce(ShelfSource):
    is_closed = False

    def close(self) -> None:
        if self.is_closed:
            raise LookupError("closed already")
        self.is_closed = True


def opened(kind: type[ShelfSource]) -> ShelfSource:
    shelf = full_shelf()
    return kind(shelf.found, shelf.runs, shelf.shelved)


def complaint(kind: type[ShelfSource], test: str) -> str | None:
    """What that test of the kit says of the source; None when it passes."""
    kit: Any = ImportSourceKit()
    function = getattr(kit, test)
    given: dict[str, Any] = {"source": opened(kind), "open_source": lambda: opened(kind)}
    wanted = function.__code__.co_varnames[1 : function.__code__.co_argcount]
    try:
        function(**{name: given[name] for name in wanted})
    except (AssertionError, LookupError) as fault:
        return str(fault) or type(fault).__name__
    return None


@pytest.mark.parametrize(("kind", "test"), FAULTS, ids=[f"{kind.__name__}-{test}" for kind, test in FAULTS])
def test_a_broken_source_is_caught_by_the_named_test(kind: type[ShelfSource], test: str) -> None:
    assert complaint(ShelfSource, test) is None
    assert complaint(kind, test) is not None


def test_the_sound_source_is_a_source() -> None:
    assert isinstance(full_shelf(), ImportSource)
    assert isinstance(full_shelf().found[0], Experiment)
