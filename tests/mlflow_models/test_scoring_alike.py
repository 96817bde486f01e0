"""MLflow's scoring server and ours answer a table of requests alike; where they do not is listed here, with the reason in decision 0036."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest
from sklearn.linear_model import LogisticRegression

import drupe
from drupe.models import (
    Array,
    ColSpec,
    DataType,
    ModelSignature,
    Object,
    ParamSchema,
    ParamSpec,
    Property,
    Schema,
    TensorSpec,
    infer_signature,
)
from plugins.serving.tests.scoring import Scored

JSON, CSV = "application/json", "text/csv"
B64 = base64.b64encode(b"hi").decode()
ROW = {"flag": True, "i": 1, "l": 2, "f": 0.5, "d": 1, "s": "é", "b": B64, "t": "2024-05-01T12:30:00", "o": None}
AB = {"a": 0.1, "b": 0.2}


def row(**changed: Any) -> Any:
    return {"dataframe_records": [{**ROW, **changed}]}


def split(**keys: Any) -> Any:
    return {"dataframe_split": {"columns": ["a", "b"], "data": [[0.1, 0.2]], **keys}}


REQUESTS: dict[str, tuple[str, str | None, Any]] = {
    # columns of numbers
    "split": ("columns", JSON, split()),
    "split, other order and more columns": ("columns", JSON, split(columns=["b", "x", "a"], data=[[0.1, 7, 0.2]])),
    "split with an index": ("columns", JSON, split(index=["q"])),
    "split without columns": ("columns", JSON, {"dataframe_split": {"data": [[0.1, 0.2]]}}),
    "split with another key": ("columns", JSON, split(zz=1)),
    "split, ragged": ("columns", JSON, split(data=[[0.1], [0.1, 0.2]])),
    "split without rows": ("columns", JSON, split(data=[])),
    "records": ("columns", JSON, {"dataframe_records": [AB]}),
    "no records": ("columns", JSON, {"dataframe_records": []}),
    "records that are no list": ("columns", JSON, {"dataframe_records": AB}),
    "a column is missing": ("columns", JSON, {"dataframe_records": [{"a": 0.1}]}),
    "a value is missing": ("columns", JSON, {"dataframe_records": [AB, {"a": 0.1}]}),
    "whole numbers": ("columns", JSON, {"dataframe_records": [{"a": 0, "b": 1}]}),
    "a number as text": ("columns", JSON, {"dataframe_records": [{"a": "0.1", "b": 1}]}),
    "a text": ("columns", JSON, {"dataframe_records": [{"a": "zz", "b": 1}]}),
    "a boolean": ("columns", JSON, {"dataframe_records": [{"a": True, "b": 1}]}),
    "instances": ("columns", JSON, {"instances": [AB, {"a": 0.9, "b": 0.2}]}),
    "instances that are lists": ("columns", JSON, {"instances": [[0.1, 0.2]]}),
    "inputs by column": ("columns", JSON, {"inputs": {"a": [0.1], "b": [0.2]}}),
    "inputs of one row": ("columns", JSON, {"inputs": AB}),
    "inputs that are records": ("columns", JSON, {"inputs": [AB]}),
    "inputs that are lists": ("columns", JSON, {"inputs": [[0.1, 0.2]]}),
    "params that nobody knows": ("columns", JSON, {"dataframe_records": [AB], "params": {"zz": 1}}),
    "params that are null": ("columns", JSON, {"dataframe_records": [AB], "params": None}),
    "params that are a list": ("columns", JSON, {"dataframe_records": [AB], "params": [1]}),
    "another key": ("columns", JSON, {"dataframe_records": [AB], "client_request_id": "x"}),
    "two forms": ("columns", JSON, {"dataframe_records": [], "inputs": 1}),
    "no form": ("columns", JSON, {"foo": 1}),
    "a list": ("columns", JSON, [1, 2]),
    "a number": ("columns", JSON, b"5"),
    "no JSON": ("columns", JSON, b"{"),
    "nothing": ("columns", JSON, b""),
    "no UTF-8": ("columns", JSON, b'{"inputs":"\xff"}'),
    "NaN": ("columns", JSON, b'{"dataframe_records":[{"a":NaN,"b":0.2}]}'),
    "Infinity": ("columns", JSON, b'{"dataframe_records":[{"a":Infinity,"b":0.2}]}'),
    "a key twice": ("columns", JSON, b'{"dataframe_records":[{"a":0.1,"a":0.9,"b":0.2}]}'),
    "a byte order mark": ("columns", JSON, b'\xef\xbb\xbf{"dataframe_records":[{"a":0.1,"b":0.2}]}'),
    "messages for a model of columns": ("columns", JSON, {"messages": [{"role": "user", "content": "x"}]}),
    # CSV and other media types
    "CSV": ("columns", CSV, b"a,b\n0.1,0.2\n0.9,0.1\n"),
    "CSV of whole numbers": ("columns", CSV, b"a,b\n0,1\n"),
    "CSV with a gap": ("columns", CSV, b"a,b\n,0.2\n"),
    "CSV with a text": ("columns", CSV, b"a,b\nzz,0.2\n"),
    "CSV without a column": ("columns", CSV, b"a\n0.1\n"),
    "CSV, empty": ("columns", CSV, b""),
    "CSV, header only": ("columns", CSV, b"a,b\n"),
    "CSV, ragged": ("columns", CSV, b"a,b\n1,2,3\n4,5,6,7\n"),
    "CSV, no UTF-8": ("columns", CSV, b"a,b\n\xff,1\n"),
    "CSV, charset": ("columns", f"{CSV}; charset=UTF-8", b"a,b\n0.1,0.2\n"),
    "CSV, latin": ("columns", f"{CSV}; charset=latin-1", b"a,b\n0.1,0.2\n"),
    "another parameter": ("columns", f"{JSON}; format=pandas-split", {"inputs": 1}),
    "capitals": ("columns", "Application/JSON", {"dataframe_records": [AB]}),
    "plain text": ("columns", "text/plain", {"inputs": 1}),
    "no media type": ("columns", None, {"dataframe_records": [AB]}),
    # every scalar
    "every scalar": ("types", JSON, row()),
    "other letters": ("types", JSON, row(s="日本")),
    "flag 1": ("types", JSON, row(flag=1)),
    "flag null": ("types", JSON, row(flag=None)),
    "flag as text": ("types", JSON, row(flag="false")),
    "integer null": ("types", JSON, row(i=None)),
    "integer 1.0": ("types", JSON, row(i=1.0)),
    "integer 1.5": ("types", JSON, row(i=1.5)),
    "integer too large": ("types", JSON, row(i=2**40)),
    "integer as text": ("types", JSON, row(i="1")),
    "integer as boolean": ("types", JSON, row(i=True)),
    "long": ("types", JSON, row(l=2**62)),
    "long too large": ("types", JSON, row(l=2**70)),
    "float": ("types", JSON, row(f=0.1)),
    "float too large": ("types", JSON, row(f=1e300)),
    "double that is a long number": ("types", JSON, row(d=2**60 + 1)),
    "double null": ("types", JSON, row(d=None)),
    "double NaN as text": ("types", JSON, row(d="NaN")),
    "string as number": ("types", JSON, row(s=5)),
    "string as list": ("types", JSON, row(s=["a"])),
    "binary that is none": ("types", JSON, row(b="###")),
    "binary null": ("types", JSON, row(b=None)),
    "binary as number": ("types", JSON, row(b=5)),
    "a date": ("types", JSON, row(t="2024-05-01")),
    "a time with a zone": ("types", JSON, row(t="2024-05-01T12:30:00Z")),
    "a time with fractions": ("types", JSON, row(t="2024-05-01 12:30:00.123")),
    "a time as number": ("types", JSON, row(t=1700000000000)),
    "a time null": ("types", JSON, row(t=None)),
    "no time": ("types", JSON, row(t="zz")),
    "a time as in the United States": ("types", JSON, row(t="05/01/2024")),
    "an optional column left out": ("types", JSON, {"dataframe_records": [{k: v for k, v in ROW.items() if k != "o"}]}),
    "params": ("types", JSON, {**row(), "params": {"k": 5, "names": ["a", "b"]}}),
    "param 5.0": ("types", JSON, {**row(), "params": {"k": 5.0}}),
    "param as text": ("types", JSON, {**row(), "params": {"k": "5"}}),
    "param that is no list": ("types", JSON, {**row(), "params": {"names": "a"}}),
    "param null": ("types", JSON, {**row(), "params": {"k": None}}),
    "scalars by column": ("types", JSON, {"inputs": {k: [v] for k, v in ROW.items()}}),
    "scalars as instances": ("types", JSON, {"instances": [ROW]}),
    "scalars as CSV": ("types", CSV, f"flag,i,l,f,d,s,b,t,o\nTrue,1,2,0.5,1,é,{B64},2024-05-01T12:30:00,\n".encode()),
    # nested columns
    "nested": ("nested", JSON, {"dataframe_records": [{"xs": [1, 2], "ob": {"p": "a", "q": 1}}]}),
    "nested, optional left out": ("nested", JSON, {"dataframe_records": [{"xs": [1, 2], "ob": {"p": "a"}}]}),
    "nested inputs": ("nested", JSON, {"inputs": [{"xs": [1, 2], "ob": {"p": "a"}}]}),
    "nested inputs by column": ("nested", JSON, {"inputs": {"xs": [[1, 2]], "ob": [{"p": "a"}]}}),
    "nested instances": ("nested", JSON, {"instances": [{"xs": [1, 2], "ob": {"p": "a"}}]}),
    "nested, wrong item": ("nested", JSON, {"dataframe_records": [{"xs": [1, "z"], "ob": {"p": "a"}}]}),
    "nested, property missing": ("nested", JSON, {"dataframe_records": [{"xs": [1], "ob": {"q": 1}}]}),
    "nested, another property": ("nested", JSON, {"dataframe_records": [{"xs": [1], "ob": {"p": "a", "zz": 1}}]}),
    "nested, no list": ("nested", JSON, {"dataframe_records": [{"xs": None, "ob": {"p": "a"}}]}),
    # tensors
    "tensor": ("tensor", JSON, {"inputs": [[1, 2], [3, 4]]}),
    "tensor as instances": ("tensor", JSON, {"instances": [[1, 2], [3, 4.5]]}),
    "tensor of another shape": ("tensor", JSON, {"inputs": [1, 2]}),
    "tensor, ragged": ("tensor", JSON, {"inputs": [[1, 2], [3]]}),
    "tensor of texts": ("tensor", JSON, {"inputs": [["a", "b"]]}),
    "tensor with null": ("tensor", JSON, {"inputs": [[1, None]]}),
    "tensor by name": ("tensor", JSON, {"inputs": {"x": [[1, 2]]}}),
    "tensor as a table": ("tensor", JSON, {"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2]]}}),
    "tensor as CSV": ("tensor", CSV, b"a,b\n1,2\n"),
    "tensors": ("tensors", JSON, {"inputs": {"x": [[1, 2]], "y": [1]}}),
    "tensors as instances": ("tensors", JSON, {"instances": [{"x": [1, 2], "y": 1}, {"x": [3, 4], "y": 2}]}),
    "a tensor is missing": ("tensors", JSON, {"inputs": {"x": [[1, 2]]}}),
    "a tensor of fractions": ("tensors", JSON, {"inputs": {"x": [[1, 2]], "y": [1.5]}}),
    "a tensor too many": ("tensors", JSON, {"inputs": {"x": [[1, 2]], "y": [1], "z": [1]}}),
    "tensors of other lengths": ("tensors", JSON, {"instances": [{"x": [1, 2], "y": 1}, {"x": [3, 4]}]}),
    # no signature, no names, one text
    "free table": ("free", JSON, {"dataframe_split": {"columns": ["a", "b"], "data": [[1, "x"]]}}),
    "free records": ("free", JSON, {"dataframe_records": [{"a": 1.5}]}),
    "free list": ("free", JSON, {"inputs": [1, 2]}),
    "free lists by name": ("free", JSON, {"inputs": {"a": [1, 2], "b": ["x", "y"]}}),
    "free text": ("free", JSON, {"inputs": "hello"}),
    "free instances": ("free", JSON, {"instances": [[1, 2], [3, 4]]}),
    "free instances by name": ("free", JSON, {"instances": [{"a": 1}, {"a": 2}]}),
    "free CSV": ("free", CSV, b"a,b\n1,x\n"),
    "free records as inputs": ("free", JSON, {"inputs": [{"a": 1}, {"a": 2}]}),
    "messages": ("free", JSON, {"messages": [{"role": "user", "content": "x"}]}),
    "rows without names": ("unnamed", JSON, {"inputs": [[1, 2], [3, 4]]}),
    "rows without names, split": ("unnamed", JSON, {"dataframe_split": {"data": [[1, 2]]}}),
    "rows without names, CSV": ("unnamed", CSV, b"p,q\n1,2\n"),
    "names where there are none": ("unnamed", JSON, {"inputs": {"p": [1]}}),
    "texts": ("texts", JSON, {"inputs": ["a", "b"]}),
    "one text": ("texts", JSON, {"inputs": "a"}),
    "texts by column": ("texts", JSON, {"inputs": {"text": ["a"]}}),
    "texts as instances": ("texts", JSON, {"instances": ["a", "b"]}),
    "a number for a text": ("texts", JSON, {"inputs": [1]}),
    # the model's own fault
    "the model fails": ("columns", JSON, {"dataframe_records": [{"a": None, "b": 1}]}),
}

DIFFERENCES = {
    **dict.fromkeys(("a number as text", "a boolean", "a number for a text", "string as number", "string as list"), 400),
    **dict.fromkeys(("integer as text", "integer as boolean", "flag 1", "flag null", "flag as text"), 400),
    **dict.fromkeys(("integer 1.5", "integer too large", "a tensor of fractions", "float too large", "double that is a long number"), 400),
    **dict.fromkeys(("binary that is none", "a time as number", "a time as in the United States", "params that are a list"), 400),
    **dict.fromkeys(("binary null", "a time with a zone", "scalars as CSV", "scalars by column", "scalars as instances"), 200),
    **dict.fromkeys(("nested inputs by column", "nested instances", "tensor as CSV", "capitals"), 200),
    "no media type": 415,
}
ONLY_OF = {"2.22.5": dict.fromkeys(("no UTF-8", "CSV, no UTF-8"), 400)}
"""Requests that ours answers otherwise, and with which status; the reasons stand in decision 0036."""


def models_in(folder: Path) -> dict[str, str]:
    """One model of each kind, which MLflow loads where there is no drupe."""

    def told(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [told(one) for one in value]
        if isinstance(value, dict):
            return {name: told(one) for name, one in value.items()}
        if hasattr(value, "tolist") and getattr(value, "ndim", 0):
            return told(value.tolist())
        if isinstance(value, bytes):
            return f"bytes {value.decode()}"
        if value is None or value != value:
            return "missing"
        return value.isoformat() if hasattr(value, "isoformat") else f"{value}"

    def echo(given: Any, params: Any = None) -> Any:
        if hasattr(given, "columns"):
            numbers = {str(name): str(dtype) for name, dtype in given.dtypes.items() if dtype.kind in "biufM"}
            return [{"row": told(one), "numbers": numbers, "params": told(params or {})} for one in given.to_dict("records")]
        kinds = (
            {name: getattr(one, "dtype", type(one)) for name, one in given.items()}
            if isinstance(given, dict)
            else getattr(given, "dtype", "")
        )
        return [str(kinds), told(given) if getattr(given, "ndim", 1) else str(given)]

    double = Schema([ColSpec("double"), ColSpec("double")])
    kinds = [ColSpec("boolean", "flag"), ColSpec("integer", "i"), ColSpec("long", "l"), ColSpec("float", "f"), ColSpec("double", "d")]
    kinds += [ColSpec("string", "s"), ColSpec("binary", "b"), ColSpec("datetime", "t"), ColSpec("double", "o", False)]
    params = ParamSchema([ParamSpec("k", "long", 3), ParamSpec("names", "string", ["x"], (-1,))])
    nested = Schema([ColSpec(Array(DataType.long), "xs"), ColSpec(Object([Property("p", "string"), Property("q", "double", False)]), "ob")])
    named = Schema([TensorSpec(numpy.dtype("float64"), (-1, 2), "x"), TensorSpec(numpy.dtype("int64"), (-1,), "y")])
    signatures = {
        "types": ModelSignature(Schema(kinds), params=params),
        "nested": ModelSignature(nested),
        "tensor": ModelSignature(Schema([TensorSpec(numpy.dtype("float32"), (-1, 2))])),
        "tensors": ModelSignature(named),
        "unnamed": ModelSignature(double),
        "texts": ModelSignature(Schema([ColSpec("string", "text")])),
        "free": None,
    }
    for name, signature in signatures.items():
        drupe.save_model(echo, folder / name, signature=signature, pip_requirements=["pandas"])
    table = pandas.DataFrame({"a": [0.2, 0.8, 0.4], "b": [0.1, 0.2, 0.9]})
    classifier = LogisticRegression().fit(table, [0, 1, 0])
    pickled = {"serialization_format": "cloudpickle", "pip_requirements": ["scikit-learn"]}
    drupe.sklearn.save_model(classifier, folder / "columns", signature=infer_signature(table, numpy.array([0])), **pickled)
    return {name: str(folder / name) for name in (*signatures, "columns")}


def answer(status: int, body: str) -> tuple[int, Any]:
    """What is compared: the status, and the predictions where there are some."""
    return status, json.loads(body) if status == 200 else None


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return models_in(tmp_path_factory.mktemp("alike"))


def test_a_table_of_requests_is_answered_alike(release: str, in_mlflow: Callable[..., Any], folders: dict[str, str]) -> None:
    bodies = {name: body if isinstance(body, bytes) else json.dumps(body).encode() for name, (_, _, body) in REQUESTS.items()}
    asked = [[model, "POST", "/invocations", kind, bodies[name].decode("latin-1")] for name, (model, kind, _) in REQUESTS.items()]
    theirs = in_mlflow("ask", {"folders": folders, "requests": asked}, "scoring_inside_mlflow.py")
    ours = {name: Scored(Path(folder), name) for name, folder in folders.items()}
    found: dict[str, int] = {}
    for (name, (model, kind, _)), (status, body) in zip(REQUESTS.items(), theirs, strict=True):
        told = ours[model].ask("/invocations", bodies[name], kind)
        if answer(told.status, told.body.decode()) != answer(status, body):
            found[name] = told.status
            print(f"{name}: MLflow {status} {body[:300]}\n    ours {told.status} {told.body.decode()[:300]}")
    for one in ours.values():
        one.close()
    assert found == DIFFERENCES | ONLY_OF.get(release, {})


def test_health_is_answered_alike(in_mlflow: Callable[..., Any], folders: dict[str, str]) -> None:
    paths = [["texts", method, path, None, ""] for path in ("/ping", "/health", "/nothing") for method in ("GET", "POST")]
    theirs = in_mlflow("ask", {"folders": {"texts": folders["texts"]}, "requests": paths}, "scoring_inside_mlflow.py")
    ours = Scored(Path(folders["texts"]), "texts")
    told = [ours.ask(path, b"", None, method) for _, method, path, _, _ in paths]
    ours.close()
    assert [one.status for one in told] == [status for status, _ in theirs]
    assert [one.body.decode() for one in told if one.status == 200] == [body for status, body in theirs if status == 200]
