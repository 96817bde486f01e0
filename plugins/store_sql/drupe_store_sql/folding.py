"""Putting the small pieces of all series of runs that have ended together; see `points` for what pieces there are."""

from __future__ import annotations

from sqlalchemy import or_, select

from drupe.entities import RunStatus
from drupe.extend.upkeep import Progress
from drupe_store_sql import points
from drupe_store_sql.database import Database
from drupe_store_sql.tables import runs, series

__all__ = ["fold_ended"]

_ENDED = tuple(status.value for status in RunStatus if status.has_ended)
_WORTH_IT = (
    select(series.c.run)
    .join(runs, runs.c.id == series.c.run)
    .where(series.c.tail_rows >= points.WORTH_FOLDING, or_(*(runs.c.status == status for status in _ENDED)))
    .distinct()
    .order_by(series.c.run)
)


def fold_ended(database: Database, *, progress: Progress | None = None) -> None:
    """Fold them, a transaction for each run."""
    with database.read() as session:
        found = [run for (run,) in session.rows(_WORTH_IT)]
    for done, run in enumerate(found):
        if progress is not None:
            progress(done, len(found), "folding curves")
        with database.write() as session:
            points.fold_all(session, run)
