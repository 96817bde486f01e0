"""When runs, experiments and logged models were deleted, as functions of a session. Taking them away for good is for `removal`."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, text

from drupe.entities import DeletedKind
from drupe_store_sql.session import Session
from drupe_store_sql.tables import deletions

__all__ = ["forget", "note", "of_experiment"]

_NOTE = text("INSERT INTO deletions (kind, number, at_ms) VALUES (:kind, :number, :now) ON CONFLICT (kind, number) DO NOTHING")
_FORGET = delete(deletions).where(deletions.c.kind == bindparam("of_kind"), deletions.c.number == bindparam("of_number"))
_NOTE_RUNS = text(
    f"INSERT INTO deletions (kind, number, at_ms) SELECT '{DeletedKind.RUN}', id, :now FROM runs "
    "WHERE experiment = :experiment AND is_deleted = 0 ON CONFLICT (kind, number) DO NOTHING"
)
_FORGET_RUNS = text(
    f"DELETE FROM deletions WHERE kind = '{DeletedKind.RUN}' AND number IN (SELECT id FROM runs WHERE experiment = :experiment)"
)


def note(session: Session, kind: DeletedKind, number: int, *, now: int) -> None:
    """Keep when a row was deleted; the first time stays."""
    session.run(_NOTE, kind=kind.value, number=number, now=now)


def forget(session: Session, kind: DeletedKind, number: int) -> None:
    """To be called when a row is restored."""
    session.run(_FORGET, of_kind=kind.value, of_number=number)


def of_experiment(session: Session, number: int, *, is_deleted: bool, now: int) -> None:
    """An experiment is about to be deleted or restored with all of its runs."""
    if is_deleted:
        note(session, DeletedKind.EXPERIMENT, number, now=now)
        session.run(_NOTE_RUNS, experiment=number, now=now)
    else:
        forget(session, DeletedKind.EXPERIMENT, number)
        session.run(_FORGET_RUNS, experiment=number)
