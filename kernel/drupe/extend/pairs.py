"""`KEY=VALUE`, as commands of the kernel and of plugins take it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from drupe.errors import InvalidValue

__all__ = ["read_pairs", "read_values"]


def read_pairs(texts: Iterable[str], *, such_as: str = "team=fruit") -> dict[str, str]:
    """`KEY=VALUE` texts as a map; of a key that is given twice the last one counts.

    Raises InvalidValue for one without `=` or without a key; it shows `such_as`.

    >>> read_pairs(["team=fruit", "where=a=b"])
    {'team': 'fruit', 'where': 'a=b'}
    """
    pairs: dict[str, str] = {}
    for entry in texts:
        key, equals, value = entry.partition("=")
        if not equals or not key:
            raise InvalidValue(f"{entry!r} is not a pair; write KEY=VALUE, such as {such_as}")
        pairs[key] = value
    return pairs


def read_values(texts: Iterable[str], *, such_as: str) -> dict[str, Any]:
    """The same, with values read as JSON where they can be.

    >>> read_values(["rate=0.5", "pos_label=yes"], such_as="rate=0.5")
    {'rate': 0.5, 'pos_label': 'yes'}
    """
    return {key: _value(text) for key, text in read_pairs(texts, such_as=such_as).items()}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
