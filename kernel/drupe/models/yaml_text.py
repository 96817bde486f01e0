"""YAML as model folders use it: read without surprises, written the way MLflow does.

Reading is bounded (size, depth, aliases) and makes plain values only; writing sorts keys and uses block style.
"""

from __future__ import annotations

import marshal
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from drupe.errors import InvalidModelFolder

__all__ = ["parse_yaml", "read_yaml", "write_yaml"]

_BYTES_MAX = 16 * 2**20
_KEPT_BYTES_MAX = 64 * 2**10
_DEPTH_MAX = 64
_ALIASES_MAX = 100
_Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Loader(_Safe):  # type: ignore[misc]
    """Refuses a key that is written twice: readers differ in which one they take, so one could be shown and the other acted on."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"the key {key.value!r} is there twice", key.start_mark)
                seen.add((key.tag, key.value))
        return super().construct_mapping(node, deep=deep)


def read_yaml(file: Path) -> Any:
    """The value in a YAML file. Raises InvalidModelFolder: not there, not YAML, or beyond the bounds."""
    try:
        with open(file, "rb") as stream:
            raw = stream.read(_BYTES_MAX + 1)
    except OSError as fault:
        raise InvalidModelFolder(f"{file} cannot be read: {fault.strerror}", path=str(file)) from fault
    return parse_yaml(raw, file)


def parse_yaml(raw: bytes, file: Path) -> Any:
    """The value in what was read from `file`. Raises InvalidModelFolder: not YAML, or beyond the bounds."""
    if len(raw) > _BYTES_MAX:
        raise InvalidModelFolder(f"{file} is larger than {_BYTES_MAX // 2**20} MB, which no such file needs", path=str(file))
    try:
        kept = _kept(raw, file) if len(raw) <= _KEPT_BYTES_MAX else None
        return _parsed(raw, file) if kept is None else marshal.loads(kept)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as fault:
        raise InvalidModelFolder(f"{file} is not readable YAML: {' '.join(str(fault).split())[:300]}", path=str(file)) from fault


@lru_cache(maxsize=64)
def _kept(raw: bytes, file: Path) -> bytes | None:
    """What these bytes say, so that the next caller gets a value of its own without parsing them again; None when it has dates in it."""
    value = _parsed(raw, file)
    try:
        return marshal.dumps(value)
    except ValueError:
        return None


def _parsed(raw: bytes, file: Path) -> Any:
    text = raw.decode()
    _check_bounds(text, file)
    return yaml.load(text, Loader=_Loader)


def _check_bounds(text: str, file: Path) -> None:
    depth = aliases = 0
    anchored: list[bool] = []
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            anchored.append(event.anchor is not None)
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchored.pop()
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
            if any(anchored):  # values made of aliases of aliases grow without bound, or hold themselves
                raise InvalidModelFolder(f"{file} uses aliases inside an anchored value, which is refused", path=str(file))
        if depth > _DEPTH_MAX or aliases > _ALIASES_MAX:
            raise InvalidModelFolder(
                f"{file} is nested more than {_DEPTH_MAX} deep or has more than {_ALIASES_MAX} aliases", path=str(file)
            )


def write_yaml(file: Path, value: Any, *, sort_keys: bool = True) -> None:
    """Write `value`, which is made of plain maps, lists and scalars. Raises yaml.YAMLError for anything else."""
    file.write_text(yaml.dump(value, Dumper=_Dumper, sort_keys=sort_keys, default_flow_style=False, allow_unicode=True), encoding="utf-8")
