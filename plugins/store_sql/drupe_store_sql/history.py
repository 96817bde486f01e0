"""Reading points of metric series: pages of one history, and many series at once, whole or down-sampled. Writing is for `points`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import bindparam, select

from drupe.entities import Metric, Page, Points, Series
from drupe.entities.metrics import rank
from drupe_store_sql.paging import fingerprint, read_token, write_token
from drupe_store_sql.points import unpack
from drupe_store_sql.sampling import sample
from drupe_store_sql.session import Session, stretch
from drupe_store_sql.summary import Point
from drupe_store_sql.tables import chunks, runs

__all__ = ["bulk", "page"]

_RUN = select(runs.c.id).where(runs.c.run_id == bindparam("of"))
_RUNS = select(runs.c.run_id, runs.c.id).where(stretch(runs.c.run_id))
_CHUNKS_IN_TIME = (
    select(chunks.c.min_ms, chunks.c.points)
    .where(chunks.c.run == bindparam("run_pk"), chunks.c.key == bindparam("key_pk"), chunks.c.max_ms >= bindparam("since"))
    .order_by(chunks.c.min_ms)
)
_CHUNKS = (
    select(chunks.c.run, chunks.c.key, chunks.c.points).where(stretch(chunks.c.run)).order_by(chunks.c.run, chunks.c.key, chunks.c.min_step)
)
_CHUNKS_OF_KEYS = _CHUNKS.where(chunks.c.key.in_(bindparam("keys", expanding=True)))

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


def bulk(session: Session, run_ids: Sequence[str], keys: Sequence[str] | None, *, buckets: int | None) -> list[Series]:
    """See TrackingStore.metric_bulk."""
    numbers = dict(session.among(_RUNS, dict.fromkeys(run_ids)))
    if keys is None:
        rows = session.among(_CHUNKS, numbers.values())
    else:
        ids = session.key_ids(dict.fromkeys(keys))
        rows = session.among(_CHUNKS_OF_KEYS, numbers.values(), keys=list(ids.values())) if ids else []
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
                is_sampled = buckets is not None and len(points) > 3 * buckets
                chosen = sample(points, buckets) if buckets is not None and is_sampled else points
                found.append(Series(run_id, name, chosen, is_sampled))
    return found


def _in_time(session: Session, run: int, key: int, after: _Place | None, most: int) -> list[Point]:
    """The first `most` points behind `after` by time, step, value; chunks that begin later than the last of these are not decoded."""
    waiting: list[Point] = []
    since = -1 if after is None else after[0]
    for starts_at, stored in session.rows(_CHUNKS_IN_TIME, run_pk=run, key_pk=key, since=since):
        if len(waiting) >= most:
            ready = [point for point in waiting if point[1] < starts_at]
            if len(ready) >= most:
                break
        waiting += [point for point in unpack(stored, session) if after is None or _place(point) > after]
    waiting.sort(key=_place)
    return waiting[:most]


def _by_rank(parts: list[Points]) -> Points:
    """The points of sorted parts as one, by rank. Parts that do not overlap, the usual case, are put end to end."""
    whole = Points()
    for part in parts:
        whole.extend(part)
    ranks_ascend = all(_last_rank(before) <= _first_rank(after) for before, after in pairwise(parts))
    return whole if ranks_ascend else Points.of(sorted(whole, key=lambda point: rank(*point)))


def _first_rank(points: Points) -> tuple[int, int, float, bool]:
    return rank(points.steps[0], points.timestamps[0], points.values[0])


def _last_rank(points: Points) -> tuple[int, int, float, bool]:
    return rank(points.steps[-1], points.timestamps[-1], points.values[-1])


def _place(point: Point) -> _Place:
    step, time, value = point
    is_nan = math.isnan(value)
    return time, step, 0.0 if is_nan else value, is_nan


def _is_place(values: Sequence[Any]) -> bool:
    return [type(value) for value in values] in ([int, int, float, bool], [int, int, int, bool])
