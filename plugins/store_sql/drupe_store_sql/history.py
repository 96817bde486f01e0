"""Reading the points of one metric in the order of their times, page by page. Many series at once are for `curves`, writing for `points`."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Any

from sqlalchemy import bindparam, select

from drupe.entities import Points
from drupe_store_sql.paging import fingerprint, read_token, write_token
from drupe_store_sql.points import unpack
from drupe_store_sql.session import Session
from drupe_store_sql.statements import stretch
from drupe_store_sql.tables import chunks, runs

__all__ = ["page"]

_RUN = select(runs.c.id).where(runs.c.run_id == bindparam("of"))
_HEADERS_IN_TIME = (
    select(chunks.c.id, chunks.c.min_ms, chunks.c.max_ms, chunks.c.count)
    .where(chunks.c.run == bindparam("run_pk"), chunks.c.key == bindparam("key_pk"), chunks.c.max_ms >= bindparam("since"))
    .order_by(chunks.c.min_ms)
)
_NUMBERED = select(chunks.c.points).where(stretch(chunks.c.id))
_Point = tuple[int, int, float]  # time, step, value
_Place = tuple[int, int, float, bool]  # of a point in its history: time, step, value or 0, whether it is NaN


def page(session: Session, run_id: str, key: str, *, limit: int, token: str | None) -> tuple[Points, str | None]:
    """See TrackingStore.history_columns."""
    search = fingerprint("history", run_id, key)
    after: _Place | None = None
    if token is not None:
        time, step, value, is_nan = read_token(search, token, _is_place)
        after = (time, step, float(value), is_nan)
    run, keys = session.row(_RUN, of=run_id), session.key_ids([key])
    if run is None or not keys:
        return Points(), None
    found = _in_time(session, run[0], keys[key], after, limit + 1)
    following = write_token(search, _place(found[limit - 1])) if len(found) > limit else None
    times, steps, values = tuple(zip(*found[:limit], strict=True)) or ((), (), ())
    return Points(array("q", steps), array("q", times), array("d", values)), following


def _in_time(session: Session, run: int, key: int, after: _Place | None, most: int) -> list[_Point]:
    """The first `most` points behind `after` by time, step, value; only the chunks that can hold them are read."""
    since = -1 if after is None else after[0]
    chosen = _enough(session.rows(_HEADERS_IN_TIME, run_pk=run, key_pk=key, since=since), since, most)
    points: list[_Point] = []
    has_nan = False
    for (stored,) in session.among(_NUMBERED, chosen):
        part = unpack(stored, session)
        has_nan = has_nan or math.isnan(sum(part.values))
        points += zip(part.timestamps, part.steps, part.values, strict=True)
    if has_nan:
        points.sort(key=_place)
        begin = 0 if after is None else bisect_right(points, after, key=_place)
    else:  # then the triples themselves are in the order of their places, and compared six times as quickly
        points.sort()
        begin = 0 if after is None else bisect_right(points, after[:3])
    return points[begin : begin + most]


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


def _place(point: _Point) -> _Place:
    time, step, value = point
    is_nan = math.isnan(value)
    return time, step, 0.0 if is_nan else value, is_nan


def _is_place(values: Sequence[Any]) -> bool:
    return [type(value) for value in values] in ([int, int, float, bool], [int, int, int, bool])
