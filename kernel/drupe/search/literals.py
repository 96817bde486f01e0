"""Values as written to values as compared: numbers, quoted text, ids and times, each with what to write instead when it does not fit."""

from __future__ import annotations

import math

from drupe.search.fields import ValueKind
from drupe.search.lexer import Source, Token, TokenKind, shorten
from drupe.search.names import Operand
from drupe.search.query import Op

__all__ = ["read_literal", "read_text"]

_INTEGER_MAX = 2**63 - 1
_DIGITS_MAX = 40  # beyond it no integer fits 64 bits, and reading the digits would take quadratic time


def read_literal(source: Source, operand: Operand, op: Op, token: Token) -> tuple[Op, str | float | int]:
    """The value that `token` stands for, as `operand` holds it, and the operator to compare with.

    The operator only changes for a time or number with a fraction: no whole number lies between 1 and 2, so `> 1.5` is `> 1`.
    Raises InvalidQuery.
    """
    if token.kind not in (TokenKind.TEXT, TokenKind.NUMBER):
        raise source.fault(f"{operand.text} is compared with {_wanted(operand)}, {_got(token, operand)}", token)
    if operand.holds is ValueKind.TEXT:
        return op, read_text(source, operand, token)
    if operand.holds is ValueKind.ID:
        return op, _identifier(source, operand, token)
    if token.kind is TokenKind.TEXT and operand.holds is not ValueKind.WHOLE:
        unquoted = f"; write {shorten(token.key)} without quotes" if _is_number(token.key) else ""
        raise source.fault(f"{operand.text} is compared with {_wanted(operand)}, not with text{unquoted}", token)
    digits = token.key.strip() if token.kind is TokenKind.TEXT else token.raw
    if operand.holds is ValueKind.NUMBER:
        return op, float(digits)
    return _whole(source, operand, op, token, digits)


def read_text(source: Source, operand: Operand, token: Token) -> str:
    """The text between the quotes. Raises InvalidQuery for anything else."""
    if token.kind is not TokenKind.TEXT:
        raise source.fault(f"{operand.text} is compared with {_wanted(operand)}, {_got(token, operand)}", token)
    return token.key


def _identifier(source: Source, operand: Operand, token: Token) -> str:
    text = read_text(source, operand, token)
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS_MAX):
        raise source.fault(f"{operand.text} is made of digits, as in '3'; got {shorten(text)!r}", token)
    return str(int(text))


def _whole(source: Source, operand: Operand, op: Op, token: Token, digits: str) -> tuple[Op, int]:
    if not _is_number(digits):
        raise source.fault(f"{operand.text} is compared with {_wanted(operand)}; {shorten(digits)!r} is none", token)
    number = float(digits)
    is_plain = digits.lstrip("+-").isdecimal()
    if not abs(number) < _INTEGER_MAX or (is_plain and len(digits) > _DIGITS_MAX):
        raise source.fault(f"{operand.text} is compared with {_wanted(operand)}; this one does not fit 64 bits", token)
    if is_plain:
        return op, int(digits)
    below = math.floor(number)
    if below == number:
        return op, below
    if op in (Op.GT, Op.LE):
        return op, below
    if op in (Op.LT, Op.GE):
        return op, below + 1
    raise source.fault(f"{operand.text} is compared with {_wanted(operand)}; {shorten(digits)} is never one", token)


def _wanted(operand: Operand) -> str:
    return {
        ValueKind.TEXT: "text in quotes",
        ValueKind.ID: "digits in quotes",
        ValueKind.NUMBER: "a number",
        ValueKind.TIME: "a number (ms since 1970)",
        ValueKind.WHOLE: "a whole number",
    }[operand.holds]


def _got(token: Token, operand: Operand) -> str:
    if token.kind is TokenKind.END:
        return "and the text ends here"
    if operand.holds in (ValueKind.TEXT, ValueKind.ID) and token.kind in (TokenKind.NAME, TokenKind.NUMBER) and not token.is_quoted:
        return f"not with {shorten(token.raw)}; write '{shorten(token.raw)}'"
    if token.word == "NAN":
        return f"and nothing equals NaN; to find it write {operand.text} IS NOT NULL AND NOT {operand.text} <= inf"
    return f"not with {shorten(token.raw)!r}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and "_" not in text
