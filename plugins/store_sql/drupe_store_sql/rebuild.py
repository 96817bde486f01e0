"""Metric series made anew from the chunks that are left, for a database that was put together from a damaged one.

Points that cannot be read are dropped and told. A series keeps the first and the last point of its old summary, which are whole points,
where their chunk is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import bindparam, delete, select

from drupe.entities import Damage, Points
from drupe.entities.metrics import rank
from drupe_store_sql.codec import decode
from drupe_store_sql.points import append, fold_all
from drupe_store_sql.session import Session
from drupe_store_sql.summary import as_number
from drupe_store_sql.tables import chunks, keys, runs, series

__all__ = ["rebuild_series"]

_RUNS = select(runs.c.id, runs.c.run_id)
_KEYS = select(keys.c.id, keys.c.name)
_CHUNKS = (
    select(chunks.c.key, chunks.c.count, chunks.c.points)
    .where(chunks.c.run == bindparam("number"))
    .order_by(chunks.c.key, chunks.c.min_step)
)
_ENDS = ("first_step", "first_ms", "first", "last_step", "last_ms", "last")
_OLD = select(series.c.key, series.c.count, *(series.c[name] for name in _ENDS)).where(series.c.run == bindparam("number"))
_WITH_CHUNKS = select(chunks.c.run).distinct()
_WITH_SERIES = select(series.c.run).distinct()
_DROP_CHUNKS = delete(chunks).where(chunks.c.run == bindparam("number"))
_DROP_SERIES = delete(series).where(series.c.run == bindparam("number"))


def rebuild_series(session: Session, place: str) -> Iterator[Damage]:
    """Write all series anew from what their chunks hold; yields what of them is lost. To be read to its end."""
    run_ids = dict(session.rows(_RUNS))
    names = dict(session.rows(_KEYS))
    for number in sorted({row[0] for statement in (_WITH_CHUNKS, _WITH_SERIES) for row in session.rows(statement)}):
        old = {row[0]: row[1:] for row in session.rows(_OLD, number=number)}
        kept: dict[str, Points] = {}
        unread: dict[int, int] = {}
        for key, found in groupby(session.rows(_CHUNKS, number=number), itemgetter(0)):
            points, unread[key] = _readable(list(found))
            if len(points):
                kept[names[key]] = points
        for key, (count, *ends) in old.items():
            points = kept.setdefault(names[key], Points())
            lost = count - len({rank(*point) for point in points})
            if lost > 0 or unread.get(key):
                made = _add_ends(points, ends)
                told = f"metric {names[key]!r} of run {run_ids[number]}: {max(lost - made, 0)} of {count} points are lost"
                told += f"; {made} of its points, the first or last, {'is' if made == 1 else 'are'} from its summary" if made else ""
                yield Damage(place, told, run_ids[number], names[key])
        for key in sorted(unread.keys() - old.keys()):
            if unread[key]:
                told = f"metric {names[key]!r} of run {run_ids[number]}: {unread[key]} points are lost"
                yield Damage(place, told, run_ids[number], names[key])
        session.run(_DROP_CHUNKS, number=number)
        session.run(_DROP_SERIES, number=number)
        append(session, number, kept)
        fold_all(session, number)


def _readable(found: list[Any]) -> tuple[Points, int]:
    """The points of these chunks that can be read, and how many cannot."""
    points, unread = Points(), 0
    for _, count, content in found:
        try:
            points.extend(decode(content))
        except ValueError:
            unread += max(count, 1)
    return points, unread


def _add_ends(points: Points, ends: list[Any]) -> int:
    """Add the first and the last point that a summary tells of where they are missing; how many were."""
    known = {rank(*point) for point in points}
    missing = {rank(*end): end for end in ((step, time, as_number(value)) for step, time, value in (ends[:3], ends[3:]))}
    for place in missing.keys() - known:
        points.append(*missing[place])
    return len(missing.keys() - known)
