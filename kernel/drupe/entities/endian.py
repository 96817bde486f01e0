"""Columns of numbers as bytes that are the same on every machine: little-endian."""

from __future__ import annotations

import sys
from array import array
from typing import Any

__all__ = ["from_little_endian", "to_little_endian"]

_IS_BIG = sys.byteorder == "big"


def to_little_endian(column: array[Any]) -> bytes:
    """The bytes of an array, the same on every machine."""
    if _IS_BIG:
        column = column[:]
        column.byteswap()
    return column.tobytes()


def from_little_endian(typecode: str, stored: bytes | bytearray | memoryview) -> array[Any]:
    """The array that `to_little_endian` wrote."""
    column: array[Any] = array(typecode)
    column.frombytes(stored)
    if _IS_BIG:
        column.byteswap()
    return column
