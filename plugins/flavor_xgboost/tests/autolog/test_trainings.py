"""What autologging of XGBoost keeps of a training: params, metrics of each iteration, importance, data sets, the model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.model_selection import GridSearchCV

import drupe
from drupe.entities import Run

Runs = Callable[[], list[Run]]
X = pd.DataFrame(np.random.default_rng(0).random((60, 3)), columns=["a", "b", "c"])
Y = (X["a"] > 0.5).astype(int)
PARAMS = {"objective": "binary:logistic", "eval_metric": ["logloss", "ndcg@3"], "nthread": 1}


def history(run: Run, key: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in drupe.MlflowClient().get_metric_history(run.info.run_id, key)]


def files(run: Run) -> set[str]:
    return {file.path for file in drupe.MlflowClient().list_artifacts(run.info.run_id)}


def inputs(run: Run) -> list[tuple[str, str]]:
    found = drupe.get_run(run.info.run_id).inputs.dataset_inputs
    return [(each.dataset.name, {tag.key: tag.value for tag in each.tags}["mlflow.data.context"]) for each in found]


def read(run: Run, name: str) -> bytes:
    return Path(drupe.download_artifacts(run_id=run.info.run_id, artifact_path=name)).read_bytes()


def test_a_call_of_train_is_kept_under_mlflows_names(runs: Runs) -> None:
    drupe.xgboost.autolog(importance_types=["weight", "gain"], log_input_examples=True)
    train, valid = xgboost.DMatrix(X[:40], Y[:40]), xgboost.DMatrix(X[40:], Y[40:])
    seen: dict[str, Any] = {}
    mine = [xgboost.callback.EvaluationMonitor(period=100)]
    booster = xgboost.train(
        PARAMS, train, 30, evals=[(train, "train"), (valid, "valid")], early_stopping_rounds=2, evals_result=seen, callbacks=mine
    )
    assert len(mine) == 1  # the user's list stays theirs
    (run,) = runs()
    assert run.data.params["objective"] == "binary:logistic"
    assert (run.data.params["num_boost_round"], run.data.params["early_stopping_rounds"]) == ("30", "2")
    assert "dtrain" not in run.data.params
    rounds = len(seen["valid"]["logloss"])
    losses = history(run, "valid-logloss")
    assert [value for _, value in losses[:rounds]] == pytest.approx(seen["valid"]["logloss"])
    assert [step for step, _ in losses] == list(range(rounds + 1))
    assert losses[rounds][1] == pytest.approx(seen["valid"]["logloss"][booster.best_iteration])
    assert len(history(run, "train-ndcg_at_3")) == rounds + 1
    assert run.data.metrics["best_iteration"] == booster.best_iteration
    assert run.data.metrics["stopped_iteration"] == rounds - 1
    assert files(run) >= {f"feature_importance_{kind}.{form}" for kind in ("weight", "gain") for form in ("json", "png")}
    assert json.loads(read(run, "feature_importance_gain.json")) == pytest.approx(booster.get_score(importance_type="gain"))
    assert read(run, "feature_importance_gain.png")[:4] == b"\x89PNG"
    assert [context for _, context in inputs(run)] == ["train", "eval"]
    model = drupe.load_model(f"runs:/{run.info.run_id}/model")
    assert model.metadata.flavors["xgboost"]["model_class"] == "xgboost.core.Booster"
    assert [column.name for column in model.signature.inputs] == ["a", "b", "c"]
    assert len(model.input_example) == 5
    assert np.allclose(model.predict(X), booster.predict(xgboost.DMatrix(X)))


def test_metrics_are_there_while_the_training_runs(runs: Runs) -> None:
    live: list[float] = []

    class Look(xgboost.callback.TrainingCallback):  # type: ignore[misc]
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            live.append(len(history(runs()[0], "train-rmse")))
            return epoch == 2  # and stops: what comes after it is not asked any more

    drupe.xgboost.autolog(log_models=False)
    train = xgboost.DMatrix(X, X["b"])
    xgboost.train({"nthread": 1}, train, 9, evals=[(train, "train")], callbacks=[Look()], verbose_eval=False)
    assert live == [1, 2, 3]


def test_a_fit_of_an_estimator_is_one_run_with_iterations_and_scores(runs: Runs) -> None:
    drupe.xgboost.autolog(model_format="json")
    model = xgboost.XGBClassifier(n_estimators=20, n_jobs=1, early_stopping_rounds=2, eval_metric="logloss")
    model.fit(X[:40], Y[:40], eval_set=[(X[40:], Y[40:])], verbose=False)
    assert model.callbacks is None
    (run,) = runs()
    assert run.data.tags["estimator_class"] == "xgboost.sklearn.XGBClassifier"
    assert run.data.params["n_estimators"] == "20"
    losses = history(run, "validation_0-logloss")
    assert [value for _, value in losses[:-1]] == pytest.approx(model.evals_result()["validation_0"]["logloss"])
    assert run.data.metrics["best_iteration"] == model.best_iteration
    assert run.data.metrics["training_accuracy_score"] == pytest.approx((model.predict(X[:40]) == Y[:40]).mean())
    assert files(run) >= {"feature_importance_weight.json", "feature_importance_weight.png", "training_confusion_matrix.png"}
    assert sorted(context for _, context in inputs(run)) == ["eval", "train"]
    assert isinstance(drupe.xgboost.load_model(f"runs:/{run.info.run_id}/model"), xgboost.XGBClassifier)
    assert drupe.load_model(f"runs:/{run.info.run_id}/model").metadata.flavors["xgboost"]["model_format"] == "json"


def test_a_search_over_estimators_is_scikit_learns_matter(runs: Runs) -> None:
    drupe.autolog(log_models=False)
    GridSearchCV(xgboost.XGBClassifier(n_estimators=2, n_jobs=1), {"max_depth": [1, 2]}, cv=2).fit(X, Y)
    parents = [run for run in runs() if "mlflow.parentRunId" not in run.data.tags]
    assert [run.data.tags["estimator_name"] for run in parents] == ["GridSearchCV"]


def test_a_class_of_the_user_is_kept_as_a_pickle(runs: Runs) -> None:
    class Mine(xgboost.XGBRegressor):  # type: ignore[misc]
        pass

    drupe.xgboost.autolog()
    Mine(n_estimators=2, n_jobs=1).fit(X, X["b"])
    (run,) = runs()
    assert "sklearn" in drupe.load_model(f"runs:/{run.info.run_id}/model").metadata.flavors


def test_a_fit_that_failed_leaves_no_callback_behind(runs: Runs) -> None:
    drupe.xgboost.autolog(log_models=False, exclusive=True)
    with pytest.raises(ValueError, match="label"):
        xgboost.XGBRegressor(n_estimators=2, n_jobs=1).fit(X, Y[:5])
    with drupe.start_run():
        xgboost.XGBRegressor(n_estimators=2, n_jobs=1).fit(X, X["b"], eval_set=[(X, X["b"])], verbose=False)
    assert all(not run.data.metrics for run in runs())


def test_options_that_are_not_known_are_refused() -> None:
    with pytest.raises(drupe.errors.InvalidSettings, match="importance_types is"):
        drupe.xgboost.autolog(importance_types=["colour"])
    with pytest.raises(drupe.errors.InvalidSettings, match="model_format is 'pickle'"):
        drupe.xgboost.autolog(model_format="pickle")
