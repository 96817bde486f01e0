"""Reading points of metric series: pages of one history, and many series at once, whole or down-sampled. Writing is for `points`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import pairwise
from typing import Any

from sqlalchemy import bindparam, select

from drupe.entities import Metric, Page, Points, Series
from drupe.entities.metrics import rank
from drupe_store_sql.paging import fingerprint, read_token, write_token
from drupe_store_sql.points import unpack
from drupe_store_sql.sampling import level_for, sample
from drupe_store_sql.session import Session
from drupe_store_sql.statements import stretch
from drupe_store_sql.summary import first_rank, last_rank
from drupe_store_sql.tables import chunks, runs

__all__ = ["bulk", "page"]

_RUN = select(runs.c.id).where(runs.c.run_id == bindparam("of"))
_RUNS = select(runs.c.run_id, runs.c.id).where(stretch(runs.c.run_id))
_HEADERS_IN_TIME = (
    select(chunks.c.id, chunks.c.min_ms, chunks.c.max_ms, chunks.c.count)
    .where(chunks.c.run == bindparam("run_pk"), chunks.c.key == bindparam("key_pk"), chunks.c.max_ms >= bindparam("since"))
    .order_by(chunks.c.min_ms)
)
_NUMBERED = select(chunks.c.points).where(stretch(chunks.c.id))
_CHUNKS = (
    select(chunks.c.run, chunks.c.key, chunks.c.points).where(stretch(chunks.c.run)).order_by(chunks.c.run, chunks.c.key, chunks.c.min_step)
)
_CHUNKS_OF_KEYS = _CHUNKS.where(stretch(chunks.c.key, "key_members"))

_Point = tuple[int, int, float]  # step, time, value
_Place = tuple[int, int, float, bool]  # of a point in its history: time, step, value


def page(session: Session, run_id: str, key: str, *, limit: int, token: str | None) -> Page[Metric]:
    """See TrackingStore.metric_history."""
    search = fingerprint("history", run_id, key)
    after: _Place | None = None
    if token is not None:
        time, step, value, is_nan = read_token(search, token, _is_place)
        after = (time, step, float(value), is_nan)
    run, keys = session.row(_RUN, of=run_id), session.key_ids([key])
    if run is None or not keys:
        return Page()
    found = _in_time(session, run[0], keys[key], after, limit + 1)
    following = write_token(search, _place(found[limit - 1])) if len(found) > limit else None
    return Page([Metric(key, value, time, step, run_id) for step, time, value in found[:limit]], following)


def bulk(
    session: Session,
    run_ids: Sequence[str],
    keys: Sequence[str] | None,
    *,
    buckets: int | None,
    first_step: int | None,
    last_step: int | None,
) -> list[Series]:
    """See TrackingStore.metric_bulk."""
    numbers = dict(session.among(_RUNS, dict.fromkeys(run_ids)))
    if keys is None:
        rows = session.among(_CHUNKS, numbers.values())
    else:
        ids = session.key_ids(dict.fromkeys(keys))
        rows = session.among(_CHUNKS_OF_KEYS, numbers.values(), key_members=session.dialect.pack(list(ids.values()))) if ids else []
    names = session.key_names({row[1] for row in rows})
    pieces: dict[tuple[int, str], list[bytes]] = {}
    for run, number, stored in rows:
        pieces.setdefault((run, names[number]), []).append(stored)
    of_run: dict[int, list[str]] = {}
    for run, name in sorted(pieces):
        of_run.setdefault(run, []).append(name)
    found: list[Series] = []
    for run_id in dict.fromkeys(run_ids):
        number = numbers.get(run_id, -1)
        for name in of_run.get(number, []) if keys is None else dict.fromkeys(keys):
            if (number, name) in pieces:
                points = _by_rank([unpack(stored, session) for stored in pieces[number, name]])
                low = points.steps[0] if first_step is None else max(first_step, points.steps[0])
                high = points.steps[-1] if last_step is None else min(last_step, points.steps[-1])
                points = Points.of(point for point in points if low <= point[0] <= high)
                is_sampled = buckets is not None and len(points) > 3 * buckets
                chosen = sample(points, level_for(low, high, buckets)) if buckets is not None and is_sampled else points
                if len(points):
                    found.append(Series(run_id, name, chosen, is_sampled))
    return found


def _in_time(session: Session, run: int, key: int, after: _Place | None, most: int) -> list[_Point]:
    """The first `most` points behind `after` by time, step, value; only the chunks that can hold them are read."""
    since = -1 if after is None else after[0]
    chosen = _enough(session.rows(_HEADERS_IN_TIME, run_pk=run, key_pk=key, since=since), since, most)
    points = [
        point
        for (stored,) in session.among(_NUMBERED, chosen)
        for point in unpack(stored, session)
        if after is None or _place(point) > after
    ]
    points.sort(key=_place)
    return points[:most]


def _enough(headers: Sequence[tuple[Any, ...]], since: int, most: int) -> list[int]:
    """The numbers of the first chunks, by time, that surely hold the first `most` points behind `since`."""
    chosen: list[int] = []
    ends: list[tuple[int, int]] = []  # of chunks that begin behind `since`: when they end, how many points they hold
    passed = 0  # points that lie before the chunk at hand
    for number, begins, finishes, count in headers:
        while ends and ends[0][0] < begins:
            passed += heappop(ends)[1]
        if passed >= most:
            break
        chosen.append(number)
        if begins > since:
            heappush(ends, (finishes, count))
    return chosen


def _by_rank(parts: list[Points]) -> Points:
    """The points of sorted parts as one, by rank. Parts that do not overlap, the usual case, are put end to end."""
    whole = Points()
    for part in parts:
        whole.extend(part)
    ranks_ascend = all(last_rank(before) <= first_rank(after) for before, after in pairwise(parts))
    return whole if ranks_ascend else Points.of(sorted(whole, key=lambda point: rank(*point)))


def _place(point: _Point) -> _Place:
    step, time, value = point
    is_nan = math.isnan(value)
    return time, step, 0.0 if is_nan else value, is_nan


def _is_place(values: Sequence[Any]) -> bool:
    return [type(value) for value in values] in ([int, int, float, bool], [int, int, int, bool])
