"""Descriptions of the data that scikit-learn is given, for `log_input`."""

from __future__ import annotations

from typing import Any

import numpy as np

from drupe import data
from drupe.lazy import need

__all__ = ["described", "in_pandas"]


def described(X: Any, y: Any = None) -> data.DescribedDataset:
    """A table, an array, a sparse matrix, or a list of rows or texts, with the targets where the form has a place for them."""
    library = type(X).__module__.partition(".")[0]
    if library == "pandas" and hasattr(X, "columns"):
        return data.from_pandas(X)
    if library == "polars" and hasattr(X, "columns"):
        return data.from_polars(X)
    return data.from_numpy(_sparse(X.tocsr()) if hasattr(X, "tocsr") else _array(X), targets=None if y is None else _array(y))


def in_pandas(table: Any) -> Any:
    """A polars table as a pandas one; everything else as it is."""
    if type(table).__module__.partition(".")[0] != "polars" or not hasattr(table, "columns"):
        return table
    pandas = need("pandas", to="describe a table")
    return pandas.DataFrame({name: table[name].to_list() for name in table.columns})


def _array(values: Any) -> Any:
    array = np.asarray(values)
    return array.astype(str) if array.dtype.kind == "O" else array


def _sparse(matrix: Any) -> dict[str, Any]:
    """The parts that say all of a sparse matrix, its shape included."""
    return {"data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr, "shape": np.asarray(matrix.shape)}
