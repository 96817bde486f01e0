"""Metric series in the forms that other libraries work with. Each library is imported when its form is asked for.

Steps, times and values are handed over as whole columns, without an object per point.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drupe.entities import Series
from drupe.errors import InvalidValue
from drupe.lazy import need

__all__ = ["FORMS", "in_form"]


def in_form(form: str, found: Sequence[Series]) -> Any:
    """`found` as `form` says; see FORMS. Raises InvalidValue for another word, MissingRequirement where its library is not installed."""
    make = FORMS.get(form)
    if make is None:
        raise InvalidValue(f"as_ is {form!r}; series can be had as {', '.join(map(repr, FORMS))}")
    return make(found)


def _as_numpy(found: Sequence[Series]) -> dict[tuple[str, str], tuple[Any, Any, Any]]:
    numpy = need("numpy", to="return series as arrays; as_='list' does without")
    return {
        (series.run_id, series.key): (
            numpy.frombuffer(series.points.steps, dtype=numpy.int64),
            numpy.frombuffer(series.points.timestamps, dtype=numpy.int64),
            numpy.frombuffer(series.points.values, dtype=numpy.float64),
        )
        for series in found
        if len(series.points)
    }


def _as_arrow(found: Sequence[Series]) -> Any:
    arrow = need("pyarrow", to="return series as an Arrow table; as_='list' does without")
    runs, keys, steps, times, values = _columns(found)

    def plain(kind: Any, column: array[Any]) -> Any:
        return arrow.Array.from_buffers(kind, len(column), [None, arrow.py_buffer(column)])

    def coded(column: tuple[list[str], array[int]]) -> Any:
        return arrow.DictionaryArray.from_arrays(plain(arrow.int32(), column[1]), arrow.array(column[0], arrow.string()))

    return arrow.table(
        {
            "run_id": coded(runs),
            "key": coded(keys),
            "step": plain(arrow.int64(), steps),
            "timestamp": plain(arrow.timestamp("ms", tz="UTC"), times),
            "value": plain(arrow.float64(), values),
        }
    )


def _as_pandas(found: Sequence[Series]) -> Any:
    pandas = need("pandas", to="return series as a DataFrame; as_='list' does without")
    numpy = need("numpy", to="return series as a DataFrame; as_='list' does without")
    runs, keys, steps, times, values = _columns(found)

    def coded(column: tuple[list[str], array[int]]) -> Any:
        return pandas.Categorical.from_codes(numpy.frombuffer(column[1], dtype=numpy.intc), column[0])

    return pandas.DataFrame(
        {
            "run_id": coded(runs),
            "key": coded(keys),
            "step": numpy.frombuffer(steps, dtype=numpy.int64),
            "timestamp": pandas.to_datetime(numpy.frombuffer(times, dtype=numpy.int64), unit="ms", utc=True),
            "value": numpy.frombuffer(values, dtype=numpy.float64),
        }
    )


FORMS: Mapping[str, Callable[[Sequence[Series]], Any]] = {
    "list": list,
    "numpy": _as_numpy,
    "arrow": _as_arrow,
    "pandas": _as_pandas,
}
"""`list`: Series. `numpy`: a dict from (run id, key) to steps, timestamps in ms and values, three arrays.

`arrow` and `pandas`: one table of all points, with the columns run_id, key, step, timestamp and value.
"""

_Coded = tuple[list[str], "array[int]"]  # different texts, and for each point which one


def _columns(found: Sequence[Series]) -> tuple[_Coded, _Coded, array[int], array[int], array[float]]:
    runs, keys = {series.run_id: 0 for series in found}, {series.key: 0 for series in found}
    for texts in (runs, keys):
        texts.update({text: number for number, text in enumerate(texts)})
    run_codes, key_codes = array("i"), array("i")
    steps, times, values = array("q"), array("q"), array("d")
    for series in found:
        points = series.points
        run_codes.extend(array("i", [runs[series.run_id]]) * len(points))
        key_codes.extend(array("i", [keys[series.key]]) * len(points))
        steps.extend(points.steps)
        times.extend(points.timestamps)
        values.extend(points.values)
    return (list(runs), run_codes), (list(keys), key_codes), steps, times, values
