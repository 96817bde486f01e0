"""The loops over long columns in numpy, where it is there: many times as quick as in Python, with the same results bit for bit.

numpy is no requirement of the stores, and importing it costs more than a small answer: it is used once somebody has imported it, such as a
training loop, and imported here only for work that takes longer than that. What is done without it stands in `sampling` and `lanes`.
"""

from __future__ import annotations

import sys
import threading
from array import array
from functools import cache
from typing import Any

from drupe.entities import Points

__all__ = ["FEW", "evenly", "load", "load_soon", "loaded", "packed", "running_sums", "sample"]

FEW = 256
"""Fewer numbers are as quick without it."""

WORTH_LOADING = 150_000
"""Points to be decoded, from which on the import is paid back by the answer that it is for."""


def loaded(count: int) -> Any:
    """numpy, if this process has it already and a column of so many numbers is worth it; or else None."""
    return _numpy() if count >= FEW and "numpy" in sys.modules else None


def load(points: int) -> None:
    """Import numpy for an answer that decodes so many points, if it is installed and they are enough."""
    if points >= WORTH_LOADING:
        _numpy()


def load_soon(points: int) -> None:
    """The same for the answer after one that stood for so many points, without making this one wait: a chart that is drawn may be zoomed."""
    if points >= WORTH_LOADING and "numpy" not in sys.modules:
        threading.Thread(target=_numpy, name="drupe-numpy").start()


def running_sums(numpy: Any, column: bytes | bytearray) -> array[int]:
    """See `lanes.running_sums`."""
    found: array[int] = _array("q", numpy.cumsum(numpy.frombuffer(column, "<i8"), dtype=numpy.int64))
    return found


def evenly(numpy: Any, start: int, stride: int, count: int) -> bytes:
    """See `lanes.evenly`."""
    found: bytes = (numpy.arange(count, dtype="<i8") * stride + start).tobytes()
    return found


def packed(numpy: Any, columns: bytes) -> Points:
    """The points of three transposed columns, the first two of differences; see `codec`."""
    lanes = numpy.frombuffer(columns, numpy.uint8).reshape(3, 8, -1).transpose(0, 2, 1)
    numbers = numpy.ascontiguousarray(lanes).view("<i8")[..., 0]
    steps, times = numpy.cumsum(numbers[:2], axis=1, dtype=numpy.int64)
    return Points(_array("q", steps), _array("q", times), _array("d", numbers[2].view("<f8").astype(numpy.float64, copy=False)))


def sample(numpy: Any, points: Points, level: int) -> Points:
    """See `sampling.sample`; for one point or more, and levels below that at which all steps are one bucket."""
    steps, times = (numpy.frombuffer(column, numpy.int64) for column in (points.steps, points.timestamps))
    values = numpy.frombuffer(points.values, numpy.float64)
    buckets = steps >> level
    begins = numpy.flatnonzero(numpy.concatenate(([True], buckets[1:] != buckets[:-1])))
    ends = numpy.append(begins[1:], len(steps))
    chosen = numpy.zeros(len(steps), bool)
    chosen[ends - 1] = True
    for pick in (numpy.fmin, numpy.fmax):
        chosen[_first(numpy, values, pick.reduceat(values, begins), begins, ends)] = True
    return Points(_array("q", steps[chosen]), _array("q", times[chosen]), _array("d", values[chosen]))


def _first(numpy: Any, values: Any, wanted: Any, begins: Any, ends: Any) -> Any:
    """Of each bucket the first place with the value that is wanted there; the first of all in a bucket of NaN only."""
    hits = numpy.append(numpy.flatnonzero(values == numpy.repeat(wanted, ends - begins)), len(values))
    found = hits[numpy.searchsorted(hits, begins)]
    return numpy.where(found < ends, found, begins)


def _array(kind: str, column: Any) -> Any:
    found = array(kind)
    found.frombytes(column.tobytes())
    return found


@cache
def _numpy() -> Any:
    try:
        import numpy  # waits for another thread that is importing it at this moment
    except ImportError:
        return None
    return numpy
