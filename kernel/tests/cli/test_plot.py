"""Curves as text: shape, axes, gaps."""

from __future__ import annotations

import math

import click
import pytest

from drupe.cli.plot import MARKS, Curve, chart, sparkline, ticks


def dots(lines: list[str]) -> int:
    return sum(bin(ord(c) - 0x2800).count("1") for line in lines for c in line if 0x2800 <= ord(c) <= 0x28FF)


def test_a_rising_line_runs_from_bottom_left_to_top_right() -> None:
    lines = chart([Curve("up", [0, 10], [0, 1])], width=30, height=5)
    plotted = [line.partition("│")[2] or line.partition("┤")[2] for line in lines[:5]]
    starts = [len(row) - len(row.lstrip()) for row in plotted]
    assert starts == sorted(starts, reverse=True)
    assert plotted[0].rstrip()[-1] != " "
    assert starts[-1] == 0


def test_a_chart_has_axes_with_round_numbers_a_label_and_a_legend() -> None:
    lines = chart([Curve("loss  last 0.1", [0, 50, 100], [1.0, 0.5, 0.1])], width=60, height=8)
    assert len(lines) == 8 + 3
    assert lines[0].startswith("  1 ┤")
    assert any(line.startswith("0.5 ┤") for line in lines)
    assert lines[8].lstrip().startswith("└┬")
    assert lines[9].split() == ["0", "20", "40", "60", "80", "step"]
    assert lines[10].strip() == "loss  last 0.1"


@pytest.mark.parametrize("width", [24, 80, 200])
def test_no_line_is_wider_than_asked(width: int) -> None:
    curves = [Curve("a" * 300, list(range(500)), [math.sin(i / 9) * 1e6 for i in range(500)]), Curve("b", [0, 499], [0, 1])]
    assert max(map(len, chart(curves, width=width, height=10))) <= width
    assert max(len(click.unstyle(line)) for line in chart(curves, width=width, height=10, colour=True)) <= width


def test_values_that_are_not_finite_leave_a_gap() -> None:
    whole = chart([Curve("x", list(range(9)), [0.0, 1, 0, 1, 0, 1, 0, 1, 0])], width=40, height=6)
    broken = chart([Curve("x", list(range(9)), [0.0, 1, 0, math.nan, 0, math.inf, 0, 1, 0])], width=40, height=6)
    assert dots(broken) < dots(whole)


def test_a_constant_curve_is_one_line_across_the_middle() -> None:
    lines = chart([Curve("x", [0, 1, 2], [5.0, 5.0, 5.0])], width=40, height=7)
    drawn = [index for index, line in enumerate(lines[:7]) if dots([line])]
    assert drawn == [3]


def test_one_point_is_one_dot() -> None:
    assert dots(chart([Curve("x", [3], [1.5])], width=40, height=5)) == 1


def test_nothing_finite_is_said_in_a_sentence() -> None:
    assert chart([Curve("x", [0], [math.nan])]) == ["nothing to draw: no value is finite"]
    assert chart([Curve("x", [0], [-1.0])], log_y=True) == ["nothing to draw: no value is finite and above zero"]


def test_curves_without_colour_have_marks_of_their_own() -> None:
    lines = chart([Curve("a", [0, 9], [0, 1]), Curve("b", [0, 9], [1, 0])], width=40, height=6)
    text = "\n".join(lines)
    assert all(text.count(mark) > 10 for mark in MARKS[:2])
    assert f"{MARKS[1]} b" in lines[-1]


def test_curves_in_colour_are_drawn_in_dots_of_different_colours() -> None:
    text = "\n".join(chart([Curve("a", [0, 9], [0, 1]), Curve("b", [0, 9], [1, 0])], width=40, height=6, colour=True))
    assert {"\x1b[96m", "\x1b[93m"} <= {text[i : i + 5] for i in range(len(text))}
    assert not any(mark in text for mark in MARKS[:2])


def test_a_logarithmic_axis_makes_an_exponential_straight_and_is_labelled_in_powers_of_ten() -> None:
    xs = list(range(0, 101, 10))
    lines = chart([Curve("x", xs, [10 ** (-x / 25) for x in xs])], width=50, height=9, log_y=True)
    labels = [line.split("┤")[0].strip() for line in lines if "┤" in line]
    assert labels == ["1", "0.1", "0.01", "0.001", "0.0001"]


@pytest.mark.parametrize(
    ("low", "high", "count", "expected"),
    [(0, 100, 5, [0, 20, 40, 60, 80, 100]), (0.13, 0.87, 4, [0.2, 0.4, 0.6, 0.8]), (-1, 1, 2, [-1, 0, 1]), (5, 5, 4, [5])],
)
def test_ticks_are_round_numbers_inside_the_range(low: float, high: float, count: int, expected: list[float]) -> None:
    assert ticks(low, high, count) == expected


def test_a_sparkline_shows_high_and_low_and_fits() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8) == "▁▂▃▄▅▆▇█"
    assert len(sparkline(list(range(1000)), 16)) == 16
    assert sparkline([1.0, math.nan, 2.0], 5) == "▁ █"
    assert sparkline([2.0, 2.0], 5) == "▄▄"
    assert sparkline([math.nan], 5) == ""


def test_an_axis_of_whole_numbers_has_no_marks_between_them() -> None:
    axis = chart([Curve("loss", [0, 1, 2], [1.0, 2.0, 3.0])], width=60, height=4)[5]
    assert axis.split() == ["0", "1", "step"]
    axis = chart([Curve("loss", [0, 1.5, 2], [1.0, 2.0, 3.0])], width=60, height=4, x_label="h")[5]
    assert "0.5" in axis
