"""Tables against column schemas: columns by name, extra ones dropped, and only conversions that lose nothing.

Columns of a DataFrame have types of their own and are converted as a whole; plain Python data (dicts, lists) has values only and
is read value by value with `casting`, so an int is fine for a double there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from drupe.errors import InvalidValue
from drupe.lazy import need
from drupe.models.casting import cast, is_missing
from drupe.models.datatypes import AnyType, ColumnType, DataType
from drupe.models.schema import ColSpec, Schema

__all__ = ["Fault", "fit_table"]

_WHOLE = (DataType.integer, DataType.long)
_REAL = (DataType.float, DataType.double)


@frozen
class Fault:
    """One thing in which an input differs from its schema."""

    column: str | int
    expected: str
    found: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"column {self.column!r}" if self.column != "" else "the input"
        return f"{where} {self.found}, {self.expected} expected" + (f" ({self.hint})" if self.hint else "")


def fit_table(given: Any, schema: Schema) -> tuple[Any, list[Fault]]:
    """`given` as a DataFrame with the schema's columns in its order, and every fault found (then the table is not usable)."""
    pandas = need("pandas", to="read a table for this model")
    table, is_typed = _as_frame(pandas, given, schema)
    if table is None:
        return None, [Fault("", "a DataFrame, dict of columns, or list of dicts", f"is {type(given).__name__}")]
    if is_typed and _fits_as_it_is(table, schema):
        return table, []
    faults: list[Fault] = []
    columns: dict[int, Any] = {}
    names: list[Any] = []
    for place, (name, spec) in enumerate(schema.input_dict().items()):
        assert isinstance(spec, ColSpec)
        if schema.has_input_names():
            series = table[name] if name in table.columns else None
        else:
            series = table.iloc[:, place] if place < len(table.columns) else None
        if series is None:
            if spec.required:
                faults.append(Fault(name, str(spec.type), "is missing"))
            continue
        if getattr(series, "ndim", 1) != 1:
            faults.append(Fault(name, "one column", f"is there {series.shape[1]} times"))
            continue
        try:
            columns[place] = _fit_typed(pandas, series, spec.type) if is_typed else _fit_plain(pandas, series, spec.type)
            names.append(name if schema.has_input_names() else series.name)
        except _Mismatch as fault:
            faults.append(Fault(name, str(spec.type), *fault.args))
    fitted = pandas.DataFrame(columns, index=table.index, copy=False)
    if not faults:
        fitted.columns = pandas.Index(names)  # without names in the signature, two columns may have one name
    return fitted, faults


class _Mismatch(Exception):
    """(found, hint): why a column does not fit."""


def _as_frame(pandas: Any, given: Any, schema: Schema) -> tuple[Any, bool]:
    """(table, whether its columns have types of their own); None when `given` is no table."""
    if isinstance(given, pandas.DataFrame):
        return given, True
    if given is None or hasattr(given, "tocsr"):
        return None, False
    if isinstance(given, pandas.Series):
        names = schema.input_names()
        is_nameless = given.name is None and schema.has_input_names() and len(names) == 1
        return given.to_frame(names[0]) if is_nameless else given.to_frame(), True
    if hasattr(given, "ndim") and hasattr(given, "dtype"):
        return (
            (pandas.DataFrame(given), True)
            if 1 <= given.ndim <= 2
            else (pandas.DataFrame([given.item()]), True)
            if not given.ndim
            else (None, True)
        )
    if not schema.has_input_names() and len(schema) == 1 and _is_nested(schema.input_types()[0]):
        return pandas.DataFrame({0: _objects(pandas, list(given) if isinstance(given, list | tuple) else [given])}), False
    if isinstance(given, Mapping):
        if _is_one_row(given, schema):
            return pandas.DataFrame({name: _objects(pandas, [value]) for name, value in given.items()}), False
        if len({len(value) for value in given.values()}) > 1:
            return None, False
        if all(hasattr(value, "dtype") and value.ndim == 1 for value in given.values()):
            return pandas.DataFrame(dict(given)), True
        return pandas.DataFrame({name: _objects(pandas, list(value)) for name, value in given.items()}), False
    if isinstance(given, list | tuple):
        if given and all(isinstance(row, Mapping) for row in given):
            names = list(dict.fromkeys(name for row in given for name in row))
            return pandas.DataFrame({name: _objects(pandas, [row.get(name) for row in given]) for name in names}), False
        is_rows = given and all(isinstance(row, list | tuple) for row in given)
        rows = [list(row) for row in given] if is_rows else [[value] for value in given]
        if len({len(row) for row in rows}) > 1:
            return None, False
        return pandas.DataFrame({place: _objects(pandas, list(column)) for place, column in enumerate(zip(*rows, strict=True))}), False
    return pandas.DataFrame({0: _objects(pandas, [given])}), False


def _is_nested(kind: ColumnType) -> bool:
    return not isinstance(kind, DataType)


def _is_one_row(given: Mapping[Any, Any], schema: Schema) -> bool:
    specs = schema.input_dict()
    return any(
        not hasattr(value, "__len__")
        or isinstance(value, str | bytes | Mapping)
        or (name in specs and _is_list_value(specs[name].type, value))
        for name, value in given.items()
    )


def _is_list_value(kind: Any, value: Any) -> bool:
    """True when `value`, a list, is one value of a nested column rather than the column."""
    if isinstance(kind, DataType | AnyType):
        return False
    try:
        cast(value, kind, "")
    except InvalidValue:
        return False
    return True


def _objects(pandas: Any, values: list[Any]) -> Any:
    return pandas.Series(values, dtype="object")


def _fits_as_it_is(table: Any, schema: Schema) -> bool:
    """True when nothing has to be done: the usual case, kept cheap."""
    if not schema.has_input_names() or list(table.columns) != schema.input_names():
        return False
    return all(isinstance(spec.type, DataType) and dtype == spec.type.value for dtype, spec in zip(table.dtypes, schema, strict=True))


def _fit_typed(pandas: Any, series: Any, kind: ColumnType) -> Any:
    if not isinstance(kind, DataType):
        return _fit_plain(pandas, series, kind)
    dtype = series.dtype
    if type(dtype).__name__ == "CategoricalDtype":
        _fit_typed(pandas, dtype.categories.to_series(), kind)  # a category fits when its values do, and stays one
        return series
    if dtype == "object" and kind not in (DataType.string, DataType.binary, DataType.boolean):
        series = series.infer_objects()
        if series.dtype == "object" and (not len(series) or (kind in _REAL and series.isna().all())):
            series = series.astype(kind.value)  # objects that are not there are of any type
        dtype = series.dtype
    if kind is DataType.string and (dtype == "object" or dtype.kind in "OU"):
        return series
    if kind is DataType.binary and dtype.kind in "OS":
        return series
    if kind is DataType.boolean and dtype == "object":
        checked = _fit_plain(pandas, series.dropna(), kind)
        return series if len(checked) < len(series) else checked  # gaps have no place among booleans, so the objects stay
    if kind is DataType.datetime:
        return _fit_times(pandas, series)
    if kind is DataType.double and dtype.kind == "O" and len(series) and all(type(value).__name__ == "Decimal" for value in series):
        return series.astype("float64")
    if kind not in (DataType.string, DataType.binary) and _is_safe(dtype, kind, series):
        return series.astype(kind.value) if dtype != kind.value else series
    if dtype == "object":
        return _fit_plain(pandas, series, kind)  # names the value that does not fit
    raise _Mismatch(f"holds {dtype}", _hint(series, kind))


def _is_safe(dtype: Any, kind: DataType, series: Any) -> bool:
    target = kind.to_numpy()
    if dtype == target:
        return True
    if getattr(dtype, "na_value", None) is not None and not hasattr(dtype, "str") and series.isna().any() and target.kind in "biu":
        return False  # pandas' nullable integers with gaps
    size = getattr(dtype, "itemsize", 0)
    if dtype.kind == target.kind and target.kind != "b":
        return bool(size <= target.itemsize)
    if dtype.kind == "b" and target.kind == "b":
        return not bool(series.isna().any())
    if dtype.kind == "u" and target.kind == "i":
        return bool(size < target.itemsize)
    if dtype.kind in "iu" and target == "float64" and size < 8:
        return True
    # 64-bit numbers may be too large for a float; flags are not
    return dtype.kind == "i" and target.kind == "f" and all(is_missing(value) or value in (0, 1) for value in series)


def _fit_times(pandas: Any, series: Any) -> Any:
    if getattr(series.dtype, "tz", None) is not None:
        raise _Mismatch(f"holds {series.dtype}", "times here have no zone: series.dt.tz_convert('UTC').dt.tz_localize(None)")
    if series.dtype.kind == "M":
        return series.astype("datetime64[ns]")
    if series.dtype.kind == "O":
        try:
            return pandas.to_datetime(series, errors="raise").astype("datetime64[ns]")
        except (ValueError, TypeError) as fault:
            raise _Mismatch("holds values that are not times", str(fault).partition("\n")[0][:120]) from fault
    raise _Mismatch(f"holds {series.dtype}", "")


def _hint(series: Any, kind: DataType) -> str:
    if kind in _WHOLE and series.dtype.kind in "fiu" and series.isna().any():
        return "whole numbers with missing values become floats; fill them, or declare the column as double when the model is saved"
    if series.dtype.kind == "b" and kind is DataType.boolean:
        return "it has missing values, which a boolean cannot be; fill them"
    if series.dtype.kind in "iu" and kind in _REAL:
        size = "64-bit integers" if kind is DataType.double else "integers"
        return f"{size} may be too large for a {kind}; convert them first: .astype({kind.value!r})"
    if series.dtype.kind == "f" and kind is DataType.float:
        return "doubles lose digits as floats; convert them first: .astype('float32')"
    if series.dtype.kind == "f" and kind in _WHOLE:
        return f"fractions would be lost; convert them first: .astype({kind.value!r})"
    return ""


def _fit_plain(pandas: Any, series: Any, kind: ColumnType) -> Any:
    """A column of single values, each cast on its own."""
    if isinstance(kind, AnyType):
        return series.infer_objects()
    gaps_allowed = kind not in (*_WHOLE, DataType.boolean)
    values = []
    for row, value in enumerate(series):
        if is_missing(value) and gaps_allowed:
            values.append(float("nan") if kind in _REAL else None)
            continue
        try:
            values.append(cast(value, kind, f"row {row}"))
        except InvalidValue as fault:
            raise _Mismatch(
                f"holds {type(value).__name__} {str(value)[:40]!r} in row {row}", "" if isinstance(kind, DataType) else fault.message
            ) from fault
    dtype = kind.value if isinstance(kind, DataType) and kind not in (DataType.string, DataType.binary) else "object"
    try:
        return pandas.Series(values, index=series.index, name=series.name, dtype=dtype)
    except (OverflowError, ValueError) as fault:
        raise _Mismatch(f"holds values that do not fit: {fault}", "") from fault
