"""Every promise of the kit for evaluators has teeth: for each way to get it wrong, a named test of the kit fails."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from drupe.errors import InvalidValue
from drupe.extend import Evaluation, Evaluator, Findings
from drupe.testing.evaluator import EvaluatorKit

from .kit_runner import Faults, call, check_mistyped_names_are_noticed, promises_of


class Correct(Evaluator):
    """Counts how often a list of numbers was told right; the broken ones below differ from it in one thing each."""

    name = "hits"

    def can_evaluate(self, *, model_type: str | None, evaluator_config: Mapping[str, Any]) -> bool:
        return model_type == "hits"

    def evaluate(self, evaluation: Evaluation) -> Findings:
        if evaluation.slices:
            raise InvalidValue("no slices here")
        metrics, failures, better = {"hits": self.hits(evaluation)}, {}, {}
        for own in evaluation.extra_metrics:
            try:
                metrics[own.name] = own(evaluation.predictions, evaluation.targets)
                better[own.name] = own.greater_is_better
            except Exception as fault:
                failures[own.name] = str(fault)
        return Findings(metrics=metrics, failures=failures, better=better, artifacts=self.files(evaluation))

    def hits(self, evaluation: Evaluation) -> float:
        return float(sum(a == b for a, b in zip(evaluation.predictions, evaluation.targets, strict=True)))

    def files(self, evaluation: Evaluation) -> dict[str, str]:
        if not evaluation.draws:
            return {}
        (evaluation.folder / "told.csv").write_text("\n".join(map(str, evaluation.predictions)))
        return {"told": "told.csv"}


def parts_of() -> dict[str, Any]:
    return {"frame": [1, 2, 3], "features": [1, 2, 3], "targets": [1, 2, 2], "predictions": [1, 2, 3], "model_type": "hits"}


class TestCorrect(EvaluatorKit):
    @pytest.fixture
    def make_evaluator(self) -> Callable[[], Evaluator]:
        return Correct

    @pytest.fixture
    def parts(self) -> dict[str, Any]:
        return parts_of()


BROKEN = Faults()
caught_by = BROKEN.caught_by


@caught_by("test_its_name_is_a_word")
class HasABlankInItsName(Correct):
    name = "my hits"


@caught_by("test_it_says_yes_or_no_to_every_type_of_model_and_yes_to_this_one")
class SaysNeitherYesNorNo(Correct):
    def can_evaluate(self, *, model_type: str | None, evaluator_config: Mapping[str, Any]) -> bool:
        return model_type  # type: ignore[return-value]


@caught_by("test_metrics_are_numbers_that_a_run_can_have")
class GivesAMetricANameThatNoRunTakes(Correct):
    def evaluate(self, evaluation: Evaluation) -> Findings:
        return Findings(metrics={"hits!*": 1.0})


@caught_by("test_every_artifact_is_a_file_that_lies_flat_in_the_folder_and_every_file_an_artifact")
class LeavesAFileBehind(Correct):
    def files(self, evaluation: Evaluation) -> dict[str, str]:
        (evaluation.folder / "scratch.txt").touch()
        return super().files(evaluation)


@caught_by("test_the_data_stays_as_it_was")
class SortsTheData(Correct):
    def hits(self, evaluation: Evaluation) -> float:
        evaluation.predictions.sort(reverse=True)
        return super().hits(evaluation)


@caught_by("test_equal_input_has_equal_findings")
class HasAnotherSeedEachTime(Correct):
    seeds: ClassVar = itertools.count()

    def hits(self, evaluation: Evaluation) -> float:
        return float(next(self.seeds))


@caught_by("test_without_pictures_the_numbers_are_the_same_and_nothing_is_written")
class DrawsAlways(Correct):
    def files(self, evaluation: Evaluation) -> dict[str, str]:
        (evaluation.folder / "told.csv").touch()
        return {"told": "told.csv"}


@caught_by("test_a_metric_of_the_users_own_that_raises_is_named_and_the_others_go_on")
class StopsAtTheFirstFault(Correct):
    def evaluate(self, evaluation: Evaluation) -> Findings:
        for own in evaluation.extra_metrics:
            own(evaluation.predictions, evaluation.targets)
        return super().evaluate(evaluation)


@caught_by("test_a_slice_that_is_nothing_is_refused")
class OverlooksSlices(Correct):
    def evaluate(self, evaluation: Evaluation) -> Findings:
        return Findings(metrics={"hits": 1.0})


@caught_by("test_two_at_once_do_not_mix")
class KeepsItsCountInTheClass(Correct):
    count: ClassVar = 0
    both: ClassVar = threading.Barrier(2, timeout=10)

    def hits(self, evaluation: Evaluation) -> float:
        if threading.current_thread() is threading.main_thread():
            return super().hits(evaluation)
        self.both.wait()
        type(self).count += int(super().hits(evaluation))
        self.both.wait()
        return float(self.count)


@BROKEN.each()
def test_a_broken_evaluator_is_caught_by_the_named_test(kind: type[Correct], test: str, tmp_path: Path) -> None:
    def judge(**changed: Any) -> tuple[Findings, Path]:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        return kind().evaluate(Evaluation(folder=folder, **{**parts, **changed})), folder

    numbers, parts = itertools.count(), parts_of()
    known = {"judge": judge, "make_evaluator": kind, "parts": parts}
    with pytest.raises((Exception, pytest.fail.Exception)):
        call(TestCorrect, test, **known)


def test_every_test_of_the_kit_catches_something() -> None:
    assert promises_of(EvaluatorKit) == BROKEN.tests


def test_leaving_out_a_test_that_does_not_exist_is_noticed() -> None:
    check_mistyped_names_are_noticed(TestCorrect)
