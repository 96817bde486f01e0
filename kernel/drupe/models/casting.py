"""Single Python values against signature types: what JSON and plain Python can say, and nothing lossy.

Numbers without a width of their own fit where their value fits: an int is fine for a double, a float is never fine for an int.
Columns of arrays and tables, which do have widths, are for `columns`.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from datetime import UTC, date, datetime
from typing import Any

from drupe.errors import InvalidValue
from drupe.models.datatypes import AnyType, Array, ColumnType, DataType, Map, Object

__all__ = ["cast", "is_missing"]

_BITS = {DataType.integer: 31, DataType.long: 63}
_EXACT_INT = 2**53
_TOO_FINE = re.compile(r"\.\d{6}\d*[1-9]")


def is_missing(value: Any) -> bool:
    """True for None, NaN, NaT and pandas' NA."""
    if value is None:
        return True
    if isinstance(value, str | bytes | bool | int | list | dict | tuple):
        return False
    try:
        return bool(value != value)  # only NaN and NaT differ from themselves
    except (TypeError, ValueError):
        return type(value).__name__ == "NAType"


def cast(value: Any, kind: ColumnType, where: str) -> Any:
    """`value` as a plain Python value of type `kind`. `where` names its place in messages. Raises InvalidValue."""
    if isinstance(kind, AnyType):
        return value
    if isinstance(kind, DataType):
        return _scalar(value, kind, where)
    if isinstance(kind, Array):
        values = value.tolist() if hasattr(value, "tolist") else value
        if not isinstance(values, list | tuple):
            raise _mismatch(value, kind, where)
        return [cast(entry, kind.dtype, f"{where}[{place}]") for place, entry in enumerate(values)]
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise _mismatch(value, kind, where)
    if isinstance(kind, Map):
        return {key: cast(entry, kind.value_type, f"{where}[{key!r}]") for key, entry in value.items()}
    return _object(value, kind, where)


def _object(value: dict[str, Any], kind: Object, where: str) -> dict[str, Any]:
    known = {prop.name for prop in kind.properties}
    if unknown := sorted(set(value) - known):
        raise InvalidValue(f"{where} has {unknown} besides its properties {sorted(known)}")
    result = {}
    for prop in kind.properties:
        if value.get(prop.name) is not None:
            result[prop.name] = cast(value[prop.name], prop.dtype, f"{where}.{prop.name}")
        elif prop.required:
            raise InvalidValue(f"{where} lacks the property {prop.name!r} ({prop.dtype}); found are {sorted(value)}")
        elif prop.name in value:
            result[prop.name] = None
    return result


def _scalar(value: Any, kind: DataType, where: str) -> Any:
    if kind is DataType.datetime:
        return _datetime(value, where)
    plain = value.item() if hasattr(value, "item") and getattr(value, "ndim", 0) == 0 else value
    if kind is DataType.binary:
        return _binary(plain, where)
    if kind is DataType.string and isinstance(plain, str):
        return plain
    if kind is DataType.boolean and isinstance(plain, bool):
        return plain
    if kind in _BITS and isinstance(plain, int) and not isinstance(plain, bool) and -(2 ** _BITS[kind]) <= plain < 2 ** _BITS[kind]:
        return plain
    if kind in (DataType.float, DataType.double):
        if isinstance(plain, float) and _keeps(plain, value, kind):
            return plain
        if isinstance(plain, int) and not isinstance(plain, bool) and abs(plain) <= _EXACT_INT:
            return float(plain)
    raise _mismatch(value, kind, where)


def _keeps(plain: float, given: Any, kind: DataType) -> bool:
    # a NumPy double has a width and does not fit a float; a plain Python float has none and fits if it is in range
    has_width = type(given).__name__ == "float64"
    return kind is DataType.double or (not has_width and (not math.isfinite(plain) or abs(plain) < 3.5e38))


def _binary(value: Any, where: str) -> bytes:
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    if isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError) as fault:
            raise InvalidValue(f"{where} needs bytes or base64 text, got the text {value[:40]!r}") from fault
    raise _mismatch(value, DataType.binary, where)


def _datetime(value: Any, where: str) -> datetime:
    """A time without a zone: what has one is taken to UTC."""
    if type(value).__name__ == "datetime64":
        value = str(value.astype("datetime64[us]"))
    if isinstance(value, str):
        if _TOO_FINE.search(value):
            raise InvalidValue(f"{where} needs a time of at most microseconds, got {value[:40]!r}")
        try:
            value = datetime.fromisoformat(value)
        except ValueError as fault:
            raise InvalidValue(f"{where} needs a time such as '2024-05-01T12:30:00', got {value[:40]!r}") from fault
    if isinstance(value, datetime):
        return value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    raise _mismatch(value, DataType.datetime, where)


def _mismatch(value: Any, kind: ColumnType, where: str) -> InvalidValue:
    shown = repr(value)
    return InvalidValue(f"{where} needs {kind}, got {type(value).__name__} {shown if len(shown) <= 60 else shown[:59] + '…'}")
