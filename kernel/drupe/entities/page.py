"""One page of an ordered result: a list that knows how to ask for the next, and all pages one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from drupe import lazy

__all__ = ["Page", "each", "gather"]

T = TypeVar("T")


class Page(list[T]):
    """A list with a `token`: hand it to the same search for the next page; None means this was the last.

    Tokens are opaque and belong to the search (same filter, order and scope) that made them.
    """

    def __init__(self, items: Iterable[T] = (), token: str | None = None) -> None:
        super().__init__(items)
        self.token = token

    def _repr_html_(self) -> str | None:
        """What notebooks show; None, which lets them show the text, for values without a form of their own."""
        found: str | None = lazy.load("drupe.notebook:html_of")(self)
        return found


def each(fetch: Callable[[int, str | None], Page[T]], *, page_size: int, at_most: int | None = None) -> Iterator[T]:
    """The items of all pages, in order, read as they are taken; `fetch(limit, token)` reads one page. Stops after `at_most` items."""
    left, token = at_most, None
    while left is None or left > 0:
        page = fetch(page_size if left is None else min(page_size, left), token)
        token = page.token
        left = None if left is None else left - len(page)
        yield from page
        if not token:
            return


def gather(fetch: Callable[[int, str | None], Page[T]], *, page_size: int, at_most: int | None = None) -> list[T]:
    """What `each` finds, as a list."""
    return list(each(fetch, page_size=page_size, at_most=at_most))
