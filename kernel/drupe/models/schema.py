"""Columns, tensors and params as a signature lists them. MLflow's class names, argument order and methods.

Values only: reading data against a schema is in `enforce` and `params`, making one from data in `infer`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from attrs import field, frozen
from attrs.converters import optional

from drupe.errors import InvalidValue
from drupe.lazy import need
from drupe.models.casting import cast
from drupe.models.datatypes import ColumnType, DataType, Object, as_type
from drupe.models.schema_json import column_json, column_parts, param_json, param_parts, tensor_json, tensor_parts

__all__ = ["ColSpec", "ParamSchema", "ParamSpec", "Schema", "TensorSpec"]

_KEPT_MAX = 64 * 2**10


@frozen
class ColSpec:
    """A column of a table. A column without a name is known by its place; one that is not required may be left out."""

    type: ColumnType = field(converter=as_type)
    name: str | int | None = None
    required: bool = True

    def __str__(self) -> str:
        kind = str(self.type) if self.required else f"{self.type}, optional"
        return kind if self.name is None else f"{self.name} ({kind})"

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return column_json(self.type, self.name, self.required)


def _dtype_name(given: Any) -> str:
    try:
        dtype = need("numpy", to="describe tensors").dtype(given)
    except TypeError as fault:
        raise InvalidValue(f"{given!r} is not a NumPy type") from fault
    return {"U": "str", "S": "bytes"}.get(dtype.kind, str(dtype.name))


def _int_tuple(given: Any) -> tuple[int, ...]:
    return tuple(int(length) for length in given)


@frozen
class TensorSpec:
    """An array: its NumPy type and shape, -1 for an axis of any length."""

    dtype: str = field(converter=_dtype_name, alias="type")
    shape: tuple[int, ...] = field(converter=_int_tuple)
    name: str | None = None

    @property
    def type(self) -> Any:
        """The `numpy.dtype`."""
        return need("numpy", to="describe tensors").dtype(self.dtype)

    @property
    def required(self) -> bool:
        """Always true: a tensor cannot be left out."""
        return True

    def __str__(self) -> str:
        kind = f"{self.dtype} {list(self.shape)}"
        return kind if self.name is None else f"{self.name} ({kind})"

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return tensor_json(self.dtype, self.shape, self.name)


def _specs(given: Iterable[ColSpec | TensorSpec]) -> tuple[ColSpec | TensorSpec, ...]:
    return tuple(given)


@frozen
class Schema:
    """What goes in or comes out: columns or tensors, never both; names for all or for none (then one tensor at most)."""

    inputs: tuple[ColSpec | TensorSpec, ...] = field(converter=_specs)

    @inputs.validator
    def _check(self, _: Any, inputs: Sequence[ColSpec | TensorSpec]) -> None:
        if not inputs:
            raise InvalidValue("a schema needs at least one column or tensor")
        if not (all(isinstance(spec, ColSpec) for spec in inputs) or all(isinstance(spec, TensorSpec) for spec in inputs)):
            raise InvalidValue("a schema holds ColSpec values or TensorSpec values, never both")
        named = [spec.name for spec in inputs if spec.name is not None]
        if named and len(named) < len(inputs):
            raise InvalidValue(f"either all or none of a schema's columns have names; named are {named}")
        if len(set(named)) < len(named):
            raise InvalidValue(f"a schema's names must differ; given are {named}")
        if isinstance(inputs[0], TensorSpec) and not named and len(inputs) > 1:
            raise InvalidValue("several tensors need names")
        if not named and any(not spec.required for spec in inputs):
            raise InvalidValue("a column without a name cannot be optional")

    def __iter__(self) -> Iterator[ColSpec | TensorSpec]:
        return iter(self.inputs)

    def __len__(self) -> int:
        return len(self.inputs)

    def __str__(self) -> str:
        return ", ".join(map(str, self.inputs))

    def is_tensor_spec(self) -> bool:
        """True when the schema lists tensors."""
        return isinstance(self.inputs[0], TensorSpec)

    def has_input_names(self) -> bool:
        """True when columns are found by name."""
        return self.inputs[0].name is not None

    def input_names(self) -> list[Any]:
        """Names in order; places (0, 1, …) where there are none."""
        return [place if spec.name is None else spec.name for place, spec in enumerate(self.inputs)]

    def required_input_names(self) -> list[Any]:
        """Names that an input must have."""
        return [name for name, spec in zip(self.input_names(), self.inputs, strict=True) if spec.required]

    def optional_input_names(self) -> list[Any]:
        """Names that an input may leave out."""
        return [name for name, spec in zip(self.input_names(), self.inputs, strict=True) if not spec.required]

    def input_types(self) -> list[Any]:
        """Types in order."""
        return [spec.type for spec in self.inputs]

    def input_dict(self) -> dict[Any, ColSpec | TensorSpec]:
        """Specs by name."""
        return dict(zip(self.input_names(), self.inputs, strict=True))

    def to_dict(self) -> list[dict[str, Any]]:
        """The JSON form: a list with a map for each column or tensor."""
        return [spec.to_dict() for spec in self.inputs]

    def to_json(self) -> str:
        """The JSON text, as it stands in MLmodel."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> Schema:
        """Read what `to_json` wrote, or MLflow. Raises InvalidValue."""
        return _read(text) if isinstance(text, str) and len(text) <= _KEPT_MAX else cls(_specs_in(text))


@lru_cache(maxsize=64)
def _read(text: str) -> Schema:
    """The one value for this text: nobody can change it, so every model that has it may share it."""
    return Schema(_specs_in(text))


def _specs_in(text: str) -> list[ColSpec | TensorSpec]:
    return [_spec(entry) for entry in _entries(text, "columns or tensors")]


def _spec(entry: Any) -> ColSpec | TensorSpec:
    if isinstance(entry, dict) and entry.get("type") == "tensor":
        return TensorSpec(*tensor_parts(entry))
    return ColSpec(*column_parts(entry))


@frozen
class ParamSpec:
    """A param of `predict`: its type, the default that is used when it is left out, and shape None (one value) or (-1,) (a list)."""

    name: str = field(converter=str)
    dtype: ColumnType = field(converter=as_type)
    default: Any
    shape: tuple[int, ...] | None = field(default=None, converter=optional(_int_tuple))

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.dtype, DataType | Object) or self.dtype is DataType.binary:
            raise InvalidValue(f"param {self.name!r} cannot be of type {self.dtype}; params are scalars other than binary, or objects")
        if self.shape not in (None, (-1,)):
            raise InvalidValue(f"param {self.name!r} has shape {self.shape}; it is None for one value or (-1,) for a list")
        object.__setattr__(self, "default", self.check(self.default))  # frozen, and the default is kept as its type has it

    def check(self, value: Any) -> Any:
        """`value` as this param's type. Raises InvalidValue that says what was found."""
        if self.shape is None:
            return None if value is None else cast(value, self.dtype, f"param {self.name!r}")
        values = value.tolist() if hasattr(value, "tolist") else value
        if not isinstance(values, list | tuple):
            raise InvalidValue(f"param {self.name!r} needs a list of {self.dtype}, got {value!r}")
        return [cast(entry, self.dtype, f"param {self.name!r}[{place}]") for place, entry in enumerate(values)]

    def __str__(self) -> str:
        kind = str(self.dtype) if self.shape is None else f"list of {self.dtype}"
        return f"{self.name} ({kind}, default {self.default!r})"

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return param_json(self.name, self.dtype, self.default, self.shape)


def _params(given: Iterable[ParamSpec]) -> tuple[ParamSpec, ...]:
    return tuple(given)


@frozen
class ParamSchema:
    """The params that a model takes at `predict`."""

    params: tuple[ParamSpec, ...] = field(converter=_params)

    @params.validator
    def _check(self, _: Any, params: Sequence[ParamSpec]) -> None:
        names = [param.name for param in params]
        if len(set(names)) < len(names):
            raise InvalidValue(f"params must have different names; given are {names}")

    def __iter__(self) -> Iterator[ParamSpec]:
        return iter(self.params)

    def __len__(self) -> int:
        return len(self.params)

    def __str__(self) -> str:
        return ", ".join(map(str, self.params))

    def to_dict(self) -> list[dict[str, Any]]:
        """The JSON form."""
        return [param.to_dict() for param in self.params]

    def to_json(self) -> str:
        """The JSON text, as it stands in MLmodel."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> ParamSchema:
        """Read what `to_json` wrote, or MLflow. Raises InvalidValue."""
        return cls([ParamSpec(*param_parts(entry)) for entry in _entries(text, "params")])


def _entries(text: str, of: str) -> list[Any]:
    try:
        entries = json.loads(text)
    except (TypeError, ValueError, RecursionError) as fault:
        raise InvalidValue(f"a schema's {of} are JSON text; this cannot be read: {str(text)[:80]!r}") from fault
    if not isinstance(entries, list):
        raise InvalidValue(f"a schema's {of} are a JSON list, not {type(entries).__name__}")
    return entries
