"""The xgboost flavor passes the published kit, for a booster and for estimators, in both formats."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xgboost

from drupe.extend import Flavor
from drupe.loading import catalog
from drupe.testing.flavor import FlavorCase, FlavorKit

pytestmark = pytest.mark.usefixtures("quick_models")

X = np.random.default_rng(0).random((40, 3))
Y = (X[:, 0] > 0.5).astype(int)
TABLE = pd.DataFrame(X, columns=["a", "b", "c"])


class XGBoostKit(FlavorKit):
    @pytest.fixture
    def flavor(self) -> Flavor:
        return catalog().flavor("xgboost")


class TestBooster(XGBoostKit):
    @pytest.fixture
    def case(self) -> FlavorCase:
        model = xgboost.train({"objective": "binary:logistic", "nthread": 1}, xgboost.DMatrix(TABLE, Y), 3)
        outputs = model.predict(xgboost.DMatrix(TABLE.head(5)), output_margin=True)
        return FlavorCase(model, TABLE.head(5), outputs, params={"output_margin": True})


class TestClassifierAsJson(XGBoostKit):
    @pytest.fixture
    def case(self) -> FlavorCase:
        model = xgboost.XGBClassifier(n_estimators=3, n_jobs=1).fit(X, Y)
        return FlavorCase(model, X[:5], model.predict(X[:5]), {"model_format": "json"})
