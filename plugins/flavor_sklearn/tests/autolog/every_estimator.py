"""Every estimator that scikit-learn has, made with small data that it takes; for tests that none of them notices autologging."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler
from sklearn.utils.discovery import all_estimators

__all__ = ["CASES", "data_for", "make"]

_GRID = {"estimator": lambda: LogisticRegression(), "param_grid": {"C": [0.1, 1.0]}}
_ARGUMENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "ClassifierChain": lambda: {"estimator": LogisticRegression()},
    "ColumnTransformer": lambda: {"transformers": [("scale", StandardScaler(), [0])]},
    "FeatureUnion": lambda: {"transformer_list": [("scale", StandardScaler())]},
    "FixedThresholdClassifier": lambda: {"estimator": LogisticRegression()},
    "FrozenEstimator": lambda: {"estimator": LogisticRegression().fit(*data_for("LogisticRegression"))},
    "GridSearchCV": lambda: {"estimator": LogisticRegression(), "param_grid": {"C": [0.1, 1.0]}, "cv": 2},
    "HalvingGridSearchCV": lambda: {"estimator": LogisticRegression(), "param_grid": {"C": [0.1, 1.0]}, "cv": 2, "random_state": 0},
    "HalvingRandomSearchCV": lambda: {
        "estimator": LogisticRegression(),
        "param_distributions": {"C": [0.1, 1.0]},
        "cv": 2,
        "random_state": 0,
        "n_candidates": 2,
    },
    "MultiOutputClassifier": lambda: {"estimator": LogisticRegression()},
    "MultiOutputRegressor": lambda: {"estimator": Ridge()},
    "OneVsOneClassifier": lambda: {"estimator": LogisticRegression()},
    "OneVsRestClassifier": lambda: {"estimator": LogisticRegression()},
    "OutputCodeClassifier": lambda: {"estimator": LogisticRegression(), "random_state": 0},
    "Pipeline": lambda: {"steps": [("scale", StandardScaler(copy=False)), ("model", LogisticRegression())]},
    "RandomizedSearchCV": lambda: {
        "estimator": LogisticRegression(),
        "param_distributions": {"C": [0.1, 1.0]},
        "cv": 2,
        "n_iter": 2,
        "random_state": 0,
    },
    "RFE": lambda: {"estimator": LogisticRegression()},
    "RFECV": lambda: {"estimator": LogisticRegression(), "cv": 2},
    "RegressorChain": lambda: {"estimator": Ridge()},
    "SelectFromModel": lambda: {"estimator": LogisticRegression()},
    "SelfTrainingClassifier": lambda: {"estimator": LogisticRegression()},
    "SequentialFeatureSelector": lambda: {"estimator": LogisticRegression(), "cv": 2},
    "SparseCoder": lambda: {"dictionary": np.eye(3)},
    "StackingClassifier": lambda: {"estimators": [("one", LogisticRegression()), ("two", LogisticRegression(C=2))], "cv": 2},
    "StackingRegressor": lambda: {"estimators": [("one", Ridge()), ("two", Ridge(2))], "cv": 2},
    "TunedThresholdClassifierCV": lambda: {"estimator": LogisticRegression(), "cv": 2},
    "VotingClassifier": lambda: {"estimators": [("one", LogisticRegression()), ("two", LogisticRegression(C=2))], "n_jobs": 1},
    "VotingRegressor": lambda: {"estimators": [("one", Ridge()), ("two", Ridge(2))]},
}
_SMALL = {"n_estimators": 3, "max_iter": 20, "n_init": 1, "n_components": 2, "n_neighbors": 4, "cv": 2, "n_iter": 5, "n_restarts": 1}
_KEEPS_ITS_OWN = {
    "CCA": {"n_components": 1},
    "PLSCanonical": {"n_components": 1},
    "PLSRegression": {"n_components": 1},
    "PLSSVD": {"n_components": 1},
    "LinearDiscriminantAnalysis": {"n_components": 1},
    "TSNE": {"perplexity": 5, "max_iter": 250},
    "RANSACRegressor": {},
}


def _kinds() -> dict[str, Any]:
    """Looked for once, which takes a tenth of a second, and not where scikit-learn would import torch, which takes many."""
    if _OF_TORCH in sys.modules:
        return dict(all_estimators())
    sys.modules[_OF_TORCH] = None  # type: ignore[assignment]
    try:
        return dict(all_estimators())
    finally:
        del sys.modules[_OF_TORCH]


_OF_TORCH = "sklearn.externals.array_api_compat.torch"
_KINDS = _kinds()
CASES = sorted(_KINDS)


def make(name: str) -> BaseEstimator:
    """A small one of that class, the same whenever it is asked for."""
    kind = _KINDS[name]
    model = kind(**_ARGUMENTS[name]()) if name in _ARGUMENTS else kind()
    params = model.get_params(deep=False)
    wanted = {**_SMALL, "random_state": 0, **_KEEPS_ITS_OWN.get(name, {})}
    if name in _ARGUMENTS:
        return model
    return model.set_params(**{key: value for key, value in wanted.items() if key in params})


def data_for(name: str) -> tuple[Any, Any]:
    """(X, y) that this estimator takes; y may be None."""
    X = np.random.default_rng(1).random((40, 3))
    labels = (X[:, 0] > 0.5).astype(int)
    model = None if name == "LogisticRegression" else _KINDS[name]
    if name in ("CountVectorizer", "TfidfVectorizer", "HashingVectorizer"):
        return [f"word{row % 5} other{row % 3}" for row in range(40)], None
    if name in ("DictVectorizer", "FeatureHasher"):
        return [{"a": float(row[0]), "b": 1.0} for row in X], None
    if name == "LabelBinarizer" or name == "LabelEncoder":
        return labels, None
    if name == "MultiLabelBinarizer":
        return [(1, 2), (2,)] * 20, None
    if name == "PatchExtractor":
        return np.random.default_rng(1).random((3, 12, 12)), None
    if name == "IsotonicRegression":
        return X[:, 0], X[:, 1]
    if name in ("ClassifierChain", "MultiOutputClassifier"):
        return X, np.column_stack([labels, (X[:, 1] > 0.5).astype(int)])
    if name.startswith("MultiTask") or name in ("RegressorChain", "MultiOutputRegressor"):
        return X, X[:, :2] * 2
    if (model is not None and getattr(model, "_estimator_type", None) == "regressor") or ("Regress" in name and "Logistic" not in name):
        return X, X[:, 0] * 2 + X[:, 1] + 0.1
    return X, labels
