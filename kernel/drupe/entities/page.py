"""One page of an ordered result: a list that knows how to ask for the next."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

__all__ = ["Page"]

T = TypeVar("T")


class Page(list[T]):
    """A list with a `token`: hand it to the same search for the next page; None means this was the last.

    Tokens are opaque and belong to the search (same filter, order and scope) that made them.
    """

    def __init__(self, items: Iterable[T] = (), token: str | None = None) -> None:
        super().__init__(items)
        self.token = token
