"""The evaluator of classifiers: what it asks for, in which order. Numbers are in `classification`, curves in `curves`, pictures in `class_pictures`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin

from drupe.errors import InvalidValue
from drupe.extend import Evaluation, Evaluator, Findings
from drupe_evaluator_default import class_pictures as pictures, curves
from drupe_evaluator_default.classes import Classified, classified
from drupe_evaluator_default.classification import BETTER, add_metrics, per_class
from drupe_evaluator_default.importance import importance_of, wants_importance
from drupe_evaluator_default.number_pictures import importance_png, slices_png
from drupe_evaluator_default.own_metrics import add_own
from drupe_evaluator_default.scoring import of_classes
from drupe_evaluator_default.slices import ALL, FEW, slice_table
from drupe_evaluator_default.writing import Report

__all__ = ["KNOWN_SETTINGS", "ClassifierEvaluator", "add_slices", "own_score", "warn_of_typing_errors"]

log = logging.getLogger("drupe.evaluation")

_AVERAGES = ("weighted", "macro", "micro")
_MOST_CURVES = 10
KNOWN_SETTINGS = (
    "average",
    "col_mapping",
    "explainability_algorithm",
    "explainability_nsamples",
    "label_list",
    "log_model_explainability",
    "max_classes_for_multiclass_roc_pr",
    "metric_prefix",
    "permutation_importance",
    "pictures",
    "pos_label",
    "probabilities",
    "sample_weights",
    "slice_metric",
)


class ClassifierEvaluator(Evaluator):
    """Judges models of two and more classes."""

    name = "classifier"

    def can_evaluate(self, *, model_type: str | None, evaluator_config: Mapping[str, Any]) -> bool:
        """True for classifiers."""
        return model_type == "classifier"

    def evaluate(self, evaluation: Evaluation) -> Findings:
        """Metrics, the user's own ones, slices, pictures and importance. Raises InvalidValue for data that no classifier has."""
        config = evaluation.config
        warn_of_typing_errors(config)
        average = config.get("average", "weighted")
        if average not in _AVERAGES:
            raise InvalidValue(f"average is {average!r}; it must be one of {', '.join(_AVERAGES)}")
        report = Report(evaluation)
        seen = classified(evaluation)
        evaluation.tell("metrics", 0.2)
        add_metrics(report, seen, average)
        own_score(evaluation, report, ClassifierMixin, "accuracy_score")
        report.better |= {name: better for name, better in BETTER.items() if name in report.metrics}
        add_own(evaluation, report, seen.labels, seen.others)
        if evaluation.slices:
            primary = config.get("slice_metric", "accuracy_score")
            add_slices(evaluation, report, of_classes(seen), primary, greater_is_better=BETTER.get(primary, True))
        if evaluation.draws:
            evaluation.tell("pictures", 0.65)
            _draw(report, seen, int(config.get("max_classes_for_multiclass_roc_pr", _MOST_CURVES)))
            _add_importance(evaluation, report, seen)
        return report.findings()


def _draw(report: Report, seen: Classified, most: int) -> None:
    matrix = curves.confusion(seen)
    report.picture("confusion_matrix", lambda: pictures.confusion_png(matrix, seen), matrix, name="confusion_matrix")
    table = per_class(seen)
    report.table("per_class_metrics", table)
    if seen.probabilities is None:
        return
    if not seen.is_binary and len(seen.classes) > most:
        report.failures["roc_curve_plot"] = (
            f"there are {len(seen.classes)} classes; evaluator_config={{'max_classes_for_multiclass_roc_pr': …}} draws curves of more than {most}"
        )
        return
    roc = curves.roc(seen)
    if not len(roc):
        return  # one class only: the missing area says so already
    scores = dict(zip(seen.names(), table["precision_recall_auc"], strict=True))
    shares = {name: float(np.average(is_it, weights=seen.weights)) for name, is_it, _ in curves.one_against_rest(seen)}
    precision, gains, calibration = curves.precision_recall(seen), curves.gains(seen), curves.calibration(seen)
    report.picture("roc_curve", lambda: pictures.roc_png(roc, seen), roc)
    report.picture("precision_recall_curve", lambda: pictures.precision_recall_png(precision, seen, scores, shares), precision)
    report.picture("calibration_curve", lambda: pictures.calibration_png(calibration, seen), calibration)
    report.picture("lift_curve", lambda: pictures.lift_png(gains, seen), gains[["class", "share", "lift"]])
    report.picture("gain_curve", lambda: pictures.gain_png(gains, seen), gains[["class", "share", "gain"]])


def _add_importance(evaluation: Evaluation, report: Report, seen: Classified) -> None:
    wanted = wants_importance(evaluation)
    if isinstance(wanted, str):
        report.failures["permutation_importance"] = wanted
    if wanted is not True:
        return
    truth = seen.classes[seen.truth]

    def accuracy(told: Any, places: Any) -> float:
        labels = np.asarray(told)
        labels = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
        if labels.ndim == 2:
            labels = seen.columns[labels.argmax(axis=1)]
        elif seen.probabilities is not None and labels.dtype.kind == "f" and not np.isin(labels, seen.classes).all():
            labels = np.where(labels >= 0.5, seen.classes[seen.positive], seen.classes[1 - int(seen.positive or 0)])
        return float(np.average(labels == truth[places], weights=None if seen.weights is None else seen.weights[places]))

    table = report.attempt("permutation_importance", lambda: importance_of(evaluation, accuracy))
    if table is not None and len(table):
        report.picture("permutation_importance", lambda: importance_png(table, "accuracy"), table)


def add_slices(evaluation: Evaluation, report: Report, scorer: Any, primary: str, *, greater_is_better: bool) -> None:
    """The table of slices, its picture, and the primary metric of the worst slice as a metric of its own."""
    table = slice_table(evaluation, scorer, primary, greater_is_better=greater_is_better)
    report.table("slice_metrics", table)
    known = table[(table["slice"] != ALL) & (table["rows"] >= FEW) & table[primary].notna()]
    if len(known):
        report.metrics[f"worst_slice_{primary}"] = float(known[primary].iloc[0])
        report.better[f"worst_slice_{primary}"] = greater_is_better
        if report.draws and report.has_pictures:
            drawn = report.attempt("slice_metrics_plot", lambda: slices_png(table, primary))
            if drawn is not None:
                report.file("slice_metrics_plot", "slice_metrics_plot.png", drawn)


def own_score(evaluation: Evaluation, report: Report, mixin: type, metric: str) -> None:
    """MLflow's `score`: what the model's own method says. Where that is scikit-learn's own it is the metric that is known already."""
    native: Any = evaluation.model.native if evaluation.model is not None else None
    definer = next((kind for kind in type(native).__mro__ if "score" in vars(kind)), None)
    if definer is mixin:
        if metric in report.metrics:
            report.metrics["score"] = report.metrics[metric]
            report.better["score"] = True
        else:
            report.failures["score"] = report.failures[metric]
    elif definer is not None and callable(getattr(native, "score", None)) and hasattr(native, "get_params"):

        def ask() -> None:
            weights = {} if evaluation.weights is None else {"sample_weight": evaluation.weights}
            report.metrics["score"] = float(native.score(evaluation.features.copy(), evaluation.targets, **weights))

        report.attempt("score", ask)


def warn_of_typing_errors(config: Mapping[str, Any]) -> None:
    """Keys may be arguments of the user's own metrics, so that an unknown one is no error; one that is nearly a known one is told."""
    for key in config:
        close = get_close_matches(str(key), KNOWN_SETTINGS, 1, cutoff=0.8)
        if key not in KNOWN_SETTINGS and close:
            log.warning("evaluator_config has %r, which is no setting; did you mean %r?", key, close[0])
