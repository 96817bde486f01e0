"""Metrics that are computed with a model after its fit go to its run, by the name of the data's variable."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sklearn import metrics
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression

import drupe
from drupe.entities import Run

Runs = Callable[[], list[Run]]


@pytest.fixture(autouse=True)
def on(workspace: Path) -> None:
    drupe.sklearn.autolog(log_models=False)


def told(run: Run) -> dict[str, str]:
    path = drupe.download_artifacts(run_id=run.info.run_id, artifact_path="metric_info.json")
    found: dict[str, str] = json.loads(Path(path).read_text())
    return found


def later(run: Run) -> dict[str, float]:
    return {name: value for name, value in run.data.metrics.items() if not name.startswith("training_")}


def test_scores_and_metrics_of_predictions(two_classes: tuple[Any, Any], runs: Runs) -> None:
    X_train, y_train = two_classes
    X_test, y_test = X_train[30:] + 0.01, y_train[30:]
    model = LogisticRegression().fit(X_train, y_train)
    score = model.score(X_test, y_test)
    labels = model.predict(X_test)
    accuracy = metrics.accuracy_score(y_test, labels)
    metrics.accuracy_score(y_test, labels, normalize=False)
    area = metrics.roc_auc_score(y_test, model.predict_proba(X_test)[:, 1])
    metrics.confusion_matrix(y_test, labels)  # no number
    metrics.accuracy_score(y_test, y_test)  # no prediction
    (run,) = runs()
    assert later(run) == {
        "LogisticRegression_score_X_test": score,
        "accuracy_score_X_test": accuracy,
        "accuracy_score-2_X_test": accuracy * 30,
        "roc_auc_score_X_test": area,
    }
    assert told(run) == {
        "LogisticRegression_score_X_test": "LogisticRegression.score(X=X_test, y=y_test)",
        "accuracy_score_X_test": "accuracy_score(y_true=y_test, y_pred=labels)",
        "accuracy_score-2_X_test": "accuracy_score(y_true=y_test, y_pred=labels, normalize=False)",
        "roc_auc_score_X_test": "roc_auc_score(y_true=y_test, y_score=<ndarray>)",
    }
    contexts = [tag.value for used in run.inputs.dataset_inputs for tag in used.tags]
    assert sorted(set(contexts)) == ["eval", "train"]


def test_the_model_that_was_kept_is_measured_too_and_no_other_of_its_run(two_classes: tuple[Any, Any]) -> None:
    drupe.sklearn.autolog()
    X, y = two_classes
    with drupe.start_run():
        LogisticRegression(C=1e-4).fit(X, y)
        other = drupe.last_logged_model()
        with_it = LogisticRegression().fit(X, y)
    made = drupe.last_logged_model()
    assert other is not None
    assert made is not None
    accuracy = metrics.accuracy_score(y, with_it.predict(X))
    found = {one.key: one.value for one in drupe.get_logged_model(made.model_id).metrics}
    assert found["accuracy_score_X"] == accuracy
    assert "accuracy_score_X" not in {one.key for one in drupe.get_logged_model(other.model_id).metrics}


def test_data_without_a_variable(two_classes: tuple[Any, Any], runs: Runs) -> None:
    X, y = two_classes
    LogisticRegression().fit(X, y).score(X[:10], y[:10])
    (run,) = runs()
    assert list(later(run)) == ["LogisticRegression_score_unknown_dataset"]


def test_each_model_has_its_own_run(two_classes: tuple[Any, Any], runs: Runs) -> None:
    X, y = two_classes
    one, other = LogisticRegression(C=1e-4).fit(X, y), LogisticRegression(C=1e4).fit(X, y)
    expected = [metrics.accuracy_score(y, model.predict(X)) for model in (one, other)]
    assert [run.data.metrics["accuracy_score_X"] for run in runs()] == expected
    assert expected[0] != expected[1]


def test_what_the_library_itself_computes_is_not_logged(two_classes: tuple[Any, Any], runs: Runs) -> None:
    X, y = two_classes
    model = LogisticRegression().fit(X, y)
    permutation_importance(model, X, y, n_repeats=2)
    (run,) = runs()
    assert later(run) == {}


def test_a_model_that_was_not_logged_is_unknown(two_classes: tuple[Any, Any], runs: Runs) -> None:
    X, y = two_classes
    drupe.sklearn.autolog(disable=True)
    model = LogisticRegression().fit(X, y)
    drupe.sklearn.autolog()
    metrics.accuracy_score(y, model.predict(X))
    assert runs() == []


def test_it_can_be_turned_off(two_classes: tuple[Any, Any], runs: Runs) -> None:
    X, y = two_classes
    drupe.sklearn.autolog(log_models=False, log_post_training_metrics=False)
    model = LogisticRegression().fit(X, y)
    metrics.accuracy_score(y, model.predict(X))
    model.score(X, y)
    (run,) = runs()
    assert later(run) == {}


def test_models_and_predictions_are_not_kept_alive(two_classes: tuple[Any, Any]) -> None:
    import weakref

    X, y = two_classes
    model = LogisticRegression().fit(X, y)
    labels = model.predict(X)
    gone = [weakref.ref(model), weakref.ref(labels)]
    del model, labels
    gc.collect()
    assert [reference() for reference in gone] == [None, None]
