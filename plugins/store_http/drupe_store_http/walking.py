"""Pages of what an MLflow server finds: its tokens bound to their search, and conditions that it does not understand tried here."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from drupe.entities import Page
from drupe.errors import InvalidPageToken, InvalidValue, UnsupportedFeature
from drupe.search.match import Searchable, matches
from drupe.search.query import Condition

__all__ = ["WALK_MOST", "all_of", "walked"]

T = TypeVar("T", bound=Searchable)
A = TypeVar("A")
Fetch = Callable[[int, str | None], tuple[Iterable[T], str | None]]

WALK_PAGE = 1000
WALK_MOST = 50_000
"""So many things are looked at here for one page, before the search is refused as too wide."""


def walked(fetch: Fetch[T], rest: Condition | None, *, search: object, limit: int, token: str | None, most: int | None = None) -> Page[T]:
    """One page of `limit` things. `fetch(limit, token)` asks the server; `rest` leaves those to be told for which it is true.

    `search` is all that makes the search what it is; `most` is the largest page that the server gives. Raises InvalidPageToken, and
    UnsupportedFeature when WALK_MOST things were looked at and the page is still not full.
    """
    mark = hashlib.sha256(repr(search).encode()).hexdigest()[:16]
    place, skip = _read(token, mark)
    size = limit if rest is None else WALK_PAGE
    found: list[T] = []
    seen = 0
    while True:
        things, following = _fetched(fetch, min(size, most or size), place, token)
        for number, thing in enumerate(things):
            if number < skip or (rest is not None and not matches(rest, thing)):
                continue
            if len(found) == limit:
                return Page(found, _written(mark, place, number))
            found.append(thing)
        skip, place = 0, following
        if place is None:
            return Page(found)
        if len(found) == limit:
            return Page(found, _written(mark, place, 0))
        seen += size
        if rest is not None and seen >= WALK_MOST:
            raise UnsupportedFeature(
                f"the server cannot filter by all that is asked, and {seen} things were looked at here; add a condition that it knows with AND "
                "(a comparison without OR, NOT and parentheses), or search fewer experiments"
            )


def all_of(fetch: Callable[[str | None], tuple[Iterable[A], str | None]]) -> list[A]:
    """What is on all pages."""
    found: list[A] = []
    token: str | None = None
    while True:
        things, token = fetch(token)
        found += things
        if not token:
            return found


def _fetched(fetch: Fetch[T], size: int, place: str | None, token: str | None) -> tuple[list[T], str | None]:
    try:
        things, following = fetch(size, place)
    except InvalidValue as fault:
        if token is not None and place is not None and "token" in fault.message.lower():
            raise InvalidPageToken(f"page token {token[:40]!r} is not taken by the server; start again without one") from fault
        raise
    return list(things), following or None


def _written(mark: str, place: str | None, skip: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([mark, place, skip]).encode()).decode("ascii")


def _read(token: str | None, mark: str) -> tuple[str | None, int]:
    if token is None:
        return None, 0
    shown = str(token)[:40]
    try:
        form: Any = json.loads(base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True))
        made_by, place, skip = form
    except (ValueError, TypeError):
        raise InvalidPageToken(f"page token {shown!r} is not one; start again without a token", token=shown) from None
    if made_by != mark or not (place is None or isinstance(place, str)) or not isinstance(skip, int):
        raise InvalidPageToken(f"page token {shown!r} belongs to another search; start again without a token", token=shown)
    return place, skip
