"""The evaluator of regressors: numbers under MLflow's names, residuals, slices, importance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn import metrics as sk
from sklearn.base import RegressorMixin

from drupe.errors import InvalidValue
from drupe.extend import Evaluation, Evaluator, Findings
from drupe_evaluator_default.classifier import add_slices, own_score, warn_of_typing_errors
from drupe_evaluator_default.drawing import thin
from drupe_evaluator_default.importance import importance_of, wants_importance
from drupe_evaluator_default.number_pictures import importance_png, predicted_png, residuals_png
from drupe_evaluator_default.outputs import outputs_of
from drupe_evaluator_default.own_metrics import add_own
from drupe_evaluator_default.scoring import of_numbers
from drupe_evaluator_default.writing import Report

__all__ = ["BETTER", "RegressorEvaluator"]

BETTER = {
    **dict.fromkeys(
        (
            "mean_absolute_error",
            "mean_squared_error",
            "root_mean_squared_error",
            "max_error",
            "mean_absolute_percentage_error",
            "median_absolute_error",
        ),
        False,
    ),
    "r2_score": True,
    "score": True,
}
KEPT_POINTS = 10_000


class RegressorEvaluator(Evaluator):
    """Judges models that tell one number for each row."""

    name = "regressor"

    def can_evaluate(self, *, model_type: str | None, evaluator_config: Mapping[str, Any]) -> bool:
        """True for regressors."""
        return model_type == "regressor"

    def evaluate(self, evaluation: Evaluation) -> Findings:
        """Metrics, the user's own ones, slices, pictures and importance. Raises InvalidValue for what are no numbers."""
        warn_of_typing_errors(evaluation.config)
        report = Report(evaluation)
        truth = _numbers(np.asarray(evaluation.targets), "targets")
        given, others = outputs_of(evaluation)
        values = _numbers(np.asarray(given), "predictions")
        weights = None if evaluation.weights is None else np.asarray(evaluation.weights, dtype=float)
        evaluation.tell("metrics", 0.2)
        report.metrics |= _metrics(truth, values, weights)
        if len(truth) < 2:
            report.failures["r2_score"] = "it is not defined for one row"
        own_score(evaluation, report, RegressorMixin, "r2_score")
        report.better |= {name: better for name, better in BETTER.items() if name in report.metrics}
        add_own(evaluation, report, values, others)
        if evaluation.slices:
            primary = evaluation.config.get("slice_metric", "mean_absolute_error")
            add_slices(evaluation, report, of_numbers(truth, values, weights), primary, greater_is_better=BETTER.get(primary, True))
        if evaluation.draws:
            evaluation.tell("pictures", 0.65)
            _draw(report, truth, values, evaluation.targets_name or "value")
            _add_importance(evaluation, report, truth, weights)
        return report.findings()


def _metrics(truth: Any, values: Any, weights: Any) -> dict[str, float]:
    total = float(truth.sum() if weights is None else (truth * weights).sum())
    squared = float(sk.mean_squared_error(truth, values, sample_weight=weights))
    found = {
        "example_count": len(truth),
        "mean_absolute_error": sk.mean_absolute_error(truth, values, sample_weight=weights),
        "mean_squared_error": squared,
        "root_mean_squared_error": squared**0.5,
        "sum_on_target": total,
        "mean_on_target": total / len(truth),
        "max_error": sk.max_error(truth, values),
        "mean_absolute_percentage_error": sk.mean_absolute_percentage_error(truth, values, sample_weight=weights),
        "median_absolute_error": sk.median_absolute_error(truth, values, sample_weight=weights),
        "mean_error": float(np.average(values - truth, weights=weights)),
    }
    if len(truth) > 1:
        found["r2_score"] = sk.r2_score(truth, values, sample_weight=weights)
    return found


def _draw(report: Report, truth: Any, values: Any, name: str) -> None:
    table = pd.DataFrame({"true": truth, "predicted": values, "residual": values - truth})
    kept = table.iloc[thin(len(table), KEPT_POINTS)]
    report.picture("predicted_vs_true", lambda: predicted_png(table, name), kept[["true", "predicted"]])
    report.picture("residuals", lambda: residuals_png(table, name), kept[["predicted", "residual"]])


def _add_importance(evaluation: Evaluation, report: Report, truth: Any, weights: Any) -> None:
    wanted = wants_importance(evaluation)
    if isinstance(wanted, str):
        report.failures["permutation_importance"] = wanted
    if wanted is not True or len(truth) < 2:
        return
    name = evaluation.predictions_name

    def share_explained(told: Any, places: Any) -> float:
        column = told[name] if name is not None and hasattr(told, "columns") else told
        numbers = _numbers(np.asarray(column), "predictions")
        return float(sk.r2_score(truth[places], numbers, sample_weight=None if weights is None else weights[places]))

    table = report.attempt("permutation_importance", lambda: importance_of(evaluation, share_explained))
    if table is not None and len(table):
        report.picture("permutation_importance", lambda: importance_png(table, "R²"), table)


def _numbers(values: Any, what: str) -> Any:
    """One column of finite numbers. Raises InvalidValue."""
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise InvalidValue(f"{what} of a regressor must be one column of numbers; these have the shape {values.shape}")
    try:
        numbers = values.astype(float)
    except (TypeError, ValueError) as fault:
        raise InvalidValue(
            f"{what} of a regressor must be numbers, and {values[0]!r} is none; for classes, model_type='classifier'"
        ) from fault
    wrong = ~np.isfinite(numbers)
    if wrong.any():
        raise InvalidValue(f"{what} has {int(wrong.sum())} values that are no finite numbers (first in row {int(wrong.argmax())})")
    return numbers
