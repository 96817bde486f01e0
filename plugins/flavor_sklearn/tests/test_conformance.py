"""The sklearn flavor passes the published kit, in each of its formats."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from drupe.extend import Flavor
from drupe.loading import catalog
from drupe.testing.flavor import FlavorCase, FlavorKit

pytestmark = pytest.mark.usefixtures("quick_models")

X = np.random.default_rng(0).random((40, 3))
Y = (X[:, 0] > 0.5).astype(int)


class SklearnKit(FlavorKit):
    @pytest.fixture
    def flavor(self) -> Flavor:
        return catalog().flavor("sklearn")


class TestSkops(SklearnKit):
    @pytest.fixture
    def case(self) -> FlavorCase:
        model = make_pipeline(ColumnTransformer([("scale", StandardScaler(), [0, 1])], remainder="passthrough"), LogisticRegression())
        model.fit(X, Y)
        return FlavorCase(model, X[:5], model.predict(X[:5]))


class TestCloudpickleBySomethingSkopsCannotHold(SklearnKit):
    @pytest.fixture
    def case(self) -> FlavorCase:
        model = make_pipeline(FunctionTransformer(lambda rows: rows * 2), LogisticRegression()).fit(X, Y)
        return FlavorCase(model, X[:5], model.predict(X[:5]))


class TestSkopsOfTrees(SklearnKit):
    @pytest.fixture
    def case(self) -> FlavorCase:
        model = RandomForestClassifier(n_estimators=3, random_state=0).fit(X, Y)
        return FlavorCase(model, X[:5], model.predict(X[:5]))


class TestPickleOfProbabilities(SklearnKit):
    @pytest.fixture
    def case(self) -> FlavorCase:
        model = RandomForestClassifier(n_estimators=3, random_state=0).fit(X, Y)
        options = {"serialization_format": "pickle", "pyfunc_predict_fn": "predict_proba"}
        return FlavorCase(model, X[:5], model.predict_proba(X[:5]), options)
