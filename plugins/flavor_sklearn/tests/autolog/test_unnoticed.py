"""Nobody notices autologging: results, random numbers, data, classes, pickles, threads and other processes are as they are without it."""

from __future__ import annotations

import copy
import inspect
import pickle
import random
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, OneToOneFeatureMixin, TransformerMixin, clone
from sklearn.ensemble import StackingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401  (makes two more estimators known)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import drupe
from drupe.entities import Run, RunStatus
from drupe_flavor_sklearn.autolog import plots

from .every_estimator import CASES, data_for, make

Runs = Callable[[], list[Run]]
OUTPUTS = ("predict", "predict_proba", "transform", "labels_", "embedding_")
REFUSES = {"KernelCenterer", "LabelBinarizer", "LabelEncoder", "MultiLabelBinarizer", "OrthogonalMatchingPursuitCV", "SpectralBiclustering"}


def outputs(name: str) -> tuple[dict[str, Any], Any, float]:
    """What the estimator gives after a fit, the data afterwards, and NumPy's next random number."""
    model, (X, y) = make(name), copy.deepcopy(data_for(name))
    np.random.seed(5)
    model.fit(X, y)
    following = float(np.random.random())
    found: dict[str, Any] = {}
    for label in OUTPUTS:
        if hasattr(model, label):
            value = getattr(model, label)
            try:
                found[label] = value(X) if callable(value) else value
            except (ValueError, TypeError, NotFittedError) as fault:
                found[label] = type(fault)
    return found, X, following


def same(one: Any, other: Any) -> bool:
    if hasattr(one, "toarray"):
        return one.shape == other.shape and (one != other).nnz == 0  # a million columns, were they written out
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, np.ndarray) and one.dtype.kind in "fc":
        return np.array_equal(one, other, equal_nan=True)
    return np.array_equal(one, other) if isinstance(one, np.ndarray) else bool(one == other)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [name for name in CASES if name not in REFUSES])
def test_an_estimator_gives_the_same_with_autologging_and_without(name: str, runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        plots, "_png", lambda figure: b""
    )  # painting what was drawn takes longer than all else; test_fits looks at pictures
    without, data_without, random_without = outputs(name)
    drupe.sklearn.autolog(log_models=False)
    logged, data_logged, random_logged = outputs(name)
    assert random_logged == random_without
    assert list(logged) == list(without)
    assert [label for label in without if not same(logged[label], without[label])] == []
    assert same(data_logged, data_without)
    assert {run.info.status for run in runs()} <= {RunStatus.FINISHED}


def test_a_generator_among_the_params_stands_where_it_would(two_classes: tuple[Any, Any]) -> None:
    X, _ = two_classes

    def after_a_fit() -> tuple[float, float]:
        generator = np.random.RandomState(3)
        BernoulliRBM(2, n_iter=2, random_state=generator).fit(X).score_samples(X)
        random.seed(1)
        return float(generator.random_sample()), random.random()

    without = after_a_fit()
    drupe.sklearn.autolog()
    assert after_a_fit() == without


def test_data_that_a_fit_overwrites_is_overwritten_once(two_classes: tuple[Any, Any], runs: Runs) -> None:
    def fitted() -> np.ndarray:
        X = two_classes[0].copy()
        make_pipeline(StandardScaler(copy=False), LogisticRegression()).fit(X, two_classes[1])
        return X

    without = fitted()
    drupe.sklearn.autolog()
    assert (fitted() == without).all()
    (run,) = runs()
    assert run.data.metrics["training_accuracy_score"] > 0.8


def test_estimators_are_cloned_copied_and_pickled_as_ever(two_classes: tuple[Any, Any]) -> None:
    drupe.sklearn.autolog(log_models=False)
    model = LogisticRegression(C=2.0).fit(*two_classes)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), cloudpickle.loads(cloudpickle.dumps(model))):
        assert (twin.predict(two_classes[0]) == model.predict(two_classes[0])).all()
    assert clone(model).get_params() == model.get_params()
    assert b"drupe" not in pickle.dumps(model)
    assert b"drupe" not in cloudpickle.dumps(LogisticRegression)


def test_metadata_requests_and_signatures_are_still_seen() -> None:
    drupe.sklearn.autolog()

    class Mine(BaseEstimator):
        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
            return self

    assert callable(Mine().set_fit_request)
    assert "sample_weight" in str(inspect.signature(Mine().fit))


def test_classes_of_the_user_are_logged_after_their_own_fit(two_classes: tuple[Any, Any], runs: Runs) -> None:
    class Early(LogisticRegression):
        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
            super().fit(X, y)
            self.threshold_ = 0.9
            return self

        def predict(self, X: Any) -> Any:
            return (self.predict_proba(X)[:, 1] > self.threshold_).astype(int)

    drupe.sklearn.autolog(log_models=False)

    class Late(ClassifierMixin, BaseEstimator):
        def fit(self, X: Any, y: Any) -> Any:
            self.inner_ = LogisticRegression().fit(X, y)
            self.classes_ = self.inner_.classes_
            return self

        def predict(self, X: Any) -> Any:
            return self.inner_.predict(X)

    class Wider(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
        def fit(self, X: Any, y: Any = None) -> Any:
            self.n_features_in_ = X.shape[1]
            return self

        def transform(self, X: Any) -> Any:
            return X * 2

    X, y = two_classes
    early, late = Early().fit(X, y), Late().fit(X, y)
    assert Wider().set_output(transform="pandas").fit_transform(X).shape == X.shape
    first, second = runs()
    assert [run.data.tags["estimator_name"] for run in (first, second)] == ["Early", "Late"]
    assert first.data.metrics["training_accuracy_score"] == (early.predict(X) == y).mean()
    assert second.data.metrics["training_accuracy_score"] == (late.predict(X) == y).mean()


@pytest.mark.usefixtures("quick_models")
def test_a_model_of_a_class_of_the_script_is_saved_without_us(two_classes: tuple[Any, Any], runs: Runs, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        textwrap.dedent("""
            import warnings
            warnings.simplefilter("error")
            import numpy as np, drupe
            from sklearn.linear_model import LogisticRegression
            drupe.sklearn.autolog()
            class Mine(LogisticRegression):
                def fit(self, X, y):
                    return super().fit(X, y)
            X = np.random.default_rng(0).random((20, 2))
            with drupe.start_run() as run:
                Mine().fit(X, X[:, 0] > 0.5)
            print(run.info.run_id)
        """)
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    folder = drupe.download_artifacts(f"runs:/{done.stdout.strip()}/model")
    pickled = (Path(folder) / "model.pkl").read_bytes()
    assert b"Mine" in pickled
    assert b"drupe" not in pickled


def test_fits_that_a_fit_has_done_in_threads_are_part_of_it(two_classes: tuple[Any, Any], runs: Runs) -> None:
    from joblib import parallel_backend

    drupe.sklearn.autolog(log_models=False)
    with parallel_backend("threading", n_jobs=2):
        StackingClassifier([("a", LogisticRegression()), ("b", LogisticRegression(C=2))], cv=2).fit(*two_classes)
    assert [run.data.tags["estimator_name"] for run in runs()] == ["StackingClassifier"]


def test_fits_in_threads_of_the_user_have_a_run_each(two_classes: tuple[Any, Any], runs: Runs) -> None:
    drupe.sklearn.autolog(log_models=False)
    X, y = two_classes
    threads = [threading.Thread(target=lambda c=c: LogisticRegression(C=c).fit(X, y)) for c in (0.5, 1.0, 2.0, 4.0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(run.data.params["C"] for run in runs()) == ["0.5", "1.0", "2.0", "4.0"]


def test_a_call_that_does_not_fit_the_method_is_told_by_the_method(runs: Runs) -> None:
    drupe.sklearn.autolog()
    with pytest.raises(TypeError, match=r"fit\(\) missing 1 required positional argument: 'y'"):
        LogisticRegression().fit([[1.0]])
    with pytest.raises(TypeError, match="missing"):
        Ridge().fit()
    assert {run.info.status for run in runs()} == {RunStatus.FAILED}


ORDERS = {
    "drupe first": "import drupe\n{on}\nfrom sklearn.linear_model import LogisticRegression\nfrom sklearn.metrics import accuracy_score",
    "scikit-learn first": "from sklearn.linear_model import LogisticRegression\nimport sklearn.metrics\nimport drupe\n{on}\n"
    "from sklearn.metrics import accuracy_score",
    "in the middle": "import sklearn, drupe\n{on}\nfrom sklearn.linear_model import LogisticRegression\n"
    "from sklearn.metrics import accuracy_score",
}


@pytest.mark.parametrize("on", ["drupe.autolog()", "drupe.sklearn.autolog()"])
@pytest.mark.parametrize("order", ORDERS)
def test_the_order_of_imports_does_not_matter(order: str, on: str, runs: Runs, numerate_python: Any) -> None:
    code = (
        "import warnings; warnings.simplefilter('error')\n"
        + ORDERS[order].format(on=on)
        + textwrap.dedent("""
        X, y = [[0.0], [1.0], [0.1], [0.9]] * 3, [0, 1, 0, 1] * 3
        accuracy_score(y, LogisticRegression().fit(X, y).predict(X))
    """)
    )
    done = subprocess.run([numerate_python.python, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (run,) = runs()
    assert run.data.metrics["accuracy_score_X"] == 1.0
    assert run.data.metrics["training_accuracy_score"] == 1.0
