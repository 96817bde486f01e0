"""Describing tables: pandas and polars DataFrames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from drupe.data.content import Column, array_column, digest_of, rows_to_read, text_column, value_column
from drupe.data.described import FrameDataset
from drupe.data.polars_types import polars_schema
from drupe.data.profile import column_profiles
from drupe.data.source import RecordedSource, record
from drupe.errors import InvalidValue
from drupe.lazy import need
from drupe.models.infer import infer_schema
from drupe.models.schema import ColSpec, Schema
from drupe.settings import settings

__all__ = ["from_pandas", "from_polars"]


def from_pandas(
    df: Any,
    source: str | Path | RecordedSource | Any = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
    predictions: str | None = None,
) -> FrameDataset:
    """Describe a DataFrame; `source` says where it was read from, `targets` and `predictions` name columns.

    Without a `digest`, one is made of the content (the index does not count). Raises InvalidValue when a named column is not there.

        dataset = drupe.data.from_pandas(frame, source="data/train.csv", targets="price")
        drupe.log_input(dataset, context="training")
    """
    pandas = need("pandas", to="describe a DataFrame")
    if not isinstance(df, pandas.DataFrame):
        raise InvalidValue(f"from_pandas takes a DataFrame, not {type(df).__qualname__}")
    names = [str(column) for column in df.columns]
    _check_columns(list(df.columns), targets=targets, predictions=predictions)
    chosen = rows_to_read(*df.shape)
    read = df if chosen is None else df.iloc[chosen]
    columns = [_pandas_column(label, read.iloc[:, place]) for place, label in enumerate(names)]
    schema, fault = _pandas_schema(df, read)
    return _described(df, columns, len(read), schema, fault, source, targets, name, digest, predictions)


def from_polars(
    df: Any,
    source: str | Path | RecordedSource | Any = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
    predictions: str | None = None,
) -> FrameDataset:
    """Describe a polars DataFrame, as `from_pandas` does; equal values have an equal digest."""
    polars = need("polars", to="describe a polars DataFrame")
    if not isinstance(df, polars.DataFrame):
        raise InvalidValue(f"from_polars takes a polars DataFrame, not {type(df).__qualname__}; collect() a LazyFrame first")
    _check_columns(df.columns, targets=targets, predictions=predictions)
    chosen = rows_to_read(*df.shape)
    read = df if chosen is None else df[chosen]
    columns = [_polars_column(series, polars) for series in read.get_columns()]
    schema, fault = polars_schema(df)
    return _described(df, columns, len(read), schema, fault, source, targets, name, digest, predictions)


def _check_columns(columns: Sequence[Any], **named: str | None) -> None:
    for what, column in named.items():
        if column is not None and column not in columns:
            raise InvalidValue(f"{what} is {column!r}, which is not a column; there are {', '.join(map(str, columns))}")


def _described(
    df: Any,
    columns: list[Column],
    read: int,
    schema: Schema | None,
    fault: str | None,
    source: Any,
    targets: str | None,
    name: str | None,
    digest: str | None,
    predictions: str | None,
) -> FrameDataset:
    rows, width = df.shape
    profile: dict[str, Any] = {"num_rows": int(rows), "num_elements": int(rows * width)}
    if read < rows:
        profile["sampled_rows"] = read
    profile |= {what: str(column) for what, column in (("targets", targets), ("predictions", predictions)) if column is not None}
    if fault is not None:
        profile["no_schema"] = fault
    if settings().get("dataset_profile"):
        profile["columns"] = column_profiles(columns)
    return FrameDataset(
        name=name or "dataset",
        digest=digest or digest_of(columns, {"rows": int(rows), "columns": int(width)}),
        source=record(source),
        profile=profile,
        df=df,
        schema=schema,
        targets=targets,
        predictions=predictions,
    )


def _pandas_schema(df: Any, read: Any) -> tuple[Schema | None, str | None]:
    """The schema of all of `df`, with the types of objects taken from the rows that are read; else what hinders it."""
    try:
        found = infer_schema(read, "dataset")
    except InvalidValue as fault:
        return None, fault.message
    if read is df:
        return found, None
    missing = df.isna().any().to_numpy()
    specs = (ColSpec(spec.type, spec.name, not gone) for spec, gone in zip(found, missing, strict=True))
    return Schema(specs), None


def _pandas_column(name: str, series: Any) -> Column:
    dtype = series.dtype
    if type(dtype).__name__ == "CategoricalDtype":
        series = series.astype(object).infer_objects()
        dtype = series.dtype
    missing = series.isna().to_numpy()
    kind = dtype.kind
    if getattr(dtype, "tz", None) is not None:
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
        dtype = series.dtype
    if type(dtype).__module__.partition(".")[0] == "numpy" and kind != "O":
        return array_column(name, series.to_numpy(), missing)
    if type(dtype).__name__ == "StringDtype" or (type(dtype).__name__ == "ArrowDtype" and kind == "U"):
        return text_column(name, series.tolist(), missing)
    if kind in "biuf":  # columns with a mask, and those of Arrow
        stand_in = False if kind == "b" else 0
        plain = {"b": "bool", "i": "int64", "u": "uint64", "f": "float64"}[kind]
        return array_column(name, series.to_numpy(dtype=plain, na_value=stand_in), missing)
    if kind == "M" and missing.sum() < len(series):
        return array_column(name, series.to_numpy(dtype="datetime64[ns]"), missing)
    values = series.tolist()
    for place in missing.nonzero()[0].tolist():
        values[place] = None
    return value_column(name, values)


def _polars_column(series: Any, polars: Any) -> Column:
    name, dtype = series.name, series.dtype
    if dtype.is_float():
        series = series.fill_null(float("nan"))
        return array_column(name, series.to_numpy())
    missing = series.is_null().to_numpy()
    if dtype == polars.Boolean:
        return array_column(name, series.fill_null(False).to_numpy(), missing)
    if dtype.is_integer():
        return array_column(name, series.fill_null(0).to_numpy(), missing)
    if dtype in (polars.String, polars.Categorical, polars.Enum):
        return text_column(name, series.cast(polars.String).to_list(), missing)
    if dtype == polars.Datetime and getattr(dtype, "time_zone", None):
        series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    if dtype in (polars.Datetime, polars.Date, polars.Duration):
        return array_column(name, series.to_numpy(), missing)
    return value_column(name, series.to_list())
