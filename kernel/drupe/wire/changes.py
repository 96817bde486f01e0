"""Changes as a server tells them to those who listen: server-sent events, one line of JSON for each.

A change names what it is about and never its content, so that a listener who may not see a run learns nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from drupe.errors import StoreError

__all__ = ["ADDRESS", "LISTENING", "STILL_HERE", "changes_in", "event_of"]

ADDRESS = "api/drupe/changes"
LISTENING = b": listening\n\n"
"""The first that is sent: what changes from now on is told."""

STILL_HERE = b": still here\n\n"
"""Sent now and then while nothing changes."""

LINE_MAX_BYTES = 1 << 16


def event_of(change: Mapping[str, str]) -> bytes:
    """A change as it is sent."""
    return b"data: " + json.dumps(change).encode() + b"\n\n"


def changes_in(pieces: Iterable[bytes]) -> Iterator[dict[str, str] | None]:
    """The changes in what a server sends, wherever it is cut; None for each of its signs of life. What is neither is passed over.

    Raises StoreError for a line without an end.
    """
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        if len(rest) > LINE_MAX_BYTES:
            raise StoreError("the stream of changes has a line that is too long to be one")
        for line in lines:
            if line.startswith(b":"):
                yield None
            elif line.startswith(b"data:"):
                change = _change(line[5:])
                if change is not None:
                    yield change


def _change(text: bytes) -> dict[str, str] | None:
    try:
        form = json.loads(text)
    except (ValueError, RecursionError):
        return None
    is_one = isinstance(form, dict) and "kind" in form and all(isinstance(value, str) for value in form.values())
    return form if is_one else None
