"""What a plugin offers to the server and that cannot be added: a line in a report, and nothing else suffers from it."""

from __future__ import annotations

from attrs import frozen

from drupe.errors import DrupeError

__all__ = ["Unusable", "in_words"]


@frozen
class Unusable:
    """`key` is the path of routes, or the name of a UI extension; `reason` says why it cannot be added."""

    key: str
    plugin: str
    reason: str


def in_words(fault: Exception) -> str:
    """What a plugin's code has raised, for people."""
    return str(fault) if isinstance(fault, DrupeError) else f"{type(fault).__name__}: {fault}"
