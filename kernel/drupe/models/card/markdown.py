"""A card as markdown. Names and values are escaped, so that none of them is taken for markup or HTML by whoever draws it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from drupe.models.card.content import Block, Card, Code, Facts, Note, Prose, Table

__all__ = ["as_markdown"]

_MARKUP = re.compile(r"([\\`*_{}\[\]<>&|#!~$])")
_IN_PROSE = re.compile(r"([\\\[\]<>&!$])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_LIST_START = re.compile(r"^(\s*)([-+]|\d+[.)])(?=\s)")


def as_markdown(card: Card) -> str:
    """The card as a markdown document."""
    lines = [f"# {_line(card.title)}", "", _line(card.subtitle), ""]
    for section in card.sections:
        lines += [f"## {_line(section.title)}", ""]
        for block in section.blocks:
            lines += [*_block(block), ""]
    return "\n".join(lines).rstrip() + "\n"


def _block(block: Block) -> list[str]:
    match block:
        case Prose(text):
            return [_IN_PROSE.sub(r"\\\1", _CONTROL.sub("", line)).replace("#", "\\#", 1) for line in text.splitlines()]
        case Note(text):
            return [_line(text)]
        case Facts(rows):
            return [f"* {_line(label)}: {_line(value)}" for label, value in rows]
        case Table(headings, rows, numbers):
            ruler = ["---:" if column in numbers else "---" for column in range(len(headings))]
            return [_row(headings), f"| {' | '.join(ruler)} |", *map(_row, rows)]
        case Code(language, text):
            fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
            return [f"{fence}{language}", *_CONTROL.sub("", text).split("\n"), fence]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_line, cells))} |"


def _line(text: str) -> str:
    plain = " ".join(_CONTROL.sub(" ", text).split())
    return _LIST_START.sub(r"\1\\\2", _MARKUP.sub(r"\\\1", plain))
