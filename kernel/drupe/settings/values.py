"""Texts and TOML values to the types that settings are declared with, or a sentence about why not.

Environment variables and URI options are always text; files hold typed values, which are not bent: `timeout = "5"` is a fault.
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin

__all__ = ["Unfit", "of_kind", "of_type"]

_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


class Unfit(ValueError):
    """The value does not fit; the message completes the sentence "<key> …"."""


def of_kind(kind: str, value: Any, *, is_text: bool) -> Any:
    """Read a value for one of the kernel's own settings; names come back as a tuple. Raises Unfit."""
    match kind:
        case "flag":
            return _flag(value, is_text)
        case "auto":
            if isinstance(value, str) and value.strip().lower() == "auto":
                return "auto"
            try:
                return _flag(value, is_text)
            except Unfit as fault:
                raise Unfit(f"must be auto, or {str(fault).removeprefix('must be ')}") from fault
        case "number":
            return _number(value, is_text)
        case "real":
            return _real(value, is_text)
        case "names":
            if is_text:
                return tuple(name for name in (part.strip() for part in value.split(",")) if name)
            if isinstance(value, list) and all(isinstance(name, str) for name in value):
                return tuple(value)
            raise Unfit(f"must be a list of texts, not {value!r}")
        case _:
            if isinstance(value, str):
                return value
            raise Unfit(f"must be text, not {value!r}")


def of_type(kind: Any, value: Any, *, is_text: bool) -> Any:
    """Read a value for a field annotated with `kind`: text, numbers, flags, paths, enums, literals, lists, tables, or None. Raises Unfit."""
    origin, inside = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if origin in (Union, types.UnionType):
        return _one_of(inside, value, is_text)
    if origin is Literal:
        return _literal(inside, value, is_text)
    plain = origin or kind
    if plain is bool:
        return _flag(value, is_text)
    if plain is int:
        return _number(value, is_text)
    if plain is float:
        return _real(value, is_text)
    if plain is str:
        return of_kind("text", value, is_text=is_text)
    if _is_path(plain):
        return plain(of_kind("text", value, is_text=is_text)).expanduser()
    if isinstance(plain, type) and issubclass(plain, Enum):
        return _enum(plain, value)
    if isinstance(plain, type) and issubclass(plain, Mapping):
        if isinstance(value, Mapping):
            return dict(value)
        raise Unfit(f"must be a table, not {value!r}")
    if isinstance(plain, type) and issubclass(plain, Sequence | frozenset | set):
        return _collection(plain, inside, value, is_text)
    return value


def _is_path(kind: Any) -> bool:
    # By name: the import of pathlib would be paid by every start of the command line.
    return isinstance(kind, type) and kind.__module__.startswith("pathlib") and kind.__name__ == "Path"


def _flag(value: Any, is_text: bool) -> bool:
    if isinstance(value, bool):
        return value
    if is_text and value.strip().lower() in _TRUE:
        return True
    if is_text and value.strip().lower() in _FALSE:
        return False
    raise Unfit(f"must be {'1/true/yes/on or 0/false/no/off' if is_text else 'true or false'}, not {value!r}")


def _number(value: Any, is_text: bool) -> int:
    if is_text:
        try:
            return int(value)
        except ValueError:
            pass
    elif isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Unfit(f"must be a whole number, not {value!r}")


def _real(value: Any, is_text: bool) -> float:
    if is_text or (isinstance(value, int | float) and not isinstance(value, bool)):
        try:
            return float(value)
        except ValueError:
            pass
    raise Unfit(f"must be a number, not {value!r}")


def _one_of(kinds: tuple[Any, ...], value: Any, is_text: bool) -> Any:
    others = [kind for kind in kinds if kind is not type(None)]
    if len(others) < len(kinds) and (value is None or (is_text and value == "")):
        return None
    faults = []
    for kind in others:
        try:
            return of_type(kind, value, is_text=is_text)
        except Unfit as fault:
            faults.append(str(fault))
    raise Unfit(faults[0])


def _literal(choices: tuple[Any, ...], value: Any, is_text: bool) -> Any:
    for choice in choices:
        if value == choice or (is_text and value == str(choice)):
            return choice
    raise Unfit(f"must be one of {', '.join(map(repr, choices))}, not {value!r}")


def _enum(kind: type[Enum], value: Any) -> Enum:
    for member in kind:
        if value is member or value in (member.value, member.name) or str(value).lower() == member.name.lower():
            return member
    raise Unfit(f"must be one of {', '.join(repr(member.value) for member in kind)}, not {value!r}")


def _collection(kind: type, inside: tuple[Any, ...], value: Any, is_text: bool) -> Any:
    if is_text:
        value = [part for part in (part.strip() for part in value.split(",")) if part]
    elif not isinstance(value, list | tuple):
        raise Unfit(f"must be a list, not {value!r}")
    element = inside[0] if inside else Any
    made = [of_type(element, entry, is_text=is_text) for entry in value]
    return kind(made) if kind in (tuple, set, frozenset) else made
