"""CSV in requests and files against a signature of columns. A field is what its column's type says; empty ones are missing values."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import Any

from drupe.errors import InvalidValue
from drupe.models import DataType
from drupe_serving.asked import Columns
from drupe_serving.tables import TableReader

__all__ = ["csv_columns", "typed_rows"]

MISSING = frozenset({"", "NA", "N/A", "n/a", "NaN", "nan", "-NaN", "-nan", "null", "NULL", "None", "<NA>", "#N/A"})
_NUMBERS = (DataType.double, DataType.float, DataType.long, DataType.integer)
_FLAGS = {"true": True, "false": False}


def csv_columns(text: str, table: TableReader) -> Columns:
    """The table in a CSV text with a header line. Raises InvalidValue that names the line, SignatureMismatch."""
    try:
        lines = list(csv.reader(text.splitlines(keepends=True), strict=True))
    except csv.Error as fault:
        raise InvalidValue(f"the body cannot be read as CSV: {fault}") from fault
    if not lines or not lines[0]:
        raise InvalidValue("the body is empty; CSV begins with a line of column names")
    header, rows = lines[0], [line for line in lines[1:] if line]
    for place, row in enumerate(rows):
        if len(row) != len(header):
            raise InvalidValue(f"row {place} of the CSV has {len(row)} fields, its header {len(header)}: {','.join(row)[:80]!r}")
    return table.of_rows(typed_rows(header, rows, table), header)


def typed_rows(header: Sequence[str], rows: Sequence[Sequence[str]], table: TableReader) -> list[list[Any]]:
    """The fields as values of JSON; one that is not of its column's type stays text, so that it is told as such."""
    kinds = [table.kind_of(place, name) for place, name in enumerate(header)]
    return [[_field_value(field, kind) for field, kind in zip(row, kinds, strict=True)] for row in rows]


def _field_value(field: str, kind: Any) -> Any:
    """What a field says."""
    if field in MISSING:
        return None
    if "_" in field:  # Python's numbers may have it
        return field
    if kind in _NUMBERS:
        try:
            return int(field)  # which a double may be too large for, as its reader knows
        except ValueError:  # a fraction, or no number at all: the next try tells
            pass
        try:
            return float(field)
        except ValueError:
            return field
    if kind is DataType.boolean:
        return _FLAGS.get(field.lower(), field)
    return field
