"""Changing a `drupe.toml` while keeping its comments and order; reading one is in `reading`."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from drupe.errors import InvalidSettings

__all__ = ["set_value", "unset_value"]


def set_value(path: Path, key: Sequence[str], value: Any) -> None:
    """Write `value` under the path of names `key`, making file, folder and tables as needed. Raises InvalidSettings."""
    document = _open(path)
    table: Any = document
    for depth, name in enumerate(key[:-1]):
        if name not in table:
            # Tables on the way are not written out as headers of their own: [plugins.store-s3], not [plugins] and below it the other.
            table[name] = tomlkit.table(is_super_table=depth < len(key) - 2)
        table = table[name]
        if not isinstance(table, dict):
            raise InvalidSettings(f"{path}: {'.'.join(key[: depth + 1])} is a value, so nothing can be set below it")
    if isinstance(value, list) and isinstance(table.get(key[-1]), list):
        _change_list(table[key[-1]], value)
    else:
        table[key[-1]] = value
    _write(path, tomlkit.dumps(document))


def unset_value(path: Path, key: Sequence[str]) -> bool:
    """Remove a value, and tables that are empty without it; False when it was not there. Raises InvalidSettings."""
    if not path.is_file():
        return False
    document = _open(path)
    tables: list[Any] = [document]
    for name in key[:-1]:
        inner = tables[-1].get(name)
        if not isinstance(inner, dict):
            return False
        tables.append(inner)
    if key[-1] not in tables[-1]:
        return False
    for name, table in zip(reversed(key), reversed(tables), strict=True):
        del table[name]
        if table:
            break
    _write(path, tomlkit.dumps(document))
    return True


def _change_list(written: Any, wanted: list[Any]) -> None:
    """Take out and put in what differs, so that the comments beside the other entries stay."""
    for index in reversed(range(len(written))):
        if written[index] not in wanted:
            del written[index]
    for value in wanted:
        if value not in written:
            written.append(value)


def _open(path: Path) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
    except (OSError, UnicodeDecodeError, TOMLKitError) as fault:
        raise InvalidSettings(f"{path} cannot be read, so it is left as it is: {fault}") from fault


def _write(path: Path, text: str) -> None:
    """Replace the file whole or not at all; a link keeps pointing to the file that is replaced, and the file keeps its permissions."""
    target = path.resolve()
    temporary = ""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, target)
    except OSError as fault:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        raise InvalidSettings(f"{path} cannot be written: {fault.strerror or fault}") from fault


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current
