"""Reading many series at once in the order of their steps: whole, between two steps, or down-sampled for a chart.

A chunk keeps a sample of itself. Where a chart's buckets are at least as wide as those of the sample, and no bucket of the sample is cut by
the first or the last step asked for, the sample is read instead of the points and gives the same: a chart of a million points decodes some
twenty thousand. However many series are read, it takes a handful of statements: for the runs, what chunks there are, and the bytes of those
that are needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter

from attrs import frozen
from sqlalchemy import select

from drupe.entities import Points, Series
from drupe_store_sql import vectors
from drupe_store_sql.merging import between, by_rank
from drupe_store_sql.points import unpack
from drupe_store_sql.sampling import level_for, sample
from drupe_store_sql.session import Session
from drupe_store_sql.statements import stretch
from drupe_store_sql.tables import chunks, runs

__all__ = ["read"]

_RUNS = select(runs.c.run_id, runs.c.id).where(stretch(runs.c.run_id))
_HEADERS = (
    select(chunks.c.run, chunks.c.key, chunks.c.id, chunks.c.min_step, chunks.c.max_step, chunks.c.count, chunks.c.level)
    .where(stretch(chunks.c.run))
    .order_by(chunks.c.run, chunks.c.key, chunks.c.min_step)
)
_HEADERS_OF_KEYS = _HEADERS.where(stretch(chunks.c.key, "key_members"))
_POINTS = select(chunks.c.id, chunks.c.points).where(stretch(chunks.c.id))
_SAMPLES = select(chunks.c.id, chunks.c.sample).where(stretch(chunks.c.id))


@frozen
class _Header:
    """A row of `chunks` without its bytes."""

    number: int
    min_step: int
    max_step: int
    count: int
    level: int | None

    def is_told_by_sample(self, low: int, high: int) -> bool:
        """Whether its sample between these steps is that of its points there: no bucket of it is cut."""
        if self.level is None:
            return False
        width = 1 << self.level
        return (low <= self.min_step or low % width == 0) and (high >= self.max_step or (high + 1) % width == 0)


@frozen
class _Plan:
    """What to read of one series: the chunks that hold steps from `low` to `high`, and for each whether its sample is enough.

    `level` is that of the chart's buckets, None for all points.
    """

    low: int
    high: int
    level: int | None
    whole: tuple[_Header, ...]
    sampled: tuple[_Header, ...]


def read(
    session: Session,
    run_ids: Sequence[str],
    keys: Sequence[str] | None,
    *,
    buckets: int | None,
    first_step: int | None,
    last_step: int | None,
) -> list[Series]:
    """See TrackingStore.metric_bulk."""
    numbers: dict[str, int] = dict(session.among(_RUNS, dict.fromkeys(run_ids)))
    ids = None if keys is None else session.key_ids(dict.fromkeys(keys))
    plans: dict[tuple[int, int], _Plan] = {}
    for (run, key), rows in groupby(_headers(session, numbers.values(), ids), itemgetter(0, 1)):
        plan = _plan([_Header(*row[2:]) for row in rows], buckets, first_step, last_step)
        if plan is not None:
            plans[run, key] = plan
    vectors.load(sum(header.count for plan in plans.values() for header in plan.whole))
    names = session.key_names({key for _, key in plans})
    whole = dict(session.among(_POINTS, [header.number for plan in plans.values() for header in plan.whole]))
    samples = dict(session.among(_SAMPLES, [header.number for plan in plans.values() for header in plan.sampled]))
    keys_of: dict[int, list[tuple[str, int]]] = {}
    for run, key in plans:
        keys_of.setdefault(run, []).append((names[key], key))
    found: list[Series] = []
    for run_id in dict.fromkeys(run_ids):
        run = numbers.get(run_id, -1)
        for name, key in sorted(keys_of.get(run, ())) if ids is None else ids.items():
            if (run, key) in plans:
                points, is_sampled = _take(session, plans[run, key], whole, samples, buckets)
                if len(points):
                    found.append(Series(run_id, name, points, is_sampled))
    vectors.load_soon(sum(header.count for plan in plans.values() for header in plan.sampled))
    return found


def _headers(session: Session, run_numbers: Iterable[int], ids: dict[str, int] | None) -> list[tuple[int, ...]]:
    if ids is None:
        return session.among(_HEADERS, run_numbers)
    return session.among(_HEADERS_OF_KEYS, run_numbers, key_members=session.dialect.pack(list(ids.values()))) if ids else []


def _plan(headers: Sequence[_Header], buckets: int | None, first_step: int | None, last_step: int | None) -> _Plan | None:
    """How to read a series with these chunks; None when it has no chunk between the steps."""
    begin, end = headers[0].min_step, max(header.max_step for header in headers)
    low = begin if first_step is None else max(first_step, begin)
    high = end if last_step is None else min(last_step, end)
    touched = [header for header in headers if header.min_step <= high and header.max_step >= low]
    if low > high or not touched:
        return None
    if buckets is None or sum(header.count for header in touched) <= 3 * buckets:
        return _Plan(low, high, None, tuple(touched), ())
    level = level_for(low, high, buckets)
    sampled = [header for header in touched if header.is_told_by_sample(low, high) and (header.level or 0) <= level]
    return _Plan(low, high, level, tuple(header for header in touched if header not in sampled), tuple(sampled))


def _take(session: Session, plan: _Plan, whole: dict[int, bytes], samples: dict[int, bytes], buckets: int | None) -> tuple[Points, bool]:
    """The points of a series as planned, and whether they are a sample."""
    parts = _parts(session, plan, plan.whole, whole)
    kept = _parts(session, plan, plan.sampled, samples)
    enough = 3 * (buckets or 0)
    inside = [header for header in plan.sampled if plan.low <= header.min_step and header.max_step <= plan.high]
    # of a chunk that is cut it is known only that it has as many points between the steps as its sample has there
    count = sum(map(len, parts.values())) + sum(header.count if header in inside else len(kept[header]) for header in plan.sampled)
    if plan.sampled and count <= enough:  # fewer points between the steps than their chunks had led to expect
        kept = _parts(session, plan, plan.sampled, dict(session.among(_POINTS, [header.number for header in plan.sampled])))
        count = sum(len(part) for some in (parts, kept) for part in some.values())
    parts.update(kept)
    is_sampled = plan.level is not None and count > enough
    points = by_rank([parts[header] for header in sorted(parts, key=lambda header: header.min_step) if len(parts[header])])
    return (sample(points, plan.level) if is_sampled and plan.level is not None else points), is_sampled


def _parts(session: Session, plan: _Plan, headers: Iterable[_Header], stored: dict[int, bytes]) -> dict[_Header, Points]:
    return {header: between(unpack(stored[header.number], session), plan.low, plan.high) for header in headers}
