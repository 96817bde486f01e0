"""Input examples: what a user gives to `log_model`, the two JSON files that keep it, and back.

`input_example.json` holds the example in a form that is read back exactly; `serving_input_example.json` the same as a ready request to a
scoring server.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from attrs import frozen

from drupe.errors import InvalidModelFolder, InvalidValue
from drupe.lazy import need
from drupe.models.casting import is_missing
from drupe.models.confine import inside
from drupe.models.datatypes import DataType
from drupe.models.schema import ColSpec, Schema, TensorSpec

__all__ = ["EXAMPLE_FILE", "SERVING_FILE", "Example", "read_example"]

EXAMPLE_FILE = "input_example.json"
SERVING_FILE = "serving_input_example.json"


@frozen
class Example:
    """An input example split into what is fed to `predict`: `inputs` and `params` (None when it has none)."""

    inputs: Any
    params: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, given: Any) -> Example:
        """From a DataFrame, Series, array, dict of arrays, CSR or CSC matrix, dict, list or scalar, or a pair of that and a dict of params."""
        if isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], dict):
            return cls(given[0], given[1])
        return cls(given)

    def write(self, folder: Path) -> dict[str, Any]:
        """Write both files into `folder` and return `saved_input_example_info` for MLmodel. Raises InvalidValue."""
        kind, stored, request = _forms(self.inputs)
        info = {"artifact_path": EXAMPLE_FILE, "serving_input_path": SERVING_FILE, **kind}
        if self.params is not None:
            stored = {"inputs": stored, "params": dict(self.params)}
            request = {**request, "params": dict(self.params)}
            info["params"] = "true"
        try:
            texts = json.dumps(stored, default=_plain, allow_nan=True), json.dumps(request, default=_plain, indent=2)
        except (TypeError, ValueError) as fault:
            raise InvalidValue(f"the input example cannot be written as JSON: {fault}") from fault
        (folder / EXAMPLE_FILE).write_text(texts[0], encoding="utf-8")
        (folder / SERVING_FILE).write_text(texts[1], encoding="utf-8")
        return info


def _forms(inputs: Any) -> tuple[dict[str, Any], Any, dict[str, Any]]:
    """(keys for MLmodel, what is stored, what is sent to a scoring server)."""
    numpy = need("numpy", to="write an input example")
    module = type(inputs).__module__.partition(".")[0]
    if module == "pandas" and not hasattr(inputs, "columns") and hasattr(inputs, "to_frame"):
        inputs = inputs.to_frame()
    if module == "pandas" and hasattr(inputs, "columns"):
        is_unnamed = list(inputs.columns) == list(range(len(inputs.columns)))
        table = ({} if is_unnamed else {"columns": list(inputs.columns)}) | {"data": _rows(inputs)}
        return {"type": "dataframe", "pandas_orient": "values" if is_unnamed else "split"}, table, {"dataframe_split": table}
    if module == "scipy" and getattr(inputs, "format", None) in ("csr", "csc"):
        parts = {name: getattr(inputs, name).tolist() for name in ("data", "indices", "indptr")} | {"shape": list(inputs.shape)}
        return {"type": f"sparse_matrix_{inputs.format}"}, parts, {"inputs": inputs.toarray().tolist()}
    if isinstance(inputs, numpy.ndarray):
        values = _without_nan(inputs.tolist())
        return {"type": "ndarray"}, values, {"inputs": values}
    if isinstance(inputs, dict) and inputs and all(isinstance(value, numpy.ndarray) for value in inputs.values()):
        arrays = {str(name): _without_nan(value.tolist()) for name, value in inputs.items()}
        return {"type": "ndarray"}, arrays, {"inputs": arrays}
    if isinstance(inputs, dict | list | str | bytes | bool | int | float | datetime | numpy.generic):
        return {"type": "json_object"}, inputs, {"inputs": inputs}
    raise InvalidValue(
        f"an input example cannot be {type(inputs).__name__}; give a DataFrame, array, dict, list, scalar, CSR or CSC matrix, "
        "or a pair (example, params)"
    )


def _without_nan(values: Any) -> Any:
    return [_without_nan(value) for value in values] if isinstance(values, list) else None if is_missing(values) else values


def _rows(frame: Any) -> list[list[Any]]:
    columns = [[None if is_missing(value) else value for value in frame.iloc[:, place].tolist()] for place in range(len(frame.columns))]
    return [list(row) for row in zip(*columns, strict=True)]


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime | date):
        return value.isoformat()
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def read_example(folder: Path, info: Mapping[str, Any], inputs: Schema | None = None) -> Example:
    """The example that `saved_input_example_info` leads to, in the kind it was given; `inputs` restores what JSON cannot say (times, bytes).

    Raises InvalidModelFolder.
    """
    file = inside(folder, info.get("artifact_path"))
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        params = None
        if str(info.get("params")).lower() == "true":
            stored, params = stored["inputs"], stored["params"]
        return Example(_restored(stored, info, inputs), params)
    except (ValueError, KeyError, TypeError, RecursionError, InvalidValue) as fault:
        raise InvalidModelFolder(f"the input example {file} cannot be read: {fault!r}", path=str(file)) from fault


def _restored(stored: Any, info: Mapping[str, Any], inputs: Schema | None) -> Any:
    kind = info.get("type")
    if kind == "dataframe":
        return _table(stored, inputs)
    if kind == "ndarray":
        values = stored["inputs"] if info.get("format") == "tf-serving" else stored  # older releases of MLflow wrapped them
        types = {spec.name: spec.dtype for spec in inputs or () if isinstance(spec, TensorSpec)}
        if isinstance(values, dict):
            return {name: _array(value, types.get(name)) for name, value in values.items()}
        return _array(values, types.get(None))
    if isinstance(kind, str) and kind.startswith("sparse_matrix_"):
        sparse = need("scipy.sparse", to="read this input example", install="scipy")
        build = sparse.csc_matrix if kind.endswith("csc") else sparse.csr_matrix
        return build((stored["data"], stored["indices"], stored["indptr"]), shape=tuple(stored["shape"]))
    return stored


def _array(values: Any, dtype: str | None) -> Any:
    array = need("numpy", to="read this input example").array(values, dtype=dtype)
    return array.astype("float64") if array.dtype.kind == "O" and dtype is None else array  # None stands for NaN


def _table(stored: Any, inputs: Schema | None) -> Any:
    pandas = need("pandas", to="read this input example")
    frame = pandas.DataFrame(stored["data"], columns=stored.get("columns")) if isinstance(stored, dict) else pandas.DataFrame(stored)
    for name, spec in (inputs.input_dict() if inputs is not None else {}).items():
        if isinstance(spec, ColSpec) and name in frame and isinstance(spec.type, DataType):
            frame[name] = _column(pandas, frame[name], spec.type)
    return frame


def _column(pandas: Any, series: Any, kind: DataType) -> Any:
    if kind is DataType.datetime:
        return pandas.to_datetime(series)
    if kind is DataType.binary:
        decoded = [value if is_missing(value) else base64.b64decode(value) for value in series]  # lenient: MLflow ends it with a line break
        return pandas.Series(decoded, index=series.index, dtype="object")
    if kind is DataType.string or series.isna().any():
        return series
    return series.astype(kind.value)
