"""A folder with several flavors: each loads by its name, the first is the generic one, another steps in where its library is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper

import drupe
from drupe.artifacts.manifest import verify_manifest
from drupe.errors import InvalidModelFolder, InvalidValue, MissingRequirement, NoProvider
from drupe.loading import catalog


@pytest.fixture(scope="session")
def converted(classifier: Any) -> Any:
    """The classifier's decision function as a graph."""
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["x", "w", "b"], ["margin"])],
        "decision",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3])],
        [helper.make_tensor_value_info("margin", TensorProto.FLOAT, [None, 1])],
        [
            numpy_helper.from_array(classifier.coef_.T.astype(np.float32), "w"),
            numpy_helper.from_array(classifier.intercept_.astype(np.float32), "b"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_each_flavor_loads_by_its_name_and_the_first_is_the_generic_one(
    classifier: Any, converted: Any, table: pd.DataFrame, tmp_path: Path
) -> None:
    info = drupe.save_model(
        classifier, tmp_path / "m", also={"onnx": converted}, input_example=table.head(2), serialization_format="pickle"
    )
    assert set(info.flavors) == {"sklearn", "onnx", "python_function"}
    assert info.flavors["python_function"]["loader_module"] == "mlflow.sklearn"
    model = drupe.load_model(tmp_path / "m")
    assert model.flavor == "sklearn"
    assert (model.predict(table) == classifier.predict(table)).all()
    assert isinstance(drupe.onnx.load_model(tmp_path / "m"), onnx.ModelProto)
    assert type(drupe.sklearn.load_model(tmp_path / "m")) is type(classifier)
    lines = (tmp_path / "m" / "requirements.txt").read_text().splitlines()
    assert {line.partition("==")[0] for line in lines} >= {"scikit-learn", "onnx", "onnxruntime"}
    assert len(lines) == len(set(lines))
    manifest = verify_manifest(tmp_path / "m")
    assert manifest is not None
    assert manifest.executes_code == ("model.pkl",)


def test_another_flavor_steps_in_where_the_first_is_missing(
    classifier: Any, converted: Any, table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drupe.save_model(classifier, tmp_path / "m", also={"onnx": converted})
    find = catalog().flavor

    def missing(fault: Exception) -> Any:
        def flavor(name: str) -> Any:
            if name == "sklearn":
                raise fault
            return find(name)

        return flavor

    for fault in (NoProvider("no plugin"), MissingRequirement("no library")):
        monkeypatch.setattr(catalog(), "flavor", missing(fault))
        model = drupe.load_model(tmp_path / "m")
        assert model.flavor == "onnx"
        margins = np.ravel(model.predict(table)["margin"].tolist())
        assert ((margins > 0) == classifier.predict(table)).all()


def test_a_python_model_that_is_first_stays_the_generic_one(converted: Any, table: pd.DataFrame, tmp_path: Path) -> None:
    drupe.save_model(lambda model_input: model_input["a"] * 2, tmp_path / "m", also={"onnx": converted})
    assert drupe.load_model(tmp_path / "m").flavor == "python_function"
    assert np.allclose(drupe.load_model(tmp_path / "m").predict(table), table["a"] * 2)
    assert drupe.onnx.load_model(tmp_path / "m").graph.name == "decision"


def test_a_logged_model_has_all_its_flavors(classifier: Any, converted: Any) -> None:
    info = drupe.sklearn.log_model(classifier, "clf", also={"onnx": converted})
    assert set(drupe.models.get_model_info(info.model_uri).flavors) == {"sklearn", "onnx", "python_function"}
    assert isinstance(drupe.onnx.load_model(info.model_uri), onnx.ModelProto)
    with pytest.raises(InvalidModelFolder, match="no flavor 'xgboost'; it has onnx, python_function, sklearn"):
        drupe.xgboost.load_model(info.model_uri)


def test_what_cannot_share_a_folder_is_refused_and_nothing_left(classifier: Any, converted: Any, tmp_path: Path) -> None:
    import lightgbm

    estimator = lightgbm.LGBMRegressor(
        n_estimators=1, verbose=-1, min_data_in_leaf=2, objective=lambda y, found: (found - y, np.ones_like(y))
    )
    estimator.fit(np.arange(60.0).reshape(30, 2), np.arange(30.0))
    refused: list[tuple[Any, str]] = [
        ({"lightgbm": estimator}, r"sklearn and lightgbm both write model\.pkl, so they cannot share a folder"),
        ({"sklearn": classifier}, "sklearn cannot come after sklearn: it is there already"),
        ({"python_function": print}, "the generic interface is that of the first flavor"),
        ([converted], "also is a dict of flavor name → model"),
    ]
    for also, message in refused:
        with pytest.raises(InvalidValue, match=message):
            drupe.save_model(classifier, tmp_path / "out" / "m", also=also, serialization_format="pickle")
    with pytest.raises(NoProvider, match="nonsense"):
        drupe.save_model(classifier, tmp_path / "out" / "m", also={"nonsense": 1})
    assert list((tmp_path / "out").iterdir()) == []


def test_mlmodel_tells_the_generic_flavor_by_its_loader_whatever_the_order(classifier: Any, converted: Any, tmp_path: Path) -> None:
    drupe.onnx.save_model(converted, tmp_path / "m", also={"sklearn": classifier})
    assert list(yaml.safe_load((tmp_path / "m" / "MLmodel").read_text())["flavors"]) == ["onnx", "python_function", "sklearn"]
    assert drupe.load_model(tmp_path / "m").flavor == "onnx"
