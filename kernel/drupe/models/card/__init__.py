"""The model card: a page that says what a model is for, what it was made of, how good it is, and how to use it.

`parts` is what people write themselves, `content` puts it together with what is known, `markdown`, `page` and `inline` write it; all that
comes from users is escaped there. `files` keeps it in model folders, and gives notebooks theirs.
"""

from __future__ import annotations

from drupe.models.card.content import Card, Code, Facts, Note, Prose, Section, Table, card_of
from drupe.models.card.files import CARD_HTML, CARD_MARKDOWN, write_card
from drupe.models.card.inline import as_inline
from drupe.models.card.markdown import as_markdown
from drupe.models.card.page import as_page
from drupe.models.card.parts import read_parts

__all__ = [
    "CARD_HTML",
    "CARD_MARKDOWN",
    "Card",
    "Code",
    "Facts",
    "Note",
    "Prose",
    "Section",
    "Table",
    "as_inline",
    "as_markdown",
    "as_page",
    "card_of",
    "read_parts",
    "write_card",
]
