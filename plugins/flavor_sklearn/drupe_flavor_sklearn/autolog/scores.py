"""Training metrics under MLflow's names, from one prediction each; what the targets do not allow is left out."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from attrs import field, frozen
from sklearn.base import ClassifierMixin, RegressorMixin, is_classifier, is_regressor
from sklearn.metrics import (
    accuracy_score,
    log_loss,
    mean_absolute_error,
    mean_squared_error,
    precision_recall_fscore_support,
    r2_score,
    roc_auc_score,
)
from sklearn.utils import check_array
from sklearn.utils.multiclass import type_of_target

from drupe.extend import TrainingRun
from drupe_flavor_sklearn.autolog.arguments import Given
from drupe_flavor_sklearn.autolog.estimators import defining_class

__all__ = ["Predicted", "predicted", "training_metrics"]

_SINGLE = ("binary", "multiclass")


@frozen(eq=False)
class Predicted:
    """What a fitted model says of its training data: `labels` or values, `probabilities` (n, classes) or None, and for two classes `margin`, a
    number that grows with the second one. `kind` is scikit-learn's type of the targets.
    """

    kind: str
    truth: Any
    labels: Any
    classes: Any = None
    probabilities: Any = None
    margin: Any = None
    weight: Any = field(default=None)


def predicted(model: Any, given: Given) -> Predicted | None:
    """The predictions for the training data of a classifier or regressor; None for other models, or without targets."""
    if given.y is None or not hasattr(model, "predict") or not (is_classifier(model) or is_regressor(model)):
        return None
    truth = np.asarray(given.y)
    if truth.ndim == 2 and truth.shape[1] == 1:
        truth = truth[:, 0]
    labels = np.asarray(model.predict(given.X))
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    weight = None if given.sample_weight is None else np.asarray(given.sample_weight)
    if is_regressor(model):
        return Predicted("continuous", truth, labels, weight=weight)
    kind = type_of_target(truth)
    probabilities = model.predict_proba(given.X) if hasattr(model, "predict_proba") else None
    if not isinstance(probabilities, np.ndarray):  # a list of arrays: one for each of several outputs; or a table
        probabilities = None if isinstance(probabilities, list | type(None)) else np.asarray(probabilities)
    margin = None
    if kind == "binary":
        if probabilities is not None and probabilities.ndim == 2 and probabilities.shape[1] == 2:
            margin = probabilities[:, 1]
        elif probabilities is None and hasattr(model, "decision_function"):
            margin = np.asarray(model.decision_function(given.X))
    return Predicted(kind, truth, labels, getattr(model, "classes_", None), probabilities, margin, weight)


def training_metrics(run: TrainingRun, model: Any, given: Given, seen: Predicted | None, pos_label: Any) -> dict[str, float]:
    """All metrics that apply, each with the prefix `training_`; a metric that fails is one warning."""
    found: dict[str, float] = {}
    if seen is not None and seen.kind == "continuous" and is_regressor(model):
        found |= run.attempt("metrics of the regression", lambda: _of_regression(seen)) or {}
    elif seen is not None:
        found |= run.attempt("metrics of the classification", lambda: _of_labels(seen, pos_label)) or {}
        found |= run.attempt("metrics of the probabilities", lambda: _of_probabilities(seen)) or {}
    score = run.attempt("the model's own score", lambda: _own_score(model, given, found))
    if score is not None:
        found["score"] = score
    return {f"training_{name}": value for name, value in found.items()}


def _of_regression(seen: Predicted) -> dict[str, float]:
    truth, values, weight = seen.truth, seen.labels, seen.weight
    squared = float(mean_squared_error(truth, values, sample_weight=weight))
    found = {
        "mean_squared_error": squared,
        "mean_absolute_error": float(mean_absolute_error(truth, values, sample_weight=weight)),
        "root_mean_squared_error": squared**0.5,
    }
    if len(truth) > 1:
        found["r2_score"] = float(r2_score(truth, values, sample_weight=weight))
    return found


def _of_labels(seen: Predicted, pos_label: Any) -> dict[str, float]:
    if seen.kind not in (*_SINGLE, "multilabel-indicator"):
        return {}
    about_one = pos_label is not None and seen.kind == "binary"
    average = {"average": "binary", "pos_label": pos_label} if about_one else {"average": "weighted"}
    precision, recall, f1, _ = precision_recall_fscore_support(
        seen.truth, seen.labels, sample_weight=seen.weight, zero_division=0, **average
    )
    return {
        "precision_score": float(precision),
        "recall_score": float(recall),
        "f1_score": float(f1),
        "accuracy_score": float(accuracy_score(seen.truth, seen.labels, sample_weight=seen.weight)),
    }


def _of_probabilities(seen: Predicted) -> dict[str, float]:
    found: dict[str, float] = {}
    several = seen.kind in _SINGLE and len(np.unique(seen.truth)) > 1
    if not several:
        return found
    probabilities = seen.probabilities
    if probabilities is not None and seen.classes is not None and probabilities.shape[1] == len(seen.classes):
        check_array(probabilities)
        found["log_loss"] = float(log_loss(seen.truth, _summing_to_one(probabilities), sample_weight=seen.weight, labels=seen.classes))
    if seen.margin is not None:
        found["roc_auc"] = float(roc_auc_score(seen.truth, seen.margin, average="weighted", sample_weight=seen.weight))
    elif seen.kind == "multiclass" and probabilities is not None and probabilities.shape[1] == len(np.unique(seen.truth)):
        # one against one, as MLflow; weights have no meaning there
        found["roc_auc"] = float(roc_auc_score(seen.truth, _summing_to_one(probabilities), average="weighted", multi_class="ovo"))
    return found


def _summing_to_one(probabilities: Any) -> Any:
    """Rows of 32-bit probabilities may miss 1 by more than scikit-learn takes without a warning."""
    sums = probabilities.sum(axis=1, keepdims=True)
    return probabilities / sums if np.all(sums > 0) else probabilities


def _own_score(model: Any, given: Given, found: dict[str, float]) -> float | None:
    if not hasattr(model, "score") or getattr(model, "refit", True) is False:  # a search that chose no model has none to score with
        return None
    definer = defining_class(type(model), "score")
    for mixin, metric in ((ClassifierMixin, "accuracy_score"), (RegressorMixin, "r2_score")):
        if definer is mixin:
            return found.get(metric)  # the same by definition; another prediction is saved
    if given.y is None:
        return _number(model.score(given.X)) if not (is_classifier(model) or is_regressor(model)) else None
    if type_of_target(given.y) == "multiclass-multioutput" and is_classifier(model):
        return None  # scikit-learn's own scores refuse several outputs of several classes
    if given.sample_weight is not None and "sample_weight" in inspect.signature(model.score).parameters:
        return _number(model.score(given.X, given.y, sample_weight=given.sample_weight))
    return _number(model.score(given.X, given.y))


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):  # a score of the user's own that is no number
        return None
