"""The evaluator of explanations: SHAP values of some rows, and which columns add most to the predictions.

S. Lundberg and S. Lee, A Unified Approach to Interpreting Model Predictions (2017). Trees and linear models are explained from their own
structure, other models by asking them again and again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from drupe.errors import InvalidValue
from drupe.extend import Evaluation, Evaluator, Findings
from drupe.lazy import need
from drupe_evaluator_default.explained_pictures import beeswarm_png, strengths_png
from drupe_evaluator_default.writing import Report

__all__ = ["ShapEvaluator"]

ALGORITHMS = ("exact", "permutation", "partition", "kernel")
FROM_STRUCTURE, BY_ASKING, BACKGROUND = 2000, 100, 50
"""Rows that are explained: many where the model's structure tells, fewer where it must be asked; and those they are compared with."""
SEED = 0


class ShapEvaluator(Evaluator):
    """Explains classifiers and regressors whose columns are numbers."""

    name = "shap"

    def can_evaluate(self, *, model_type: str | None, evaluator_config: Mapping[str, Any]) -> bool:
        """True for classifiers and regressors, unless explanations are turned off."""
        return model_type in ("classifier", "regressor") and evaluator_config.get("log_model_explainability", True) is not False

    def evaluate(self, evaluation: Evaluation) -> Findings:
        """SHAP values as a table, and two pictures. What hinders them is a failure; raises InvalidValue for an unknown algorithm."""
        algorithm = evaluation.config.get("explainability_algorithm")
        if algorithm is not None and algorithm not in ALGORITHMS:
            raise InvalidValue(f"explainability_algorithm is {algorithm!r}; it must be one of {', '.join(ALGORITHMS)}")
        report = Report(evaluation)
        if evaluation.model is None or not evaluation.draws:
            return report.findings()
        texts = [str(name) for name, kind in evaluation.features.dtypes.items() if getattr(kind, "kind", "O") not in "biuf"]
        if texts:
            report.failures["shap"] = (
                f"SHAP explains columns of numbers, and {', '.join(texts[:5])} {'is' if len(texts) == 1 else 'are'} none"
            )
            return report.findings()
        evaluation.tell("explaining predictions", 0.9)
        # numba, which SHAP computes with, tells of every step that it takes
        logging.getLogger("numba").setLevel(logging.WARNING)
        explained = report.attempt("shap", lambda: _explained(evaluation, algorithm))
        if explained is not None:
            _draw(report, *explained)
        return report.findings()


def _explained(evaluation: Evaluation, algorithm: str | None) -> tuple[Any, Any]:
    """(the rows that were explained, their SHAP values (rows, columns, outputs))."""
    shap = need("shap", to="explain models")
    generator = np.random.default_rng(SEED)
    features = evaluation.features
    background = _sample(features, BACKGROUND, generator)
    own = None if algorithm is not None else _own_explainer(shap, evaluation, background)
    wanted = int(evaluation.config.get("explainability_nsamples", FROM_STRUCTURE if own is not None else BY_ASKING))
    rows = _sample(features, wanted, generator)
    if own is not None:
        values = own(rows).values
    elif algorithm == "kernel":
        values = shap.KernelExplainer(_asked(evaluation), background).shap_values(rows, silent=True)
        values = np.stack(values, axis=-1) if isinstance(values, list) else values
    else:
        names = [str(name) for name in features.columns]
        explainer = shap.Explainer(_asked(evaluation), background, algorithm=algorithm or "auto", feature_names=names, seed=SEED)
        values = explainer(rows, silent=True).values
    values = np.asarray(values, dtype=float)
    return rows, values[:, :, None] if values.ndim == 2 else values


def _own_explainer(shap: Any, evaluation: Evaluation, background: Any) -> Any:
    """The explainer of trees or linear models, or None where the model is neither."""
    native = evaluation.model.native if evaluation.model is not None else None
    for kind in (shap.explainers.Tree, shap.explainers.Linear):
        try:
            return kind(native) if kind is shap.explainers.Tree else kind(native, background)
        except Exception:  # SHAP raises what it likes for models that an explainer does not know
            continue
    return None


def _asked(evaluation: Evaluation) -> Any:
    """A function of an array or table that gives what is explained: probabilities where the model has them, else its predictions."""
    model, names = evaluation.model, list(evaluation.features.columns)
    assert model is not None
    kinds = evaluation.features.dtypes.to_dict()

    def ask(rows: Any) -> Any:
        frame = pd.DataFrame(np.asarray(rows), columns=names).astype(kinds)
        if evaluation.model_type == "classifier" and model.has_probabilities:
            found = np.asarray(model.predict_proba(frame))
            return found[:, 1] if found.ndim == 2 and found.shape[1] == 2 else found
        return np.asarray(model.predict(frame), dtype=float)

    return ask


def _sample(features: Any, most: int, generator: Any) -> Any:
    if len(features) <= most:
        return features
    return features.iloc[np.sort(generator.choice(len(features), most, replace=False))]


def _draw(report: Report, rows: Any, values: Any) -> None:
    names = [str(name) for name in rows.columns]
    single = values[:, :, -1] if values.shape[2] <= 2 else None  # of two classes the second: the first is its mirror
    strengths = np.abs(values if single is None else single[:, :, None]).mean(axis=(0, 2))
    table = pd.DataFrame({"feature": names, "mean_absolute_shap": strengths})
    table = table.sort_values("mean_absolute_shap", ascending=False, kind="stable").reset_index(drop=True)
    report.picture("shap_feature_importance", lambda: strengths_png(table), table)
    if single is not None:
        explained = pd.DataFrame(single, columns=names)
        report.picture("shap_beeswarm", lambda: beeswarm_png(explained, rows, list(table["feature"])), explained)
