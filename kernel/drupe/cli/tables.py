"""Drawing tables and cards in the terminal, fitted to its width. What goes into them is decided in `output` and by the commands.

A table that is too wide first uses the short forms of its cells, then cuts long texts, then leaves out its last columns and returns their titles,
so that the caller can say so. Without a terminal (a pipe, a file) nothing is cut. Colour only where it is wanted: a terminal, no NO_COLOR.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Sequence
from typing import Any

import click
from attrs import field, frozen

from drupe.cli.formats import cells, shorten, text

__all__ = ["Cell", "Heading", "card", "draw", "terminal_width", "uses_colour"]

CUT_TO = 18  # a text column is not cut below this before columns are left out
GAP = 2
NOWHERE = 1_000_000


@frozen
class Heading:
    """One column: `keep` means that it is neither cut nor left out; of the others those of the highest `rank` go first, from the right."""

    title: str
    right: bool = False
    keep: bool = False
    rank: int = 0


@frozen
class Cell:
    """One value as shown: its text, a shorter form for narrow terminals, and a rich style."""

    text: str
    short: str | None = None
    style: str = ""


@frozen
class _Fit:
    columns: list[int]
    widths: list[int]
    is_short: list[bool]
    dropped: list[str] = field(factory=list)


def terminal_width() -> int | None:
    """Columns of the terminal (COLUMNS wins); None when the output is a pipe or a file, which has no width."""
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told) > 0:
        return int(told)
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def uses_colour() -> bool:
    """True on a terminal that shows colours, unless NO_COLOR is set; FORCE_COLOR makes it true anywhere."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (sys.stdout.isatty() and os.environ.get("TERM") != "dumb")


def draw(headings: Sequence[Heading], rows: Sequence[Sequence[Cell] | str], *, width: int | None = None) -> list[str]:
    """Print a table; a row that is a plain text is a section title. Returns the titles of columns that did not fit."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    width = width if width is not None else terminal_width()
    fit = _fit(headings, [row for row in rows if not isinstance(row, str)], width or NOWHERE)
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0), header_style="bold", collapse_padding=True)
    for column, column_width in zip(fit.columns, fit.widths, strict=True):
        heading = headings[column]
        title = Text(shorten(heading.title, column_width), no_wrap=True)
        table.add_column(title, justify="right" if heading.right else "left", width=column_width, no_wrap=True)
    for row in rows:
        if isinstance(row, str):
            table.add_row(Text(row, style="bold cyan", no_wrap=True), *[""] * (len(fit.columns) - 1))
        else:
            table.add_row(*[_painted(row[i], w, short) for i, w, short in zip(fit.columns, fit.widths, fit.is_short, strict=True)])
    _print(table, sum(fit.widths) + GAP * len(fit.widths))
    return fit.dropped


def card(fields: Sequence[tuple[str, Any]], *, title: str = "") -> None:
    """Print labels and values under each other; values that are None or empty are left out, long ones are wrapped."""
    from rich.table import Table
    from rich.text import Text

    if title:
        click.echo(click.style(title, bold=True) if uses_colour() else title)
    told = [
        (label, value if isinstance(value, Cell) else Cell(_lines(value))) for label, value in fields if value is not None and value != ""
    ]
    grid = Table.grid(padding=(0, GAP, 0, 0))
    label_width = max((cells(label) for label, _ in told), default=0)
    width = max((terminal_width() or NOWHERE), label_width + 20)
    longest = max((cells(line) for _, cell in told for line in cell.text.split("\n")), default=1)
    value_width = max(1, min(longest, width - label_width - GAP))
    grid.add_column(style="dim", width=label_width, no_wrap=True)
    grid.add_column(width=value_width, overflow="fold")
    for label, cell in told:
        grid.add_row(label, Text(cell.text, style=cell.style))
    _print(grid, label_width + value_width + 2 * GAP)


def _lines(value: Any) -> str:
    return "\n".join(map(text, str(value).split("\n")))  # no control characters of a name or tag reach the terminal


def _fit(headings: Sequence[Heading], rows: Sequence[Sequence[Cell]], width: int) -> _Fit:
    columns = list(range(len(headings)))
    is_short = [False] * len(columns)

    def natural(column: int, short: bool) -> int:
        shown = (cells(row[column].short or row[column].text if short else row[column].text) for row in rows)
        return max(_width_of(headings[column].title), *shown) if rows else cells(headings[column].title)

    widths = [natural(column, False) for column in columns]

    def too_wide() -> int:
        return sum(widths[c] + GAP for c in columns) - GAP - width

    if too_wide() > 0:
        for column in columns:
            if any(row[column].short is not None for row in rows):
                is_short[column], widths[column] = True, natural(column, True)
    while too_wide() > 0:
        cuttable = [c for c in columns if not headings[c].keep and not headings[c].right and widths[c] > CUT_TO]
        if cuttable:
            widest = max(cuttable, key=lambda c: widths[c])
            widths[widest] = max(CUT_TO, widths[widest] - too_wide())
            continue
        loose = [c for c in columns if not headings[c].keep]
        if not loose:
            break
        columns.remove(max(loose, key=lambda c: (headings[c].rank, c)))
    dropped = [headings[c].title for c in range(len(headings)) if c not in columns]
    return _Fit(columns, [widths[c] for c in columns], [is_short[c] for c in columns], dropped)


def _width_of(title: str) -> int:
    return min(cells(title), 24)


def _painted(cell: Cell, width: int, is_short: bool) -> Any:
    from rich.text import Text

    shown = cell.short if is_short and cell.short is not None else cell.text
    return Text(shorten(shown, width), style=cell.style, no_wrap=True)


def _print(thing: Any, width: int) -> None:
    from rich.console import Console

    sheet = io.StringIO()
    Console(file=sheet, width=width, force_terminal=uses_colour(), no_color=not uses_colour(), highlight=False, legacy_windows=False).print(
        thing
    )
    click.echo("\n".join(line.rstrip() for line in sheet.getvalue().rstrip("\n").split("\n")), color=uses_colour())
