"""One request for predictions, decoded: what the model is to be given, in a form that can be joined with others and taken apart again."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy
import pandas

from drupe_serving.encoding import predictions_json

__all__ = ["Asked", "Columns", "joined", "taken_apart"]

_indexes: dict[tuple[Any, ...], Any] = {}
INDEXES_KEPT = 64


class Columns:
    """A table whose values are known to fit the signature: a list of values for each of its columns, in their order.

    `dtypes` are those of the columns; None leaves the values the objects that they are. `left_out` are the names of columns that were given
    and that the model does not take. Kept a plain class: one is made for every request.
    """

    __slots__ = ("dtypes", "index", "left_out", "names", "rows", "values")

    def __init__(self, names: tuple[Any, ...], dtypes: tuple[str | None, ...], values: Sequence[list[Any]], rows: int) -> None:
        self.names, self.dtypes, self.values, self.rows = names, dtypes, values, rows
        self.index: Any = None
        self.left_out: Sequence[Any] = ()

    def frame(self) -> Any:
        """The table as the model takes it."""
        return _frame(self.names, self.dtypes, self.values, self.index)


class Asked:
    """What one request asks: `inputs` as Columns, arrays or whatever the model takes, `params`, and how predictions become an answer.

    `rows` is how many there are, and `key` the same for requests that can be predicted together; both are None for one that must be
    predicted alone. `left_out` names what was given and is not passed on: columns and params that the model does not know.
    """

    __slots__ = ("encode", "inputs", "key", "left_out", "params", "rows")

    def __init__(
        self,
        inputs: Any,
        params: Mapping[str, Any] | None = None,
        *,
        params_key: Hashable = None,
        encode: Callable[[Any], Any] = predictions_json,
    ) -> None:
        self.inputs, self.params, self.encode = inputs, params, encode
        self.rows: int | None = None
        self.key: Hashable = None
        self.left_out: Sequence[Any] = ()
        kind = type(inputs)
        if kind is Columns:
            self.left_out = inputs.left_out
            if inputs.rows and inputs.index is None:
                self.rows, self.key = inputs.rows, (inputs.names, inputs.dtypes, params_key)
        elif kind is numpy.ndarray:
            if inputs.ndim and len(inputs):
                self.rows, self.key = len(inputs), (inputs.dtype, inputs.shape[1:], params_key)
        elif kind is dict and inputs and all(type(value) is numpy.ndarray and value.ndim for value in inputs.values()):
            lengths = {len(value) for value in inputs.values()}
            if len(lengths) == 1 and 0 not in lengths:
                shapes = tuple((name, value.dtype, value.shape[1:]) for name, value in inputs.items())
                self.rows, self.key = lengths.pop(), (shapes, params_key)

    def given(self) -> Any:
        """The inputs as the model takes them."""
        return self.inputs.frame() if type(self.inputs) is Columns else self.inputs


def joined(batch: Sequence[Asked]) -> Any:
    """The inputs of requests with one key, one below the other."""
    first = batch[0].inputs
    if type(first) is Columns:
        places = range(len(first.values))
        return _frame(first.names, first.dtypes, [[value for asked in batch for value in asked.inputs.values[at]] for at in places], None)
    if type(first) is dict:
        return {name: numpy.concatenate([asked.inputs[name] for asked in batch]) for name in first}
    return numpy.concatenate([asked.inputs for asked in batch])


def taken_apart(predictions: Any, sizes: Sequence[int]) -> list[Any] | None:
    """The predictions for each request of a batch; None where there are not as many as rows, so that nobody knows whose they are."""
    if isinstance(predictions, pandas.DataFrame | pandas.Series):
        rows = predictions.iloc
    elif isinstance(predictions, list) or (isinstance(predictions, numpy.ndarray) and predictions.ndim):
        rows = predictions
    else:
        return None
    if len(predictions) != sum(sizes):
        return None
    parts, begin = [], 0
    for size in sizes:
        part = rows[begin : begin + size]
        parts.append(part.reset_index(drop=True) if rows is not predictions else part)
        begin += size
    return parts


def _frame(names: tuple[Any, ...], dtypes: tuple[str | None, ...], values: Sequence[list[Any]], index: Any) -> Any:
    columns = _indexes.get(names)
    if columns is None:
        if len(_indexes) >= INDEXES_KEPT:  # names that clients choose, where a signature has none
            _indexes.clear()
        columns = _indexes[names] = pandas.Index(names)
    first = dtypes[0] if dtypes else None
    if first is not None and first != "str" and first != "datetime64[ns]" and dtypes.count(first) == len(dtypes):
        # one array for all is ten times as quick as one for each
        return pandas.DataFrame(numpy.array(values, first).T, index=index, columns=columns, copy=False)
    parts = {place: _array(column, dtypes[place]) for place, column in enumerate(values)}
    frame = pandas.DataFrame(parts, copy=False)
    frame.columns = columns
    if index is not None:
        frame.index = pandas.Index(index)
    return frame


def _array(values: list[Any], dtype: str | None) -> Any:
    if dtype is None:
        column = numpy.empty(len(values), dtype=object)
        column[:] = values
        return column
    if dtype == "str":
        return pandas.array(values, dtype="str")
    return numpy.array(values, dtype=dtype)
