"""LIKE and ILIKE in memory: `%` stands for any text, `_` for one character, nothing is escaped, the whole value must match.

ILIKE compares `str.lower()` of both sides, so it folds every alphabet (SQLite's own folds A-Z only; stores register this one). The
time taken grows with the length of pattern times value, whatever the pattern.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

__all__ = ["like"]


@lru_cache(maxsize=512)
def like(pattern: str, *, ignore_case: bool = False) -> Callable[[str], bool]:
    """A test of texts against one pattern.

    >>> like("res%_4")("resnet-34"), like("RES%", ignore_case=True)("resnet")
    (True, True)
    """
    pieces = (pattern.lower() if ignore_case else pattern).split("%")
    first, *middle = [re.compile("".join("." if c == "_" else re.escape(c) for c in piece), re.DOTALL) for piece in pieces]

    def matches_whole(value: str) -> bool:
        return first.fullmatch(value.lower() if ignore_case else value) is not None

    if not middle:
        return matches_whole
    last, last_length = middle.pop(), len(pieces[-1])

    def matches(value: str) -> bool:
        text = value.lower() if ignore_case else value
        found = first.match(text)
        for piece in middle:  # the leftmost place for each piece leaves most room for the next
            found = found and piece.search(text, found.end())
        end = len(text) - last_length
        return found is not None and found.end() <= end and last.match(text, end) is not None

    return matches
