"""ONNX models as folders: files of weights, what goes in and comes out, and what a folder may not ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import yaml

import drupe
from drupe.errors import InvalidModelFolder, InvalidValue
from drupe_flavor_onnx.files import read_graph

from .small_models import WEIGHTS, linear, two_inputs

X = np.arange(6, dtype=np.float32).reshape(2, 3)
LARGE = np.ones((3, 400), dtype=np.float32)


def test_the_keys_are_mlflows_and_large_weights_lie_beside_the_graph(tmp_path: Path) -> None:
    model = linear(LARGE)
    info = drupe.onnx.save_model(onnx_model=model, path=tmp_path / "m", input_example=X)
    assert info.flavors["onnx"] == {
        "onnx_version": onnx.__version__,
        "data": "model.onnx",
        "providers": ["CUDAExecutionProvider", "CPUExecutionProvider"],
        "onnx_session_options": None,
        "code": None,
    }
    assert info.flavors["python_function"]["loader_module"] == "mlflow.onnx"
    assert {"model.onnx", "model.onnx.data"} <= {file.name for file in (tmp_path / "m").iterdir()}
    assert (tmp_path / "m" / "model.onnx.data").stat().st_size >= LARGE.nbytes
    assert len(model.graph.initializer[0].raw_data) == LARGE.nbytes  # the user's own model still has them
    assert info.signature.inputs.is_tensor_spec()
    assert np.array_equal(drupe.load_model(tmp_path / "m").predict(X)["y"], X @ LARGE)


def test_the_native_model_is_a_proto_with_its_weights(tmp_path: Path) -> None:
    drupe.onnx.save_model(linear(LARGE), tmp_path / "m")
    model = drupe.onnx.load_model(tmp_path / "m")
    assert isinstance(model, onnx.ModelProto)
    assert np.array_equal(onnx.numpy_helper.to_array(model.graph.initializer[0]), LARGE)


def test_a_path_of_a_file_brings_its_weights_along(tmp_path: Path) -> None:
    onnx.save_model(linear(LARGE), str(tmp_path / "given.onnx"), save_as_external_data=True, location="big.bin")
    drupe.onnx.save_model(tmp_path / "given.onnx", tmp_path / "m")
    assert np.array_equal(drupe.load_model(tmp_path / "m").predict(X)["y"], X @ LARGE)
    with pytest.raises(InvalidValue, match=r"weights of this model lie in 'big\.bin' and are not loaded"):
        drupe.onnx.save_model(onnx.load(str(tmp_path / "given.onnx"), load_external_data=False), tmp_path / "n")


def test_weights_outside_of_the_folder_are_refused(tmp_path: Path) -> None:
    flavor = drupe.loading.catalog().flavor("onnx")
    folder = tmp_path / "m"
    folder.mkdir()
    record = flavor.save(linear(LARGE), folder, {})
    (folder / "model.onnx.data").rename(tmp_path / "elsewhere.data")
    for place in ("../elsewhere.data", str(tmp_path / "elsewhere.data")):
        graph = onnx.load(str(folder / "model.onnx"), load_external_data=False)
        next(entry for entry in graph.graph.initializer[0].external_data if entry.key == "location").value = place
        (folder / "model.onnx").write_bytes(graph.SerializeToString())
        with pytest.raises(InvalidModelFolder, match="which is no place in it"):
            flavor.load(folder, record.config)


def test_a_table_feeds_columns_by_name_and_comes_back_as_one(tmp_path: Path) -> None:
    table = pd.DataFrame({"t": ["x", "y"], "b": [1, 2], "a": [0.5, 1.5]})
    drupe.onnx.save_model(two_inputs(), tmp_path / "m", input_example=table)
    model = drupe.load_model(tmp_path / "m")
    found = model.predict(table)
    assert found["total"].tolist() == [1.5, 3.5]
    assert found["text"].tolist() == ["x", "y"]
    assert [column.name for column in model.signature.outputs] == ["total", "text"]
    arrays = {"a": np.array([[0.5]]), "b": np.array([[2]]), "t": np.array([["z"]])}
    assert drupe.onnx.load_model(tmp_path / "m").graph.name == "two"
    drupe.onnx.save_model(two_inputs(), tmp_path / "free")
    assert drupe.load_model(tmp_path / "free").predict(arrays)["total"].tolist() == [[2.5]]


def test_rows_of_several_values_come_back_as_lists(tmp_path: Path) -> None:
    drupe.onnx.save_model(linear(), tmp_path / "m")
    found = drupe.load_model(tmp_path / "m").predict(pd.DataFrame(X.astype(float)))
    assert found["y"].tolist() == (X @ WEIGHTS).tolist()


def test_inputs_that_the_graph_does_not_take_are_named(tmp_path: Path) -> None:
    drupe.onnx.save_model(two_inputs(), tmp_path / "m")
    model = drupe.load_model(tmp_path / "m")
    with pytest.raises(InvalidValue, match="has the inputs a, b, t; give a dict of arrays or a table"):
        model.predict(X)
    with pytest.raises(InvalidValue, match="the inputs b, t are missing"):
        model.predict({"a": X})
    with pytest.raises(InvalidValue, match=r"the input 'b' takes tensor\(int64\), and float64 was given"):
        model.predict({"a": [[1.0]], "b": [[1.5]], "t": [["x"]]})
    drupe.onnx.save_model(linear(), tmp_path / "n")
    with pytest.raises(InvalidValue, match="ONNX Runtime cannot run the model on this input"):
        drupe.load_model(tmp_path / "n").predict(np.ones((2, 5), dtype=np.float32))


def test_session_options_and_providers_reach_the_runtime(tmp_path: Path) -> None:
    options = {"intra_op_num_threads": 1, "execution_mode": "sequential", "graph_optimization_level": 99}
    more = {"extra_session_config": {"session.intra_op.allow_spinning": "0"}}
    drupe.onnx.save_model(
        linear(), tmp_path / "m", onnx_execution_providers="CPUExecutionProvider", onnx_session_options={**options, **more}
    )
    session = drupe.load_model(tmp_path / "m").native.session
    assert session.get_providers() == ["CPUExecutionProvider"]
    used = session.get_session_options()
    assert (used.intra_op_num_threads, used.execution_mode) == (1, onnxruntime.ExecutionMode.ORT_SEQUENTIAL)


HOSTILE: list[tuple[str, Any, str]] = [
    ("providers", ["NoSuchProvider"], "there is no execution provider 'NoSuchProvider'"),
    ("providers", [["QNNExecutionProvider", {"backend_path": "/tmp/evil.so"}]], "a model may not set backend_path"),
    ("onnx_session_options", {"optimized_model_filepath": "/tmp/x"}, "a model may not set the session options optimized_model_filepath"),
    ("onnx_session_options", {"extra_session_config": {"ep.context_file_path": "/tmp/x"}}, r"may not set ep\.context_file_path"),
    ("onnx_session_options", {"intra_op_num_threads": -1}, "must be a whole number"),
    ("onnx_session_options", {"execution_mode": "wild"}, "must be sequential or parallel"),
    ("onnx_session_options", {"graph_optimization_level": 7}, "must be one of 0, 1, 2, 99"),
]


@pytest.mark.parametrize(("key", "value", "message"), HOSTILE, ids=[message[-30:] for _, _, message in HOSTILE])
def test_what_a_model_may_not_ask_for_is_refused_when_it_is_saved_and_when_it_is_loaded(
    key: str, value: Any, message: str, tmp_path: Path
) -> None:
    flavor = drupe.loading.catalog().flavor("onnx")
    argument = {"providers": "onnx_execution_providers"}.get(key, key)
    with pytest.raises(InvalidValue, match=message):
        flavor.save(linear(), tmp_path, {argument: value})
    record = flavor.save(linear(), tmp_path, {})
    with pytest.raises(InvalidModelFolder, match=message):
        flavor.load(tmp_path, {**record.config, key: value})


def test_a_model_that_is_not_valid_is_refused(tmp_path: Path) -> None:
    model = linear()
    model.graph.node[0].op_type = "NoSuchOperator"
    with pytest.raises(InvalidValue, match="this ONNX model is not valid"):
        drupe.onnx.save_model(model, tmp_path / "m")
    with pytest.raises(InvalidValue, match="saves a ModelProto or the path"):
        drupe.onnx.save_model([1], tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_mlmodel_is_what_a_folder_of_mlflow_may_lack_keys_of(tmp_path: Path) -> None:
    drupe.onnx.save_model(linear(), tmp_path / "m")
    keys = yaml.safe_load((tmp_path / "m" / "MLmodel").read_text())["flavors"]["onnx"]
    flavor = drupe.loading.catalog().flavor("onnx")
    old = {name: keys[name] for name in ("data", "onnx_version")}  # before providers and options were kept
    assert flavor.load(tmp_path / "m", old).session.get_providers() == ["CPUExecutionProvider"]


def test_a_second_place_of_one_tensors_weights_is_looked_at_too(tmp_path: Path) -> None:
    """Whoever reads the weights takes the last one."""
    model = onnx.ModelProto()
    tensor = model.graph.initializer.add(data_location=onnx.TensorProto.EXTERNAL)
    for place in ("beside.data", "../elsewhere.data"):
        tensor.external_data.add(key="location", value=place)
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "beside.data").touch()
    (tmp_path / "m" / "model.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(InvalidModelFolder, match="elsewhere"):
        read_graph(tmp_path / "m" / "model.onnx")
