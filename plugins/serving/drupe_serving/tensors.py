"""Tensors of the Open Inference Protocol: their types, and their values as JSON and as bytes, little-endian and row by row."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any

import numpy

from drupe.errors import InvalidValue

__all__ = ["DTYPES", "datatype_of", "from_bytes", "from_values", "to_bytes"]

DTYPES = {
    "BOOL": "?",
    "UINT8": "<u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "<i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
    "BYTES": "O",
}
_NAMES = {numpy.dtype(code): name for name, code in DTYPES.items() if name != "BYTES"}
_NUMBERS = frozenset({int, float})


def datatype_of(array: Any) -> str:
    """The protocol's name of an array's type; BYTES for whatever has none."""
    return _NAMES.get(array.dtype.newbyteorder("<") if array.dtype.kind in "iuf" else array.dtype, "BYTES")


def from_values(name: str, data: Any, shape: Sequence[int], datatype: str) -> Any:
    """An array from JSON, flat or nested. Raises InvalidValue for another count of values, or a value that the type does not have."""
    flat = _flattened(name, data)
    count = math.prod(shape)
    if len(flat) != count:
        raise InvalidValue(f"input {name!r} has {len(flat)} values, and the shape {list(shape)} has room for {count}")
    kinds = set(map(type, flat))
    if datatype == "BYTES":
        fits = kinds <= {str, type(None)}
    elif datatype == "BOOL":
        fits = kinds <= {bool}
    elif datatype.startswith("FP"):
        fits = kinds <= {*_NUMBERS, type(None)}  # None stands for NaN
    else:
        fits = kinds <= {int}
    if not fits:
        raise InvalidValue(f"input {name!r} is said to be {datatype}, and holds {', '.join(sorted(_kind(kind) for kind in kinds))}")
    array = numpy.empty(count, dtype=DTYPES[datatype])
    try:
        with numpy.errstate(over="raise"):
            array[:] = flat
    except (ArithmeticError, ValueError, TypeError) as fault:
        raise InvalidValue(f"input {name!r} holds values that {datatype} has no room for: {fault}") from fault
    return _shaped(name, array, shape)


def from_bytes(name: str, data: memoryview, shape: Sequence[int], datatype: str) -> Any:
    """An array from bytes; texts have their length in four bytes before them. Raises InvalidValue."""
    count = math.prod(shape)
    if datatype == "BYTES":
        texts = _texts(name, data)
        if len(texts) != count:
            raise InvalidValue(f"input {name!r} has {len(texts)} texts, and the shape {list(shape)} has room for {count}")
        array = numpy.empty(count, dtype=object)
        array[:] = texts
        return _shaped(name, array, shape)
    size = numpy.dtype(DTYPES[datatype]).itemsize
    if len(data) != count * size:
        raise InvalidValue(f"input {name!r} has {len(data)} bytes; {list(shape)} of {datatype} have {count * size}")
    return _shaped(name, numpy.frombuffer(data, DTYPES[datatype]), shape)


def to_bytes(array: Any) -> bytes:
    """The other way."""
    if datatype_of(array) != "BYTES":
        return bytes(numpy.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes())
    parts = [value if isinstance(value, bytes) else str(value).encode() for value in array.reshape(-1).tolist()]
    return b"".join(struct.pack("<I", len(part)) + part for part in parts)


def _shaped(name: str, array: Any, shape: Sequence[int]) -> Any:
    try:
        return array.reshape(shape)
    except (ArithmeticError, ValueError) as fault:  # too many dimensions, or one too long where another is empty
        raise InvalidValue(f"input {name!r}: no array can have the shape {str(list(shape))[:80]}: {fault}") from fault


def _flattened(name: str, data: Any) -> Any:
    if type(data) is not list:
        raise InvalidValue(f"input {name!r}: 'data' must be a list of values")
    while data and type(data[0]) is list:
        if not all(type(one) is list and len(one) == len(data[0]) for one in data):
            raise InvalidValue(f"input {name!r}: the lists in 'data' must have one length")
        data = [value for one in data for value in one]
    return data


def _texts(name: str, data: memoryview) -> list[bytes]:
    texts, at = [], 0
    while at < len(data):
        if at + 4 > len(data):
            raise InvalidValue(f"input {name!r}: the last text has no length")
        (length,) = struct.unpack_from("<I", data, at)
        if at + 4 + length > len(data):
            raise InvalidValue(f"input {name!r}: a text of {length} bytes, of which {len(data) - at - 4} are there")
        texts.append(bytes(data[at + 4 : at + 4 + length]))
        at += 4 + length
    return texts


def _kind(kind: type) -> str:
    names = {str: "texts", bool: "booleans", int: "whole numbers", float: "fractions", type(None): "nulls", list: "lists", dict: "objects"}
    return names.get(kind, kind.__name__)
