"""Models of XGBoost, LightGBM, ONNX and statsmodels that drupe wrote load in MLflow, and MLflow's load here; both autolog alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import xgboost

import drupe

Ask = Callable[..., Any]
SCRIPT = "inside_mlflow_boosting.py"
ROWS = np.random.default_rng(0).random((60, 3)).astype(np.float32)
TABLE = pd.DataFrame(ROWS.astype(float), columns=["a", "b", "c"])
CLASSES = (TABLE["a"] > 0.5).astype(int)
QUIET = {"verbose": -1, "num_threads": 1, "min_data_in_leaf": 5}
OURS = [
    "xgb_booster",
    "xgb_classifier",
    "lgb_booster",
    "lgb_skops",
    "lgb_pickle",
    "onnx_large",
    "onnx_several",
    "stats_line",
    "stats_series",
]
THEIRS = ["xgb_booster", "xgb_json", "xgb_usual", "lgb_booster", "lgb_usual", "onnx_large", "stats_line", "stats_series"]


def given(name: str) -> Any:
    if name.startswith("onnx"):
        return ROWS[:4]
    return pd.DataFrame({"start": [10], "end": [12]}) if name == "stats_series" else TABLE.head(4)


@pytest.fixture(scope="session")
def graph() -> Any:
    """The same as MLflow saves."""
    import onnx

    weights = onnx.numpy_helper.from_array(np.arange(1500, dtype=np.float32).reshape(3, 500) / 1500, "w")
    made = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMul", ["x", "w"], ["y"])],
        "linear",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [None, 3])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [None, 500])],
        [weights],
    )
    return onnx.helper.make_model(made, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture(scope="session")
def written(graph: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder of ours for each way to save."""
    root = tmp_path_factory.mktemp("ours")
    booster = xgboost.train({"nthread": 1}, xgboost.DMatrix(TABLE, CLASSES), 3)
    drupe.xgboost.save_model(booster, root / "xgb_booster", input_example=TABLE.head(2))
    classifier = xgboost.XGBClassifier(n_estimators=3, n_jobs=1).fit(TABLE, CLASSES)
    drupe.xgboost.save_model(classifier, root / "xgb_classifier", model_format="json")
    text = lightgbm.train(QUIET, lightgbm.Dataset(TABLE, CLASSES), 3)
    drupe.lightgbm.save_model(text, root / "lgb_booster", input_example=TABLE.head(2))
    estimator = lightgbm.LGBMClassifier(n_estimators=3, **QUIET).fit(TABLE, CLASSES)
    drupe.lightgbm.save_model(estimator, root / "lgb_skops")
    drupe.lightgbm.save_model(estimator, root / "lgb_pickle", serialization_format="cloudpickle")
    drupe.onnx.save_model(graph, root / "onnx_large", input_example=ROWS[:2])
    drupe.onnx.save_model(graph, root / "onnx_several", also={"xgboost": booster}, onnx_session_options={"intra_op_num_threads": 1})
    drupe.statsmodels.save_model(sm.OLS(ROWS[:, 0] * 2, ROWS).fit(), root / "stats_line")
    drupe.statsmodels.save_model(sm.tsa.AutoReg(ROWS[:, 0].astype(float), lags=1).fit(), root / "stats_series")
    return root


@pytest.fixture(scope="session")
def in_theirs(release: str, in_mlflow: Ask, written: Path) -> dict[str, Any]:
    names = [name for name in OURS if name != "lgb_skops" or not release.startswith("2.")]
    found: dict[str, Any] = in_mlflow("load", {name: str(written / name) for name in names}, script=SCRIPT)
    return found


def same(one: Any, other: Any) -> None:
    if isinstance(other, dict):
        assert set(one) == set(other)
        for name in other:
            np.testing.assert_allclose(np.asarray(one[name]), other[name], rtol=1e-5)
    else:
        np.testing.assert_allclose(np.asarray(one), other, rtol=1e-5)


@pytest.mark.parametrize("name", OURS)
def test_a_folder_of_ours_predicts_the_same_in_mlflow_without_drupe(name: str, in_theirs: dict[str, Any], written: Path) -> None:
    if name not in in_theirs:
        pytest.skip("MLflow 2 cannot read skops")
    same(drupe.load_model(written / name).predict(given(name)), in_theirs[name]["predictions"])
    own = {"xgb": drupe.xgboost, "lgb": drupe.lightgbm, "onnx": drupe.onnx, "stats": drupe.statsmodels}[name.partition("_")[0]]
    assert type(own.load_model(written / name)).__name__ == in_theirs[name]["native"]


@pytest.fixture(scope="session")
def theirs(in_mlflow: Ask, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    root = tmp_path_factory.mktemp("theirs")
    return root, in_mlflow("save", str(root), script=SCRIPT)


@pytest.mark.parametrize("name", THEIRS)
def test_a_folder_of_mlflow_predicts_the_same_here_without_mlflow(name: str, theirs: tuple[Path, dict[str, Any]]) -> None:
    root, answers = theirs
    same(drupe.load_model(root / name).predict(given(name)), answers[name]["predictions"])


def test_autologging_keeps_what_mlflow_keeps_under_the_same_names(in_mlflow: Ask, tmp_path_factory: pytest.TempPathFactory) -> None:
    answers = in_mlflow("autologged", str(tmp_path_factory.mktemp("autologged")), script=SCRIPT)
    found = []
    client = drupe.MlflowClient()
    for library, train in ((drupe.xgboost, train_xgboost), (drupe.lightgbm, train_lightgbm), (drupe.statsmodels, train_statsmodels)):
        library.autolog(log_models=False)
        with drupe.start_run() as run:
            train()
        library.autolog(disable=True)
        data = client.get_run(run.info.run_id).data
        steps = {key: [point.step for point in client.get_metric_history(run.info.run_id, key)] for key in data.metrics}
        files = sorted(file.path for file in client.list_artifacts(run.info.run_id))
        found.append({"params": sorted(data.params), "metrics": steps, "files": files})
    answers[2]["params"].remove("kwargs")  # MLflow's statsmodels: the empty dict of what else could have been given
    assert found == answers


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
