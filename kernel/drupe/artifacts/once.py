"""Asking a store once for each thing while one address is followed: what two readers of it see is one state, and remote stores get half the requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

__all__ = ["asked_once"]

S = TypeVar("S")

_QUESTIONS = {"get_run", "get_logged_model", "get_model_version", "get_version_by_alias", "get_registered_model"}


def asked_once(opened: Callable[[], S]) -> Callable[[], S]:
    """`opened`, giving one store that remembers its answers to look-ups of one thing. For one operation: answers are never asked for again."""
    found: list[S] = []

    def remembering() -> S:
        if not found:
            found.append(cast("S", _Remembering(opened())))
        return found[0]

    return remembering


class _Remembering:
    def __init__(self, store: Any) -> None:
        self._store = store
        self._answers: dict[tuple[Any, ...], Any] = {}

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self._store, name)
        return asked if name not in _QUESTIONS else lambda *given: self._answer(name, asked, given)

    def _answer(self, name: str, asked: Callable[..., Any], given: tuple[Any, ...]) -> Any:
        key = (name, *given)
        if key not in self._answers:
            self._answers[key] = asked(*given)
        return self._answers[key]
