"""Pieces of HTML for notebooks: a frame, facts, tables that fold, texts, code and pictures.

Notebooks bring styles of their own, light and dark, which a `<style>` of ours would fight with or leak into. So every piece has its style
written on it, inherits the page's ink and draws lines in a grey that is seen on both grounds. A table stops at a number of rows and of
characters, and says what it left out; a cell that is cut has its whole text in `title`.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape

from attrs import frozen

__all__ = ["Link", "code", "facts", "fold", "frame", "linked", "note", "number", "picture", "prose", "table", "text", "took", "when"]

MAX_ROWS, MAX_CHARACTERS = 1000, 300_000
_CELL_MAX, _WHOLE_MAX, _PROSE_MAX = 160, 8_000, 4_000
_LONG_MIN = 48  # shorter cells are never broken into lines
_OPEN_ROWS, _BOX_ROWS = 40, 14  # longer ones are folded at first; are scrolled in a box

_FRAME = "font-size:13px;line-height:1.5;color:inherit;max-width:72rem"
_SOFT = "opacity:.72"
_LINE = "1px solid rgba(128,128,128,.35)"
_TABLE = f"border-collapse:collapse;table-layout:auto;width:auto;border:0;margin:2px 0 6px;font-size:13px;color:inherit;background:none;border-bottom:{_LINE}"
_ROW = f"background:none;color:inherit;border-top:{_LINE}"
_LEFT = "text-align:left;vertical-align:top;border:0;padding:2px 18px 2px 0;white-space:nowrap"
_LONG = "text-align:left;vertical-align:top;border:0;padding:2px 18px 2px 0;min-width:16em;overflow-wrap:anywhere"
_RIGHT = "text-align:right;vertical-align:top;border:0;padding:2px 18px 2px 0;white-space:nowrap;font-variant-numeric:tabular-nums"
_BOX = "overflow:auto;max-height:24em"
_CODE = f"margin:4px 0 8px;padding:6px 10px;border:{_LINE};border-radius:4px;background:none;color:inherit;font-size:12px;white-space:pre-wrap;overflow-x:auto"


@frozen
class Link:
    """A text that leads somewhere; `to` is an address that we have made, over http or https."""

    label: str
    to: str


Cell = str | float | int | Link | None


def frame(kind: str, title: str | Link, subtitle: str, parts: Iterable[str]) -> str:
    """All that is shown of one value; `kind` is a word of ours, for those who want to find it in the page."""
    head = f'<div style="font-size:15px;font-weight:600">{_drawn(title)}</div>'
    below = f'<div style="{_SOFT}">{text(subtitle)}</div>' if subtitle else ""
    return f'<div class="drupe-{kind}" style="{_FRAME}">{head}{below}{"".join(parts)}</div>'


def facts(rows: Iterable[tuple[str, Cell]]) -> str:
    """Labels and values; those without a value are left out."""
    told = [(label, value) for label, value in rows if value not in (None, "")]
    if not told:
        return ""
    drawn = "".join(
        f'<tr style="{_ROW}"><th scope="row" style="{_LEFT};{_SOFT};font-weight:400">{text(label)}</th>'
        f'<td style="{_style(value)}">{_drawn(value)}</td></tr>'
        for label, value in told
    )
    return f'<table style="{_TABLE}">{drawn}</table>'


def table(headings: Sequence[str], rows: Sequence[Sequence[Cell]], *, numbers: Sequence[int] = (), cut: int = _CELL_MAX) -> str:
    """Rows of cells, the columns `numbers` to the right. Numbers among the cells are written for people, with all digits in
    `title`; texts are cut after `cut` characters.
    """
    shown, size = [], 0
    for row in rows[:MAX_ROWS]:
        cells = "".join(
            f'<td style="{_RIGHT if place in numbers else _style(cell, cut)}">{_drawn(cell, cut)}</td>' for place, cell in enumerate(row)
        )
        size += len(cells)
        if size > MAX_CHARACTERS:
            break
        shown.append(f'<tr style="{_ROW}">{cells}</tr>')
    head = "".join(
        f'<th scope="col" style="{_RIGHT if place in numbers else _LEFT};{_SOFT};font-weight:600">{text(label)}</th>'
        for place, label in enumerate(headings)
    )
    top = f'<thead><tr style="background:none;color:inherit">{head}</tr></thead>' if any(headings) else ""
    drawn = f'<table style="{_TABLE}">{top}<tbody>{"".join(shown)}</tbody></table>'
    box = f'<div style="{_BOX}" tabindex="0">' if len(shown) > _BOX_ROWS else '<div style="overflow-x:auto">'
    left = len(rows) - len(shown)
    return f"{box}{drawn}</div>" + (note(f"… and {left:,} more") if left else "")


def fold(title: str, count: int | None, content: str, *, is_open: bool | None = None) -> str:
    """A part under a title, to be opened and closed; open at first unless it is long, or as asked.

    `count` stands beside the title; a part with 0 things in it is left out, and None counts nothing.
    """
    if count == 0:
        return ""
    opened = " open" if ((count or 0) <= _OPEN_ROWS if is_open is None else is_open) else ""
    beside = "" if count is None else f' <span style="{_SOFT};font-weight:400">{count:,}</span>'
    head = f'<summary style="cursor:pointer;font-weight:600">{text(title)}{beside}</summary>'
    return f'<details{opened} style="margin:6px 0 0">{head}{content}</details>'


def prose(given: str) -> str:
    """What somebody has written, with its lines."""
    shown = given if len(given) <= _PROSE_MAX else f"{given[:_PROSE_MAX]}…"
    return f'<div style="white-space:pre-wrap;margin:4px 0;max-width:60rem">{text(shown)}</div>' if given.strip() else ""


def note(given: str) -> str:
    """A sentence of ours, softer than the rest."""
    return f'<div style="{_SOFT};margin:0 0 4px">{text(given)}</div>'


def linked(label: str, to: str | None) -> str | Link:
    """`label`, leading to an address where there is one."""
    return label if to is None else Link(label, to)


def code(given: str) -> str:
    """Something to copy."""
    return f'<pre style="{_CODE}"><code style="background:none;color:inherit;padding:0">{text(given)}</code></pre>'


def picture(name: str, png: bytes) -> str:
    """A PNG, inside of the page; plots are drawn for a white ground and get one."""
    source = f"data:image/png;base64,{b64encode(png).decode()}"
    shape = "width:380px;max-width:100%;height:auto;background:#fff;border-radius:4px;display:inline-block;margin:4px 8px 4px 0"
    return f'<img alt="{text(name)}" title="{text(name)}" src="{source}" style="{shape}">'


def text(given: str) -> str:
    """`given` as text of a page or of an attribute; control characters are left out."""
    return escape("".join(letter for letter in given if letter >= " " or letter in "\n\t"), quote=True)


def number(value: float) -> str:
    """A number for people: whole ones in full, others with six digits."""
    if not math.isfinite(value):
        return str(value)
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:.6g}"


def when(at_ms: int | None) -> str:
    """A time in ms since the epoch, in UTC; an empty text where there is none, or none that a calendar has."""
    try:
        return "" if not at_ms else f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, OSError, ValueError):
        return ""


def took(from_ms: int | None, to_ms: int | None) -> str:
    """How long it was from one time to another; an empty text where one is missing."""
    if not from_ms or to_ms is None:
        return ""
    seconds = max(to_ms - from_ms, 0) / 1000
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _drawn(cell: Cell, cut: int = _CELL_MAX) -> str:
    match cell:
        case None:
            return ""
        case Link(label, to):
            return f'<a href="{text(to)}" target="_blank" rel="noopener" style="color:inherit;text-decoration:underline">{_cut(label, cut)}</a>'
        case bool() | str():
            return _cut(str(cell), cut)
        case _:
            told, whole = number(cell), repr(cell)
            return told if told.replace(",", "") == whole.removesuffix(".0") else f'<span title="{whole}">{told}</span>'


def _style(cell: Cell, cut: int = _CELL_MAX) -> str:
    told = cell.label if isinstance(cell, Link) else cell
    return _LONG if isinstance(told, str) and min(len(told), cut) > _LONG_MIN else _LEFT


def _cut(given: str, most: int) -> str:
    if len(given) <= most:
        return text(given)
    return f'<span title="{text(given[:_WHOLE_MAX])}">{text(given[:most])}…</span>'
