"""One page of an ordered result: a list that knows how to ask for the next, and all pages gathered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

__all__ = ["Page", "gather"]

T = TypeVar("T")


class Page(list[T]):
    """A list with a `token`: hand it to the same search for the next page; None means this was the last.

    Tokens are opaque and belong to the search (same filter, order and scope) that made them.
    """

    def __init__(self, items: Iterable[T] = (), token: str | None = None) -> None:
        super().__init__(items)
        self.token = token


def gather(fetch: Callable[[int, str | None], Page[T]], *, page_size: int, at_most: int | None = None) -> list[T]:
    """The items of all pages, in order; `fetch(limit, token)` reads one page. Stops after `at_most` items."""
    found: list[T] = []
    token: str | None = None
    while at_most is None or len(found) < at_most:
        page = fetch(page_size if at_most is None else min(page_size, at_most - len(found)), token)
        found += page
        token = page.token
        if not token:
            break
    return found
