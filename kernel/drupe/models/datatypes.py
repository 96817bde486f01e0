"""The types that a signature can speak of: eight scalars and what is nested from them. MLflow's names and meaning.

Values are checked against them in `casting`, tables in `columns`; their JSON form is in `schema_json`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any, TypeAlias

from attrs import field, frozen

from drupe.errors import InvalidValue
from drupe.lazy import need

__all__ = ["AnyType", "Array", "ColumnType", "DataType", "Map", "Object", "Property", "as_type"]


class DataType(Enum):
    """A scalar type. Sizes: integer and float have 32 bits, long and double 64; binary is base64 text in JSON."""

    boolean = "bool"
    integer = "int32"
    long = "int64"
    float = "float32"
    double = "float64"
    string = "str"
    binary = "bytes"
    datetime = "datetime64[ns]"

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"DataType.{self.name}"

    def to_numpy(self) -> Any:
        """The NumPy type of an array of such values."""
        return need("numpy", to="speak of array types").dtype(self.value)

    def to_pandas(self) -> Any:
        """The NumPy type of a pandas column of such values; text and bytes are objects."""
        return need("numpy", to="speak of column types").dtype("O" if self in (DataType.string, DataType.binary) else self.value)


def as_type(given: Any) -> ColumnType:
    """`given` as a type: one already, or a scalar type's name. Raises InvalidValue."""
    if isinstance(given, DataType | Array | Object | Map | AnyType):
        return given
    if isinstance(given, str) and given in DataType.__members__:
        return DataType[given]
    raise InvalidValue(f"{given!r} is not a signature type; the scalar types are {', '.join(DataType.__members__)}")


@frozen
class Array:
    """A list of values of one type."""

    dtype: ColumnType = field(converter=as_type)

    def __str__(self) -> str:
        return f"array of {self.dtype}"


@frozen
class Property:
    """One named value of an Object."""

    name: str
    dtype: ColumnType = field(converter=as_type)
    required: bool = True


def _by_name(given: Iterable[Property]) -> tuple[Property, ...]:
    return tuple(sorted(given, key=lambda prop: prop.name))


@frozen
class Object:
    """A map with known names, each with its own type. Properties are kept sorted by name."""

    properties: tuple[Property, ...] = field(converter=_by_name)

    @properties.validator
    def _check(self, _: Any, properties: Sequence[Property]) -> None:
        names = [p.name for p in properties]
        if not names:
            raise InvalidValue("an Object type needs at least one property")
        if len(set(names)) < len(names):
            raise InvalidValue(f"an Object type has properties of one name: {names}")

    def __str__(self) -> str:
        return "object {" + ", ".join(f"{p.name}: {p.dtype}" for p in self.properties) + "}"


@frozen
class Map:
    """A map from any text to values of one type."""

    value_type: ColumnType = field(converter=as_type)

    def __str__(self) -> str:
        return f"map to {self.value_type}"


@frozen
class AnyType:
    """Whatever JSON can say; never checked."""

    def __str__(self) -> str:
        return "any"


ColumnType: TypeAlias = DataType | Array | Object | Map | AnyType
