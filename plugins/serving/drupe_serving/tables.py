"""Tables in requests against a signature of columns: read straight into columns, every fault with its column and row.

JSON and CSV have no widths, so values are taken by what they are: 1 and 1.0 are the same number, 1.5 is never a whole one, "1" is a text.
Nothing is rounded, cut off or dropped to make a value fit. Nested columns are cast value by value by `drupe.models`.

`drupe.models.tables` does the same for what `predict` is given in Python, and stays another room: it makes a DataFrame at once, which here comes
after requests are joined, since making one costs more than all else about a small request; it knows dtypes and coercions, which JSON does not
have; and its faults name columns and examples of values, these the row in the request.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drupe.errors import InvalidValue, SignatureMismatch
from drupe.models import ColSpec, DataType, ModelSignature
from drupe.models.casting import cast, is_missing
from drupe_serving.asked import Columns

__all__ = ["TableReader"]

FAULTS_SHOWN = 20
ABSENT = object()
_SPELLED = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}  # what JSON cannot say
_EXACT = {DataType.double: 2**53, DataType.float: 2**24}
_BITS = {DataType.integer: 31, DataType.long: 63}
_FLOAT_MAX = 3.4028235677973366e38
_KINDS: Mapping[DataType, frozenset[type]] = {
    DataType.double: frozenset({float}),
    DataType.float: frozenset({float}),
    DataType.string: frozenset({str}),
    DataType.boolean: frozenset({bool}),
    DataType.long: frozenset({int}),
}


class TableReader:
    """Reads tables for one signature. `example` is text that shows a valid request."""

    def __init__(self, signature: ModelSignature, example: str) -> None:
        schema = signature.inputs
        assert schema is not None
        assert not schema.is_tensor_spec()
        self._specs: list[ColSpec] = [spec for spec in schema if isinstance(spec, ColSpec)]
        self.has_names = schema.has_input_names()
        self.names: tuple[Any, ...] = tuple(schema.input_names())
        self._known = {name: place for place, name in enumerate(self.names)}
        self._dtypes = tuple(_dtype(spec) for spec in self._specs)
        self._readers = [_reader(spec) for spec in self._specs]
        self._example = example

    def of_rows(self, rows: Sequence[Any], names: Sequence[Any] | None) -> Columns:
        """From lists of values in the order of `names`. Raises SignatureMismatch, InvalidValue."""
        width = len(self.names) if names is None and rows == [] else len(rows[0]) if names is None else len(names)
        for place, row in enumerate(rows):
            if type(row) is not list or len(row) != width:
                found = f"{len(row)} values" if isinstance(row, list) else type(row).__name__
                raise InvalidValue(f"row {place} must be a list of {width} values, one for each column; it is {found}")
        if not self.has_names:
            places: list[int | None] = [place if place < width else None for place in range(len(self.names))]
            return self._fit([ABSENT if at is None else [row[at] for row in rows] for at in places], len(rows), names or range(width))
        if names is None:
            raise self._mismatch([], f"the table has no 'columns', and this model finds its columns by name: {self._listed()}")
        where = {name: place for place, name in enumerate(names) if isinstance(name, str | int)}
        if len(where) < len(names):
            raise InvalidValue(f"the columns must have names that differ; they are {list(names)!r:.300}")
        if len(rows) == 1:
            (row,) = rows
            columns = [ABSENT if (at := where.get(name)) is None else [row[at]] for name in self.names]
        else:
            columns = [ABSENT if (at := where.get(name)) is None else [row[at] for row in rows] for name in self.names]
        return self._fit(columns, len(rows), names)

    def of_records(self, records: Sequence[Any]) -> Columns:
        """From objects of name and value; a value that a record leaves out is missing."""
        for place, record in enumerate(records):
            if type(record) is not dict:
                raise InvalidValue(f"record {place} must be an object of column and value, not {_kind(record)}")
        if not self.has_names:  # objects have an order, too
            names = list(dict.fromkeys(name for record in records for name in record))
            return self.of_rows([[record.get(name) for name in names] for record in records], names)
        if len(records) == 1:
            (record,) = records
            columns = [[record[name]] if name in record else ABSENT for name in self.names]
            return self._fit(columns, 1, record)
        there = {name for record in records for name in record}
        columns = [[record.get(name) for record in records] if name in there else ABSENT for name in self.names]
        return self._fit(columns, len(records), there)

    def of_columns(self, columns: Mapping[str, Any]) -> Columns:
        """From lists of values by name, all of one length."""
        if not self.has_names:
            raise self._mismatch([], "this model's columns have no names: give a list of rows")
        lengths = {len(values) for values in columns.values()}
        if len(lengths) > 1:
            told = ", ".join(f"{name!r} {len(values)}" for name, values in list(columns.items())[:FAULTS_SHOWN])
            raise InvalidValue(f"the columns must have one length; they have {told}")
        return self._fit([columns.get(name, ABSENT) for name in self.names], lengths.pop() if lengths else 0, columns)

    def kind_of(self, place: int, name: Any) -> Any:
        """The type of the column with this name, or at this place where columns have none; None for one that is not in the signature."""
        if not self.has_names:
            return self._specs[place].type if place < len(self._specs) else None
        at = self._known.get(name)
        return None if at is None else self._specs[at].type

    def _fit(self, columns: Sequence[Any], rows: int, found: Any) -> Columns:
        faults: list[dict[str, Any]] = []
        values: list[Any] = []
        names, dtypes = self.names, self._dtypes
        absent: list[int] = []
        for place, given in enumerate(columns):
            if given is ABSENT:
                if self._specs[place].required:
                    faults.append({"column": names[place], "expected": str(self._specs[place].type), "found": "is missing"})
                absent.append(place)
                continue
            fitted, fault = self._readers[place](given)
            if fault is not None:
                row, told = fault
                faults.append({"column": names[place], "row": row, "expected": str(self._specs[place].type), "found": told})
            values.append(fitted)
        if faults:
            has = f"; the request has {_shown(found)}" if any(fault["found"] == "is missing" for fault in faults) else ""
            told = "; ".join(map(_told, faults[:FAULTS_SHOWN]))
            more = f"; and {len(faults) - FAULTS_SHOWN} more faults" if len(faults) > FAULTS_SHOWN else ""
            raise self._mismatch(faults, f"{told}{more}{has}")
        if absent:
            names = tuple(name for place, name in enumerate(names) if place not in absent)
            dtypes = tuple(dtype for place, dtype in enumerate(dtypes) if place not in absent)
        if not self.has_names:
            names = tuple(found)[: len(values)]
        table = Columns(names, dtypes, values, rows)
        if len(found) > len(values):
            table.left_out = [name for name in found if name not in self._known] if self.has_names else list(found)[len(values) :]
        return table

    def _mismatch(self, faults: list[dict[str, Any]], told: str) -> SignatureMismatch:
        return SignatureMismatch(f"the request does not fit the model's signature: {told}. A valid request: {self._example}", faults=faults)

    def _listed(self) -> str:
        return _shown(self.names)


Read = tuple[Any, tuple[int, str] | None]
"""Values that fit, and else the first row that does not, with what is there."""


def _dtype(spec: ColSpec) -> str | None:
    kind = spec.type
    return kind.value if isinstance(kind, DataType) and kind is not DataType.binary else None


def _reader(spec: ColSpec) -> Callable[[list[Any]], Read]:
    kind = spec.type
    fits = _KINDS.get(kind, frozenset()) if isinstance(kind, DataType) else frozenset()
    limit = None if kind not in (DataType.float, DataType.long) else _FLOAT_MAX if kind is DataType.float else 2**63

    def read(given: list[Any]) -> Read:
        if len(given) == 1:
            (value,) = given
            if type(value) in fits and (limit is None or -limit <= value < limit):
                return given, None
        elif fits and limit is None and set(map(type, given)) == fits:
            return given, None
        values = []
        for row, value in enumerate(given):
            try:
                values.append(_value(value, kind))
            except InvalidValue as fault:
                return None, (row, fault.message)
        return values, None

    return read


def _value(value: Any, kind: Any) -> Any:
    """One value as its type has it. Raises InvalidValue that says what is there."""
    if not isinstance(kind, DataType):
        return cast(value, kind, "the value")
    if kind in _EXACT:
        if value is None:
            return math.nan
        if type(value) is str and value in _SPELLED:
            return _SPELLED[value]
        if type(value) is float and (kind is DataType.double or not math.isfinite(value) or abs(value) <= _FLOAT_MAX):
            return value
        if type(value) is int and abs(value) <= _EXACT[kind]:
            return float(value)
    elif kind in _BITS:
        if type(value) is float and value.is_integer() and abs(value) <= 2**53:
            value = int(value)
        if type(value) is int and -(2 ** _BITS[kind]) <= value < 2 ** _BITS[kind]:
            return value
    elif kind is DataType.boolean:
        if type(value) is bool:
            return value
    elif is_missing(value):
        return None
    else:
        return cast(value, kind, "the value")
    raise InvalidValue(f"holds {_kind(value)}")


def _told(fault: Mapping[str, Any]) -> str:
    if "row" not in fault:
        return f"column {fault['column']!r} {fault['found']} ({fault['expected']})"
    return f"column {fault['column']!r} ({fault['expected']}), row {fault['row']}: {fault['found']}"


def _kind(value: Any) -> str:
    """A value of JSON, by its kind and in short."""
    if value is None:
        return "null"
    kinds = {bool: "the boolean", str: "the text", int: "the number", float: "the number"}
    text = repr(value) if not isinstance(value, bool) else str(value).lower()
    shown = text if len(text) <= 40 else f"{text[:39]}…"
    return f"{kinds[type(value)]} {shown}" if type(value) in kinds else "a list" if isinstance(value, list) else "an object"


def _shown(names: Any) -> str:
    listed = [repr(name) for name in names]
    return ", ".join(listed[:FAULTS_SHOWN]) + (f" and {len(listed) - FAULTS_SHOWN} more" if len(listed) > FAULTS_SHOWN else "") or "nothing"
