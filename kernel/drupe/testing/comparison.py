"""Doing the same on a store and on the oracle, and telling whether they answered the same.

Two answers are the same when they are equal but for what cannot be (clock times) or need not be (the order of inputs and series).
Two refusals are the same when their error classes are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import attrs

from drupe.entities import DatasetInput, Points, Series
from drupe.errors import DrupeError, ModelVersionNotFound, RegisteredModelNotFound

__all__ = ["Pair", "plain"]

S = TypeVar("S")

_CLOCK_TIMES = frozenset({"creation_time", "last_update_time", "creation_timestamp", "last_updated_timestamp"})
# The contract leaves open which of the two is missed first when neither is there.
_SAME_REFUSAL: Mapping[type[DrupeError], str] = {RegisteredModelNotFound: "no such version", ModelVersionNotFound: "no such version"}


class Pair(Generic[S]):
    """A store and its oracle, which get the same operations."""

    def __init__(self, store: S, oracle: S) -> None:
        self.store, self.oracle = store, oracle

    def same(self, act: Callable[[S], Any]) -> Any:
        """Do `act` on both; the oracle's answer in plain form, after asserting that the store gave it too.

        A DrupeError counts as an answer. Anything else that the store raises is a fault of the store and passes through.
        """
        expected = _answer(act, self.oracle)
        answered = _answer(act, self.store)
        assert answered == expected, f"the store answers\n  {answered}\nbut the contract says\n  {expected}"
        return expected


def _answer(act: Callable[[S], Any], store: S) -> Any:
    try:
        return plain(act(store))
    except DrupeError as refusal:
        kind = type(refusal)
        return f"raises {_SAME_REFUSAL.get(kind, kind.__name__)}"


def plain(value: Any) -> Any:
    """`value` as dictionaries, lists and texts that compare equal when the contract says so."""
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else value
    if isinstance(value, Points):
        return [plain(point) for point in value]
    if attrs.has(type(value)):
        return {field.name: plain(getattr(value, field.name)) for field in attrs.fields(type(value)) if field.name not in _CLOCK_TIMES}
    if isinstance(value, Mapping):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        entries = [plain(entry) for entry in value]
        is_unordered = bool(value) and isinstance(value[0], DatasetInput | Series)
        return sorted(entries, key=repr) if is_unordered else entries
    return value
