"""A card as HTML, a whole page for the folder; notebooks get theirs from `inline`. Every text is escaped; there are no scripts and no links.

Colours follow the reader's choice of light or dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from drupe.models.card.content import Block, Card, Code, Facts, Note, Prose, Table

__all__ = ["as_page"]

_ROWS_TALL = 40  # longer tables get a box of their own height
_SHORT = 16  # characters of a cell that is never broken into lines
_STYLE = """
.drupe-card { --ink: #1c2126; --soft: #5c6670; --line: #dde2e7; --ground: #ffffff; --code: #f4f6f8; --accent: #6d2e79;
  color: var(--ink); background: var(--ground); font: 15px/1.55 system-ui, -apple-system, "Segoe UI", sans-serif;
  max-width: 54rem; margin: 0 auto; padding: 1.5rem 2rem 2rem; box-sizing: border-box; overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) { .drupe-card { --ink: #e4e8ec; --soft: #9aa5b0; --line: #343b43; --ground: #16191d; --code: #1f242a;
  --accent: #d9a3e2; } }
.drupe-card h1 { font-size: 1.7rem; line-height: 1.2; margin: 0; color: var(--ink); }
.drupe-card h2 { font-size: 1.05rem; margin: 1.8rem 0 .5rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); color: var(--accent); }
.drupe-card p { margin: .4rem 0; } .drupe-card ul { margin: .4rem 0; padding-left: 1.3rem; }
.drupe-card .soft { color: var(--soft); }
.drupe-card .wide { overflow-x: auto; } .drupe-card .tall { max-height: 32rem; overflow-y: auto; border-bottom: 1px solid var(--line); }
.drupe-card .tall th { position: sticky; top: 0; background: var(--ground); }
.drupe-card table { border-collapse: collapse; font-size: .93em; margin: .4rem 0; background: transparent; }
.drupe-card th, .drupe-card td { text-align: left; vertical-align: top; padding: .22rem 1.2rem .22rem 0; border: 0; background: transparent;
  border-bottom: 1px solid var(--line); color: var(--ink); min-width: 10rem; }
.drupe-card table th, .drupe-card table .short { white-space: nowrap; min-width: 0; }
.drupe-card th { color: var(--soft); font-weight: 600; }
@media (max-width: 30rem) { .drupe-card { padding: 1rem 1rem 1.5rem; } .drupe-card th, .drupe-card td { padding-right: .7rem; min-width: 7rem; } }
.drupe-card .number { text-align: right; font-variant-numeric: tabular-nums; }
.drupe-card pre { background: var(--code); color: var(--ink); border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem;
  overflow-x: auto; white-space: pre-wrap; font: 13px/1.5 ui-monospace, Menlo, Consolas, monospace; margin: .35rem 0 .8rem; }
"""
_PAGE_STYLE = "html { color-scheme: light dark; } body { margin: 0; background: #ffffff; }\n@media (prefers-color-scheme: dark) { body { background: #16191d; } }"


def as_page(card: Card) -> str:
    """The card as a page of its own."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{_text(card.title)}</title>\n<style>{_PAGE_STYLE}</style>\n</head>\n<body>\n{_article(card)}</body>\n</html>\n"
    )


def _article(card: Card) -> str:
    parts = [
        f'<style>{_STYLE}</style>\n<article class="drupe-card">\n<h1>{_text(card.title)}</h1>\n<p class="soft">{_text(card.subtitle)}</p>\n'
    ]
    parts += [
        f"<section>\n<h2>{_text(section.title)}</h2>\n{''.join(map(_block, section.blocks))}</section>\n" for section in card.sections
    ]
    return "".join([*parts, "</article>\n"])


def _block(block: Block) -> str:
    match block:
        case Prose(text):
            return "".join(map(_paragraph, text.replace("\r", "").split("\n\n")))
        case Note(text):
            return f'<p class="soft">{_text(text)}</p>\n'
        case Facts(rows):
            return _table((), [(label, value) for label, value in rows], ()) if rows else ""
        case Table(headings, rows, numbers):
            return _table(headings, rows, numbers)
        case Code(_, text):
            return f"<pre><code>{_text(text)}</code></pre>\n"


def _paragraph(text: str) -> str:
    lines = [line for line in text.split("\n") if line.strip()]
    if lines and all(line.lstrip().startswith(("- ", "* ")) for line in lines):
        return f"<ul>\n{''.join(f'<li>{_text(line.lstrip()[2:])}</li>{chr(10)}' for line in lines)}</ul>\n"
    return f"<p>{'<br>'.join(map(_text, lines))}</p>\n" if lines else ""


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> str:
    def line(tag: str, cells: Sequence[str]) -> str:
        drawn = (f"<{tag}{_class(cell, is_number=column in numbers)}>{_text(cell)}</{tag}>" for column, cell in enumerate(cells))
        return f"<tr>{''.join(drawn)}</tr>\n"

    head = line("th", headings) if any(headings) else ""
    box = '"wide tall" tabindex="0"' if len(rows) > _ROWS_TALL else '"wide"'  # a table in a box is scrolled by keys as well
    return f"<div class={box}><table>\n{head}{''.join(line('td', row) for row in rows)}</table></div>\n"


def _class(cell: str, *, is_number: bool) -> str:
    told = [*(["number"] if is_number else []), *(["short"] if len(cell) <= _SHORT else [])]
    return f' class="{" ".join(told)}"' if told else ""


def _text(text: str) -> str:
    return escape("".join(letter for letter in text if letter >= " " or letter in "\n\t"), quote=True)
