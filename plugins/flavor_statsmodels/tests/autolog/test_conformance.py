"""The autologger of statsmodels passes the published kit."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from drupe.testing.autologger import AutologCase, AutologgerKit

X = np.random.default_rng(0).random((30, 2))
Y = X[:, 0] * 2 + 1


class TestFit(AutologgerKit):
    library = "statsmodels"

    @pytest.fixture
    def case(self) -> AutologCase:
        return AutologCase(train=lambda: sm.OLS(Y, X).fit().predict(X), fail=lambda: sm.OLS(Y, X).fit(method="no such method"))
