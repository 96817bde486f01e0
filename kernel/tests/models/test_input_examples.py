"""Input examples: the two files are those that MLflow 3.17 writes, and come back as they were given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csc_matrix, csr_matrix

from drupe.errors import InvalidModelFolder, InvalidValue
from drupe.models.examples import Example, read_example
from drupe.models.infer import infer_schema

FILES = {"artifact_path": "input_example.json", "serving_input_path": "serving_input_example.json"}
TABLE = pd.DataFrame({"a": [1.0, None], "t": pd.to_datetime(["2024-01-01", "2024-01-02"]), "b": [b"x", b"y"]})
FORMS: dict[str, tuple[Any, dict[str, Any], Any, dict[str, Any]]] = {
    "table": (
        TABLE,
        {"type": "dataframe", "pandas_orient": "split"},
        {"columns": ["a", "t", "b"], "data": [[1.0, "2024-01-01T00:00:00", "eA=="], [None, "2024-01-02T00:00:00", "eQ=="]]},
        {
            "dataframe_split": {
                "columns": ["a", "t", "b"],
                "data": [[1.0, "2024-01-01T00:00:00", "eA=="], [None, "2024-01-02T00:00:00", "eQ=="]],
            }
        },
    ),
    "unnamed table": (
        pd.DataFrame(np.eye(2)),
        {"type": "dataframe", "pandas_orient": "values"},
        {"data": [[1.0, 0.0], [0.0, 1.0]]},
        {"dataframe_split": {"data": [[1.0, 0.0], [0.0, 1.0]]}},
    ),
    "array": (np.arange(4.0).reshape(2, 2), {"type": "ndarray"}, [[0.0, 1.0], [2.0, 3.0]], {"inputs": [[0.0, 1.0], [2.0, 3.0]]}),
    "array with NaN": (np.array([1.0, np.nan]), {"type": "ndarray"}, [1.0, None], {"inputs": [1.0, None]}),
    "arrays": (
        {"x": np.ones((1, 2)), "y": np.zeros(1, "int64")},
        {"type": "ndarray"},
        {"x": [[1.0, 1.0]], "y": [0]},
        {"inputs": {"x": [[1.0, 1.0]], "y": [0]}},
    ),
    "csr": (
        csr_matrix(np.eye(2)),
        {"type": "sparse_matrix_csr"},
        {"data": [1.0, 1.0], "indices": [0, 1], "indptr": [0, 1, 2], "shape": [2, 2]},
        {"inputs": [[1.0, 0.0], [0.0, 1.0]]},
    ),
    "csc": (
        csc_matrix(np.array([[0.0, 5.0]])),
        {"type": "sparse_matrix_csc"},
        {"data": [5.0], "indices": [0], "indptr": [0, 0, 1], "shape": [1, 2]},
        {"inputs": [[0.0, 5.0]]},
    ),
    "dict": ({"a": 1, "b": [1, 2]}, {"type": "json_object"}, {"a": 1, "b": [1, 2]}, {"inputs": {"a": 1, "b": [1, 2]}}),
    "list": ([1, 2], {"type": "json_object"}, [1, 2], {"inputs": [1, 2]}),
    "number": (3.5, {"type": "json_object"}, 3.5, {"inputs": 3.5}),
    "text": ("t", {"type": "json_object"}, "t", {"inputs": "t"}),
}


@pytest.mark.parametrize("name", FORMS)
def test_both_files_are_as_mlflow_writes_them(name: str, tmp_path: Path) -> None:
    given, info, stored, request = FORMS[name]
    assert Example.of(given).write(tmp_path) == FILES | info
    assert json.loads((tmp_path / "input_example.json").read_text()) == stored
    assert json.loads((tmp_path / "serving_input_example.json").read_text()) == request


@pytest.mark.parametrize("with_params", [False, True])
@pytest.mark.parametrize("name", FORMS)
def test_an_example_comes_back_as_it_was_given(name: str, with_params: bool, tmp_path: Path) -> None:
    given = FORMS[name][0]
    info = Example.of((given, {"p": 1}) if with_params else given).write(tmp_path)
    back = read_example(tmp_path, info, infer_schema(given))
    assert back.params == ({"p": 1} if with_params else None)
    assert type(back.inputs) is type(given)
    if isinstance(given, pd.DataFrame):
        pd.testing.assert_frame_equal(back.inputs, given, check_dtype=name != "table")
        assert back.inputs.dtypes.map(lambda dtype: dtype.kind).tolist() == given.dtypes.map(lambda dtype: dtype.kind).tolist()
    elif hasattr(given, "toarray"):
        assert (back.inputs.toarray() == given.toarray()).all()
    elif isinstance(given, dict):
        assert all(np.array_equal(back.inputs[key], given[key]) for key in given)
    else:
        assert np.array_equal(back.inputs, given, equal_nan=isinstance(given, np.ndarray))


def test_params_stand_beside_the_example(tmp_path: Path) -> None:
    info = Example.of((np.arange(2), {"p": 1})).write(tmp_path)
    assert info["params"] == "true"
    assert json.loads((tmp_path / "input_example.json").read_text()) == {"inputs": [0, 1], "params": {"p": 1}}
    assert json.loads((tmp_path / "serving_input_example.json").read_text()) == {"inputs": [0, 1], "params": {"p": 1}}


def test_a_pair_whose_second_is_no_dict_is_no_pair_of_params() -> None:
    with pytest.raises(InvalidValue, match="cannot be tuple"):
        Example.of((1, 2)).write(Path())


def test_a_series_is_a_table_of_one_column(tmp_path: Path) -> None:
    Example.of(pd.Series([1.5], name="a")).write(tmp_path)
    assert json.loads((tmp_path / "input_example.json").read_text()) == {"columns": ["a"], "data": [[1.5]]}


def test_older_files_that_wrap_arrays_are_read(tmp_path: Path) -> None:
    (tmp_path / "input_example.json").write_text('{"inputs": [[1, 2]]}')
    info = {"artifact_path": "input_example.json", "type": "ndarray", "format": "tf-serving"}
    assert read_example(tmp_path, info).inputs.tolist() == [[1, 2]]


@pytest.mark.parametrize("given", [object(), {"x": np.ones(1), "y": object()}, [object()], {1, 2}])
def test_what_has_no_json_form_is_refused(given: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidValue):
        Example.of(given).write(tmp_path)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("{", "dataframe"),
        ('{"data": 1}', "dataframe"),
        ("[[1], [2, 3]]", "ndarray"),
        ("{}", "sparse_matrix_csr"),
        ("[" * 99999, "json_object"),
    ],
)
def test_a_damaged_example_is_told_as_such(text: str, kind: str, tmp_path: Path) -> None:
    (tmp_path / "input_example.json").write_text(text)
    with pytest.raises(InvalidModelFolder, match="input example"):
        read_example(tmp_path, {"artifact_path": "input_example.json", "type": kind})
