"""What autologging of LightGBM keeps of a training: params, metrics of each iteration, importance, data sets, the model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest

import drupe
from drupe.entities import Run

Runs = Callable[[], list[Run]]
X = pd.DataFrame(np.random.default_rng(0).random((80, 3)), columns=["a", "b", "c"])
Y = (X["a"] > 0.5).astype(int)
PARAMS = {"verbose": -1, "num_threads": 1, "min_data_in_leaf": 5, "objective": "binary", "metric": ["binary_logloss", "auc"]}


def history(run: Run, key: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in drupe.MlflowClient().get_metric_history(run.info.run_id, key)]


def inputs(run: Run) -> list[tuple[str, str]]:
    found = drupe.get_run(run.info.run_id).inputs.dataset_inputs
    return sorted((each.dataset.name, {tag.key: tag.value for tag in each.tags}["mlflow.data.context"]) for each in found)


@pytest.mark.parametrize("by_place", [False, True], ids=["keywords", "places"])
def test_a_call_of_train_is_kept_under_mlflows_names(by_place: bool, runs: Runs) -> None:
    drupe.lightgbm.autolog()
    train = lightgbm.Dataset(X[:50], Y[:50])
    valid = lightgbm.Dataset(X[50:], Y[50:], reference=train)
    seen: dict[str, Any] = {}
    mine = [lightgbm.early_stopping(2, verbose=False), lightgbm.record_evaluation(seen)]
    if by_place:
        booster = lightgbm.train(PARAMS, train, 30, [valid], ["valid"], None, None, False, mine)
    else:
        booster = lightgbm.train(PARAMS, train, 30, valid_sets=[valid], valid_names=["valid"], callbacks=mine)
    assert len(mine) == 2  # the user's list stays theirs
    (run,) = runs()
    assert (run.data.params["objective"], run.data.params["num_boost_round"]) == ("binary", "30")
    rounds = len(seen["valid"]["auc"])
    curve = history(run, "valid-binary_logloss")
    assert [value for _, value in curve[:rounds]] == pytest.approx(seen["valid"]["binary_logloss"])
    assert curve[rounds] == (rounds, pytest.approx(seen["valid"]["binary_logloss"][booster.best_iteration - 1]))
    assert (run.data.metrics["best_iteration"], run.data.metrics["stopped_iteration"]) == (booster.best_iteration, rounds)
    names = {file.path for file in drupe.MlflowClient().list_artifacts(run.info.run_id)}
    assert names >= {f"feature_importance_{kind}.{form}" for kind in ("split", "gain") for form in ("json", "png")}
    found = json.loads(Path(drupe.download_artifacts(run_id=run.info.run_id, artifact_path="feature_importance_split.json")).read_text())
    assert found == dict(zip(booster.feature_name(), booster.feature_importance("split").tolist(), strict=True))
    assert {context for _, context in inputs(run)} == {"train", "eval"}
    model = drupe.load_model(f"runs:/{run.info.run_id}/model")
    assert [column.name for column in model.signature.inputs] == ["a", "b", "c"]
    assert np.allclose(model.predict(X), booster.predict(X))


def test_a_fit_of_an_estimator_is_one_run_with_iterations_and_scores(runs: Runs) -> None:
    drupe.lightgbm.autolog(log_input_examples=True)
    model = lightgbm.LGBMClassifier(n_estimators=5, verbose=-1, num_threads=1, min_child_samples=5)
    model.fit(X[:50], Y[:50], eval_X=X[50:], eval_y=Y[50:])
    (run,) = runs()
    assert run.data.tags["estimator_class"] == "lightgbm.sklearn.LGBMClassifier"
    assert run.data.params["n_estimators"] == "5"
    assert [value for _, value in history(run, "valid_0-binary_logloss")] == pytest.approx(model.evals_result_["valid_0"]["binary_logloss"])
    assert "best_iteration" not in run.data.metrics  # nothing stopped it early
    assert run.data.metrics["training_accuracy_score"] == pytest.approx((model.predict(X[:50]) == Y[:50]).mean())
    assert {context for _, context in inputs(run)} == {"train", "eval"}
    loaded = drupe.load_model(f"runs:/{run.info.run_id}/model")
    assert loaded.metadata.flavors["lightgbm"]["serialization_format"] == "skops"
    assert (loaded.predict(X) == model.predict(X)).all()
    assert len(loaded.input_example) == 5


def test_a_data_set_that_is_used_twice_keeps_its_columns(runs: Runs) -> None:
    drupe.lightgbm.autolog()
    train = lightgbm.Dataset(X, Y)
    for _ in range(2):
        lightgbm.train(PARAMS, train, 1)
    for run in runs():
        assert [column.name for column in drupe.load_model(f"runs:/{run.info.run_id}/model").signature.inputs] == ["a", "b", "c"]
