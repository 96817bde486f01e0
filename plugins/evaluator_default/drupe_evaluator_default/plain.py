"""The evaluator of everything else: the user's own metrics and artifacts, and nothing more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drupe.errors import InvalidValue
from drupe.extend import Evaluation, Evaluator, Findings
from drupe_evaluator_default.outputs import outputs_of
from drupe_evaluator_default.own_metrics import add_own
from drupe_evaluator_default.writing import Report

__all__ = ["PlainEvaluator"]


class PlainEvaluator(Evaluator):
    """Judges any model by metrics that the user brings."""

    name = "default"

    def can_evaluate(self, *, model_type: str | None, evaluator_config: Mapping[str, Any]) -> bool:
        """True for models that nobody has named a type of."""
        return model_type is None

    def evaluate(self, evaluation: Evaluation) -> Findings:
        """The user's metrics and artifacts. Raises InvalidValue when there are none, and for slices, which need a suite of metrics."""
        if not evaluation.extra_metrics and not evaluation.custom_artifacts:
            raise InvalidValue(
                "without model_type there is nothing to compute; say model_type='classifier' or 'regressor', or extra_metrics=[…]"
            )
        if evaluation.slices:
            raise InvalidValue("slices are judged by the metrics of a kind of models; say model_type='classifier' or 'regressor'")
        report = Report(evaluation)
        given, others = outputs_of(evaluation)
        add_own(evaluation, report, given, others)
        return report.findings()
