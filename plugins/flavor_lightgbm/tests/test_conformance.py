"""The lightgbm flavor passes the published kit, as text and as skops."""

from __future__ import annotations

import lightgbm
import numpy as np
import pandas as pd
import pytest

from drupe.extend import Flavor
from drupe.loading import catalog
from drupe.testing.flavor import FlavorCase, FlavorKit

pytestmark = pytest.mark.usefixtures("quick_models")

X = np.random.default_rng(0).random((60, 3))
Y = (X[:, 0] > 0.5).astype(int)
TABLE = pd.DataFrame(X, columns=["a", "b", "c"])
PARAMS = {"verbose": -1, "num_threads": 1, "min_data_in_leaf": 5}


class LightGBMKit(FlavorKit):
    @pytest.fixture
    def flavor(self) -> Flavor:
        return catalog().flavor("lightgbm")


class TestBooster(LightGBMKit):
    @pytest.fixture
    def case(self) -> FlavorCase:
        model = lightgbm.train({**PARAMS, "objective": "binary"}, lightgbm.Dataset(TABLE, Y), 3)
        return FlavorCase(model, TABLE.head(5), model.predict(TABLE.head(5), raw_score=True), params={"raw_score": True})


class TestClassifierAsSkops(LightGBMKit):
    @pytest.fixture
    def case(self) -> FlavorCase:
        model = lightgbm.LGBMClassifier(n_estimators=3, **PARAMS).fit(TABLE, Y)
        return FlavorCase(model, TABLE.head(5), model.predict(TABLE.head(5)))
