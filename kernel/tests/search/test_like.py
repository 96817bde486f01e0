"""LIKE and ILIKE in memory."""

import re
from time import perf_counter

import pytest
from hypothesis import given, strategies as st

from drupe.search.like import like

from .queries import unhurried


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("abc", "abc", True),
        ("abc", "abcd", False),
        ("abc", "xabc", False),
        ("abc", "ABC", False),
        ("", "", True),
        ("", "a", False),
        ("%", "", True),
        ("%", "anything\nat all", True),
        ("_", "", False),
        ("_", "a", True),
        ("_", "\n", True),
        ("_", "ab", False),
        ("_%", "", False),
        ("%_", "ab", True),
        ("a%", "abc", True),
        ("%c", "abc", True),
        ("%b%", "abc", True),
        ("a%a", "a", False),
        ("a%a", "aa", True),
        ("%ab", "abab", True),
        ("%a%b%", "ba", False),
        ("a__d", "abcd", True),
        ("%%", "x", True),
        (r"a\%", r"a\b", True),
        (r"50\%", "50%", False),
        ("a.c", "abc", False),
        ("[a]", "a", False),
        ("a*", "aaa", False),
        ("%é%", "café noir", True),
    ],
)
def test_like_means_what_sql_says(pattern: str, text: str, expected: bool) -> None:
    assert like(pattern)(text) is expected


@pytest.mark.parametrize(("pattern", "text"), [("ABC", "abc"), ("abc", "ABC"), ("%É%", "café"), ("straSSE", "STRASSE"), ("ДОМ_", "дом1")])
def test_ilike_ignores_case_in_every_alphabet(pattern: str, text: str) -> None:
    assert like(pattern, ignore_case=True)(text)


def test_ilike_lowers_and_does_not_fold() -> None:
    assert not like("strasse", ignore_case=True)("straße")


@unhurried
@given(st.text("ab%_.\n", max_size=8), st.text("ab.\n", max_size=8))
def test_like_agrees_with_a_regular_expression(pattern: str, text: str) -> None:
    expression = "".join({"%": ".*", "_": "."}.get(c, re.escape(c)) for c in pattern)
    assert like(pattern)(text) is (re.fullmatch(expression, text, re.DOTALL) is not None)


def test_a_pattern_made_to_backtrack_takes_no_longer_than_its_length() -> None:
    started = perf_counter()
    assert not like("%a" * 2000 + "%b")("a" * 5000)
    assert perf_counter() - started < 5  # with backtracking: longer than the universe has been there
