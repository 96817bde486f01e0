"""Names to fields: which entity and key a name token means, and the nearest known name when it means none."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from attrs import frozen

from drupe.entities.enums import Stat
from drupe.errors import InvalidQuery
from drupe.search.fields import MATCH_TEXT, Search, ValueKind
from drupe.search.lexer import Source, Token, TokenKind, shorten
from drupe.search.query import Entity, Field, Op

__all__ = ["Operand", "nearest", "resolve"]

_STATS = tuple(stat.value for stat in Stat)
_DATASET_KEYS = ("name", "digest", "context")
_GUESSABLE_LENGTH = 60  # comparing long texts for likeness takes quadratic time


@frozen
class Operand:
    """A field with what may be done with it; `operators` is empty for what can only be sorted by. `text` is how it was written."""

    field: Field
    holds: ValueKind
    operators: tuple[Op, ...]
    is_sortable: bool
    text: str


def resolve(search: Search, source: Source, token: Token) -> Operand:
    """What a name means in a search. Raises InvalidQuery that points at it and suggests the nearest name."""
    if token.kind is TokenKind.TEXT or not token.head:
        return _attribute(search, source, token)
    entity = search.words.get(token.head)
    if entity is None:
        raise _unknown_entity(search, source, token)
    if not token.key:
        raise source.fault(f"a name is missing after {token.head + '.'!r}", token)
    if token.tail is not None and entity is not Entity.METRIC:
        raise source.fault(
            f"nothing may follow the quoted name in {shorten(token.raw)!r}; only metrics have statistics, such as .min", token
        )
    if entity is Entity.ATTRIBUTE:
        return _attribute(search, source, token)
    if entity is Entity.METRIC:
        return _operand(search, entity, _metric(search, source, token), token)
    if entity is Entity.DATASET and token.key not in _DATASET_KEYS:
        hint = _did_you_mean(token.key, _DATASET_KEYS, f"{token.head}.")
        raise source.fault(f"datasets have no {shorten(token.key)!r}{hint or '; they have name, digest and context'}", token)
    return _operand(search, entity, Field(entity, token.key), token)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that `word` most likely was meant to be, or None when none is near."""
    if len(word) > _GUESSABLE_LENGTH:
        return None
    folded = {name.lower(): name for name in known}
    found = get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def _operand(search: Search, entity: Entity, field: Field, token: Token) -> Operand:
    holds = ValueKind.NUMBER if entity is Entity.METRIC else ValueKind.TEXT
    return Operand(field, holds, search.operators.get(entity, MATCH_TEXT), entity in search.sortable, shorten(token.raw))


def _metric(search: Search, source: Source, token: Token) -> Field:
    if not search.has_statistics:
        if token.tail is not None:
            raise source.fault(f"metrics of {search.kind} have their latest value only, no {shorten(token.tail)!r}", token)
        return Field(Entity.METRIC, token.key, Stat.LAST)
    if token.tail is not None:
        if token.tail not in _STATS:
            hint = _did_you_mean(token.tail, _STATS)
            raise source.fault(f"{shorten(token.tail)!r} is not a statistic of a metric{hint or '; ' + ', '.join(_STATS) + ' are'}", token)
        return Field(Entity.METRIC, token.key, Stat(token.tail))
    if token.is_quoted:
        return Field(Entity.METRIC, token.key, Stat.LAST)
    key, dot, last = token.key.rpartition(".")
    if dot and key and last in _STATS:
        return Field(Entity.METRIC, key, Stat(last), shadow=token.key)
    return Field(Entity.METRIC, token.key, Stat.LAST)


def _attribute(search: Search, source: Source, token: Token) -> Operand:
    attribute = search.attribute(token.key)
    if attribute is None:
        raise _unknown_attribute(search, source, token)
    return Operand(Field(Entity.ATTRIBUTE, attribute.key), attribute.holds, attribute.operators, attribute.is_sortable, shorten(token.raw))


def _unknown_entity(search: Search, source: Source, token: Token) -> InvalidQuery:
    hint = search.hints.get(token.head) or search.hints.get(token.raw)
    if hint:
        return source.fault(f"{search.kind} cannot be searched by {token.head!r}; {hint}", token)
    word = nearest(token.head, search.words)
    if word:
        return source.fault(
            f"{search.kind} have no {token.head!r}; did you mean {shorten(word + token.raw.removeprefix(token.head))!r}?", token
        )
    words = ", ".join(dict.fromkeys(_plural(search, entity) for entity in search.words.values()))
    return source.fault(f"{search.kind} have no {shorten(token.head)!r}; before the dot may stand {words}", token)


def _unknown_attribute(search: Search, source: Source, token: Token) -> InvalidQuery:
    name = token.key
    if name in search.hints:
        return source.fault(f"{search.kind} cannot be searched by {name!r}; {search.hints[name]}", token)
    if name in search.words:
        return source.fault(f"{name!r} needs a name after a dot, such as {name}.{_example(search, search.words[name])}", token)
    spellings = [spelling for a in search.attributes for spelling in (a.key, *a.aliases)]
    free = [entity for entity in (Entity.METRIC, Entity.PARAM, Entity.TAG) if entity in search.words.values()]
    elsewhere = " or ".join(f"{_plural(search, entity)}.{name}" for entity in free)
    hint = _did_you_mean(name, spellings, f"{token.head}." if token.head else "")
    if hint:
        return source.fault(f"{search.kind} have no attribute {name!r}{hint}", token)
    keys = ", ".join(a.key for a in search.attributes)
    advice = f"; their attributes are {keys}" + (f"; or did you mean {elsewhere}?" if len(name) <= _GUESSABLE_LENGTH else "")
    return source.fault(f"{search.kind} have no attribute {shorten(name)!r}{advice}", token)


def _example(search: Search, entity: Entity) -> str:
    examples = {Entity.METRIC: "loss", Entity.PARAM: "depth", Entity.TAG: "team", Entity.DATASET: "name"}
    return examples.get(entity, search.attributes[0].key)


def _plural(search: Search, entity: Entity) -> str:
    return next(word for word, meant in search.words.items() if meant is entity)


def _did_you_mean(word: str, known: Iterable[str], prefix: str = "") -> str:
    found = nearest(word, known)
    return f"; did you mean {prefix + found!r}?" if found else ""
