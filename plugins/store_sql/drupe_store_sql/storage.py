"""How much is kept, as functions of a session: of one experiment by its runs, each of which is found with its series by an index."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select

from drupe.entities import ExperimentStorage
from drupe_store_sql.session import Session
from drupe_store_sql.tables import chunks, runs, schema, series

__all__ = ["of_experiment", "schema_version"]

_VERSION = select(func.max(schema.c.version))
_IN_IT = runs.c.experiment == bindparam("number")
_RUNS = select(func.count()).select_from(runs).where(_IN_IT)
_POINTS = select(func.sum(series.c.count)).join_from(runs, series, series.c.run == runs.c.id).where(_IN_IT)
_SIZE = func.length(chunks.c.points) + func.coalesce(func.length(chunks.c.sample), 0)
_BYTES = select(func.sum(_SIZE)).join_from(runs, chunks, chunks.c.run == runs.c.id).where(_IN_IT)


def schema_version(session: Session) -> int | None:
    """See TrackingStore.schema_version."""
    row = session.row(_VERSION)
    return None if row is None or row[0] is None else int(row[0])


def of_experiment(session: Session, number: int) -> ExperimentStorage:
    """See TrackingStore.experiment_storage."""
    count, points, size = (int((session.row(statement, number=number) or [0])[0] or 0) for statement in (_RUNS, _POINTS, _BYTES))
    return ExperimentStorage(count, points, size)
