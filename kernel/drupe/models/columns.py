"""One column against its spec: what conversion it takes, or why there is none.

Columns of a DataFrame have types of their own and are converted as a whole; plain Python data (dicts, lists) has values only and
is read value by value with `casting`, so an int is fine for a double there. Gaps in optional columns of whole numbers and flags stay gaps:
such a column has pandas' type for them (Int64, Int32, boolean).
"""

from __future__ import annotations

from typing import Any

from attrs import frozen

from drupe.errors import InvalidValue
from drupe.models.casting import cast, is_missing
from drupe.models.coercion import Coercion
from drupe.models.datatypes import AnyType, DataType
from drupe.models.schema import ColSpec

__all__ = ["Fault", "Misfit", "fit_plain", "fit_typed"]

_WHOLE = (DataType.integer, DataType.long)
_REAL = (DataType.float, DataType.double)
_WITH_GAPS = {DataType.integer: "Int32", DataType.long: "Int64", DataType.boolean: "boolean"}
_EXACT_BITS = {DataType.float: 24, DataType.double: 53}
"""Of the integers that have a place among floats of this type."""


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


class Misfit(Exception):
    """(found, hint): why a column does not fit."""


def fit_typed(pandas: Any, series: Any, spec: ColSpec, coercion: Coercion) -> Any:
    """A column that has a type of its own, as the spec says. Raises Misfit."""
    kind = spec.type
    if not isinstance(kind, DataType):
        return fit_plain(pandas, series, spec)
    dtype = series.dtype
    if type(dtype).__name__ == "CategoricalDtype":
        fit_typed(pandas, dtype.categories.to_series(), spec, coercion)  # a category fits when its values do, and stays one
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
        checked = fit_plain(pandas, series.dropna(), spec)
        return series if len(checked) < len(series) else checked  # gaps have no place among booleans, so the objects stay
    if kind is DataType.datetime:
        return _fit_times(pandas, series, coercion)
    if dtype != kind.value and coercion is Coercion.exact and dtype != "object" and dtype != _WITH_GAPS.get(kind):
        raise Misfit(f"holds {dtype}", f"nothing is converted under coercion='exact'; convert it first: .astype({kind.value!r})")
    if kind is DataType.double and dtype.kind == "O" and len(series) and all(type(value).__name__ == "Decimal" for value in series):
        return series.astype("float64")
    if not spec.required and kind in _WITH_GAPS and (gapped := _with_gaps(series, kind)) is not None:
        return gapped
    if kind not in (DataType.string, DataType.binary) and _is_safe(dtype, kind, series):
        return series.astype(kind.value) if dtype != kind.value else series
    if coercion is Coercion.lossless and (kept := _by_value(series, kind)) is not None:
        return kept
    if dtype == "object":
        return fit_plain(pandas, series, spec)  # names the value that does not fit
    raise Misfit(f"holds {dtype}", _hint(series, kind))


def _with_gaps(series: Any, kind: DataType) -> Any | None:
    """Whole numbers or flags some of which are missing, in pandas' type for them; None when nothing is missing or something else is there.

    pandas makes floats of whole numbers as soon as one is missing, so whole floats are taken for what they were.
    """
    missing = series.isna()
    if not missing.any():
        return None
    there = series[~missing]
    if series.dtype.kind == "b":
        return series.astype("boolean") if kind is DataType.boolean else None
    if kind is DataType.boolean:
        return None
    if series.dtype.kind == "f" or (series.dtype.kind in "iu" and not _is_narrower(series.dtype, kind)):
        whole = _by_value(there, kind)
        return None if whole is None else whole.astype(_WITH_GAPS[kind]).reindex(series.index) if series.index.is_unique else None
    return series.astype(_WITH_GAPS[kind]) if series.dtype.kind in "iu" else None


def _is_narrower(dtype: Any, kind: DataType) -> bool:
    size, target = getattr(dtype, "itemsize", 8), kind.to_numpy().itemsize
    return bool(size < target or (size == target and dtype.kind == "i"))


def _by_value(series: Any, kind: DataType) -> Any | None:
    """The column converted, when none of its values loses anything by that; None when one does."""
    found, target = series.dtype.kind, kind.to_numpy()
    if found not in "iuf" or target.kind not in "if" or (series.isna().any() and target.kind == "i"):
        return None
    values = series.to_numpy(dtype=series.dtype.type if hasattr(series.dtype, "na_value") else None)
    if found == "f" and target.kind == "i":
        limit = 2.0 ** (target.itemsize * 8 - 1)
        fits = ((values == values.round()) & (values >= -limit) & (values < limit)).all()
    elif found == "f":
        fits = ((values.astype(target) == values) | (values != values)).all()
    elif target.kind == "f":
        limit = 2 ** _EXACT_BITS[kind]
        fits = ((values <= limit) & (values >= -limit)).all() if found == "i" else (values <= limit).all()
    else:
        top = 2 ** (target.itemsize * 8 - 1)
        fits = (values < top).all() and (found == "u" or (values >= -top).all())
    return series.astype(kind.value) if bool(fits) else None


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


def _fit_times(pandas: Any, series: Any, coercion: Coercion) -> Any:
    if getattr(series.dtype, "tz", None) is not None:
        if coercion is Coercion.lossless:
            return series.dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[ns]")
        raise Misfit(f"holds {series.dtype}", "times here have no zone: series.dt.tz_convert('UTC').dt.tz_localize(None)")
    if series.dtype.kind == "M":
        return series.astype("datetime64[ns]")
    if series.dtype.kind == "O":
        try:
            return pandas.to_datetime(series, errors="raise").astype("datetime64[ns]")
        except (ValueError, TypeError) as fault:
            raise Misfit("holds values that are not times", str(fault).partition("\n")[0][:120]) from fault
    raise Misfit(f"holds {series.dtype}", "")


def _hint(series: Any, kind: DataType) -> str:
    if kind in _WHOLE and series.dtype.kind in "fiu" and series.isna().any():
        return "whole numbers with missing values become floats; fill them, or declare the column as double or as optional when the model is saved"
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


def fit_plain(pandas: Any, series: Any, spec: ColSpec) -> Any:
    """A column of single values, each cast on its own. Raises Misfit that names the first row with one that does not fit."""
    kind = spec.type
    if isinstance(kind, AnyType):
        return series.infer_objects()
    stored = None if spec.required or not isinstance(kind, DataType) else _WITH_GAPS.get(kind)
    gaps_allowed = stored is not None or kind not in _WITH_GAPS
    values, gaps = [], 0
    for row, value in enumerate(series):
        if is_missing(value) and gaps_allowed:
            gaps += 1
            values.append(float("nan") if kind in _REAL else None)
            continue
        try:
            values.append(cast(value, kind, f"row {row}"))
        except InvalidValue as fault:
            hint = fault.message
            if isinstance(kind, DataType):
                hint = "this column is required, so it has no gaps" if is_missing(value) else ""
            raise Misfit(f"holds {type(value).__name__} {str(value)[:40]!r} in row {row}", hint) from fault
    dtype = kind.value if isinstance(kind, DataType) and kind not in (DataType.string, DataType.binary) else "object"
    if stored is not None and gaps:
        dtype = stored
    try:
        return pandas.Series(values, index=series.index, name=series.name, dtype=dtype)
    except (OverflowError, ValueError) as fault:
        raise Misfit(f"holds values that do not fit: {fault}", "") from fault
