"""What pandas can do quickly only behind its public functions: telling the types of all columns, making a table of arrays as they are.

For one row, the public ways take most of the time that is spent around a prediction. They are taken where pandas has no such inside, and
tests hold the results equal. Which columns there must be is in `tables`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["dtypes_of", "frame_of_arrays"]


def dtypes_of(table: Any) -> list[Any]:
    """The types of a DataFrame's columns, in order."""
    inside: Any = getattr(table, "_mgr", None)
    return list(inside.get_dtypes()) if hasattr(inside, "get_dtypes") else list(table.dtypes)


def frame_of_arrays(pandas: Any, arrays: Sequence[Any], columns: Any) -> Any:
    """A DataFrame with these columns (an Index) of one-dimensional numpy arrays of one length, whose types stay: objects are not looked into."""
    index = pandas.RangeIndex(len(arrays[0]))
    if hasattr(pandas.DataFrame, "_from_arrays"):
        return pandas.DataFrame._from_arrays(list(arrays), columns, index, verify_integrity=False)
    kept = {place: pandas.Series(values, index=index, dtype=values.dtype) for place, values in enumerate(arrays)}
    table = pandas.DataFrame(kept, index=index, copy=False)
    table.columns = columns
    return table
