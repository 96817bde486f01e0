"""Makes what users give fit the inputs of a graph, and what a graph gives fit what users gave: tables for tables, arrays for arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from drupe.errors import InvalidValue

__all__ = ["feeds", "outputs"]

_TYPES: Mapping[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int8)": np.int8,
    "tensor(int16)": np.int16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(uint8)": np.uint8,
    "tensor(uint16)": np.uint16,
    "tensor(uint32)": np.uint32,
    "tensor(uint64)": np.uint64,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.object_,
}


def feeds(wanted: Sequence[Any], given: Any) -> dict[str, Any]:
    """The array for each input of the graph; `wanted` are ONNX Runtime's descriptions of them. Raises InvalidValue that names the input."""
    names = [each.name for each in wanted]
    arrays: Mapping[str, Any]
    if isinstance(given, Mapping):
        arrays = {str(name): np.asarray(value) for name, value in given.items()}
    elif isinstance(given, pd.DataFrame):
        arrays = {str(name): given[name].to_numpy() for name in given.columns} if len(names) > 1 else {names[0]: _matrix(wanted[0], given)}
    elif len(names) == 1:
        arrays = {names[0]: np.asarray(given)}
    else:
        raise InvalidValue(f"this model has the inputs {', '.join(names)}; give a dict of arrays or a table with these names")
    if missing := [name for name in names if name not in arrays]:
        raise InvalidValue(f"the inputs {', '.join(missing)} are missing; this model takes {', '.join(names)}")
    return {each.name: _fitted(each, arrays[each.name]) for each in wanted}


def _matrix(wanted: Any, table: pd.DataFrame) -> Any:
    """A table as the one input of a graph: its only column where the graph takes one value a row, else a row for a row."""
    if len(table.columns) == 1 and len(wanted.shape) == 1:
        return table.iloc[:, 0].to_numpy()
    return table.to_numpy()


def _fitted(wanted: Any, array: Any) -> Any:
    kind = _TYPES.get(wanted.type)
    if kind is None:
        return array
    if array.ndim == 1 and len(wanted.shape) == 2:
        array = array.reshape(-1, 1)  # a column of a table, for a graph that takes a matrix of one column
    if array.dtype == kind:
        return array
    if kind is np.object_:
        return array.astype(object)
    try:
        fitted = array.astype(kind, casting="unsafe" if array.dtype == object or _is_float(array, kind) else "same_kind")
    except (TypeError, ValueError, OverflowError) as fault:
        raise InvalidValue(f"the input {wanted.name!r} takes {wanted.type}, and {array.dtype} was given: {fault}") from fault
    if array.dtype.kind in "iu" and not (fitted == array).all():
        raise InvalidValue(f"the input {wanted.name!r} takes {wanted.type}, which cannot hold all of the numbers given")
    return fitted


def _is_float(array: Any, kind: Any) -> bool:
    return bool(np.issubdtype(kind, np.floating) and array.dtype.kind in "fiub")


def outputs(names: Sequence[str], found: Sequence[Any], given: Any) -> Any:
    """A table with a column for each output when `given` is one, else a dict of arrays.

    An output of several values a row becomes a column of lists; MLflow has no table for it.
    """
    if not isinstance(given, pd.DataFrame):
        return dict(zip(names, found, strict=True))
    return pd.DataFrame({name: _column(value, len(given)) for name, value in zip(names, found, strict=True)})


def _column(value: Any, rows: int) -> Any:
    array = np.asarray(value)
    if array.size == rows or array.ndim < 2:
        return array.reshape(-1)
    return array.reshape(len(array), -1).tolist() if array.ndim == 2 else list(array)
