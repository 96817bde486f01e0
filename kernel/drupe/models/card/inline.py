"""A card as a part of a notebook's page, made of the pieces that all values are shown with there."""

from __future__ import annotations

from drupe.models.card.content import Block, Card, Code, Facts, Note, Prose, Section, Table
from drupe.notebook import html

__all__ = ["as_inline"]

_FOLDED = "How to use it"  # long, and looked at once


def as_inline(card: Card) -> str:
    """The card with its sections to fold."""
    return html.frame("card", card.title, card.subtitle, map(_section, card.sections))


def _section(section: Section) -> str:
    rows = sum(len(block.rows) for block in section.blocks if isinstance(block, Facts | Table))
    return html.fold(section.title, rows or None, "".join(map(_block, section.blocks)), is_open=section.title != _FOLDED)


def _block(block: Block) -> str:
    match block:
        case Prose(text):
            return html.prose(text)
        case Note(text):
            return html.note(text)
        case Facts(rows):
            return html.facts(rows)
        case Table(headings, rows, numbers):
            return html.table(headings, rows, numbers=numbers)
        case Code(_, text):
            return html.code(text)
