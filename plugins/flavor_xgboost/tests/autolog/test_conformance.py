"""The autologger of XGBoost passes the published kit."""

from __future__ import annotations

import numpy as np
import pytest
import xgboost

from drupe.testing.autologger import AutologCase, AutologgerKit

X = np.random.default_rng(0).random((30, 3))
Y = (X[:, 0] > 0.5).astype(int)


class TestTrain(AutologgerKit):
    library = "xgboost"

    @pytest.fixture
    def case(self) -> AutologCase:
        def train() -> object:
            rows = xgboost.DMatrix(X, Y)
            booster = xgboost.train({"nthread": 1}, rows, 2, evals=[(rows, "train")], verbose_eval=False)
            return booster.predict(rows)

        return AutologCase(train=train, fail=lambda: xgboost.train({}, X, 2))
