"""The statsmodels flavor passes the published kit, for a regression and for a time series."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from drupe.extend import Flavor
from drupe.loading import catalog
from drupe.testing.flavor import FlavorCase, FlavorKit

pytestmark = pytest.mark.usefixtures("quick_models")

X = np.random.default_rng(0).random((40, 2))
TABLE = pd.DataFrame(X, columns=["a", "b"])


class StatsmodelsKit(FlavorKit):
    @pytest.fixture
    def flavor(self) -> Flavor:
        return catalog().flavor("statsmodels")


class TestRegression(StatsmodelsKit):
    @pytest.fixture
    def case(self) -> FlavorCase:
        model = sm.OLS(X[:, 0] * 2 + 1, TABLE).fit()
        return FlavorCase(model, TABLE.head(5), model.predict(TABLE.head(5)), {"remove_data": True})


class TestTimeSeries(StatsmodelsKit):
    @pytest.fixture
    def case(self) -> FlavorCase:
        model = sm.tsa.AutoReg(X[:, 0], lags=1).fit()
        return FlavorCase(model, None, model.predict(38, 42), params={"start": 38, "end": 42})
