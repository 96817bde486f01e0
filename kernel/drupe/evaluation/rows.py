"""The rows that a model is judged on, taken apart: features, true values, given predictions, weights. Every fault is told before a model is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from attrs import frozen

from drupe.data import ArrayDataset, DescribedDataset, FrameDataset, from_numpy, from_pandas, load
from drupe.errors import InvalidValue
from drupe.lazy import need

__all__ = ["Rows", "rows_of"]

WEIGHTS = "sample_weights"
_TAKES = "a DataFrame, an array, a dict of columns, a dataset of drupe.data, or the address of a file"


@frozen(eq=False, kw_only=True)
class Rows:
    """`frame` are all columns, `features` those that the model gets; `is_array` when they were given without names; `dataset` describes them."""

    frame: Any
    features: Any
    targets: Any
    predictions: Any
    weights: Any
    targets_name: str | None
    predictions_name: str | None
    is_array: bool
    dataset: DescribedDataset


def rows_of(
    data: Any,
    *,
    targets: Any = None,
    predictions: Any = None,
    weights: Any = None,
    feature_names: Sequence[str] | None = None,
    dataset_path: str | None = None,
    has_model: bool,
) -> Rows:
    """Take `data` apart. `targets`, `predictions` and `weights` are names of columns, or values, one for each row.

    With a model, `predictions` names a column of what the model gives, and is no column here. Raises InvalidValue.
    """
    pandas = need("pandas", to="evaluate models")
    if data is None:
        raise InvalidValue(f"evaluate needs data: {_TAKES}")
    if isinstance(data, str | Path):
        data = load(data)
    described = data if isinstance(data, DescribedDataset) else None
    if isinstance(data, FrameDataset | ArrayDataset):
        given = [what for what, value in (("targets", targets), ("predictions", None if has_model else predictions)) if value is not None]
        if given and any(getattr(data, what, None) is not None for what in given):
            raise InvalidValue(f"the dataset says its {' and '.join(given)} itself; leave {' and '.join(given)} out of evaluate")
        targets = data.targets if targets is None else targets
        if isinstance(data, FrameDataset):
            if has_model and data.predictions is not None:
                raise InvalidValue("the dataset has predictions, and there is a model; judge the ones or the other")
            predictions = data.predictions if predictions is None else predictions
            data = data.df
        else:
            data = data.features
    frame, is_array = _frame(data, feature_names, pandas)
    if not len(frame):
        raise InvalidValue("there are no rows to evaluate on")
    taken: set[Any] = set()
    truth, targets_name = _column(frame, targets, "targets", taken)
    static, static_name = (None, predictions) if has_model else _column(frame, predictions, "predictions", taken)
    weight, _ = _column(frame, weights, "evaluator_config['sample_weights']", taken)
    for what, values in (("targets", truth), ("predictions", static), ("weights", weight)):
        _refuse_gaps(values, what, pandas)
    if weight is not None and (weight.dtype.kind not in "iufb" or (weight < 0).any() or not weight.sum() > 0):
        raise InvalidValue("sample weights must be numbers that are not negative, and not all zero")
    features = _features(frame, None if is_array else feature_names, taken)
    if described is None:
        described = _described(data, frame, targets if isinstance(targets, str) else None, truth, dataset_path, is_array)
    return Rows(
        frame=frame,
        features=features,
        targets=truth,
        predictions=static,
        weights=weight,
        targets_name=targets_name,
        predictions_name=static_name if isinstance(static_name, str) else None,
        is_array=is_array,
        dataset=described,
    )


def _frame(data: Any, feature_names: Sequence[str] | None, pandas: Any) -> tuple[Any, bool]:
    if isinstance(data, pandas.DataFrame):
        repeated = data.columns[data.columns.duplicated()]
        if len(repeated):
            raise InvalidValue(f"the data has several columns named {repeated[0]!r}")
        return data, False
    if type(data).__module__.partition(".")[0] == "polars" and hasattr(data, "to_dict"):
        return pandas.DataFrame({name: column.to_numpy() for name, column in data.to_dict().items()}), False
    if isinstance(data, Mapping):
        try:
            return pandas.DataFrame(dict(data)), False
        except ValueError as fault:
            raise InvalidValue(f"the columns of the data do not make a table: {fault}") from fault
    if isinstance(data, list) and data and isinstance(data[0], Mapping):
        return pandas.DataFrame(data), False
    array = need("numpy", to="evaluate on arrays").asarray(data)
    if array.ndim == 1 and array.dtype.kind != "O" and array.size:
        array = array.reshape(-1, 1)
    if array.ndim != 2:
        raise InvalidValue(f"evaluate takes {_TAKES}; a {type(data).__name__} of {array.ndim} dimensions is none of them")
    width = array.shape[1]
    names = list(feature_names) if feature_names is not None else [f"feature_{place:0{len(str(width))}d}" for place in range(1, width + 1)]
    if len(names) != width:
        raise InvalidValue(f"feature_names has {len(names)} names, and the data {width} columns")
    return pandas.DataFrame(array, columns=names), True


def _column(frame: Any, given: Any, what: str, taken: set[Any]) -> tuple[Any, str | None]:
    """The values that a column's name, or values themselves, stand for; and the name."""
    if given is None:
        return None, None
    if isinstance(given, str):
        if given not in frame.columns:
            raise InvalidValue(f"{what} is {given!r}, which is not a column{_nearest(given, frame.columns)}", column=given)
        taken.add(given)
        return frame[given].to_numpy(), given
    values = need("numpy", to="evaluate").asarray(given)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 0 or len(values) != len(frame):
        length = "is one value" if values.ndim == 0 else f"has {len(values)} values"
        raise InvalidValue(f"{what} {length}, and the data has {len(frame)} rows")
    return values, getattr(given, "name", None)


def _refuse_gaps(values: Any, what: str, pandas: Any) -> None:
    if values is None or values.ndim != 1:
        return
    gaps = pandas.isna(values)
    if gaps.any():
        first = int(gaps.argmax())
        raise InvalidValue(
            f"{what} has {int(gaps.sum())} missing value{'' if gaps.sum() == 1 else 's'} (first in row {first}, counted from 0); "
            "drop those rows, or fill them in: what is not known cannot be compared",
            row=first,
        )


def _features(frame: Any, names: Sequence[str] | None, taken: set[Any]) -> Any:
    if names is None:
        return frame.drop(columns=list(taken)) if taken else frame
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise InvalidValue(
            f"feature_names has {missing[0]!r}, which is not a column{_nearest(missing[0], frame.columns)}", column=missing[0]
        )
    return frame[list(names)]


def _nearest(name: str, columns: Any) -> str:
    known = [str(column) for column in columns]
    close = get_close_matches(name, known, 1)
    shown = ", ".join(known[:20]) + (f", … {len(known)} in all" if len(known) > 20 else "")
    return f"; there are {shown}" + (f"; did you mean {close[0]!r}?" if close else "")


def _described(data: Any, frame: Any, targets: str | None, truth: Any, path: str | None, is_array: bool) -> DescribedDataset:
    if is_array:
        return from_numpy(need("numpy", to="evaluate on arrays").asarray(data), path, truth)
    return from_pandas(frame, path, targets)
