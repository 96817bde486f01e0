"""The autologger of scikit-learn passes the published kit, for a model and for a clustering."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression

from drupe.testing.autologger import AutologCase, AutologgerKit

X = np.random.default_rng(0).random((30, 3))
Y = (X[:, 0] > 0.5).astype(int)


class TestModel(AutologgerKit):
    library = "sklearn"

    @pytest.fixture
    def case(self) -> AutologCase:
        return AutologCase(train=lambda: LogisticRegression().fit(X, Y).predict(X), fail=lambda: LogisticRegression().fit(X, Y[:-1]))


class TestClustering(AutologgerKit):
    library = "sklearn"

    @pytest.fixture
    def case(self) -> AutologCase:
        return AutologCase(train=lambda: KMeans(2, random_state=0).fit_predict(X), fail=lambda: KMeans(100).fit(X))
