"""Files in folders that others remove when they find them empty. Used by the witness, too: standard library only."""

from __future__ import annotations

import os

__all__ = ["open_there"]

_TRIES = 10


def open_there(path: str | os.PathLike[str], flags: int) -> int:
    """A descriptor of a file that this user alone may read, with its folder made where it is not there, or is no more. Raises OSError."""
    tries_left = _TRIES
    while True:
        tries_left -= 1
        try:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            return os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:  # who found the folder empty a moment ago has removed it, or the one above it
            if not tries_left:
                raise
