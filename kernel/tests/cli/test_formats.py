"""How values look to a person."""

from __future__ import annotations

import math

import pytest

from drupe.cli import formats

NOW = 1_700_000_000_000


@pytest.mark.parametrize(
    ("seconds_ago", "text"),
    [
        (0, "just now"),
        (30, "30 s ago"),
        (180, "3 min ago"),
        (50 * 60, "1 h ago"),
        (5 * 3600, "5 h ago"),
        (86_400, "1 day ago"),
        (3 * 86_400, "3 days ago"),
        (15 * 86_400, "2 weeks ago"),
        (90 * 86_400, "3 months ago"),
        (800 * 86_400, "2 years ago"),
        (-20, "in 20 s"),
        (-300, "in 5 min"),
    ],
)
def test_an_age_is_told_in_its_largest_unit(seconds_ago: int, text: str) -> None:
    assert formats.age(NOW - seconds_ago * 1000, now_ms=NOW) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0 ms"),
        (999, "999 ms"),
        (1500, "1.5 s"),
        (59_990, "1 min 00 s"),
        (185_000, "3 min 05 s"),
        (7_380_000, "2 h 03 min"),
        (367_200_000, "4 d 06 h"),
    ],
)
def test_a_duration_has_at_most_two_units(ms: int, text: str) -> None:
    assert formats.duration(ms) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1234567, "0.123457"), (7, "7"), (123456789, "123456789"), (1e-9, "1e-09"), (math.nan, "NaN"), (-math.inf, "-inf"), (None, "")],
)
def test_numbers_have_six_significant_digits(value: float | None, text: str) -> None:
    assert formats.number(value) == text


@pytest.mark.parametrize(("size", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (20_500_000, "20.5 MB"), (None, "")])
def test_sizes_are_decimal(size: int | None, text: str) -> None:
    assert formats.size(size) == text


def test_a_time_for_programs_is_utc_with_milliseconds() -> None:
    assert formats.utc(NOW + 7) == "2023-11-14T22:13:20.007Z"


def test_control_characters_never_reach_the_terminal() -> None:
    assert formats.text("a\x1b[31mred\nb") == "a [31mred b"


def test_a_long_name_loses_its_middle() -> None:
    assert formats.shorten_middle("a_family_of_names_17", 11) == "a_fam…es_17"
    assert formats.shorten_middle("short", 11) == "short"
