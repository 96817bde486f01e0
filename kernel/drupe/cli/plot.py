"""Curves as text: a chart in braille dots that fits the terminal, and sparklines for tables.

One braille cell holds 2 x 4 dots, so a chart of 70 x 16 cells resolves 140 x 64 points. With several curves and no colour to tell them apart,
each is drawn with a mark of its own, one per cell. Values that are not finite leave a gap. Nothing here knows of runs or stores.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import click
from attrs import field, frozen

from drupe.cli import formats

__all__ = ["COLOURS", "MARKS", "Curve", "chart", "sparkline", "ticks"]

COLOURS = ("bright_cyan", "bright_yellow", "bright_magenta", "bright_green", "bright_red", "bright_blue")
MARKS = "●○×+◆◇*#"
_BLOCKS = "▁▂▃▄▅▆▇█"
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_FLAT = 0.1  # a constant curve runs through the middle of a range of ±10 % around it


@frozen
class Curve:
    """What to draw: positions in ascending order, and a value for each."""

    label: str
    xs: Sequence[float]
    ys: Sequence[float]


@frozen
class _Frame:
    x_low: float
    x_high: float
    y_low: float
    y_high: float
    columns: int
    rows: int

    def place(self, x: float, y: float, per_column: int, per_row: int) -> tuple[int, int]:
        """The dot for a point, from the left and from the top, with so many dots per cell."""
        across, down = self.columns * per_column - 1, self.rows * per_row - 1
        part_x = (x - self.x_low) / (self.x_high - self.x_low) if self.x_high > self.x_low else 0.0
        part_y = (y - self.y_low) / (self.y_high - self.y_low)
        return round(part_x * across), down - round(part_y * down)


@frozen
class _Canvas:
    columns: int
    rows: int
    cells: dict[tuple[int, int], int | str] = field(factory=dict)
    owners: dict[tuple[int, int], int] = field(factory=dict)

    def dot(self, x: int, y: int, owner: int) -> None:
        cell = (x // 2, y // 4)
        mask = self.cells.get(cell, 0)
        self.cells[cell] = (mask if isinstance(mask, int) else 0) | _DOTS[x % 2][y % 4]
        self.owners[cell] = owner

    def mark(self, x: int, y: int, owner: int) -> None:
        self.cells[x, y] = MARKS[owner % len(MARKS)]
        self.owners[x, y] = owner

    def row(self, y: int, colour: bool) -> str:
        line = [self._shown(x, y, colour) for x in range(self.columns)]
        return "".join(line).rstrip()

    def _shown(self, x: int, y: int, colour: bool) -> str:
        cell = self.cells.get((x, y))
        if cell is None:
            return " "
        shown = cell if isinstance(cell, str) else chr(0x2800 + cell)
        return click.style(shown, fg=COLOURS[self.owners[x, y] % len(COLOURS)]) if colour else shown


def chart(
    curves: Sequence[Curve],
    *,
    width: int = 80,
    height: int = 16,
    colour: bool = False,
    x_label: str = "step",
    log_y: bool = False,
) -> list[str]:
    """The lines of a chart: the curves with axes, at most `width` characters wide, `height` rows of dots high, and a legend.

    With `log_y` values that are not above zero are gaps. Curves without a single value to draw give one line that says so.
    """
    scale: Callable[[float], float] = (lambda y: math.log10(y) if y > 0 else math.nan) if log_y else float
    scaled = [Curve(curve.label, curve.xs, [scale(y) for y in curve.ys]) for curve in curves]
    points = [(x, y) for curve in scaled for x, y in zip(curve.xs, curve.ys, strict=True) if math.isfinite(y) and math.isfinite(x)]
    if not points:
        return ["nothing to draw: no value is finite" + (" and above zero" if log_y else "")]
    y_low, y_high = _range(min(y for _, y in points), max(y for _, y in points))
    count = max(2, height // 4)
    labels = _log_labels(y_low, y_high, count) if log_y else {y: formats.number(y) for y in ticks(y_low, y_high, count)}
    margin = max(len(label) for label in labels.values())
    frame = _Frame(min(x for x, _ in points), max(x for x, _ in points), y_low, y_high, max(10, width - margin - 2), max(2, height))
    canvas = _draw(scaled, frame, colour)
    lines = _plot_rows(canvas, frame, labels, margin, colour)
    lines += _x_axis(frame, margin, x_label, all(x == int(x) for x, _ in points))
    return lines + _legend(curves, margin, width, colour)


def sparkline(values: Sequence[float], width: int) -> str:
    """A curve in one line of at most `width` block characters; gaps where values are not finite."""
    if len(values) > width:
        groups = [values[len(values) * i // width : len(values) * (i + 1) // width] for i in range(width)]
        values = [_mean(group) for group in groups]
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return ""
    low, spread = min(finite), max(finite) - min(finite)
    if not spread:
        return "".join(_BLOCKS[3] if math.isfinite(value) else " " for value in values)
    return "".join(_BLOCKS[round((value - low) / spread * 7)] if math.isfinite(value) else " " for value in values)


def ticks(low: float, high: float, count: int) -> list[float]:
    """About `count` round numbers (1, 2 or 5 times a power of ten apart) from `low` to `high`."""
    if high <= low:
        return [low]
    rough = (high - low) / max(1, count)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.7)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(index * step, 12 - math.floor(math.log10(step))) for index in range(first, last + 1)]


def _log_labels(low: float, high: float, count: int) -> dict[float, str]:
    """Logarithms to their labels: whole powers of ten, 1-2-5 steps, or round numbers, whichever gives enough of them."""
    for factors in ((1,), (1, 2, 5)):
        values = [factor * 10.0**power for power in range(math.floor(low), math.ceil(high) + 1) for factor in factors]
        inside = [value for value in values if low - 1e-9 <= math.log10(value) <= high + 1e-9]
        if len(inside) >= min(3, count):
            every = -(-len(inside) // (3 * count))
            return {math.log10(value): formats.number(value) for value in inside[::every]}
    return {math.log10(value): formats.number(value) for value in ticks(10**low, 10**high, count) if value > 0}


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / len(finite) if finite else math.nan


def _range(low: float, high: float) -> tuple[float, float]:
    if high > low:
        return low, high
    room = abs(low) * _FLAT or 1.0
    return low - room, high + room


def _draw(curves: Sequence[Curve], frame: _Frame, colour: bool) -> _Canvas:
    canvas = _Canvas(frame.columns, frame.rows)
    in_dots = colour or len(curves) == 1
    per_column, per_row = (2, 4) if in_dots else (1, 1)
    put = canvas.dot if in_dots else canvas.mark
    for owner, curve in enumerate(curves):
        before: tuple[int, int] | None = None
        for x, y in zip(curve.xs, curve.ys, strict=True):
            here = frame.place(x, y, per_column, per_row) if math.isfinite(y) else None
            if here is not None:
                for dot in _line(before or here, here):
                    put(*dot, owner)
            before = here
    return canvas


def _line(start: tuple[int, int], end: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Whole points from one to another (Bresenham 1965)."""
    (x, y), (x_end, y_end) = start, end
    across, down = abs(x_end - x), -abs(y_end - y)
    right, below = (1 if x < x_end else -1), (1 if y < y_end else -1)
    fault = across + down
    while True:
        yield x, y
        if (x, y) == (x_end, y_end):
            return
        doubled = 2 * fault
        if doubled >= down:
            fault += down
            x += right
        if doubled <= across:
            fault += across
            y += below


def _plot_rows(canvas: _Canvas, frame: _Frame, labels: dict[float, str], margin: int, colour: bool) -> list[str]:
    at_row = {frame.place(frame.x_low, y, 1, 1)[1]: label for y, label in labels.items()}
    return [f"{at_row.get(row, ''):>{margin}} {'┤' if row in at_row else '│'}{canvas.row(row, colour)}" for row in range(frame.rows)]


def _x_axis(frame: _Frame, margin: int, label: str, is_whole: bool) -> list[str]:
    marks = ["─"] * frame.columns
    names = [" "] * frame.columns
    free = 0
    end = frame.columns - len(label) - 1  # the label stands at the right end
    for x in ticks(frame.x_low, frame.x_high, max(2, frame.columns // 10)):
        if is_whole and x != int(x):  # there is no step 2.5
            continue
        column = frame.place(x, frame.y_low, 1, 1)[0]
        marks[column] = "┬"
        name = formats.number(x)
        start = max(0, column - len(name) // 2)
        if start >= free and start + len(name) < end:
            names[start : start + len(name)] = name
            free = start + len(name) + 1
    names[max(free, frame.columns - len(label)) :] = label
    pad = " " * margin
    return [f"{pad} └{''.join(marks)}", f"{pad}  {''.join(names)}".rstrip()]


def _legend(curves: Sequence[Curve], margin: int, width: int, colour: bool) -> list[str]:
    room = max(10, width - margin - 5)
    if len(curves) == 1:
        return [f"{'':{margin}}  {formats.shorten(curves[0].label, room)}"]
    lines = []
    for index, curve in enumerate(curves):
        sign = click.style("━━", fg=COLOURS[index % len(COLOURS)]) if colour else MARKS[index % len(MARKS)]
        lines.append(f"{'':{margin}}  {sign} {formats.shorten(curve.label, room)}")
    return lines
