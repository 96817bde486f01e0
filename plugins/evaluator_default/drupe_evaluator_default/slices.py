"""Parts of the data that are judged by themselves: the values of a column, or the rows that a query finds."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd

from drupe.errors import InvalidValue
from drupe.extend import Evaluation
from drupe_evaluator_default.intervals import bootstrap
from drupe_evaluator_default.scoring import Scorer

__all__ = ["ALL", "FEW", "find_slices", "slice_table"]

ALL = "(all rows)"
FEW = 10
"""Fewer rows than this say nothing; such a slice comes last and has no interval."""
MAX_VALUES = 20
BINS = 4


def find_slices(frame: Any, wanted: Sequence[str]) -> dict[str, Any]:
    """The places of the rows of each slice, by its name.

    A column of up to 20 values is cut by value; of the texts beyond that the most frequent are kept and the others are one slice; numbers
    beyond that are cut into quarters. Anything else is a query in pandas' language, such as `age > 60` or `` `job title` == "nurse" ``.
    Raises InvalidValue for a column that is not there and a query that cannot be read.
    """
    found: dict[str, Any] = {}
    for one in wanted:
        found |= _by_column(frame, one) if one in frame.columns else {one: _by_query(frame, one)}
    return found


def slice_table(evaluation: Evaluation, scorer: Scorer, primary: str, *, greater_is_better: bool) -> Any:
    """A row for each slice with its numbers and their intervals (`_low`, `_high`), worst first by `primary`; all rows are the first row.

    `worse` is true where the whole interval lies on the worse side of what all rows have.
    """
    slices = find_slices(evaluation.frame, evaluation.slices)
    total = len(evaluation.frame)
    rows = []
    for place, (name, chosen) in enumerate({ALL: np.arange(total), **slices}.items()):
        evaluation.tell(f"slice {name}", 0.3 + 0.3 * place / (len(slices) + 1))
        rows.append(_row(name, chosen, total, scorer))
    table = pd.DataFrame(rows)
    if primary not in table.columns:
        raise InvalidValue(f"slice_metric is {primary!r}, which slices do not have; they have {', '.join(_names(table))}")
    whole = table[primary].iloc[0]
    best = table[f"{primary}_high" if greater_is_better else f"{primary}_low"]
    table["worse"] = (best < whole) if greater_is_better else (best > whole)
    last = (table["rows"] < FEW) | table[primary].isna()
    order = table.assign(_last=last, _all=table["slice"] != ALL).sort_values(
        ["_all", "_last", primary], ascending=[True, True, greater_is_better], kind="stable"
    )
    return order.drop(columns=["_last", "_all"]).reset_index(drop=True)


def _row(name: str, chosen: Any, total: int, scorer: Scorer) -> dict[str, Any]:
    row: dict[str, Any] = {"slice": name, "rows": len(chosen), "share": len(chosen) / total}
    if not len(chosen):
        return row
    numbers = scorer(chosen)
    intervals = bootstrap(numbers, len(chosen)) if len(chosen) >= FEW else {}
    for metric, value in numbers(np.ones(len(chosen))).items():
        low, high = intervals.get(metric, (float("nan"), float("nan")))
        row |= {metric: value, f"{metric}_low": low, f"{metric}_high": high}
    return row


def _names(table: Any) -> list[str]:
    return [name[: -len("_low")] for name in table.columns if name.endswith("_low")]


def _by_column(frame: Any, column: str) -> dict[str, Any]:
    values = frame[column]
    try:
        different = values.nunique(dropna=True)
    except TypeError as fault:
        raise InvalidValue(f"the column {column!r} cannot be cut into slices: its values are {type(values.iloc[0]).__name__}") from fault
    is_number = pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype)
    found: dict[str, Any] = {}
    if different <= MAX_VALUES:
        for value in sorted(values.dropna().unique().tolist(), key=lambda value: (str(type(value)), value)):
            found[f"{column} = {_shown(value)}"] = np.flatnonzero((values == value).to_numpy(dtype=bool, na_value=False))
    elif is_number or pd.api.types.is_datetime64_any_dtype(values.dtype):
        cut = pd.qcut(values, BINS, duplicates="drop")
        for part in cut.cat.categories:
            low, high = (values.min() if part == cut.cat.categories[0] else part.left), part.right
            sign = "≤" if part == cut.cat.categories[0] else "<"
            found[f"{_shown(low)} {sign} {column} ≤ {_shown(high)}"] = np.flatnonzero((cut == part).to_numpy())
    else:
        kept = values.value_counts().index[: MAX_VALUES - 1]
        for value in kept:
            found[f"{column} = {value}"] = np.flatnonzero((values == value).to_numpy(dtype=bool, na_value=False))
        found[f"{column} = (one of {different - len(kept)} others)"] = np.flatnonzero((~values.isin(kept) & values.notna()).to_numpy())
    if values.isna().any():
        found[f"{column} is missing"] = np.flatnonzero(values.isna().to_numpy())
    return found


def _by_query(frame: Any, query: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            chosen = frame.eval(query, engine="python", local_dict={}, global_dict={})
        mask = np.asarray(chosen)
    except Exception as fault:  # whatever the library raises for a text that is no query
        known = ", ".join(map(str, frame.columns[:20]))
        close = get_close_matches(query, [str(column) for column in frame.columns], 1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise InvalidValue(
            f"the slice {query!r} is neither a column nor a query: {fault}; columns are {known}{hint}, a query is like 'age > 60'",
            slice=query,
        ) from fault
    if mask.dtype != bool or mask.shape != (len(frame),):
        raise InvalidValue(f"the slice {query!r} says no yes or no for each row; a query is like 'age > 60'", slice=query)
    return np.flatnonzero(mask)


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float | np.floating) else str(value)
