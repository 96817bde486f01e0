"""Reading and writing requests and replies under the protocol's rules for JSON and query texts.

JSON: names in snake_case or camelCase, but not both for one field; null is "not given"; integers as numbers or decimal texts; NaN and
infinities as texts; enums as names or numbers, and a name that is not known counts as "not given"; unknown fields are ignored. Replies leave out
what is unset or empty.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping
from enum import Enum
from functools import cache
from typing import Any, TypeVar, get_args, get_origin

import attrs
from cattrs import BaseValidationError, Converter, transform_error
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn
from cattrs.v import format_exception

from drupe.entities import LoggedModelStatus, RunStatus, ViewType, limits
from drupe.entities.codec import LOGGED_MODEL_STATUSES, converter as entity_converter
from drupe.errors import InvalidValue

__all__ = ["BOUNDS", "NEEDED", "Form", "Unread", "bounded", "converter", "needed", "plain", "read", "read_query"]

T = TypeVar("T")
Form = dict[str, Any]

_CAMEL = re.compile(r"(?<=[a-z0-9])([A-Z])")
_plain_names: set[Any] = set()  # names of fields that were found to need no change; bounded, since the same few come back
NEEDED = "drupe.wire: needed"
"""In the metadata of a field that must be given."""
BOUNDS = "drupe.wire: bounds"
"""In the metadata of a number that must lie between two, which is checked where it is used."""
_RUN_STATUS = {1: RunStatus.RUNNING, 2: RunStatus.SCHEDULED, 3: RunStatus.FINISHED, 4: RunStatus.FAILED, 5: RunStatus.KILLED}
_MODEL_STATUS = {1: LoggedModelStatus.PENDING, 2: LoggedModelStatus.READY, 3: LoggedModelStatus.FAILED}
LINE_MAX, LINES_MAX = 300, 20  # of what is told about a request
_STATUS_WORDS = {status: word for word, status in LOGGED_MODEL_STATUSES.items()}


class Unread(tuple[Any, ...]):
    """The type of a list whose members are left as they were parsed, for those who read them quicker."""


def needed() -> Any:
    """A field of a request that must be given, and not as an empty text."""
    return attrs.field(metadata={NEEDED: True})


def bounded(least: int, most: int) -> Any:
    """A number that need not be given, from `least` to `most`. Who answers the request checks it."""
    return attrs.field(default=None, metadata={BOUNDS: (least, most)})


def read(kind: type[T], form: object) -> T:
    """The request or reply of this kind in parsed JSON. Raises InvalidValue that names every field at fault."""
    if type(form) is not dict and not isinstance(form, Mapping):
        raise InvalidValue(f"{_title(kind)} is a JSON object, not {limits.show(form)}")
    given = _snake(form)
    missing = [name for name in _needed_of(kind) if given.get(name) in (None, "")]  # type: ignore[arg-type]
    if missing:
        raise InvalidValue(f"{_title(kind)}: missing value for required parameter {', '.join(map(repr, missing))}", fields=missing)
    try:
        return converter().structure(given, kind)
    except (BaseValidationError, TypeError, ValueError, AttributeError, RecursionError) as fault:
        told = transform_error(fault, format_exception=_in_words) if isinstance(fault, BaseValidationError) else [str(fault)]
        told = [line if len(line) <= LINE_MAX else f"{line[:LINE_MAX]}…" for line in told[:LINES_MAX]]
        raise InvalidValue(f"{_title(kind)}: {'; '.join(line.replace(' @ $.', ' in ').replace(' @ $', '') for line in told)}") from fault


def read_query(kind: type[T], pairs: Iterable[tuple[str, str]]) -> T:
    """The request in the parameters of an address: repeated ones are lists, `true` and `false` truth values. Raises InvalidValue."""
    types = {field.name: field.type for field in attrs.fields(_resolved(kind))}  # type: ignore[arg-type]
    form: Form = {}
    for name, text in pairs:
        wanted = _bare(types.get(name))
        if get_origin(wanted) is tuple:
            form.setdefault(name, []).append(text)
        elif wanted is bool:
            form[name] = {"true": True, "false": False}.get(text.lower(), text)
        elif text or wanted is str:
            form[name] = text
    return read(kind, form)


def plain(thing: Any) -> Form:
    """The JSON form of a request or reply."""
    form: Form = converter().unstructure(thing)
    return form


@cache
def converter() -> Converter:
    """Reads and writes all shapes of the protocol, entities among them."""
    made = entity_converter(False).copy()
    made.register_structure_hook(RunStatus, lambda value, _: _enum_in(RunStatus, _RUN_STATUS, value))
    made.register_structure_hook(LoggedModelStatus, lambda value, _: _model_status_in(value))
    made.register_unstructure_hook(LoggedModelStatus, _STATUS_WORDS.__getitem__)
    made.register_structure_hook(ViewType, lambda value, _: _enum_in(ViewType, {int(view): view for view in ViewType}, value))
    made.register_structure_hook(Unread, lambda value, _: _list_in(value))
    made.register_unstructure_hook(Unread, list)
    made.register_unstructure_hook(ViewType, lambda view: view.name)
    made.register_structure_hook_factory(_is_shape, lambda kind: _reader(kind, made))
    made.register_unstructure_hook_factory(_is_shape, lambda kind: _writer(kind, made))
    return made


@cache
def _resolved(kind: Hashable) -> Any:
    return attrs.resolve_types(kind)  # type: ignore[type-var]


def _is_shape(kind: Any) -> bool:
    return attrs.has(kind) and kind.__module__.startswith("drupe.wire.")


def _reader(kind: type, made: Converter) -> Any:
    structure: Any = make_dict_structure_fn(kind, made)

    def hook(form: Any, of: Any) -> Any:
        if not isinstance(form, Mapping):
            raise ValueError(f"expected an object, got {limits.show(form)}")
        return structure({name: value for name, value in _snake(form).items() if value is not None}, of)

    return hook


def _writer(kind: type, made: Converter) -> Any:
    write: Any = make_dict_unstructure_fn(kind, made)

    def hook(thing: Any) -> Form:
        return {name: value for name, value in write(thing).items() if value is not None and value != [] and value != {}}

    return hook


def _snake(form: Mapping[str, Any]) -> Mapping[str, Any]:
    """Top-level names in snake_case. Raises InvalidValue for a field that is given under both spellings."""
    if _plain_names.issuperset(form):
        return form
    if all(name.islower() or name.isupper() for name in form if isinstance(name, str)):
        if len(_plain_names) < 1000:
            _plain_names.update(form)
        return form
    found: Form = {}
    for name, value in form.items():
        plain_name = _CAMEL.sub(lambda match: f"_{match[1].lower()}", str(name))
        if plain_name in found:
            raise InvalidValue(f"{plain_name!r} is given twice, also as {name!r}" if plain_name != name else f"{name!r} is given twice")
        found[plain_name] = value
    return found


@cache
def _needed_of(kind: Hashable) -> tuple[str, ...]:
    return tuple(field.name for field in attrs.fields(kind) if NEEDED in field.metadata)  # type: ignore[arg-type]


def _enum_in(kind: type[Enum], numbers: Mapping[int, Any], value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"expected a name, got {limits.show(value)}")
    if isinstance(value, int) or value.lstrip("-").isdecimal():
        return numbers.get(int(value))
    return kind.__members__.get(value)


def _model_status_in(value: Any) -> LoggedModelStatus | None:
    named = LOGGED_MODEL_STATUSES.get(value) if isinstance(value, str) else None
    found: LoggedModelStatus | None = named or _enum_in(LoggedModelStatus, _MODEL_STATUS, value)
    return found


def _list_in(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise ValueError(f"expected a list, got {limits.show(value)}")
    return value


def _bare(kind: Any) -> Any:
    """What an optional type is when it is given."""
    options = [option for option in get_args(kind) if option is not type(None)] if get_origin(kind) is not tuple else []
    return options[0] if len(options) == 1 else kind


def _in_words(fault: BaseException, kind: type | None) -> str:
    """What a reader of this house has said; else what cattrs says."""
    return str(fault) if isinstance(fault, ValueError) and str(fault).startswith("expected") else format_exception(fault, kind)


def _title(kind: type) -> str:
    return _CAMEL.sub(lambda match: f" {match[1].lower()}", kind.__name__)
