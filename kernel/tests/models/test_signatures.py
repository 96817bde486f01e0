"""Signatures as values, and their text in MLmodel: literal texts are what MLflow 3.17 writes."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from drupe.errors import InvalidValue
from drupe.models import (
    AnyType,
    Array,
    ColSpec,
    DataType,
    Map,
    ModelSignature,
    Object,
    ParamSchema,
    ParamSpec,
    Property,
    Schema,
    TensorSpec,
    infer_signature,
)

COLUMNS = {
    "gap": (pd.Series([1, None]), '{"type": "double", "name": "gap", "required": false}'),
    "time": (pd.to_datetime(pd.Series(["2024-01-01"])), '{"type": "datetime", "name": "time", "required": true}'),
    "bytes": (pd.Series([b"x"]), '{"type": "binary", "name": "bytes", "required": true}'),
    "text": (pd.Series(["a", None]), '{"type": "string", "name": "text", "required": false}'),
    "category": (pd.Series(pd.Categorical(["x"])), '{"type": "string", "name": "category", "required": true}'),
    "whole": (pd.Series([1]), '{"type": "long", "name": "whole", "required": true}'),
    "nullable": (pd.Series([1, None], dtype="Int64"), '{"type": "long", "name": "nullable", "required": false}'),
    "short": (pd.Series([1], dtype="uint8"), '{"type": "integer", "name": "short", "required": true}'),
    "unsigned": (pd.Series([1], dtype="uint32"), '{"type": "long", "name": "unsigned", "required": true}'),
    "half": (pd.Series([1], dtype="float32"), '{"type": "float", "name": "half", "required": true}'),
    "flag": (pd.Series([True]), '{"type": "boolean", "name": "flag", "required": true}'),
    "list": (pd.Series([[1, 2], [3]]), '{"type": "array", "items": {"type": "long"}, "name": "list", "required": true}'),
    "map": (
        pd.Series([{"k": 1}, {"k": 2, "z": "q"}]),
        '{"type": "object", "properties": {"k": {"type": "long", "required": true}, "z": {"type": "string", "required": false}}, '
        '"name": "map", "required": true}',
    ),
}
OTHERS = {
    "unnamed table": (
        pd.DataFrame(np.eye(2)),
        '[{"type": "double", "name": 0, "required": true}, {"type": "double", "name": 1, "required": true}]',
    ),
    "named series": (pd.Series([1], name="q"), '[{"type": "long", "name": "q", "required": true}]'),
    "series": (pd.Series([1.0]), '[{"type": "double", "required": true}]'),
    "records": (
        [{"a": 1}, {"a": 2, "b": None}],
        '[{"type": "long", "name": "a", "required": true}, {"type": "any", "name": "b", "required": false}]',
    ),
    "list": ([1, 2], '[{"type": "long", "required": true}]'),
    "list of lists": ([[1, 2], [3]], '[{"type": "array", "items": {"type": "long"}, "required": true}]'),
    "text": ("x", '[{"type": "string", "required": true}]'),
    "array": (np.array([1]), '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'),
    "texts": (np.array(["a", "bb"]), '[{"type": "tensor", "tensor-spec": {"dtype": "str", "shape": [-1]}}]'),
    "sparse": (csr_matrix(np.eye(2)), '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 2]}}]'),
    "arrays": ({"x": np.ones((2, 3))}, '[{"name": "x", "type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 3]}}]'),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_is_inferred_as_mlflow_does(name: str) -> None:
    series, text = COLUMNS[name]
    assert infer_signature(series.to_frame(name)).to_dict()["inputs"] == f"[{text}]"


@pytest.mark.parametrize("name", OTHERS)
def test_other_data_is_inferred_as_mlflow_does(name: str) -> None:
    data, text = OTHERS[name]
    assert infer_signature(data).to_dict()["inputs"] == text


@pytest.mark.parametrize("text", [f"[{text}]" for _, text in COLUMNS.values()] + [text for _, text in OTHERS.values()])
def test_a_schema_is_read_back_as_it_was_written(text: str) -> None:
    assert Schema.from_json(text).to_json() == text


def test_params_are_inferred_with_their_defaults() -> None:
    params = infer_signature("x", params={"a": 1, "b": [1.0, 2.0], "c": "x", "d": True, "n": np.array([1, 2])}).params
    assert params is not None
    assert params.to_dict() == [
        {"name": "a", "default": 1, "shape": None, "type": "long"},
        {"name": "b", "default": [1.0, 2.0], "shape": [-1], "type": "double"},
        {"name": "c", "default": "x", "shape": None, "type": "string"},
        {"name": "d", "default": True, "shape": None, "type": "boolean"},
        {"name": "n", "default": [1, 2], "shape": [-1], "type": "long"},
    ]
    assert ParamSchema.from_json(params.to_json()) == params


def test_a_datetime_param_is_iso_text_in_json() -> None:
    spec = ParamSpec("since", "datetime", datetime(2024, 5, 1))
    assert spec.to_dict()["default"] == "2024-05-01T00:00:00"
    assert ParamSchema.from_json(ParamSchema([spec]).to_json()) == ParamSchema([spec])


def test_an_object_param_keeps_its_properties() -> None:
    schema = ParamSchema([ParamSpec("filter", Object([Property("min", "double"), Property("max", "double", False)]), {"min": 0.5})])
    assert ParamSchema.from_json(schema.to_json()) == schema


def test_a_signature_is_read_back_as_it_was_written() -> None:
    nested = Schema([ColSpec(Map(Array("long")), "m"), ColSpec(AnyType(), "x", False)])
    signature = ModelSignature(nested, Schema([TensorSpec(np.dtype("float32"), (-1, 2))]), ParamSchema([ParamSpec("p", "double", 1)]))
    assert ModelSignature.from_dict(signature.to_dict()) == signature


def test_older_spellings_are_understood() -> None:
    schema = Schema.from_json('[{"type": "long", "name": "a", "optional": true}, {"type": "long", "name": "b"}]')
    assert schema.required_input_names() == ["b"]
    assert schema.optional_input_names() == ["a"]
    (param,) = ParamSchema.from_json('[{"name": "p", "dtype": "double", "default": 1.5}]')
    assert (param.dtype, param.default, param.shape) == (DataType.double, 1.5, None)


def test_a_signature_of_empty_lists_says_nothing() -> None:
    assert ModelSignature.from_dict({"inputs": "[]", "outputs": None}) is None


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: ColSpec("decimal"), "the scalar types are boolean, integer"),
        (lambda: Schema([]), "at least one column or tensor"),
        (lambda: Schema([ColSpec("long"), TensorSpec("f8", (-1,))]), "never both"),
        (lambda: Schema([ColSpec("long", "a"), ColSpec("long")]), "all or none"),
        (lambda: Schema([ColSpec("long", "a"), ColSpec("double", "a")]), "must differ"),
        (lambda: Schema([ColSpec("long", required=False)]), "cannot be optional"),
        (lambda: Schema([TensorSpec("f8", (-1,)), TensorSpec("f8", (-1,))]), "need names"),
        (lambda: TensorSpec("no type", (-1,)), "not a NumPy type"),
        (lambda: ParamSpec("p", "long", "x"), "needs long, got str 'x'"),
        (lambda: ParamSpec("p", "binary", b"x"), "cannot be of type binary"),
        (lambda: ParamSpec("p", "long", [1], (2,)), "shape"),
        (lambda: ParamSchema([ParamSpec("p", "long", 1), ParamSpec("p", "long", 2)]), "different names"),
        (lambda: ModelSignature(), "inputs, outputs or params"),
        (lambda: ModelSignature("text"), "infer_signature makes one"),  # type: ignore[arg-type]
        (lambda: Object([]), "at least one property"),
        (lambda: infer_signature(pd.DataFrame()), "no columns"),
        (lambda: infer_signature({}), "empty dict"),
        (lambda: infer_signature(pd.DataFrame({"mixed": ["a", 1]})), "column 'mixed' mixes string with long"),
        (lambda: infer_signature(pd.DataFrame({"big": pd.Series([1], dtype="uint64")})), "column 'big' has the type uint64"),
        (lambda: infer_signature(object()), "holds object"),
        (lambda: infer_signature("x", params=[1]), "params are a dict"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_a_signature_is_refused_in_words(make, says: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidValue, match=says):
        make()


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        '["a"]',
        '[{"type": "decimal"}]',
        '[{"type": "array"}]',
        '[{"type": "tensor"}]',
        "null",
        '[{"name": ["x"], "type": "long"}]',
        "[" * 9999,
    ],
)
def test_schema_text_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        Schema.from_json(text)


def test_a_type_nested_without_end_is_refused() -> None:
    text = '{"type": "array", "items": ' * 50 + '{"type": "long"}' + "}" * 50
    with pytest.raises(InvalidValue, match="32 deep"):
        Schema.from_json(f"[{text}]")


def test_types_know_their_numpy_and_pandas_names() -> None:
    assert DataType.long.to_numpy() == np.dtype("int64")
    assert DataType.string.to_pandas() == np.dtype("O")
    assert [str(kind) for kind in (DataType.float, Array("long"), Map("double"), AnyType())] == [
        "float",
        "array of long",
        "map to double",
        "any",
    ]


def test_a_signature_prints_as_a_person_would_write_it() -> None:
    frame = pd.DataFrame({"a": [1.0, None], "b": ["x", "y"]})
    signature = infer_signature(frame, np.zeros((2, 3), dtype="float32"), params={"k": 2, "names": ["u"]})
    assert str(signature) == (
        "inputs:  a (double, optional), b (string)\n"
        "outputs: float32 [-1, 3]\n"
        "params:  k (long, default 2), names (list of string, default ['u'])"
    )
