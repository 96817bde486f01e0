"""Writing points of metric series: drop those that are there, keep the summary, append a tail row, fold the tail into chunks.

Rows of `chunks` hold sorted points. A tail row is what one call appended; when a series has gathered enough of them, they become a chunk,
and when chunks of one size together make one of the next, they do, so that neither single points nor long series cost much space or many
rows, and a point is rewritten three times at most. Reading is for `history` and `curves`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from operator import lt
from typing import Any

from attrs import fields
from sqlalchemy import bindparam, delete, func, select, update

from drupe.entities import Points
from drupe.entities.endian import to_little_endian
from drupe.entities.metrics import rank
from drupe.errors import StoreCorrupt
from drupe_store_sql.codec import decode, encode
from drupe_store_sql.lanes import stride_of
from drupe_store_sql.merging import between, by_rank
from drupe_store_sql.sampling import level_for, sample
from drupe_store_sql.session import Session
from drupe_store_sql.statements import stretch
from drupe_store_sql.summary import Rank, Row, first_rank
from drupe_store_sql.tables import chunks, series

__all__ = ["append", "fold_all", "unpack"]

TAIL_ROWS = 64  # fold when so many calls have appended: a row costs some 50 bytes of its own
TAIL_POINTS = 2048  # or when so many points are waiting
FULL = 512  # a chunk of fewer points is opened again by the next fold
MIDDLE = 2048  # chunks below this become one when they make one together; from here on, when they make a LARGEST one
LARGEST = 8192  # points of one chunk; what a reader decodes at a time
BUCKET = 128  # points that one bucket of a chunk's own sample stands for, where steps are even
WORTH_FOLDING = 4  # tail rows of a series of an ended run

_ROW = tuple(field.name for field in fields(Row))
_OF_ONE = select(*(series.c[name] for name in _ROW)).where(series.c.run == bindparam("run_pk"), series.c.key == bindparam("key_pk"))
_OF_SOME = select(series.c.key, *(series.c[name] for name in _ROW)).where(series.c.run == bindparam("run_pk"), stretch(series.c.key))
_CHANGED = (
    update(series)
    .where(series.c.run == bindparam("run_pk"), series.c.key == bindparam("key_pk"))
    .values({name: bindparam(name) for name in _ROW})
)
_OVERLAPPING = select(chunks.c.points).where(
    chunks.c.run == bindparam("run_pk"),
    chunks.c.key == bindparam("key_pk"),
    chunks.c.min_step <= bindparam("high"),
    chunks.c.max_step >= bindparam("low"),
)
_SIZES = select(chunks.c.id, chunks.c.count).where(
    chunks.c.run == bindparam("run_pk"), chunks.c.key == bindparam("key_pk"), chunks.c.count < bindparam("largest")
)
_SMALL = select(chunks.c.id, chunks.c.min_step).where(
    chunks.c.run == bindparam("run_pk"), chunks.c.key == bindparam("key_pk"), chunks.c.count < bindparam("largest")
)
_END_OF_FULL = select(func.max(chunks.c.max_step)).where(
    chunks.c.run == bindparam("run_pk"), chunks.c.key == bindparam("key_pk"), chunks.c.count >= bindparam("largest")
)
_TO_MERGE = select(chunks.c.points).where(stretch(chunks.c.id)).order_by(chunks.c.min_step)
_DROP_CHUNK = delete(chunks).where(chunks.c.id == bindparam("chunk"))
_WITH_TAILS = select(series.c.key, *(series.c[name] for name in _ROW)).where(
    series.c.run == bindparam("run_pk"), series.c.tail_rows >= WORTH_FOLDING
)


def append(session: Session, run: int, columns: Mapping[str, Points]) -> None:
    """Write these points of a run; those that its series have already are dropped. The points were checked before."""
    given = {key: points for key, points in columns.items() if len(points)}
    if not given:
        return
    ids = session.make_keys(given)
    rows = _read_rows(session, run, list(ids.values()))
    made: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    appended: list[dict[str, Any]] = []
    to_fold: list[tuple[int, Row]] = []
    for name, points in given.items():
        key = ids[name]
        row = rows.get(key)
        fresh = _sorted(points)
        target = made if row is None else changed
        if row is None:
            row = Row.before(fresh)
        else:
            fresh = _new_ones(session, run, key, row, fresh)
            if not len(fresh):
                continue
        row.add(fresh, _plan(session, run, key, row, fresh, appended, to_fold))
        target.append(_as_values(run, key, row, for_update=target is changed))
    session.add_all_of_runs(series, made)
    session.many(_CHANGED, changed)
    session.add_all(chunks, appended)
    for key, row in to_fold:
        _fold(session, run, key, row)


def fold_all(session: Session, run: int) -> None:
    """Fold the tails of a run that has ended, as far as that saves space."""
    for key, *values in session.rows(_WITH_TAILS, run_pk=run):
        _fold(session, run, key, Row(*values))


def unpack(stored: bytes, session: Session) -> Points:
    """The points of a row of `chunks`. Raises StoreCorrupt."""
    try:
        return decode(stored)
    except ValueError as fault:
        raise StoreCorrupt(
            f"{session.dialect.place}: points of a metric are damaged ({fault}); restore a backup", place=session.dialect.place
        ) from fault


def _read_rows(session: Session, run: int, keys: Sequence[int]) -> dict[int, Row]:
    if len(keys) == 1:
        row = session.row(_OF_ONE, run_pk=run, key_pk=keys[0])
        return {} if row is None else {keys[0]: Row(*row)}
    return {key: Row(*values) for key, *values in session.among(_OF_SOME, keys, run_pk=run)}


def _sorted(points: Points) -> Points:
    """The different points, by rank."""
    steps, times = points.steps, points.timestamps
    if len(steps) < 2 or stride_of(to_little_endian(steps)) or all(map(lt, steps, steps[1:])):
        return points  # the usual case, and told without a loop in Python
    if all(map(lt, zip(steps, times, strict=True), zip(steps[1:], times[1:], strict=True))):
        return points  # as when a loop never tells its step
    if not _may_have_nan(points):  # then the triples are equal and in order as their ranks are
        return Points.of(sorted(dict.fromkeys(points)))
    first: dict[Rank, tuple[int, int, float]] = {}
    for point in points:
        first.setdefault(rank(*point), point)
    return Points.of(first[place] for place in sorted(first))


def _new_ones(session: Session, run: int, key: int, row: Row, points: Points) -> Points:
    """Those of the sorted points that the series does not have yet."""
    if first_rank(points) > row.last_rank:
        return points
    low, high = points.steps[0], points.steps[-1]
    rows = session.rows(_OVERLAPPING, run_pk=run, key_pk=key, low=low, high=high)
    overlapping = [between(unpack(stored, session), low, high) for (stored,) in rows]
    if not any(map(_may_have_nan, (points, *overlapping))):
        there = set(chain.from_iterable(overlapping))
        return Points.of(point for point in points if point not in there)
    known = {rank(*point) for part in overlapping for point in part}
    return Points.of(point for point in points if rank(*point) not in known)


def _may_have_nan(points: Points) -> bool:
    """Quicker than a look at each value; infinities of both signs are taken for NaN too."""
    return math.isnan(sum(points.values))


def _plan(
    session: Session, run: int, key: int, row: Row, points: Points, appended: list[dict[str, Any]], to_fold: list[tuple[int, Row]]
) -> Points:
    """Note the rows of `chunks` that hold these points, and whether the series is to be folded then; those that may be extreme."""
    if len(points) >= FULL:
        extremes = Points()
        together = _with_open_end(session, run, key, row, points)
        for part in _parts(together):
            sampled = _sampled(part)
            appended.append(_chunk(run, key, part, sampled, is_tail=False))
            extremes.extend(part if sampled is None else sampled[1])
        if together is points and len(points) % LARGEST:
            to_fold.append((key, row))
        return extremes
    appended.append(_chunk(run, key, points, is_tail=True))
    row.tail_rows += 1
    row.tail_points += len(points)
    if row.tail_rows >= TAIL_ROWS or row.tail_points >= TAIL_POINTS:
        to_fold.append((key, row))
    return points


def _with_open_end(session: Session, run: int, key: int, row: Row, points: Points) -> Points:
    """The points behind those of the small chunks at the end of their series, which are made anew with them.

    Otherwise a full chunk would come to lie between small ones, which are then merged across it. Fewer points make no full chunk, and those that
    do not follow are left by themselves.
    """
    if len(points) < LARGEST or not row.count or first_rank(points) <= row.last_rank:
        return points
    (end,) = session.row(_END_OF_FULL, run_pk=run, key_pk=key, largest=LARGEST) or (None,)
    open_end = [number for number, begin in session.rows(_SMALL, run_pk=run, key_pk=key, largest=LARGEST) if end is None or begin > end]
    if not open_end:
        return points
    before = by_rank([unpack(stored, session) for (stored,) in session.among(_TO_MERGE, open_end)])
    session.many(_DROP_CHUNK, [{"chunk": number} for number in open_end])
    row.tail_rows = row.tail_points = 0
    together = Points()
    together.extend(before)
    together.extend(points)
    return together


def _fold(session: Session, run: int, key: int, row: Row) -> None:
    chosen = _to_merge(session.rows(_SIZES, run_pk=run, key_pk=key, largest=LARGEST))
    if len(chosen) < 2:
        return
    points = by_rank([unpack(stored, session) for (stored,) in session.among(_TO_MERGE, chosen)])
    session.many(_DROP_CHUNK, [{"chunk": number} for number in chosen])
    session.add_all(chunks, [_chunk(run, key, part, _sampled(part), is_tail=False) for part in _parts(points)])
    row.tail_rows = row.tail_points = 0
    session.many(_CHANGED, [_as_values(run, key, row, for_update=True)])


def _to_merge(sizes: Iterable[tuple[int, int]]) -> list[int]:
    """The chunks that are to be made anew, from the number and size of each: the smallest, and those of a size that make one of the next."""
    sized = list(sizes)
    chosen: list[int] = []
    gathered = 0
    for least, below, enough in ((0, FULL, 0), (FULL, MIDDLE, MIDDLE), (MIDDLE, LARGEST, LARGEST)):
        alike = [(number, count) for number, count in sized if least <= count < below]
        together = gathered + sum(count for _, count in alike)
        if together >= enough:
            gathered = together
            chosen += [number for number, _ in alike]
    return chosen


def _parts(points: Points) -> Iterable[Points]:
    if len(points) <= LARGEST:
        return (points,)
    bounds = [(start, start + LARGEST) for start in range(0, len(points), LARGEST)]
    return (Points(points.steps[a:b], points.timestamps[a:b], points.values[a:b]) for a, b in bounds)


def _sampled(points: Points) -> tuple[int, Points] | None:
    """The sample that a chunk of these points keeps of itself, and its level; None when they are too few for one."""
    if len(points) < 2 * BUCKET:
        return None
    level = level_for(points.steps[0], points.steps[-1], len(points) // BUCKET)
    return level, sample(points, level)


def _chunk(run: int, key: int, points: Points, sampled: tuple[int, Points] | None = None, *, is_tail: bool) -> dict[str, Any]:
    level, kept = sampled or (None, None)
    return {
        "run": run,
        "key": key,
        "is_tail": int(is_tail),
        "count": len(points),
        "min_step": points.steps[0],
        "max_step": points.steps[-1],
        "min_ms": min(points.timestamps),
        "max_ms": max(points.timestamps),
        "level": level,
        "sample": None if kept is None else encode(kept),
        "points": encode(points, for_now=is_tail),
    }


def _as_values(run: int, key: int, row: Row, *, for_update: bool) -> dict[str, Any]:
    names = ("run_pk", "key_pk") if for_update else ("run", "key")
    return {names[0]: run, names[1]: key, **{name: getattr(row, name) for name in _ROW}}
