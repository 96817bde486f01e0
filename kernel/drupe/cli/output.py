"""The three outside forms of what a command found: a table for people, JSON and CSV for programs. Shared by every command.

JSON has MLflow's REST field names (see `drupe.entities.codec`): a list is an array with one element per line, written as it is read.
CSV has raw values: full ids, UTC times, unrounded numbers. The form is chosen by `--output` or `--json` (see `nouns`).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import chain, islice
from typing import Any, Generic, TypeVar

import click
from attrs import frozen

from drupe import lazy
from drupe.cli import formats
from drupe.cli.tables import Cell, Heading, draw, uses_colour

__all__ = [
    "META_KEY",
    "Column",
    "Form",
    "chosen_form",
    "note",
    "note_dropped",
    "plain",
    "print_csv",
    "print_json",
    "print_list",
    "say",
    "table_of",
]

T = TypeVar("T")
META_KEY = "drupe.form"
NAMED = 6


class Form(StrEnum):
    """How to print."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


@frozen
class Column(Generic[T]):
    """One column of a list: `value` is the value, `show` and `short` make the texts of the table, `export` the field in CSV.

    `heading` is the title in the table (default: the name in capitals); `keep` and `rank` say what gives way
    in a narrow terminal (see `tables.Heading`); `in_table` False is CSV only; one that `is_asked_for` is shown even where it is empty.
    """

    name: str
    value: Callable[[T], Any]
    show: Callable[[Any], str] = formats.text
    short: Callable[[Any], str] | None = None
    export: Callable[[Any], Any] | None = None
    heading: str | None = None
    right: bool = False
    keep: bool = False
    rank: int = 0
    style: Callable[[Any], str] | None = None
    in_table: bool = True
    is_asked_for: bool = False

    @classmethod
    def time(cls, name: str, value: Callable[[T], int | None], **rest: Any) -> Column[T]:
        """A column of times in ms: local with age in the table, age alone where space is scarce, UTC in CSV."""
        return cls(name, value, formats.moment, formats.age, formats.utc, **rest)

    def field(self, thing: T) -> Any:
        """The value as a field of CSV."""
        value = self.value(thing)
        return self.export(value) if self.export else value


def chosen_form() -> Form:
    """The form that the command line asked for."""
    return Form(click.get_current_context().meta.get(META_KEY, Form.TABLE))


def print_list(
    things: Iterable[T],
    columns: Sequence[Column[T]],
    *,
    empty: str,
    limit: int | None = None,
    as_plain: Callable[[T], Any] | None = None,
    more: str = "--limit N or --output csv shows more",
) -> None:
    """Print things in the chosen form, at most `limit` of them. JSON and CSV are written while `things` is read.

    A table says how many rows it left out only as "more", since counting them would mean reading them. `empty` is said (to stderr) for none.
    """
    form = chosen_form()
    rest = iter(things)
    wanted = rest if limit is None else islice(rest, limit)
    if form is Form.JSON:
        print_json(map(as_plain or plain, wanted))
    elif form is Form.CSV:
        print_csv([column.name for column in columns], ([column.field(thing) for column in columns] for thing in wanted))
    else:
        shown = list(wanted)
        if not shown:
            say(empty)
            return
        dropped = table_of(shown, columns)
        if dropped:
            note_dropped(dropped)
        if limit is not None and next(rest, None) is not None:
            note(f"there are more than these {limit}; {more}")


def table_of(things: Sequence[T], columns: Sequence[Column[T]]) -> list[str]:
    """Draw the table of these things; returns the titles of columns that did not fit. Columns that are empty everywhere are left out."""
    drawn: list[tuple[Heading, list[Cell]]] = []
    for column in columns:
        if column.in_table:
            cells = [_cell(column, thing) for thing in things]
            if column.keep or column.is_asked_for or any(cell.text for cell in cells):
                drawn.append((Heading(_title(column), column.right, column.keep, column.rank), cells))
    return draw([heading for heading, _ in drawn], list(zip(*(cells for _, cells in drawn), strict=True)))


def print_json(found: Any) -> None:
    """Print one JSON document: an iterator as an array with one element per line, anything else indented."""
    if isinstance(found, Iterator):
        click.echo("[", nl=False)
        separator = "\n"
        for element in found:
            click.echo(separator + _json(element), nl=False)
            separator = ",\n"
        click.echo("\n]" if separator != "\n" else "]")
    else:
        click.echo(_json(found, indent=2))


def print_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print CSV with a header line; None is an empty field."""
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\n")
    for row in chain([header], rows):
        writer.writerow(["" if value is None else value for value in row])
        click.echo(line.getvalue(), nl=False)
        line.seek(0)
        line.truncate()


def plain(thing: Any) -> Any:
    """The JSON form of an entity, with metric summaries; mappings and lists pass through."""
    if isinstance(thing, Mapping | list | str | int | float | None):
        return thing
    return lazy.load("drupe.entities.codec:to_plain")(thing, extras=True)


def say(message: str) -> None:
    """Tell the person something that is not the result (nothing found, what was done): to stderr, so that pipes stay clean."""
    click.echo(message, err=True)


def note(message: str) -> None:
    """A remark below a table, on stdout since it belongs to it."""
    click.echo(click.style(message, dim=True) if uses_colour() else message, color=uses_colour())


def note_dropped(titles: Sequence[str]) -> None:
    """Say which columns did not fit, the first few by name."""
    names = ", ".join(titles[:NAMED]) + (f" and {len(titles) - NAMED} more" if len(titles) > NAMED else "")
    note(f"no room for {names}: widen the terminal, or use --output csv")


def _title(column: Column[Any]) -> str:
    return column.heading if column.heading is not None else column.name.upper().replace("_", " ")


def _cell(column: Column[T], thing: T) -> Cell:
    value = column.value(thing)
    style = column.style(value) if column.style else ""
    return Cell(column.show(value), column.short(value) if column.short else None, style)


def _json(found: Any, indent: int | None = None) -> str:
    text = json.dumps(found, ensure_ascii=False, indent=indent, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, as in the names of odd files: only its escape is JSON that can be written
        return json.dumps(found, indent=indent, allow_nan=False)
    return text
