"""The JSON form of columns, tensors and params, as MLflow writes it into MLmodel.

Works on the parts of a spec, not on the specs of `schema`, which calls it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from drupe.errors import InvalidValue
from drupe.models.datatypes import AnyType, Array, ColumnType, DataType, Map, Object, Property

__all__ = ["column_json", "column_parts", "param_json", "param_parts", "tensor_json", "tensor_parts", "type_from_json", "type_json"]

_DEPTH_MAX = 32


def column_json(kind: ColumnType, name: str | int | None, required: bool) -> dict[str, Any]:
    """The JSON form of a column."""
    return type_json(kind) | ({} if name is None else {"name": name}) | {"required": required}


def column_parts(entry: Any) -> tuple[ColumnType, str | int | None, bool]:
    """(type, name, required) of a column's JSON form; old files say `optional` for not required."""
    kind = type_from_json(entry)
    name = entry.get("name")
    if not (name is None or isinstance(name, str | int)):
        raise InvalidValue(f"a column's name is text, not {name!r}")
    return kind, name, _required(entry)


def _required(entry: dict[str, Any]) -> bool:
    return bool(entry["required"]) if "required" in entry else not entry.get("optional", False)


def type_json(kind: ColumnType) -> dict[str, Any]:
    """`{"type": …}` with whatever a nested type adds."""
    if isinstance(kind, DataType):
        return {"type": kind.name}
    if isinstance(kind, Array):
        return {"type": "array", "items": type_json(kind.dtype)}
    if isinstance(kind, Map):
        return {"type": "map", "values": type_json(kind.value_type)}
    if isinstance(kind, Object):
        return {"type": "object", "properties": {p.name: type_json(p.dtype) | {"required": p.required} for p in kind.properties}}
    return {"type": "any"}


def type_from_json(entry: Any, depth: int = 0) -> ColumnType:
    """The type that `type_json` wrote. Raises InvalidValue."""
    if not isinstance(entry, dict) or not isinstance(entry.get("type"), str):
        raise InvalidValue(f"a signature type is a JSON map with 'type', not {str(entry)[:80]}")
    if depth > _DEPTH_MAX:
        raise InvalidValue(f"a signature type is nested more than {_DEPTH_MAX} deep")
    name = entry["type"]
    if name in DataType.__members__:
        return DataType[name]
    if name == "array":
        return Array(type_from_json(entry.get("items"), depth + 1))
    if name == "map":
        return Map(type_from_json(entry.get("values"), depth + 1))
    if name == "object" and isinstance(entry.get("properties"), dict):
        return Object([Property(str(k), type_from_json(v, depth + 1), _required(v)) for k, v in entry["properties"].items()])
    if name == "any":
        return AnyType()
    raise InvalidValue(f"signature type {name!r} is not known; known are {', '.join(DataType.__members__)}, array, object, map, any")


def tensor_json(dtype: str, shape: tuple[int, ...], name: str | None) -> dict[str, Any]:
    """The JSON form of a tensor."""
    return ({} if name is None else {"name": name}) | {"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": list(shape)}}


def tensor_parts(entry: dict[str, Any]) -> tuple[str, tuple[int, ...], str | None]:
    """(dtype, shape, name) of a tensor's JSON form."""
    spec = entry.get("tensor-spec")
    if not isinstance(spec, dict) or not isinstance(spec.get("dtype"), str) or not isinstance(spec.get("shape"), list):
        raise InvalidValue(f"a tensor needs 'tensor-spec' with dtype and shape, got {str(entry)[:80]}")
    if not all(isinstance(length, int) for length in spec["shape"]):
        raise InvalidValue(f"a tensor's shape is a list of whole numbers, not {spec['shape']}")
    name = entry.get("name")
    return spec["dtype"], tuple(spec["shape"]), None if name is None else str(name)


def param_json(name: str, dtype: ColumnType, default: Any, shape: tuple[int, ...] | None) -> dict[str, Any]:
    """The JSON form of a param; datetimes are ISO text."""
    shown = [_iso(value) for value in default] if isinstance(default, list) else _iso(default)
    return {"name": name, "default": shown, "shape": None if shape is None else list(shape)} | type_json(dtype)


def _iso(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def param_parts(entry: Any) -> tuple[str, ColumnType, Any, tuple[int, ...] | None]:
    """(name, type, default, shape) of a param's JSON form; old files say `dtype` for `type`."""
    if not isinstance(entry, dict) or "name" not in entry or "default" not in entry:
        raise InvalidValue(f"a param is a JSON map with name, type and default, not {str(entry)[:80]}")
    kind = type_from_json({"type": entry.get("dtype")} | entry)
    return entry["name"], kind, entry["default"], entry.get("shape")
