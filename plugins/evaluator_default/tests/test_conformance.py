"""The evaluators pass the published kit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from drupe.evaluation.judged import Judged
from drupe.extend import EvaluationMetric, Evaluator
from drupe.testing.evaluator import EvaluatorKit
from drupe_evaluator_default.classifier import ClassifierEvaluator
from drupe_evaluator_default.plain import PlainEvaluator
from drupe_evaluator_default.regressor import RegressorEvaluator

FRAME = pd.DataFrame({"x": np.arange(40) % 7, "z": np.arange(40) % 3}).assign(y=lambda frame: ((frame.x + frame.z) > 4).astype(int))
FEATURES = FRAME[["x", "z"]]


def parts_for(model: Any, model_type: str | None, **more: Any) -> dict[str, Any]:
    judged = Judged(model.fit(FEATURES, FRAME.y), "model", None, is_array=False)
    targets = FRAME.y.to_numpy()
    return {"frame": FRAME, "features": FEATURES, "targets": targets, "model": judged, "model_type": model_type, **more}


class TestClassifier(EvaluatorKit):
    @pytest.fixture
    def make_evaluator(self) -> Callable[[], Evaluator]:
        return ClassifierEvaluator

    @pytest.fixture
    def parts(self) -> dict[str, Any]:
        return parts_for(LogisticRegression(), "classifier")


class TestRegressor(EvaluatorKit):
    @pytest.fixture
    def make_evaluator(self) -> Callable[[], Evaluator]:
        return RegressorEvaluator

    @pytest.fixture
    def parts(self) -> dict[str, Any]:
        return parts_for(LinearRegression(), "regressor")


class TestPlain(EvaluatorKit):
    @pytest.fixture
    def make_evaluator(self) -> Callable[[], Evaluator]:
        return PlainEvaluator

    @pytest.fixture
    def parts(self) -> dict[str, Any]:
        def hits(predictions: Any, targets: Any) -> float:
            return float((predictions == targets).sum())

        return parts_for(LogisticRegression(), None, extra_metrics=[EvaluationMetric(hits, "hits", True)])
