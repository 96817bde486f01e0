"""Pages of an in-memory search, cut by "what came after the last thing shown" so that changes in between never make pages overlap."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar

from drupe.entities import Page
from drupe.errors import InvalidPageToken
from drupe.search.match import Searchable, find
from drupe.search.query import Query

__all__ = ["PageTokens"]

T = TypeVar("T")
Found = TypeVar("Found", bound=Searchable)


class PageTokens:
    """The tokens handed out by one store: for each, the search that made it and the last thing of its page."""

    def __init__(self) -> None:
        self._issued: dict[str, tuple[Hashable, Any]] = {}

    def last_shown(self, scope: Hashable, token: str | None) -> Any:
        """The last thing of the page that ended with `token`; None for no token. Raises InvalidPageToken when `scope` did not make it."""
        if token is None:
            return None
        made_by, last = self._issued.get(token, (None, None))
        if made_by is None or made_by != scope:
            raise InvalidPageToken(f"page token {token[:40]!r} was not made by this search; start again without a token", token=token[:300])
        return last

    def page(self, rest: Sequence[T], *, scope: Hashable, limit: int) -> Page[T]:
        """The first `limit` things of `rest`, with a token when that is not all of them."""
        if len(rest) <= limit:
            return Page(rest)
        token = uuid.uuid4().hex
        self._issued[token] = (scope, rest[limit - 1])
        return Page(rest[:limit], token)

    def search(
        self, query: Query, things: Iterable[Found], *, name_of: Callable[[Found], Hashable], scope: Hashable, limit: int, token: str | None
    ) -> Page[Found]:
        """One page of what `query` finds among `things`; the last thing shown takes part in the sorting as it was when it was shown."""
        scope = (query, scope)
        last: Found | None = self.last_shown(scope, token)
        if last is None:
            return self.page(find(query, things), scope=scope, limit=limit)
        found = find(query, [last, *(thing for thing in things if name_of(thing) != name_of(last))])
        place = next(i for i, thing in enumerate(found) if thing is last)
        return self.page(found[place + 1 :], scope=scope, limit=limit)
