"""The types of polars columns as those of a signature."""

from __future__ import annotations

from typing import Any

from drupe.errors import InvalidValue
from drupe.models.datatypes import Array, ColumnType, DataType, Object, Property
from drupe.models.schema import ColSpec, Schema

__all__ = ["polars_schema"]

_SCALARS = {
    "Boolean": DataType.boolean,
    "Int8": DataType.integer,
    "Int16": DataType.integer,
    "Int32": DataType.integer,
    "Int64": DataType.long,
    "UInt8": DataType.integer,
    "UInt16": DataType.integer,
    "UInt32": DataType.long,
    "Float32": DataType.float,
    "Float64": DataType.double,
    "String": DataType.string,
    "Categorical": DataType.string,
    "Enum": DataType.string,
    "Binary": DataType.binary,
    "Date": DataType.datetime,
    "Datetime": DataType.datetime,
}


def polars_schema(df: Any) -> tuple[Schema | None, str | None]:
    """The schema of a polars DataFrame, else what hinders it. A column with a missing value is not required."""
    if not df.columns:
        return None, "there are no columns"
    try:
        return Schema(ColSpec(_type_of(dtype, name), name, not df[name].has_nulls()) for name, dtype in df.schema.items()), None
    except InvalidValue as fault:
        return None, fault.message


def _type_of(dtype: Any, where: str) -> ColumnType:
    kind = type(dtype).__name__
    if kind in _SCALARS:
        return _SCALARS[kind]
    if kind in ("List", "Array"):
        return Array(_type_of(dtype.inner, where))
    if kind == "Struct":
        return Object([Property(part.name, _type_of(part.dtype, f"{where}.{part.name}")) for part in dtype.fields])
    raise InvalidValue(f"dataset column {where!r} has the type {dtype}, which a signature cannot describe")
