"""Results that are kept: the ordered ids that a question found, so that a window of a long table costs what the window costs.

A result never changes; who wants what is there now asks anew. The name of a whole one is a digest of what was asked and found: another process of
the server, which does not have it, asks the question again, and comes to the same name unless other runs are there by now.

The page shows the beginning of a result first, and most people look no further, so of a long one no more is found at first: the store stops
behind a window. Whoever wants more of it has the whole found, which keeps the name only if it begins in the same way and is as long.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from secrets import token_hex
from time import time
from typing import Any

from attrs import Factory, evolve, field, frozen

from drupe.entities import ViewType
from drupe.errors import InvalidValue
from drupe.extend import TrackingStore
from drupe.search import Comparison, Entity, Field, Kind, Op, Query, parse
from drupe_ui_web.asked import Question, field_named

__all__ = ["RUNS_MAX", "Group", "Kept", "Result", "as_numbers", "begun_by", "found_by", "in_order", "of_ids"]

RUNS_MAX = 100_000
"""More runs than that are not ordered at once: the page says so, and a filter brings the others."""

KEPT_RUNS = 500_000
KEPT_RESULTS = 64
GROUPS_MAX = 1000
TIMES = (Field(Entity.ATTRIBUTE, "start_time"), Field(Entity.ATTRIBUTE, "end_time"))


@frozen
class Group:
    """Runs with the same value, which is None where they have none; they stand in the result from `first` on."""

    value: str | None
    first: int
    count: int


@frozen(eq=False)
class Result:
    """What a question found. `groups` is None where nothing was grouped; `pinned` of the first ids are there because they are pinned.

    `run_ids` are the first of `total`; all of them, unless the result has only been begun.
    """

    name: str
    question: Question
    run_ids: list[str]
    is_cut: bool
    pinned: int = 0
    groups: list[Group] | None = None
    total: int = field(default=Factory(lambda self: len(self.run_ids), takes_self=True))

    def has(self, offset: int, count: int) -> bool:
        """Whether the ids of these places are here, as far as there are any."""
        return len(self.run_ids) >= min(offset + count, self.total)

    def is_of(self, whole: Result) -> bool:
        """Whether this is that result, or the beginning of it."""
        return self.total == whole.total and self.run_ids == whole.run_ids[: len(self.run_ids)]


class Kept:
    """The newest results of one server process. Its methods may be called from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._results: OrderedDict[str, Result] = OrderedDict()
        self._runs = 0

    def get(self, name: str, question: Question | None = None) -> Result | None:
        """The result of that name, if it is here and answers that question, or any."""
        with self._lock:
            found = self._results.get(name)
            if found is None or (question is not None and found.question != question):
                return None
            self._results.move_to_end(name)
            return found

    def put(self, result: Result) -> Result:
        """Keep a result and return it."""
        with self._lock:
            before = self._results.get(result.name)
            self._runs += len(result.run_ids) - (0 if before is None else len(before.run_ids))
            self._results[result.name] = result
            self._results.move_to_end(result.name)
            while len(self._results) > 1 and (self._runs > KEPT_RUNS or len(self._results) > KEPT_RESULTS):
                _, oldest = self._results.popitem(last=False)
                self._runs -= len(oldest.run_ids)
        return result


def found_by(store: TrackingStore, question: Question, *, most: int = RUNS_MAX) -> Result:
    """Ask the store for at most so many runs. Raises InvalidQuery, InvalidValue."""
    grouped = [field_named(question.group)] if question.group else []
    sorted_by = TIMES if question.by_duration else (question.param,) if question.param else ()
    found = store.run_columns(
        question.query(), experiment_ids=question.experiments, view=question.view, fields=[*grouped, *sorted_by], limit=most
    )
    order: Sequence[int] = range(len(found.run_ids))
    if question.by_duration:
        order = in_order(_durations(*found.columns[-2:]), is_descending=question.is_descending)
    elif sorted_by:
        order = in_order(as_numbers(found.columns[-1]), is_descending=question.is_descending)
    groups = None
    if grouped:
        order, groups = _grouped(order, found.columns[0], question)
    run_ids = found.run_ids if isinstance(order, range) else [found.run_ids[n] for n in order]
    pinned = _pinned(store, question) if question.pinned else []
    shown = _in_front(pinned, run_ids) if pinned else run_ids
    return Result(_name_of(question, shown), question, shown, found.is_cut, len(pinned), groups)


def begun_by(store: TrackingStore, question: Question, count: int) -> Result:
    """The beginning of a result with so many ids, where the store can stop behind them, or else all of it. Raises as `found_by` does."""
    if question.filter or question.group or question.pinned or question.by_duration or question.param or count < 1:
        return found_by(store, question)
    query, experiments, view = question.query(), question.experiments, question.view
    first = store.run_columns(query, experiment_ids=experiments, view=view, limit=count)
    if not first.is_cut:
        return Result(_name_of(question, first.run_ids), question, first.run_ids, is_cut=False)
    every = store.count_runs(query, experiment_ids=experiments, view=view)
    name = _name_of(question, [*first.run_ids, token_hex(8)])  # what follows may be another time something else: never two of one name
    return Result(name, question, first.run_ids, every > RUNS_MAX, total=min(every, RUNS_MAX))


def _name_of(question: Question, run_ids: Sequence[str]) -> str:
    return blake2b(f"{question!r}\n{' '.join(run_ids)}".encode(), digest_size=12).hexdigest()


def in_order(values: Sequence[Any], *, is_descending: bool) -> list[int]:
    """The places of values, sorted; equals stay as they were, and what is missing comes last."""
    there = [n for n, value in enumerate(values) if value is not None]
    missing = [n for n, value in enumerate(values) if value is None]
    return [*sorted(there, key=values.__getitem__, reverse=is_descending), *missing]


def as_numbers(texts: Sequence[str | None]) -> Sequence[float | str | None]:
    """The texts as numbers where all of them are numbers, or else as they are. NaN has no place in an order, and counts as missing."""
    try:
        numbers = [None if text is None or text == "" else float(text) for text in texts]
    except ValueError:
        return texts
    return [None if number is None or math.isnan(number) else number for number in numbers]


def of_ids(run_ids: Sequence[str]) -> Query:
    """The query that finds these runs."""
    every = parse(Kind.RUNS, None, ["run_id"])
    return evolve(every, where=Comparison(Field(Entity.ATTRIBUTE, "run_id"), Op.IN, tuple(run_ids)))


def _pinned(store: TrackingStore, question: Question) -> list[str]:
    found = store.run_columns(of_ids(question.pinned), experiment_ids=question.experiments, view=ViewType.ALL, limit=len(question.pinned))
    there = set(found.run_ids)
    return [run_id for run_id in question.pinned if run_id in there]


def _in_front(pinned: Sequence[str], ordered: Sequence[str]) -> list[str]:
    first = set(pinned)
    return [*pinned, *(run_id for run_id in ordered if run_id not in first)]


def _durations(starts: Sequence[int], ends: Sequence[int | None]) -> list[int]:
    now = int(time() * 1000)
    return [(now if end is None else end) - start for start, end in zip(starts, ends, strict=True)]


def _grouped(order: Sequence[int], values: Sequence[str | None], question: Question) -> tuple[list[int], list[Group]]:
    members: dict[str | None, list[int]] = {}
    for n in order:
        members.setdefault(values[n], []).append(n)
    if len(members) > GROUPS_MAX:
        raise InvalidValue(
            f"the runs have {len(members)} different values of {question.group[:60]}; at most {GROUPS_MAX} groups are shown. "
            "Group by something that more runs have in common, or narrow the filter"
        )
    groups: list[Group] = []
    first = 0
    for value, numbers in members.items():  # in the order of their first members
        groups.append(Group(None if value is None else str(value), first, len(numbers)))
        first += len(numbers)
    return [n for numbers in members.values() for n in numbers], groups
