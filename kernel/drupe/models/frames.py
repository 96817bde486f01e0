"""What people give as a table, as a DataFrame: frames, series, arrays, dicts of columns, lists of rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drupe.errors import InvalidValue
from drupe.models.casting import cast
from drupe.models.datatypes import AnyType, ColumnType, DataType
from drupe.models.schema import Schema

__all__ = ["as_frame"]


def as_frame(pandas: Any, given: Any, schema: Schema) -> tuple[Any, bool]:
    """(table, whether its columns have types of their own); None when `given` is no table."""
    if isinstance(given, pandas.DataFrame):
        return given, True
    if given is None or hasattr(given, "tocsr"):
        return None, False
    if isinstance(given, pandas.Series):
        names = schema.input_names()
        is_nameless = given.name is None and schema.has_input_names() and len(names) == 1
        return given.to_frame(names[0]) if is_nameless else given.to_frame(), True
    if hasattr(given, "ndim") and hasattr(given, "dtype"):
        return (
            (pandas.DataFrame(given), True)
            if 1 <= given.ndim <= 2
            else (pandas.DataFrame([given.item()]), True)
            if not given.ndim
            else (None, True)
        )
    if not schema.has_input_names() and len(schema) == 1 and _is_nested(schema.input_types()[0]):
        return pandas.DataFrame({0: _objects(pandas, list(given) if isinstance(given, list | tuple) else [given])}), False
    if isinstance(given, Mapping):
        if _is_one_row(given, schema):
            return pandas.DataFrame({name: _objects(pandas, [value]) for name, value in given.items()}), False
        if len({len(value) for value in given.values()}) > 1:
            return None, False
        if all(hasattr(value, "dtype") and value.ndim == 1 for value in given.values()):
            return pandas.DataFrame(dict(given)), True
        return pandas.DataFrame({name: _objects(pandas, list(value)) for name, value in given.items()}), False
    if isinstance(given, list | tuple):
        if given and all(isinstance(row, Mapping) for row in given):
            names = list(dict.fromkeys(name for row in given for name in row))
            return pandas.DataFrame({name: _objects(pandas, [row.get(name) for row in given]) for name in names}), False
        is_rows = given and all(isinstance(row, list | tuple) for row in given)
        rows = [list(row) for row in given] if is_rows else [[value] for value in given]
        if len({len(row) for row in rows}) > 1:
            return None, False
        return pandas.DataFrame({place: _objects(pandas, list(column)) for place, column in enumerate(zip(*rows, strict=True))}), False
    return pandas.DataFrame({0: _objects(pandas, [given])}), False


def _is_nested(kind: ColumnType) -> bool:
    return not isinstance(kind, DataType)


def _is_one_row(given: Mapping[Any, Any], schema: Schema) -> bool:
    specs = schema.input_dict()
    return any(
        not hasattr(value, "__len__")
        or isinstance(value, str | bytes | Mapping)
        or (name in specs and _is_list_value(specs[name].type, value))
        for name, value in given.items()
    )


def _is_list_value(kind: Any, value: Any) -> bool:
    """True when `value`, a list, is one value of a nested column rather than the column."""
    if isinstance(kind, DataType | AnyType):
        return False
    try:
        cast(value, kind, "")
    except InvalidValue:
        return False
    return True


def _objects(pandas: Any, values: list[Any]) -> Any:
    return pandas.Series(values, dtype="object")
