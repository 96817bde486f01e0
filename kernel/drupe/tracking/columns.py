"""Many points of one metric, in whatever the caller has them: lists, arrays, tensors, columns of tables. They become `Points`.

There is no object per point on the way where the source is a list of numbers or shares its memory. All is checked before any is kept,
and the error names the first bad place. One point at a time is checked by `drupe.entities.limits.check_metric`, whose rules are these too.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from drupe.entities import Points
from drupe.entities.limits import check_key, check_metric
from drupe.errors import InvalidValue

__all__ = ["points_from"]

_NATIVE = "@=" + ("<" if sys.byteorder == "little" else ">")
_WHOLE, _FLOATS = "bBhHiIlLqQnN?", "fd"


def points_from(key: str, steps: Any, values: Any, timestamps: Any = None, *, now: int) -> Points:
    """The points of metric `key` with these `steps`, `values` and `timestamps` (ms since the epoch; None: `now` for all), in that order.

    Each is a list, an array, a tensor on any device, a column of a table, or anything else that can be gone through; all have one length.
    Raises InvalidName, ValueTooLong or InvalidValue.
    """
    name = check_key("metric", key)
    step_column = _column("q", f"steps of metric {name!r}", steps, lambda given: check_metric(name, 0.0, 0, given)[3])
    value_column = _column("d", f"values of metric {name!r}", values, lambda given: check_metric(name, given, 0, 0)[1])
    if timestamps is None:
        time_column = array("q", [now]) * len(step_column)
    else:
        time_column = _column("q", f"timestamps of metric {name!r}", timestamps, lambda given: check_metric(name, 0.0, given, 0)[2])
    lengths = {"steps": len(step_column), "values": len(value_column), "timestamps": len(time_column)}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{length} {what}" for what, length in lengths.items() if what != "timestamps" or timestamps is not None)
        raise InvalidValue(f"metric {name!r} was given {told}; a series has one of each for every point", key=name)
    if len(time_column) and min(time_column) < 0:
        place = next(place for place, moment in enumerate(time_column) if moment < 0)
        raise InvalidValue(
            f"timestamps of metric {name!r}, place {place}: {time_column[place]} is negative; a timestamp is ms since 1970", key=name
        )
    return Points(step_column, time_column, value_column)


def _column(typecode: str, what: str, given: Any, check: Callable[[Any], Any]) -> array[Any]:
    """`given` as a new array of this type; `check` makes a single entry fit, or says what is wrong with it."""
    if isinstance(given, array) and given.typecode == typecode:
        return given[:]
    entries = _entries(what, given)
    if isinstance(entries, memoryview):
        if _holds(entries, typecode):
            column: array[Any] = array(typecode)
            column.frombytes(entries.tobytes())
            return column
        entries = entries.tolist()
    try:
        return array(typecode, entries)
    except (TypeError, ValueError, OverflowError):  # something in it is no number of that kind: find out what
        return array(typecode, [_checked(what, place, entry, check) for place, entry in enumerate(entries)])


def _checked(what: str, place: int, entry: Any, check: Callable[[Any], Any]) -> Any:
    try:
        return check(entry)
    except InvalidValue as fault:
        raise InvalidValue(f"{what}, place {place}: {fault.message}", place=place, **fault.details) from fault


def _entries(what: str, given: Any) -> Sequence[Any] | memoryview:
    """The entries of `given`, sharing its memory where that is laid out as numbers."""
    if isinstance(given, str | bytes | bytearray) or not isinstance(given, Iterable):
        raise InvalidValue(f"{what}: a list, an array or the like is needed, not {type(given).__name__}; log_metric takes a single value")
    if getattr(given, "ndim", 1) != 1:
        raise InvalidValue(f"{what}: an array of one dimension is needed, not of {given.ndim}")  # type: ignore[attr-defined]
    if isinstance(given, list | tuple | range):
        return given
    try:
        view = memoryview(given)  # type: ignore[arg-type]
        if view.ndim == 1 and _kind(view) in _WHOLE + _FLOATS:
            return view
    except (TypeError, ValueError, BufferError):  # no buffer, or one of objects, dates, other bytes orders
        pass
    as_list = getattr(given, "tolist", None) or getattr(given, "to_list", None)  # numpy, torch, pandas; polars
    return list(as_list() if callable(as_list) else given)


def _holds(view: memoryview, typecode: str) -> bool:
    """Are the bytes of the view those of an array of this type?"""
    return view.itemsize == 8 and _kind(view) in ("d" if typecode == "d" else "qln")


def _kind(view: memoryview) -> str:
    """The letter of the view's format in this machine's byte order; something else for what has no such letter."""
    return view.format[-1] if len(view.format) == 1 or view.format[:-1] in _NATIVE else "other"
