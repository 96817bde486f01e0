"""What is logged of a fit: params, metrics, tags, pictures, data and the model, for every kind of estimator and data."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
from sklearn.cluster import DBSCAN, KMeans
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, log_loss, mean_absolute_error, precision_score, roc_auc_score
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

import drupe
from drupe.entities import Run, RunStatus

Runs = Callable[[], list[Run]]
PICTURES = {"training_confusion_matrix.png", "training_roc_curve.png", "training_precision_recall_curve.png"}


@pytest.fixture(autouse=True)
def on(workspace: Path) -> None:
    drupe.sklearn.autolog()


def files(run: Run) -> set[str]:
    return {file.path for file in drupe.list_artifacts(run_id=run.info.run_id)}


def test_a_classifier_of_two_classes(two_classes: tuple[Any, Any], runs: Runs) -> None:
    X, y = two_classes
    model = LogisticRegression(C=2.0).fit(X, y)
    labels, likely = model.predict(X), model.predict_proba(X)
    (run,) = runs()
    assert run.info.status == RunStatus.FINISHED
    assert (run.data.params["C"], run.data.params["solver"]) == ("2.0", "lbfgs")
    assert set(run.data.params) == set(model.get_params())
    assert run.data.tags["estimator_name"] == "LogisticRegression"
    assert run.data.tags["estimator_class"] == "sklearn.linear_model._logistic.LogisticRegression"
    assert run.data.metrics == pytest.approx(
        {
            "training_accuracy_score": accuracy_score(y, labels),
            "training_f1_score": f1_score(y, labels, average="weighted"),
            "training_precision_score": precision_score(y, labels, average="weighted"),
            "training_recall_score": accuracy_score(y, labels),  # weighted by class they are the same
            "training_log_loss": log_loss(y, likely),
            "training_roc_auc": roc_auc_score(y, likely[:, 1]),
            "training_score": model.score(X, y),
        }
    )
    assert files(run) >= PICTURES | {"estimator.html", "model"}
    (used,) = run.inputs.dataset_inputs
    assert {tag.key: tag.value for tag in used.tags} == {"mlflow.data.context": "train"}
    assert json.loads(used.dataset.profile or "")["features_shape"] == [60, 3]


def test_precision_and_its_like_are_of_the_class_that_was_named(two_classes: tuple[Any, Any], runs: Runs) -> None:
    X, y = two_classes
    drupe.sklearn.autolog(pos_label="yes")
    names = np.where(y == 1, "yes", "no")
    labels = LogisticRegression().fit(X, names).predict(X)
    (run,) = runs()
    assert run.data.metrics["training_precision_score"] == precision_score(names, labels, pos_label="yes")
    assert run.data.metrics["training_f1_score"] == f1_score(names, labels, pos_label="yes")


def test_weights_count_in_the_metrics(two_classes: tuple[Any, Any], runs: Runs) -> None:
    X, y = two_classes
    weights = np.where(y == 1, 3.0, 0.5)
    labels = LogisticRegression().fit(X, y, sample_weight=weights).predict(X)
    (run,) = runs()
    expected = accuracy_score(y, labels, sample_weight=weights)
    assert expected != accuracy_score(y, labels)
    assert run.data.metrics["training_accuracy_score"] == pytest.approx(expected)
    assert run.data.metrics["training_score"] == pytest.approx(expected)


def test_many_classes_from_a_table(runs: Runs) -> None:
    X, y = load_iris(return_X_y=True, as_frame=True)
    forest = RandomForestClassifier(5, max_depth=2, random_state=0).fit(X, y)
    (run,) = runs()
    auc = roc_auc_score(y, forest.predict_proba(X), average="weighted", multi_class="ovo")
    assert run.data.metrics["training_roc_auc"] == pytest.approx(auc)
    assert files(run) >= PICTURES
    info = drupe.models.get_model_info(f"runs:/{run.info.run_id}/model")
    assert info.signature.inputs.input_names() == list(X.columns)
    assert (drupe.load_model(f"runs:/{run.info.run_id}/model").predict(X) == forest.predict(X)).all()


def test_a_classifier_without_probabilities_has_a_roc_curve_by_its_margin(two_classes: tuple[Any, Any], runs: Runs) -> None:
    X, y = two_classes
    model = LinearSVC().fit(X, y)
    (run,) = runs()
    assert run.data.metrics["training_roc_auc"] == roc_auc_score(y, model.decision_function(X))
    assert "training_log_loss" not in run.data.metrics
    assert files(run) >= PICTURES


def test_a_regression(two_classes: tuple[Any, Any], runs: Runs) -> None:
    X, _ = two_classes
    y = X @ [1.0, 2.0, 3.0] + np.sin(X[:, 0] * 9)
    model = LinearRegression().fit(X, y)
    (run,) = runs()
    squared = float(((model.predict(X) - y) ** 2).mean())
    assert run.data.metrics == pytest.approx(
        {
            "training_mean_squared_error": squared,
            "training_root_mean_squared_error": squared**0.5,
            "training_mean_absolute_error": mean_absolute_error(y, model.predict(X)),
            "training_r2_score": model.score(X, y),
            "training_score": model.score(X, y),
        }
    )
    assert not files(run) & PICTURES


def test_several_outputs(two_classes: tuple[Any, Any], runs: Runs) -> None:
    X, y = two_classes
    MultiOutputRegressor(LinearRegression()).fit(X, X[:, :2] ** 2)
    MultiOutputClassifier(LogisticRegression()).fit(X, np.column_stack([y, 1 - y]))
    KNeighborsClassifier(3).fit(X, np.column_stack([y, y * 2]))
    regression, classification, neighbours = runs()
    assert 0 < regression.data.metrics["training_r2_score"] < 1
    assert 0.5 < classification.data.metrics["training_accuracy_score"] <= 1
    assert "training_roc_auc" not in classification.data.metrics
    assert not files(classification) & PICTURES
    assert neighbours.info.status == RunStatus.FINISHED


@pytest.mark.parametrize(
    ("model", "method"),
    [(KMeans(2, n_init=1), "fit_predict"), (PCA(2), "fit_transform"), (DBSCAN(), "fit"), (IsolationForest(n_estimators=5), "fit")],
)
def test_models_without_targets(model: Any, method: str, two_classes: tuple[Any, Any], runs: Runs) -> None:
    getattr(model, method)(two_classes[0])
    (run,) = runs()
    assert run.data.tags["estimator_name"] == type(model).__name__
    assert set(run.data.metrics) <= {"training_score"}
    assert ("training_score" in run.data.metrics) == hasattr(model, "score")
    assert files(run) >= {"model", "estimator.html"}


def test_a_pipeline_is_one_run_with_the_params_of_its_steps(two_classes: tuple[Any, Any], runs: Runs) -> None:
    make_pipeline(StandardScaler(), LogisticRegression(C=3.0)).fit(*two_classes)
    (run,) = runs()
    assert run.data.params["logisticregression__C"] == "3.0"
    assert run.data.params["standardscaler__with_mean"] == "True"


def test_preparing_data_is_no_training(two_classes: tuple[Any, Any], runs: Runs) -> None:
    StandardScaler().fit_transform(two_classes[0])
    CountVectorizer().fit(["some text"])
    assert runs() == []


def test_a_single_class_leaves_out_what_cannot_be_told(two_classes: tuple[Any, Any], runs: Runs) -> None:
    DummyClassifier().fit(two_classes[0], np.zeros(60, dtype=int))
    (run,) = runs()
    assert run.data.metrics["training_accuracy_score"] == 1.0
    assert "training_roc_auc" not in run.data.metrics


def test_sparse_data_and_texts(runs: Runs) -> None:
    texts = ["a pear", "a plum", "pears", "plums"] * 5
    counts = CountVectorizer().fit_transform(texts)
    y = [0, 1, 0, 1] * 5
    MultinomialNB().fit(counts, y)
    MultinomialNB().fit(scipy.sparse.csc_array(counts), y)
    make_pipeline(CountVectorizer(), MultinomialNB()).fit(texts, y)
    found = runs()
    assert [run.data.metrics["training_accuracy_score"] for run in found] == [1.0, 1.0, 1.0]
    digests = [run.inputs.dataset_inputs[0].dataset.digest for run in found]
    assert digests[0] == digests[1] != digests[2]


def test_texts_from_a_generator_are_read_once(runs: Runs) -> None:
    model = make_pipeline(CountVectorizer(), KMeans(2, n_init=1, random_state=0))
    model.fit(text for text in ["a pear", "a plum"] * 5)
    assert len(model[-1].labels_) == 10
    (run,) = runs()
    assert run.data.metrics == {}
    assert run.inputs.dataset_inputs == ()


def test_tables_of_polars(two_classes: tuple[Any, Any], runs: Runs) -> None:
    X, y = two_classes
    table = pl.DataFrame({"a": X[:, 0], "b": X[:, 1]})
    drupe.sklearn.autolog(log_input_examples=True)
    LogisticRegression().fit(table, pl.Series(y))
    (run,) = runs()
    info = drupe.models.get_model_info(f"runs:/{run.info.run_id}/model")
    assert info.signature.inputs.input_names() == ["a", "b"]
    assert run.data.metrics["training_accuracy_score"] > 0.5


def test_input_examples_signatures_models_and_data_are_kept_on_request_only(two_classes: tuple[Any, Any], runs: Runs) -> None:
    X, y = pd.DataFrame(two_classes[0], columns=["a", "b", "c"]), two_classes[1]
    drupe.sklearn.autolog(log_input_examples=True, log_datasets=False)
    LogisticRegression().fit(X, y)
    drupe.sklearn.autolog(log_model_signatures=False)
    LogisticRegression().fit(X, y)
    drupe.sklearn.autolog(log_models=False)
    LogisticRegression().fit(X, y)
    example, unsigned, without = runs()
    info = drupe.models.get_model_info(f"runs:/{example.info.run_id}/model")
    assert info.saved_input_example_info["artifact_path"] == "input_example.json"
    assert info.signature is not None
    assert example.inputs.dataset_inputs == ()
    assert drupe.models.get_model_info(f"runs:/{unsigned.info.run_id}/model").signature is None
    assert "model" not in files(without)


def test_a_model_is_registered_and_written_in_the_format_asked_for(two_classes: tuple[Any, Any], runs: Runs) -> None:
    drupe.sklearn.autolog(registered_model_name="pears", serialization_format="pickle")
    LogisticRegression().fit(*two_classes)
    assert [version.version for version in drupe.search_model_versions(filter_string="name = 'pears'")] == ["1"]
    flavors = drupe.models.get_model_info("models:/pears/1").flavors
    assert flavors["sklearn"]["serialization_format"] == "pickle"


def test_a_second_fit_in_a_run_of_the_user_shows_the_latest_metrics(two_classes: tuple[Any, Any], runs: Runs) -> None:
    X, y = two_classes
    with drupe.start_run() as mine:
        LogisticRegression().fit(X, y)
        DummyClassifier().fit(X, y)
    (run,) = runs()
    assert run.info.run_id == mine.info.run_id
    assert run.data.params["C"] == "1.0"
    assert run.data.params["strategy"] == "prior"
    assert run.data.metrics["training_accuracy_score"] == max(y.mean(), 1 - y.mean())
    assert isinstance(drupe.sklearn.load_model(f"runs:/{run.info.run_id}/model"), DummyClassifier)


def test_without_matplotlib_there_are_no_pictures_and_one_warning(
    two_classes: tuple[Any, Any], runs: Runs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import sys

    for name in ("matplotlib.figure", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(sys.modules, name, None)
    LogisticRegression().fit(*two_classes)
    LogisticRegression().fit(*two_classes)
    assert all(not files(run) & PICTURES for run in runs())
    assert [record.getMessage().partition(": no plots are made")[0] for record in caplog.records] == ["autologging of sklearn"]


def test_pictures_leave_pyplot_alone(two_classes: tuple[Any, Any], runs: Runs) -> None:
    from matplotlib import pyplot

    before = pyplot.get_fignums()
    LogisticRegression().fit(*two_classes)
    assert pyplot.get_fignums() == before
