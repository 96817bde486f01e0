"""The filter grammar: tokens to a Condition, by recursive descent.

    either     = both ("OR" both)*
    both       = part ("AND" part)* ["AND" at the very end]
    part       = "NOT"* ( "(" either ")" | comparison )
    comparison = name operator value | name ["NOT"] "IN" "(" value ("," value)* ")" | name "IS" ["NOT"] "NULL"

Keywords are words in any case. Depth and size are bounded, so that no text can exhaust the stack here or in a database.
"""

from __future__ import annotations

from drupe.errors import InvalidQuery
from drupe.search.fields import Search
from drupe.search.lexer import Source, Token, TokenKind, shorten
from drupe.search.literals import read_literal
from drupe.search.names import Operand, resolve
from drupe.search.query import And, Comparison, Condition, Entity, Not, Op, Or

__all__ = ["COMPARISONS_MAX", "DEPTH_MAX", "LISTED_MAX", "parse_filter"]

DEPTH_MAX = 100  # nested parentheses
COMPARISONS_MAX = 500  # SQLite takes expression trees of depth 1000, and a long AND is a deep tree
LISTED_MAX = 10_000  # values in all IN lists; SQLite binds 32766

_WORD_OPERATORS = {"LIKE": Op.LIKE, "ILIKE": Op.ILIKE, "IN": Op.IN}
_SYMBOLS = {op.value: op for op in (Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE)}
_FOREIGN = {"==": "=", "<>": "!=", "!": "NOT", "&&": "AND", "&": "AND", "||": "OR", "|": "OR"}


def parse_filter(search: Search, text: str) -> Condition | None:
    """The condition that `text` states, None for a blank text. Raises InvalidQuery that points at the first fault."""
    source = Source(text)
    tokens = source.tokens()
    if len(tokens) == 1:
        return None
    return _Filter(search, source, tokens).whole()


class _Filter:
    """One pass over the tokens of one filter."""

    def __init__(self, search: Search, source: Source, tokens: list[Token]) -> None:
        self._search = search
        self._source = source
        self._tokens = tokens
        self._place = 0
        self._depth = 0
        self._comparisons = 0
        self._listed = 0

    def whole(self) -> Condition:
        found = self._either()
        if self._next.kind is not TokenKind.END:
            raise self._misplaced(self._next)
        return found

    def _either(self) -> Condition:
        parts = [self._both()]
        while self._take_word("OR"):
            parts.append(self._both())
        return (
            parts[0]
            if len(parts) == 1
            else Or(tuple(inner for part in parts for inner in (part.parts if isinstance(part, Or) else (part,))))
        )

    def _both(self) -> Condition:
        parts = [self._part()]
        while self._take_word("AND"):
            if self._next.kind is TokenKind.END and not self._depth:
                break  # MLflow takes a trailing AND, which programs that glue filters together rely on
            parts.append(self._part())
        return (
            parts[0]
            if len(parts) == 1
            else And(tuple(inner for part in parts for inner in (part.parts if isinstance(part, And) else (part,))))
        )

    def _part(self) -> Condition:
        negated = False
        while self._take_word("NOT"):
            negated = not negated
        inner = self._group() if self._next.kind is TokenKind.OPEN else self._comparison()
        if not negated:
            return inner
        return inner.part if isinstance(inner, Not) else Not(inner)

    def _group(self) -> Condition:
        opening = self._take()
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise self._source.fault(f"parentheses are nested deeper than {DEPTH_MAX}", opening)
        inner = self._either()
        if self._next.kind is not TokenKind.CLOSE:
            if self._next.kind is TokenKind.END:
                raise self._source.fault("this parenthesis is never closed", opening)
            raise self._misplaced(self._next)
        self._take()
        self._depth -= 1
        return inner

    def _comparison(self) -> Condition:
        name = self._take()
        if name.kind is not TokenKind.NAME and not (name.kind is TokenKind.TEXT and name.raw.startswith('"')):
            raise self._not_a_name(name)
        if name.word in ("AND", "OR"):
            raise self._source.fault(f"a comparison is expected before {name.raw}", name)
        self._comparisons += 1
        if self._comparisons > COMPARISONS_MAX:
            raise self._source.fault(f"more than {COMPARISONS_MAX} comparisons; use IN for long lists of values", name)
        operand = resolve(self._search, self._source, name)
        op = self._operator(operand)
        if op in (Op.IN, Op.NOT_IN):
            return Comparison(operand.field, op, self._list(operand, op))  # type: ignore[arg-type]  # all of one type
        if op in (Op.IS_NULL, Op.IS_NOT_NULL):
            return Comparison(operand.field, op)
        value = self._take()
        if value.kind is TokenKind.OPEN:
            raise self._source.fault(f"a list needs IN: {operand.text} IN (…)", value)
        return Comparison(operand.field, *read_literal(self._source, operand, op, value))

    def _operator(self, operand: Operand) -> Op:
        first = self._take()
        op, last = self._read_operator(first, operand)
        if op is None:
            raise self._not_an_operator(first, operand)
        if op not in operand.operators:
            raise self._not_allowed(first, last, op, operand)
        return op

    def _read_operator(self, first: Token, operand: Operand) -> tuple[Op | None, Token]:
        if first.kind is TokenKind.OPERATOR:
            return _SYMBOLS.get(first.raw), first
        if first.word == "NOT":
            if self._next.word in ("LIKE", "ILIKE"):
                word = self._next.word
                raise self._source.fault(f"NOT stands before the comparison: NOT {operand.text} {word} '…'", first)
            return (Op.NOT_IN, self._take()) if self._next.word == "IN" else (None, first)
        if first.word == "IS":
            op = Op.IS_NOT_NULL if self._take_word("NOT") else Op.IS_NULL
            last = self._take()
            if last.word != "NULL":
                raise self._source.fault("after IS only NULL or NOT NULL may stand", last)
            return op, last
        return _WORD_OPERATORS.get(first.word), first

    def _list(self, operand: Operand, op: Op) -> tuple[str | float, ...]:
        opening = self._take()
        if opening.kind is not TokenKind.OPEN:
            raise self._source.fault(f"a list in parentheses is expected after {op.value}", opening)
        values: list[str | float] = []
        while True:
            token = self._take()
            if token.kind is TokenKind.CLOSE:
                break  # also behind a comma: Python writes tuples of one like that
            self._listed += 1
            if self._listed > LISTED_MAX:
                raise self._source.fault(f"more than {LISTED_MAX} listed values; search in several goes", token)
            values.append(read_literal(self._source, operand, op, token)[1])
            token = self._take()
            if token.kind is TokenKind.CLOSE:
                break
            if token.kind is not TokenKind.COMMA:
                raise self._source.fault("a comma or ) is expected in this list", token)
        if not values:
            raise self._source.fault(f"the list after {op.value} is empty", opening)
        return tuple(values)

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        token = self._tokens[self._place]
        if token.kind is not TokenKind.END:
            self._place += 1
        return token

    def _take_word(self, word: str) -> bool:
        if self._next.word != word:
            return False
        self._place += 1
        return True

    def _not_a_name(self, token: Token) -> InvalidQuery:
        if token.kind is TokenKind.END:
            return self._source.fault("a comparison is expected here, and the text ends", token)
        if token.kind in (TokenKind.TEXT, TokenKind.NUMBER):
            return self._source.fault(f"a name is expected here, not {shorten(token.raw)}; the value stands on the right", token)
        if token.raw in _FOREIGN:
            return self._source.fault(f"unexpected {token.raw!r}; write {_FOREIGN[token.raw]}", token)
        return self._source.fault(f"a comparison is expected here, not {token.raw!r}", token)

    def _not_an_operator(self, token: Token, operand: Operand) -> InvalidQuery:
        if token.kind is TokenKind.END:
            what = "an operator is expected here, and the text ends"
        elif token.raw in _FOREIGN:
            return self._source.fault(f"{token.raw!r} is no operator here; write {_FOREIGN[token.raw]}", token)
        elif token.word == "BETWEEN":
            return self._source.fault(f"there is no BETWEEN; write {operand.text} >= … AND {operand.text} <= …", token)
        else:
            what = f"an operator is expected after {shorten(operand.text)}, not {shorten(token.raw)!r}"
        return self._source.fault(f"{what}; one of {_words(operand.operators)}", token)

    def _not_allowed(self, first: Token, last: Token, op: Op, operand: Operand) -> InvalidQuery:
        width = last.column + len(last.raw) - first.column
        name = shorten(operand.text)
        if not operand.operators:
            message = f"{self._search.kind} can be sorted by {name} but not filtered by it"
        elif op is Op.IS_NULL and operand.field.entity is Entity.TAG:
            message = f"IS NULL is not known for tags of {self._search.kind}; write NOT {name} LIKE '%'"
        else:
            message = f"{name} cannot be compared with {op.value}, only with {_words(operand.operators)}"
            if operand.field.entity is Entity.PARAM and op in (Op.LT, Op.LE, Op.GT, Op.GE):
                message += "; params are text: log a metric to compare numbers"
        return self._source.fault_at(message, first.column, width)

    def _misplaced(self, token: Token) -> InvalidQuery:
        if token.kind is TokenKind.CLOSE:
            return self._source.fault("this parenthesis was never opened", token)
        if token.raw in _FOREIGN:
            return self._source.fault(f"unexpected {token.raw!r}; write {_FOREIGN[token.raw]}", token)
        before = self._tokens[self._place - 1]
        if before.kind is token.kind is TokenKind.TEXT and before.column + len(before.raw) == token.column:
            return self._source.fault("a doubled quote is no escape; put the text into the other kind of quotes", token)
        if token.kind is TokenKind.COMMA:
            return self._source.fault("unexpected ','; comparisons are joined by AND or OR", token)
        return self._source.fault(f"AND or OR is expected before {shorten(token.raw)!r}", token)


def _words(operators: tuple[Op, ...]) -> str:
    return ", ".join(op.value for op in operators)
