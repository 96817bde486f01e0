"""Numbers about a classifier, under MLflow's names where it has them; each is scikit-learn's of the same name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn import metrics as sk

from drupe_evaluator_default.classes import Classified
from drupe_evaluator_default.writing import Report

__all__ = ["BETTER", "add_metrics", "per_class"]

BETTER = {
    **dict.fromkeys(("true_negatives", "true_positives", "accuracy_score", "balanced_accuracy_score", "score", "matthews_corrcoef"), True),
    **{f"{name}_score{kind}": True for name in ("precision", "recall", "f1") for kind in ("", "_micro", "_macro", "_weighted")},
    **dict.fromkeys(("roc_auc", "precision_recall_auc"), True),
    **dict.fromkeys(("false_positives", "false_negatives", "log_loss", "brier_score_loss"), False),
}
_SUM = 1e-3  # probabilities of 32 bits miss one by less


def add_metrics(report: Report, seen: Classified, average: str = "weighted") -> None:
    """Put all metrics that this data allows into the report; those that it does not are failures with the reason."""
    found = report.metrics
    found["example_count"] = len(seen.truth)
    if seen.is_binary:
        found |= _counts(seen)
    found["accuracy_score"] = sk.accuracy_score(seen.truth, seen.predicted, sample_weight=seen.weights)
    found |= _precision_recall_f1(seen, average)
    present = np.unique(seen.truth)
    recalls = sk.recall_score(seen.truth, seen.predicted, labels=present, average=None, sample_weight=seen.weights, zero_division=0)
    found["balanced_accuracy_score"] = float(np.mean(recalls))  # as scikit-learn has it: the mean recall of the classes that are there
    found["matthews_corrcoef"] = sk.matthews_corrcoef(seen.truth, seen.predicted, sample_weight=seen.weights)
    if seen.probabilities is not None:
        _add_of_probabilities(report, seen, average, present)


def _add_of_probabilities(report: Report, seen: Classified, average: str, present: Any) -> None:
    probabilities, found = seen.probabilities, report.metrics
    if not np.all(np.isfinite(probabilities)) or probabilities.min() < -_SUM or probabilities.max() > 1 + _SUM:
        report.failures["log_loss"] = "the probabilities are not all between 0 and 1"
        return
    if np.abs(probabilities.sum(axis=1) - 1).max() > _SUM:
        report.failures["log_loss"] = "the probabilities of a row do not sum to one"
        return
    places = np.arange(len(seen.classes))
    report.attempt("log_loss", lambda: found.update(log_loss=_log_loss(seen, places)))
    found["brier_score_loss"] = _brier(seen)
    absent = [seen.names()[place] for place in places if place not in present]
    if absent:
        reason = f"no row has the class {', '.join(absent[:5])}, and the curve needs some of every class"
        report.failures |= {"roc_auc": reason} | ({"precision_recall_auc": reason} if seen.is_binary else {})
        if seen.is_binary:
            return
    if seen.is_binary:
        is_it, chance = seen.truth == seen.positive, probabilities[:, seen.positive]
        found["roc_auc"] = sk.roc_auc_score(is_it, chance, sample_weight=seen.weights)
        found["precision_recall_auc"] = sk.average_precision_score(is_it, chance, sample_weight=seen.weights)
        return
    if average in ("macro", "weighted"):
        if not absent:

            def area() -> None:
                found["roc_auc"] = sk.roc_auc_score(
                    seen.truth, probabilities, sample_weight=seen.weights, average=average, multi_class="ovr"
                )

            report.attempt("roc_auc", area)
        scores = [sk.average_precision_score(seen.truth == place, probabilities[:, place], sample_weight=seen.weights) for place in present]
        support = [_total(seen, seen.truth == place) for place in present] if average == "weighted" else None
        found["precision_recall_auc"] = float(np.average(scores, weights=support))


def per_class(seen: Classified) -> Any:
    """MLflow's table `per_class_metrics`: each class against all others."""
    rows = []
    for place, label in enumerate(seen.classes):
        is_it, said = seen.truth == place, seen.predicted == place
        negatives, false, missed, hits = sk.confusion_matrix(is_it, said, labels=[False, True]).ravel()
        precision, recall, f1, _ = sk.precision_recall_fscore_support(
            is_it, said, average="binary", pos_label=True, sample_weight=seen.weights, zero_division=0
        )
        row = {
            "positive_class": label,
            "true_negatives": negatives,
            "false_positives": false,
            "false_negatives": missed,
            "true_positives": hits,
            "example_count": len(is_it),
            "accuracy_score": sk.accuracy_score(is_it, said, sample_weight=seen.weights),
            "recall_score": recall,
            "precision_score": precision,
            "f1_score": f1,
        }
        if seen.probabilities is not None:
            has_both = is_it.any() and not is_it.all()
            chance = seen.probabilities[:, place]
            row["roc_auc"] = sk.roc_auc_score(is_it, chance, sample_weight=seen.weights) if has_both else float("nan")
            row["precision_recall_auc"] = (
                sk.average_precision_score(is_it, chance, sample_weight=seen.weights) if has_both else float("nan")
            )
        rows.append(row)
    return pd.DataFrame(rows)


def _counts(seen: Classified) -> dict[str, float]:
    """Rows by truth and prediction; weights do not count here, as in MLflow."""
    is_it, said = seen.truth == seen.positive, seen.predicted == seen.positive
    negatives, false, missed, hits = sk.confusion_matrix(is_it, said, labels=[False, True]).ravel()
    return {"true_negatives": negatives, "false_positives": false, "false_negatives": missed, "true_positives": hits}


def _precision_recall_f1(seen: Classified, average: str) -> dict[str, float]:
    if seen.is_binary:
        chosen = {"": {"average": "binary", "pos_label": seen.positive}}
    else:
        chosen = {"": {"average": average}, **{f"_{kind}": {"average": kind} for kind in ("micro", "macro", "weighted")}}
    found: dict[str, float] = {}
    for suffix, how in chosen.items():
        precision, recall, f1, _ = sk.precision_recall_fscore_support(
            seen.truth, seen.predicted, sample_weight=seen.weights, zero_division=0, **how
        )
        found |= {f"precision_score{suffix}": precision, f"recall_score{suffix}": recall, f"f1_score{suffix}": f1}
    return found


def _log_loss(seen: Classified, places: Any) -> float:
    return float(sk.log_loss(seen.truth, seen.probabilities, labels=places, sample_weight=seen.weights))


def _brier(seen: Classified) -> float:
    """The mean squared distance of the probabilities from what happened (Brier 1950): for two classes that of the positive one, else the sum."""
    if seen.is_binary:
        squared = (seen.probabilities[:, seen.positive] - (seen.truth == seen.positive)) ** 2
    else:
        happened = np.zeros(seen.probabilities.shape)
        happened[np.arange(len(seen.truth)), seen.truth] = 1.0
        squared = ((seen.probabilities - happened) ** 2).sum(axis=1)
    return float(np.average(squared, weights=seen.weights))


def _total(seen: Classified, rows: Any) -> float:
    return float(rows.sum() if seen.weights is None else seen.weights[rows].sum())
