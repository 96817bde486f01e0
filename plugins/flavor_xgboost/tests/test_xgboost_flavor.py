"""XGBoost's models as folders: what is kept of them, whose params they take, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost

import drupe
from drupe.artifacts.manifest import verify_manifest
from drupe.errors import InvalidModelFolder, InvalidValue

X = pd.DataFrame(np.random.default_rng(0).random((40, 3)), columns=["a", "b", "c"])
Y = (X["a"] > 0.5).astype(int)


@pytest.fixture(scope="module")
def classifier() -> Any:
    return xgboost.XGBClassifier(n_estimators=3, n_jobs=1).fit(X, Y)


def test_the_keys_are_mlflows_and_nothing_runs_code(classifier: Any, tmp_path: Path) -> None:
    info = drupe.xgboost.save_model(xgb_model=classifier, path=tmp_path / "m", input_example=X.head(2))
    assert info.flavors["xgboost"] == {
        "xgb_version": xgboost.__version__,
        "data": "model.ubj",
        "model_class": "xgboost.sklearn.XGBClassifier",
        "model_format": "ubj",
        "code": None,
    }
    assert info.flavors["python_function"]["loader_module"] == "mlflow.xgboost"
    manifest = verify_manifest(tmp_path / "m")
    assert manifest is not None
    assert manifest.executes_code == ()
    assert any(line.startswith(("xgboost==", "xgboost-cpu==")) for line in (tmp_path / "m" / "requirements.txt").read_text().splitlines())
    assert [column.name for column in info.signature.inputs] == ["a", "b", "c"]
    assert isinstance(drupe.xgboost.load_model(tmp_path / "m"), xgboost.XGBClassifier)


def test_the_class_of_a_model_finds_the_flavor(classifier: Any, tmp_path: Path) -> None:
    assert "xgboost" in drupe.save_model(classifier, tmp_path / "m").flavors


def test_what_predictions_depend_on_comes_back_though_the_file_lacks_it(tmp_path: Path) -> None:
    holes = X.where(X > 0.3, -1.0)
    model = xgboost.XGBRegressor(n_estimators=3, n_jobs=1, missing=-1.0).fit(holes, X["b"])
    drupe.xgboost.save_model(model, tmp_path / "m")
    assert np.array_equal(drupe.load_model(tmp_path / "m").predict(holes), model.predict(holes))
    assert drupe.xgboost.load_model(tmp_path / "m").missing == -1.0


def test_categories_of_a_table_are_taken(tmp_path: Path) -> None:
    table = X.assign(c=pd.Categorical(np.where(X["c"] > 0.5, "x", "y")))
    model = xgboost.train({"nthread": 1}, xgboost.DMatrix(table, Y, enable_categorical=True), 3)
    drupe.xgboost.save_model(model, tmp_path / "m")
    expected = model.predict(xgboost.DMatrix(table, enable_categorical=True))
    assert np.array_equal(drupe.load_model(tmp_path / "m").predict(table), expected)


def test_params_are_those_of_xgboosts_predict(classifier: Any, tmp_path: Path) -> None:
    signature = drupe.models.infer_signature(X, params={"output_margin": True, "iteration_range": [0, 1], "colour": "red"})
    drupe.xgboost.save_model(classifier, tmp_path / "m", signature=signature)
    with pytest.warns(UserWarning, match="takes no colour"):
        found = drupe.load_model(tmp_path / "m").predict(X)
    assert np.array_equal(found, classifier.predict(X, output_margin=True, iteration_range=(0, 1)))


def test_an_input_that_does_not_fit_is_told_without_xgboosts_stack(tmp_path: Path) -> None:
    drupe.xgboost.save_model(xgboost.train({"nthread": 1}, xgboost.DMatrix(X, Y), 2), tmp_path / "m")
    with pytest.raises(InvalidValue, match="XGBoost refuses this input") as seen:
        drupe.load_model(tmp_path / "m").predict(X.rename(columns={"a": "z"}))
    assert "Stack trace" not in str(seen.value)


@pytest.mark.parametrize("chosen", ["xgb", "pickle"])
def test_other_formats_are_refused(classifier: Any, chosen: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="must be one of ubj, json"):
        drupe.xgboost.save_model(classifier, tmp_path / "m", model_format=chosen)
    assert not (tmp_path / "m").exists()


def test_a_class_of_the_user_is_refused_with_the_flavor_that_keeps_it(tmp_path: Path) -> None:
    class Mine(xgboost.XGBRegressor):  # type: ignore[misc]
        pass

    with pytest.raises(InvalidValue, match="would bring it back as XGBRegressor; flavor='sklearn' keeps your class"):
        drupe.save_model(Mine(n_estimators=1).fit(X, Y), tmp_path / "m")


def test_a_model_that_is_not_fitted_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match=r"cannot be saved.*fit it first"):
        drupe.xgboost.save_model(xgboost.XGBClassifier(), tmp_path / "m")


def test_a_folder_names_no_class_but_xgboosts(classifier: Any, tmp_path: Path) -> None:
    flavor = drupe.loading.catalog().flavor("xgboost")
    record = flavor.save(classifier, tmp_path, {})
    with pytest.raises(InvalidModelFolder, match=r"names the class 'os\.system'"):
        flavor.load(tmp_path, {**record.config, "model_class": "os.system"})


def test_the_file_ending_of_mlflow_2_is_read_and_the_old_binary_format_told_apart(classifier: Any, tmp_path: Path) -> None:
    flavor = drupe.loading.catalog().flavor("xgboost")
    record = flavor.save(classifier, tmp_path, {})
    (tmp_path / "model.ubj").rename(tmp_path / "model.xgb")
    old = {**record.config, "data": "model.xgb", "model_format": "xgb", "xgb_version": "1.7.6"}
    assert np.array_equal(flavor.load(tmp_path, old).predict(X), classifier.predict(X))
    (tmp_path / "model.xgb").write_bytes(b"binf" + bytes(200))
    with pytest.raises(InvalidModelFolder, match=r"load it with xgboost 1\.7\.6 and save it again as ubj"):
        flavor.load(tmp_path, old)
