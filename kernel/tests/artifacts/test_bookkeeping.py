"""Names that repositories keep for themselves are recognised in every spelling that a file system may take for them."""

from __future__ import annotations

import pytest

from drupe.artifacts.bookkeeping import is_bookkeeping


@pytest.mark.parametrize(
    "name",
    [
        ".drupe-sha256",
        ".Drupe-SHA256",
        ".drupe-partial-",
        ".drupe-partial-00ff",
        ".DRUPE-Partial-x",
        ".dr\u200dupe-sha256",
        ".ｄrupe-sha256",
    ],
)
def test_reserved_names_are_reserved(name: str) -> None:
    assert is_bookkeeping(name)


@pytest.mark.parametrize("name", ["drupe-sha256", ".drupe-sha256.txt", ".drupe", "x.drupe-partial-1", "größe", "🍒", ""])
def test_other_names_are_free(name: str) -> None:
    assert not is_bookkeeping(name)
