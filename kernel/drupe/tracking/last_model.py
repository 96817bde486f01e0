"""The logged model that this process has made last, and the store that it is in."""

from __future__ import annotations

from contextvars import ContextVar

__all__ = ["forget", "last", "note"]

_last: ContextVar[tuple[str, str] | None] = ContextVar("drupe_last_logged_model", default=None)


def note(model_id: str, tracking_uri: str) -> None:
    """Remember the model that was made just now."""
    _last.set((model_id, tracking_uri))


def last() -> tuple[str, str] | None:
    """Its id and the address of its store; None when this thread or task has made none."""
    return _last.get()


def forget() -> None:
    """Know of none; for tests and notebooks that start over."""
    _last.set(None)
