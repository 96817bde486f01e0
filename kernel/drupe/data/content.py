"""The content of tables and arrays in one form, whatever holds them, and its digest.

Equal values of equal kind have one digest: 32 and 64 bit numbers, nullable and plain columns, categories and their texts, pandas and
polars. Missing is missing, be it None, NaN or NaT. Above CELLS_MAX values, rows at even distances stand for all of them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import frozen

from drupe.lazy import need

__all__ = ["CELLS_MAX", "DIGEST_HEX", "Column", "array_column", "digest_of", "rows_to_read", "text_column", "value_column"]

DIGEST_HEX = 8
CELLS_MAX = 5_000_000
ROWS_MIN = 1000
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


@frozen(eq=False)
class Column:
    """One column in canonical form.

    `kind` is boolean, integer, float, time, duration, text or value; `values` a NumPy array (times as whole seconds, with `fractions` in
    ns) or a list of texts, with a stand-in where `missing` (an array of booleans) is true.
    """

    name: str
    kind: str
    values: Any
    missing: Any
    fractions: Any = None


def rows_to_read(rows: int, columns: int) -> Any:
    """The places of the rows that stand for a table of this size, as an array; None when all are to be read."""
    most = max(ROWS_MIN, CELLS_MAX // max(columns, 1))
    if rows <= most:
        return None
    return need("numpy", to="describe data").linspace(0, rows - 1, most).astype("int64")


def digest_of(columns: Iterable[Column], shape: Mapping[str, Any]) -> str:
    """The first hex digits of the SHA-256 of all columns, and of `shape`, which tells tables from arrays and holds their full size."""
    numpy = need("numpy", to="describe data")
    hashed = hashlib.sha256(repr(sorted(shape.items())).encode())
    for column in columns:
        hashed.update(f"\n{column.name!r} {column.kind} {len(column.values)}\n".encode("utf-8", "surrogatepass"))
        if column.missing.any():
            hashed.update(numpy.packbits(column.missing).tobytes())
        if isinstance(column.values, list):
            hashed.update(_joined(column.values))
        else:
            hashed.update(numpy.ascontiguousarray(column.values))
        if column.fractions is not None and column.fractions.any():
            hashed.update(numpy.ascontiguousarray(column.fractions))
    return hashed.hexdigest()[:DIGEST_HEX]


def _joined(texts: list[str]) -> bytes:
    joined = "\0".join(texts)
    if joined.count("\0") >= max(len(texts), 1):  # a text holds the separator: escaped, and marked so
        joined = "\1" + "\0".join(text.replace("\1", "\1\1").replace("\0", "\1\2") for text in texts)
    return joined.encode("utf-8", "surrogatepass")


def array_column(name: str, values: Any, missing: Any = None) -> Column:
    """A NumPy array of any type and one dimension as a column; `missing` marks what an array of its type cannot say itself."""
    numpy = need("numpy", to="describe data")
    kind = values.dtype.kind
    if missing is None:
        missing = numpy.isnan(values) if kind in "fc" else numpy.isnat(values) if kind in "mM" else numpy.zeros(len(values), bool)
    if kind == "b":
        return Column(name, "boolean", numpy.where(missing, False, values).astype("u1"), missing)
    if kind in "iu":
        is_beyond = kind == "u" and values.dtype.itemsize == 8 and len(values) and values.max() > 2**63 - 1
        return Column(name, "integer", numpy.where(missing, 0, values).astype("<u8" if is_beyond else "<i8"), missing)
    if kind == "f":
        return Column(name, "float", numpy.where(missing, 0.0, values).astype("<f8") + 0.0, missing)  # + 0.0: -0.0 is 0.0
    if kind in "mM":
        return _times(name, values, missing)
    if kind == "U":
        return text_column(name, values.tolist(), missing)
    return value_column(name, values.tolist())


def _times(name: str, values: Any, missing: Any) -> Column:
    numpy = need("numpy", to="describe data")
    kind = values.dtype.kind
    values = numpy.where(missing, values.dtype.type(0, numpy.datetime_data(values.dtype)[0]), values)
    seconds = values.astype(f"{kind}8[s]")
    rest = (values - seconds.astype(values.dtype)).astype("m8[ns]").astype("<i8")
    return Column(name, "time" if kind == "M" else "duration", seconds.astype("<i8"), missing, rest)


def text_column(name: str, values: Iterable[str | None], missing: Any) -> Column:
    """Texts as a column; those that are missing may be anything."""
    return Column(name, "text", ["" if gone else str(value) for value, gone in zip(values, missing, strict=True)], missing)


def value_column(
    name: str, values: list[Any], is_missing: Callable[[Any], bool] = lambda value: value is None or value is not value
) -> Column:
    """Python objects as a column: texts alone are texts, anything else is told apart by type and content."""
    numpy = need("numpy", to="describe data")
    missing = numpy.fromiter(map(is_missing, values), bool, len(values))
    if all(gone or isinstance(value, str) for value, gone in zip(values, missing, strict=True)):
        return text_column(name, values, missing)
    return Column(name, "value", ["" if gone else _told(value) for value, gone in zip(values, missing, strict=True)], missing)


def _told(value: Any) -> str:
    """A value as text that is the same in every process."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, str | bytes | bool | int | float | None):
        return f"{type(value).__name__}:{value!r}"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_told(key)}={_told(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_told, value)) + "]"
    if isinstance(value, set | frozenset):
        return "<" + ",".join(sorted(map(_told, value))) + ">"
    return f"{type(value).__qualname__}:{_ADDRESS.sub('', str(value))}"
