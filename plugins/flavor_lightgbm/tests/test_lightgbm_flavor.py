"""LightGBM's models as folders: text, skops and pickles, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest

import drupe
from drupe.artifacts.manifest import verify_manifest
from drupe.errors import InvalidModelFolder, InvalidValue

X = pd.DataFrame(np.random.default_rng(0).random((60, 3)), columns=["a", "b", "c"])
Y = (X["a"] > 0.5).astype(int)
PARAMS = {"verbose": -1, "num_threads": 1, "min_data_in_leaf": 5}


@pytest.fixture(scope="module")
def booster() -> Any:
    return lightgbm.train({**PARAMS, "objective": "binary"}, lightgbm.Dataset(X, Y), 3)


@pytest.fixture(scope="module")
def classifier() -> Any:
    return lightgbm.LGBMClassifier(n_estimators=3, **PARAMS).fit(X, Y)


def executes(folder: Path) -> bool:
    manifest = verify_manifest(folder)
    assert manifest is not None
    return bool(manifest.executes_code)


def test_a_booster_is_text_under_mlflows_keys(booster: Any, tmp_path: Path) -> None:
    info = drupe.lightgbm.save_model(lgb_model=booster, path=tmp_path / "m", input_example=X.head(2))
    assert info.flavors["lightgbm"] == {
        "lgb_version": lightgbm.__version__,
        "data": "model.lgb",
        "model_class": "lightgbm.basic.Booster",
        "code": None,
    }
    assert info.flavors["python_function"]["loader_module"] == "mlflow.lightgbm"
    assert not executes(tmp_path / "m")
    assert np.array_equal(drupe.lightgbm.load_model(tmp_path / "m").predict(X), booster.predict(X))


@pytest.mark.parametrize(("chosen", "file"), [(None, "model.skops"), ("cloudpickle", "model.pkl")])
def test_an_estimator_is_a_skops_file_that_runs_no_code_or_a_pickle_on_request(
    classifier: Any, chosen: str | None, file: str, tmp_path: Path
) -> None:
    info = drupe.lightgbm.save_model(classifier, tmp_path / "m", serialization_format=chosen)
    assert info.flavors["lightgbm"]["data"] == file
    assert executes(tmp_path / "m") == (chosen is not None)
    assert np.array_equal(drupe.load_model(tmp_path / "m").predict(X), classifier.predict(X))


def test_an_estimator_with_an_objective_of_the_user_is_pickled(tmp_path: Path) -> None:
    def squares(truth: Any, found: Any) -> Any:
        return found - truth, np.ones_like(truth)

    model = lightgbm.LGBMRegressor(n_estimators=2, objective=squares, **PARAMS).fit(X, X["b"])
    assert drupe.save_model(model, tmp_path / "m").flavors["lightgbm"]["serialization_format"] == "cloudpickle"
    assert executes(tmp_path / "m")


def test_params_are_those_of_lightgbms_predict(booster: Any, tmp_path: Path) -> None:
    drupe.lightgbm.save_model(booster, tmp_path / "m", signature=drupe.models.infer_signature(X, params={"pred_contrib": True}))
    assert np.array_equal(drupe.load_model(tmp_path / "m").predict(X), booster.predict(X, pred_contrib=True))


def test_an_input_of_another_width_is_told(booster: Any, tmp_path: Path) -> None:
    drupe.lightgbm.save_model(booster, tmp_path / "m")
    with pytest.raises(InvalidValue, match=r"LightGBM refuses this input.*number of features"):
        drupe.load_model(tmp_path / "m").predict(X[["a"]])


def test_formats_of_estimators_are_refused_for_boosters_and_unfitted_ones_altogether(booster: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="serialization_format is about estimators"):
        drupe.lightgbm.save_model(booster, tmp_path / "m", serialization_format="pickle")
    with pytest.raises(InvalidValue, match="not fitted"):
        drupe.lightgbm.save_model(lightgbm.LGBMClassifier(), tmp_path / "m")


def test_a_pickle_that_holds_no_model_of_lightgbm_is_refused(classifier: Any, tmp_path: Path) -> None:
    flavor = drupe.loading.catalog().flavor("lightgbm")
    record = flavor.save(classifier, tmp_path, {"serialization_format": "pickle"})
    (tmp_path / "model.pkl").write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(InvalidModelFolder, match="holds int, which is no model of LightGBM"):
        flavor.load(tmp_path, record.config)
