"""Runs in MLflow's environment, where there is no drupe: models of XGBoost, LightGBM, ONNX and statsmodels, saved, loaded and autologged there."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import lightgbm
import mlflow
import mlflow.lightgbm
import mlflow.onnx
import mlflow.statsmodels
import mlflow.xgboost
import numpy as np
import onnx
import pandas as pd
import statsmodels.api as sm
import xgboost
from mlflow.models import infer_signature

assert importlib.util.find_spec("drupe") is None
ROWS = np.random.default_rng(0).random((60, 3)).astype(np.float32)
TABLE = pd.DataFrame(ROWS.astype(float), columns=["a", "b", "c"])
CLASSES = (TABLE["a"] > 0.5).astype(int)
QUIET = {"verbose": -1, "num_threads": 1, "min_data_in_leaf": 5}
NATIVE = {"xgb": mlflow.xgboost, "lgb": mlflow.lightgbm, "onnx": mlflow.onnx, "stats": mlflow.statsmodels}


def plain(values: Any) -> Any:
    if isinstance(values, pd.DataFrame):
        return {name: plain(column) for name, column in values.items()}
    if isinstance(values, dict):
        return {name: plain(value) for name, value in values.items()}
    return json.loads(json.dumps([np.asarray(value).tolist() for value in values]))


def given(name: str) -> Any:
    if name.startswith("onnx"):
        return ROWS[:4]
    return pd.DataFrame({"start": [10], "end": [12]}) if name == "stats_series" else TABLE.head(4)


def load(folders: dict[str, str]) -> Any:
    """Load each folder, as the generic model and as the library's own."""
    answers = {}
    for name, folder in folders.items():
        model = mlflow.pyfunc.load_model(folder)
        own = NATIVE[name.partition("_")[0]].load_model(folder)
        answers[name] = {"predictions": plain(model.predict(given(name))), "native": type(own).__name__}
    return answers


def save(folder: str) -> Any:
    """Save models of every kind below `folder` and predict with each."""
    root = Path(folder)
    kept: dict[str, Any] = {"pip_requirements": ["pandas"]}
    matrix = xgboost.DMatrix(TABLE, CLASSES)
    mlflow.xgboost.save_model(xgboost.train({"nthread": 1}, matrix, 3), root / "xgb_booster", signature=infer_signature(TABLE), **kept)
    classifier = xgboost.XGBClassifier(n_estimators=3, n_jobs=1).fit(TABLE, CLASSES)
    mlflow.xgboost.save_model(classifier, root / "xgb_json", model_format="json", input_example=TABLE.head(2), **kept)
    mlflow.xgboost.save_model(classifier, root / "xgb_usual", **kept)
    booster = lightgbm.train(QUIET, lightgbm.Dataset(TABLE, CLASSES), 3)
    mlflow.lightgbm.save_model(booster, root / "lgb_booster", **kept)
    estimator = lightgbm.LGBMClassifier(n_estimators=3, **QUIET).fit(TABLE, CLASSES)
    mlflow.lightgbm.save_model(estimator, root / "lgb_usual", **kept)
    mlflow.onnx.save_model(linear(), root / "onnx_large", input_example=ROWS[:2], **kept)
    mlflow.statsmodels.save_model(sm.OLS(ROWS[:, 0] * 2, ROWS).fit(), root / "stats_line", **kept)
    mlflow.statsmodels.save_model(sm.tsa.AutoReg(ROWS[:, 0].astype(float), lags=1).fit(), root / "stats_series", **kept)
    return load({each.name: str(each) for each in root.iterdir()})


def linear() -> Any:
    """A graph with weights that are large enough for a file of their own."""
    weights = onnx.numpy_helper.from_array(np.arange(1500, dtype=np.float32).reshape(3, 500) / 1500, "w")
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMul", ["x", "w"], ["y"])],
        "linear",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [None, 3])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [None, 500])],
        [weights],
    )
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)


def autologged(folder: str) -> Any:
    """What MLflow's autologging keeps of `train_both`: params, metrics with their steps, files."""
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.set_experiment("autologged")  # another job of this process may have chosen one of another store
    answers = []
    for library, train in (("xgboost", train_xgboost), ("lightgbm", train_lightgbm), ("statsmodels", train_statsmodels)):
        getattr(mlflow, library).autolog(log_models=False)
        with mlflow.start_run() as run:
            train()
        client = mlflow.MlflowClient()
        data = client.get_run(run.info.run_id).data
        steps = {key: [point.step for point in client.get_metric_history(run.info.run_id, key)] for key in data.metrics}
        files = sorted(file.path for file in client.list_artifacts(run.info.run_id))
        answers.append({"params": sorted(data.params), "metrics": steps, "files": files})
    return answers


def train_xgboost() -> None:
    train, valid = xgboost.DMatrix(TABLE[:40], CLASSES[:40]), xgboost.DMatrix(TABLE[40:], CLASSES[40:])
    params = {"nthread": 1, "objective": "binary:logistic", "eval_metric": ["logloss", "ndcg@3"]}
    xgboost.train(params, train, 20, evals=[(train, "train"), (valid, "valid")], early_stopping_rounds=2, verbose_eval=False)


def train_lightgbm() -> None:
    train = lightgbm.Dataset(TABLE[:40], CLASSES[:40])
    valid = lightgbm.Dataset(TABLE[40:], CLASSES[40:], reference=train)
    stop = lightgbm.early_stopping(2, verbose=False)
    lightgbm.train({**QUIET, "objective": "binary"}, train, 20, valid_sets=[valid], valid_names=["valid"], callbacks=[stop])


def train_statsmodels() -> None:
    sm.OLS(TABLE["a"], TABLE[["b", "c"]]).fit()
