"""The autologger of LightGBM passes the published kit."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest

from drupe.testing.autologger import AutologCase, AutologgerKit

X = np.random.default_rng(0).random((40, 3))
Y = (X[:, 0] > 0.5).astype(int)
PARAMS = {"verbose": -1, "num_threads": 1, "min_data_in_leaf": 5, "objective": "binary"}


class TestTrain(AutologgerKit):
    library = "lightgbm"

    @pytest.fixture
    def case(self) -> AutologCase:
        def train() -> object:
            rows = lightgbm.Dataset(X, Y)
            return lightgbm.train(PARAMS, rows, 2, valid_sets=[rows]).predict(X)

        return AutologCase(train=train, fail=lambda: lightgbm.train(PARAMS, X, 2))
