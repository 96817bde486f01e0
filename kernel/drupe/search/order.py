"""The order grammar: `name [ASC | DESC]` for each entry, then what makes the order total."""

from __future__ import annotations

from collections.abc import Sequence

from drupe.errors import InvalidQuery
from drupe.search.fields import Search
from drupe.search.lexer import Source, Token, TokenKind, shorten
from drupe.search.names import resolve
from drupe.search.query import Entity, OrderBy

__all__ = ["KEYS_MAX", "made_total", "parse_order"]

KEYS_MAX = 20  # each may become a join; SQLite joins at most 64 tables


def parse_order(search: Search, entries: Sequence[str]) -> tuple[OrderBy, ...]:
    """The sort keys that `entries` state, followed by the tie-breakers; the default order when there are none.

    Raises InvalidQuery, also for a field that is named twice.
    """
    if len(entries) > KEYS_MAX:
        raise InvalidQuery(f"order_by has {len(entries)} entries; at most {KEYS_MAX} are sorted by")
    if not entries:
        return search.default_order
    keys: list[OrderBy] = []
    for number, entry in enumerate(entries):
        source = Source(entry, f"order_by[{number}]")
        key, name = _key(search, source)
        first = next((i for i, known in enumerate(keys) if known.field == key.field), None)
        if first is not None:
            raise source.fault(f"{shorten(name.raw)} is sorted by already, in order_by[{first}]", name)
        keys.append(key)
    return made_total(search, keys)


def made_total(search: Search, keys: Sequence[OrderBy]) -> tuple[OrderBy, ...]:
    """The keys, followed by as many tie-breakers as it takes for no two things to tie."""
    found = list(keys)
    for tie_breaker in search.tie_breakers:
        sorted_by = {key.field.key for key in found if key.field.entity is Entity.ATTRIBUTE}
        if tie_breaker.field.key not in sorted_by and not any(unique <= sorted_by for unique in search.unique):
            found.append(tie_breaker)
    return tuple(found)


def _key(search: Search, source: Source) -> tuple[OrderBy, Token]:
    tokens = source.tokens()
    name = tokens[0]
    if name.kind is TokenKind.END:
        raise source.fault("this entry is empty; name what to sort by, such as 'name DESC'", name)
    if name.kind is not TokenKind.NAME and not name.raw.startswith('"'):
        raise source.fault(f"a name is expected here, not {shorten(name.raw)!r}", name)
    operand = resolve(search, source, name)
    if not operand.is_sortable:
        raise source.fault(f"{search.kind} cannot be sorted by {shorten(name.raw)}", name)
    direction, *rest = tokens[1:]
    if direction.kind is TokenKind.END:
        return OrderBy(operand.field), name
    if direction.kind is TokenKind.COMMA:
        raise source.fault("one name to an entry: give a list of several entries instead of commas", direction)
    if direction.word not in ("ASC", "DESC"):
        raise source.fault(f"after the name only ASC or DESC may stand, not {shorten(direction.raw)!r}", direction)
    if rest[0].kind is not TokenKind.END:
        raise source.fault(f"nothing may follow {direction.raw}", rest[0])
    return OrderBy(operand.field, descending=direction.word == "DESC"), name
