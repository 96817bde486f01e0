"""Text to tokens, in linear time, each token knowing where it stood.

Knows quotes, numbers and names; what the names mean is for `names`, which tokens may follow each other for `grammar` and `order`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto

from attrs import field, frozen

from drupe.errors import InvalidQuery

__all__ = ["TEXT_LENGTH_MAX", "Source", "Token", "TokenKind", "shorten"]

TEXT_LENGTH_MAX = 250_000  # about 6500 run ids in one IN list; more would rather be a mistake or an attack


class TokenKind(Enum):
    """What a token is."""

    NAME = auto()  # status, metrics.loss, metrics.`val loss`.min, AND
    TEXT = auto()  # 'quoted' or "quoted"
    NUMBER = auto()
    OPERATOR = auto()
    OPEN = auto()
    CLOSE = auto()
    COMMA = auto()
    END = auto()


@frozen
class Token:
    """A piece of a query text; `raw` as it was written, starting at `column` (0-based).

    Names are split: `head` is what stands before the first dot (empty when there is none), `key` what stands behind it or in quotes
    (`is_quoted`), `tail` the word behind a quoted key (the `min` of ``metrics.`loss`.min``). For TEXT, `key` is the text without quotes.
    """

    kind: TokenKind
    raw: str
    column: int
    head: str = ""
    key: str = ""
    is_quoted: bool = False
    tail: str | None = None
    word: str = field(init=False)  # upper case, for keywords; empty where the token cannot be one

    @word.default
    def _word(self) -> str:
        is_word = self.kind is TokenKind.NAME and not self.is_quoted and not self.head and self.raw.isascii()
        return self.raw.upper() if is_word else ""


@frozen
class Source:
    """A text being read and what to call it in messages, such as "filter" or "order_by[0]"."""

    text: str
    label: str = "filter"

    def fault(self, message: str, token: Token) -> InvalidQuery:
        """The error that points at `token`."""
        return self.fault_at(message, token.column, len(token.raw))

    def fault_at(self, message: str, column: int, width: int = 1) -> InvalidQuery:
        """The error that points at a place."""
        return InvalidQuery(f"{self.label}, column {column + 1}: {message}", text=self.text, column=column, width=max(1, width))

    def tokens(self) -> list[Token]:
        """All tokens, the last one END. Raises InvalidQuery for characters and quotes that make none."""
        self._check()
        return [*self._scan(), Token(TokenKind.END, "", len(self.text))]

    def _check(self) -> None:
        if len(self.text) > TEXT_LENGTH_MAX:
            raise InvalidQuery(f"{self.label} of {len(self.text)} characters; at most {TEXT_LENGTH_MAX} are read")
        # No store can hold these, so nothing could match, and some databases refuse them in the middle of a search.
        unusable = None if self.text.isprintable() else _UNUSABLE.search(self.text)
        if unusable:
            raise self.fault_at(f"{unusable.group()!a} is not a character that can be searched for", unusable.start())

    def _scan(self) -> Iterator[Token]:
        position = _SPACE.match(self.text, 0).end()  # type: ignore[union-attr]  # it matches nothing too
        while position < len(self.text):
            token = self._token(position)
            yield token
            position = _SPACE.match(self.text, position + len(token.raw)).end()  # type: ignore[union-attr]

    def _token(self, start: int) -> Token:
        first = self.text[start]
        if first in _SINGLE:
            return Token(_SINGLE[first], first, start)
        if first in "'\"":
            raw = self._quoted(start)
            return Token(TokenKind.TEXT, raw, start, key=raw[1:-1], is_quoted=True)
        if first == "`":
            raw = self._quoted(start)
            return Token(TokenKind.NAME, raw, start, key=raw[1:-1], is_quoted=True)
        if number := _NUMBER.match(self.text, start):
            return self._number(number)
        if name := _NAME.match(self.text, start):
            return self._name(name.group(), start)
        if operator := _OPERATOR.match(self.text, start):
            return Token(TokenKind.OPERATOR, operator.group(), start)
        raise self.fault_at(f"unexpected {first!r}{_ADVICE.get(first, '')}", start)

    def _number(self, found: re.Match[str]) -> Token:
        if rest := _GLUED.match(self.text, found.end()):
            raise self.fault_at(f"{shorten(found.group() + rest.group())!r} is not a number", found.start(), rest.end() - found.start())
        return Token(TokenKind.NUMBER, found.group(), found.start())

    def _name(self, plain: str, start: int) -> Token:
        head, dot, key = plain.partition(".")
        behind = self.text[start + len(plain) : start + len(plain) + 1]
        if not dot:
            return Token(TokenKind.NAME, plain, start, key=plain)
        if not plain.endswith(".") or behind not in ("`", '"', "'"):
            return Token(TokenKind.NAME, plain, start, head=head, key=key)
        quoted = self._quoted(start + len(plain))
        if key:
            raise self.fault_at(f"quote the whole key: {shorten(head)}.`{shorten(key + quoted[1:-1])}`", start, len(plain + quoted))
        tail = _TAIL.match(self.text, start + len(plain + quoted))
        raw = plain + quoted + (tail.group() if tail else "")
        return Token(TokenKind.NAME, raw, start, head, quoted[1:-1], is_quoted=True, tail=tail.group(1) if tail else None)

    def _quoted(self, start: int) -> str:
        quote = self.text[start]
        end = self.text.find(quote, start + 1)
        if end < 0:
            raise self.fault_at(f"the quote {quote} is never closed", start, len(self.text) - start)
        return self.text[start : end + 1]


def shorten(text: str, length: int = 60) -> str:
    """`text` cut for a message."""
    return text if len(text) <= length else text[: length - 1] + "…"


_SINGLE = {"(": TokenKind.OPEN, ")": TokenKind.CLOSE, ",": TokenKind.COMMA}
_SPACE = re.compile(r"\s*")
_UNUSABLE = re.compile("[\x00\ud800-\udfff]")
_NUMBER = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf(?:inity)?(?![\w.]))", re.IGNORECASE)
_GLUED = re.compile(r"[\w.]+")
_NAME = re.compile(r"[^\W\d][\w.:/-]*")  # unquoted keys may look like paths: metrics.system/cpu_utilization_percentage
_TAIL = re.compile(r"\.(\w*)")
_OPERATOR = re.compile(r"<>|[<>=!]=?|&&?|\|\|?")
_ADVICE = {
    ";": "; a filter is one expression, without ;",
    "[": "; lists are written in parentheses: ('a', 'b')",
    "]": "; lists are written in parentheses: ('a', 'b')",
    "%": "; patterns are quoted: LIKE '%text%'",
}
