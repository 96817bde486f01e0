"""What trainers were promised, and what the store has of it.

A trainer writes a line into a pipe after every call that has returned; what came through the pipe was acknowledged. Lines are shorter than
PIPE_BUF, so those of many processes never mix. Every point of a metric has a step of its own, so two points of one step are a duplicate.
"""

from __future__ import annotations

import json
import os
import statistics
from collections import Counter
from typing import Any

from attrs import define, field, frozen

__all__ = ["Ledger", "Tally", "acknowledge", "compare", "read_ledger"]


@frozen
class Tally:
    """The figures of one or more rounds; `skipped` says what a round needs that is not here.

    `restarts_ms` are the times from the start of a server until it answers, `orphaned` the runs that are said to run although nobody writes them.
    """

    acknowledged: int = 0
    lost: int = 0
    duplicated: int = 0
    notes: tuple[str, ...] = ()
    skipped: str = ""
    restarts_ms: tuple[float, ...] = ()
    orphaned: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.acknowledged + other.acknowledged,
            self.lost + other.lost,
            self.duplicated + other.duplicated,
            self.notes + other.notes,
            restarts_ms=self.restarts_ms + other.restarts_ms,
            orphaned=self.orphaned + other.orphaned,
        )

    @property
    def restarts(self) -> str:
        """How long starts have taken, in words; empty when there were none."""
        if not self.restarts_ms:
            return ""
        return (
            f"{len(self.restarts_ms)} restarts, median {statistics.median(self.restarts_ms):.0f} ms, "
            f"maximum {max(self.restarts_ms):.0f} ms, orphaned runs {self.orphaned}"
        )

    def __str__(self) -> str:
        return f"acknowledged={self.acknowledged} lost={self.lost} duplicated={self.duplicated}"


@define
class Ledger:
    """What was acknowledged, by run."""

    points: dict[tuple[str, str], set[int]] = field(factory=dict)
    params: dict[str, dict[str, str]] = field(factory=dict)
    tags: dict[str, dict[str, str]] = field(factory=dict)
    raised: list[str] = field(factory=list)
    runs: list[str] = field(factory=list)

    @property
    def count(self) -> int:
        """How many points, params and tags."""
        return sum(map(len, (*self.points.values(), *self.params.values(), *self.tags.values())))


def acknowledge(pipe: int, **told: Any) -> None:
    """Write one line: `run`, and `key` with `steps` (first, last), `params`, `tags` or `raised`."""
    os.write(pipe, json.dumps(told).encode() + b"\n")


def read_ledger(pipe: int) -> Ledger:
    """Read lines until all writers are gone."""
    ledger = Ledger()
    with os.fdopen(pipe, "rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):
                _enter(ledger, json.loads(line))
    return ledger


def _enter(ledger: Ledger, told: dict[str, Any]) -> None:
    run = told.get("run", "")
    if "raised" in told:
        ledger.raised.append(told["raised"])
    elif "steps" in told:
        first, last = told["steps"]
        ledger.points.setdefault((run, told["key"]), set()).update(range(first, last + 1))
    elif "params" in told:
        ledger.params.setdefault(run, {}).update(told["params"])
    elif "tags" in told:
        ledger.tags.setdefault(run, {}).update(told["tags"])
    elif run not in ledger.runs:
        ledger.runs.append(run)


def compare(ledger: Ledger, store: Any) -> Tally:
    """Hold an opened tracking store against the ledger."""
    lost, duplicated, notes = 0, 0, []
    found: dict[str, Any] = {}
    for run in {run for run, _ in ledger.points} | set(ledger.params) | set(ledger.tags) | set(ledger.runs):
        found[run] = store.get_run(run).data
    for (run, key), steps in ledger.points.items():
        series = store.metric_bulk([run], [key])
        there = Counter(series[0].points.steps if series else ())
        missing = steps - there.keys()
        lost += len(missing)
        duplicated += sum(there.values()) - len(there)
        if missing:
            notes.append(f"run {run} metric {key}: {len(missing)} steps are lost, the first {sorted(missing)[:3]} of {len(steps)}")
        summary = found[run].summaries.get(key)
        if summary is not None and summary.count != sum(there.values()):
            notes.append(f"run {run} metric {key}: the summary counts {summary.count}, there are {sum(there.values())}")
            lost += 1
    for kind, acknowledged in (("params", ledger.params), ("tags", ledger.tags)):
        for run, values in acknowledged.items():
            there = getattr(found[run], kind)
            missing = {key for key, value in values.items() if there.get(key) != value}
            lost += len(missing)
            notes += [f"run {run} {kind}: {sorted(missing)[:5]} are lost"] if missing else []
    return Tally(ledger.count, lost, duplicated, tuple(notes))
