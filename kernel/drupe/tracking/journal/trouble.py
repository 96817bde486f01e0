"""A note in a run's folder while its journal cannot be shipped, so that `drupe status` in another process can say why."""

from __future__ import annotations

import json
import time
from pathlib import Path

from attrs import frozen

from drupe.uris import redact

__all__ = ["Trouble", "clear", "note", "read"]

NOTE = "trouble.json"


@frozen
class Trouble:
    """Why a journal is not shipped, since when (ms since the epoch)."""

    since_ms: int
    reason: str


def note(folder: Path, uri: str, fault: Exception) -> None:
    """Leave a note; a disk that takes no note is no further fault."""
    told = {"since_ms": time.time_ns() // 1_000_000, "store": redact(uri), "reason": redact(str(fault) or type(fault).__name__)}
    try:
        (folder / NOTE).write_text(json.dumps(told))
    except OSError:
        return


def clear(folder: Path) -> None:
    """Take the note away."""
    (folder / NOTE).unlink(missing_ok=True)


def read(folder: Path) -> Trouble | None:
    """The note, if there is one that can be read."""
    try:
        told = json.loads((folder / NOTE).read_text())
        return Trouble(int(told["since_ms"]), str(told["reason"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
