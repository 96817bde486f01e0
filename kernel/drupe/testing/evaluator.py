"""The conformance kit of evaluators: what every implementation of `drupe.extend.Evaluator` must do.

A plugin's test module subclasses the kit, gives the evaluator and something to judge; nothing else is needed:

    class TestMyEvaluator(EvaluatorKit):
        @pytest.fixture
        def make_evaluator(self):
            return MyEvaluator

        @pytest.fixture
        def parts(self):
            return {"frame": frame, "features": frame[["x"]], "targets": frame["y"].to_numpy(), "model": my_model, "model_type": "regressor"}

Whether the numbers are true is for the plugin's own tests.
"""

from __future__ import annotations

import copy
import math
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from drupe.entities.limits import check_metric
from drupe.errors import InvalidValue
from drupe.extend import Evaluation, EvaluationMetric, Evaluator, Findings

__all__ = ["EvaluatorKit"]

TYPES = ("classifier", "regressor", "question-answering", None)
ENDINGS = (".png", ".jpg", ".jpeg", ".json", ".npy", ".csv", ".parquet", ".txt", ".pickle")


class EvaluatorKit:
    """Subclass it as `Test…` and override the fixtures `make_evaluator` and `parts`.

    `cannot` names tests that this evaluator does not pass, each with the reason; they are skipped and the reason shown.
    """

    cannot: ClassVar[Mapping[str, str]] = {}

    @pytest.fixture
    def make_evaluator(self) -> Callable[[], Evaluator]:
        """A function that makes the evaluator."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture `make_evaluator` that gives a function which makes the evaluator")

    @pytest.fixture
    def parts(self) -> dict[str, Any]:
        """The arguments of `Evaluation` but for `folder`: data that the evaluator can judge, with true values; a few rows are enough."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture `parts` with the arguments of Evaluation")

    @pytest.fixture
    def judge(self, make_evaluator: Callable[[], Evaluator], parts: dict[str, Any], tmp_path: Path) -> Callable[..., tuple[Findings, Path]]:
        """A function that has the parts judged, with some of them changed; the findings, and the folder of their files."""

        def run(**changed: Any) -> tuple[Findings, Path]:
            folder = tmp_path / f"files-{len(list(tmp_path.iterdir()))}-{threading.get_ident()}"
            folder.mkdir()
            return make_evaluator().evaluate(Evaluation(folder=folder, **{**parts, **changed})), folder

        return run

    @pytest.fixture(autouse=True)
    def _leave_out_what_the_evaluator_cannot(self, request: pytest.FixtureRequest) -> None:
        reason = self.cannot.get(getattr(request.function, "__name__", ""))
        if reason:
            pytest.skip(reason)

    def test_what_is_left_out_are_tests_of_this_kit(self) -> None:
        assert [name for name in self.cannot if not callable(getattr(self, name, None))] == []

    def test_its_name_is_a_word(self, make_evaluator: Callable[[], Evaluator]) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9_-]*", make_evaluator().name)

    def test_it_says_yes_or_no_to_every_type_of_model_and_yes_to_this_one(
        self, make_evaluator: Callable[[], Evaluator], parts: dict[str, Any]
    ) -> None:
        answers = {
            kind: make_evaluator().can_evaluate(model_type=kind, evaluator_config=parts.get("config", {}))
            for kind in (*TYPES, parts["model_type"])
        }
        assert {kind: answer for kind, answer in answers.items() if not isinstance(answer, bool)} == {}
        assert answers[parts["model_type"]]

    def test_metrics_are_numbers_that_a_run_can_have(self, judge: Callable[..., tuple[Findings, Path]]) -> None:
        findings, _ = judge(draws=False)
        assert findings.metrics
        for name, value in findings.metrics.items():
            assert isinstance(float(value), float)
            check_metric(name, float(value), 0, 0)

    def test_every_artifact_is_a_file_that_lies_flat_in_the_folder_and_every_file_an_artifact(
        self, judge: Callable[..., tuple[Findings, Path]]
    ) -> None:
        findings, folder = judge()
        there = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
        assert set(findings.artifacts.values()) == there
        assert len(set(findings.artifacts.values())) == len(findings.artifacts)
        assert [file for file in findings.artifacts.values() if not file.endswith(ENDINGS) or "/" in file] == []

    def test_the_data_stays_as_it_was(self, judge: Callable[..., tuple[Findings, Path]], parts: dict[str, Any]) -> None:
        before = {name: copy.deepcopy(parts[name]) for name in ("frame", "features", "targets", "predictions", "weights") if name in parts}
        judge()
        assert [name for name, value in before.items() if not _same(parts[name], value)] == []

    def test_equal_input_has_equal_findings(self, judge: Callable[..., tuple[Findings, Path]]) -> None:
        (first, its_folder), (second, other_folder) = judge(), judge()
        assert set(first.metrics) == set(second.metrics)
        assert [name for name in first.metrics if not _alike(first.metrics[name], second.metrics[name])] == []
        tables = [file for file in first.artifacts.values() if file.endswith((".csv", ".json"))]
        assert [file for file in tables if (its_folder / file).read_bytes() != (other_folder / file).read_bytes()] == []

    def test_without_pictures_the_numbers_are_the_same_and_nothing_is_written(self, judge: Callable[..., tuple[Findings, Path]]) -> None:
        (plain, folder), (full, _) = judge(draws=False), judge()
        assert list(folder.iterdir()) == []
        assert plain.artifacts == {}
        assert [name for name, value in plain.metrics.items() if not _alike(value, full.metrics[name])] == []

    def test_a_metric_of_the_users_own_that_raises_is_named_and_the_others_go_on(self, judge: Callable[..., tuple[Findings, Path]]) -> None:
        def broken(predictions: Any, targets: Any) -> float:
            raise RuntimeError("not on a Thursday")

        def constant(predictions: Any, targets: Any) -> float:
            return 4.0

        own = [EvaluationMetric(broken, "broken", True), EvaluationMetric(constant, "constant", True)]
        findings, _ = judge(extra_metrics=own, draws=False)
        assert "not on a Thursday" in findings.failures["broken"]
        assert findings.metrics["constant"] == 4.0
        assert findings.better["constant"] is True

    def test_a_slice_that_is_nothing_is_refused(self, judge: Callable[..., tuple[Findings, Path]]) -> None:
        with pytest.raises(InvalidValue):
            judge(slices=("no such column and no query",))

    def test_two_at_once_do_not_mix(self, judge: Callable[..., tuple[Findings, Path]]) -> None:
        alone = judge(draws=False)[0].metrics
        found: list[Mapping[str, float]] = []
        threads = [threading.Thread(target=lambda: found.append(judge(draws=False)[0].metrics)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 2
        assert [name for one in found for name, value in one.items() if not _alike(value, alone[name])] == []


def _same(one: Any, other: Any) -> bool:
    if hasattr(one, "equals"):
        return bool(one.equals(other))
    return bool((one == other).all()) if hasattr(one, "all") else bool(one == other)


def _alike(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))
