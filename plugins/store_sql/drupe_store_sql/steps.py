"""The steps between the schema's versions; `migrations` takes them.

A step makes the tables that it brings as `tables` has them now. A later version that changes one of those must first give the step a copy
of what they were.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Table, text
from sqlalchemy.schema import CreateTable

from drupe.entities import DeletedKind
from drupe_store_sql.database import now_ms
from drupe_store_sql.session import Session
from drupe_store_sql.statements import OF_RUN, MakeIndex
from drupe_store_sql.tables import (
    chunks,
    deletions,
    heartbeats,
    logged_model_metrics,
    logged_model_params,
    logged_model_tags,
    logged_model_ties,
    logged_models,
    origins,
    params,
    runs,
    series,
    tags,
)

__all__ = ["add_columns", "make", "to_version_2", "to_version_3", "to_version_4"]

_DELETED = {DeletedKind.RUN: "runs", DeletedKind.EXPERIMENT: "experiments", DeletedKind.LOGGED_MODEL: "logged_models"}


def to_version_2(session: Session) -> None:
    """Origins and heartbeats; a sample beside the points of a chunk, which chunks that are there get when they are next folded.

    Params, tags and series repeat the experiment and the start of their run; the indexes of runs are for a million of them.
    """
    for table in (origins, heartbeats):
        make(session, table)
    add_columns(session, chunks, {"level": "NULL", "sample": "NULL"})
    repeated = {name: f"(SELECT {name} FROM runs WHERE id = old.run)" for name in OF_RUN}
    for table in (params, tags, series):
        add_columns(session, table, repeated)
    for index in sorted(runs.indexes, key=lambda index: str(index.name)):
        session.run(text(f"DROP INDEX IF EXISTS {index.name}"))
        session.run(MakeIndex(index))


def to_version_3(session: Session) -> None:
    """Logged models."""
    for table in (logged_models, logged_model_tags, logged_model_params, logged_model_metrics, logged_model_ties):
        make(session, table)


def to_version_4(session: Session) -> None:
    """When things were deleted; what is deleted already counts from the upgrade on."""
    make(session, deletions)
    for kind, table in _DELETED.items():
        session.run(
            text(f"INSERT INTO deletions (kind, number, at_ms) SELECT '{kind}', id, :now FROM {table} WHERE is_deleted = 1"), now=now_ms()
        )


def make(session: Session, table: Table) -> None:
    """Make a table with its indexes."""
    session.run(CreateTable(table))
    _make_indexes(session, table)


def add_columns(session: Session, table: Table, added: Mapping[str, str]) -> None:
    """Add the columns that a table lacks, and make its indexes anew; `added` says how each is filled, in SQL with the old row as `old`."""
    types = {name: session.dialect.type_in_words(table.c[name]) for name in added}
    if None in types.values():
        _rebuild(session, table, added)
        return
    for name, words in types.items():
        session.run(text(f'ALTER TABLE {table.name} ADD COLUMN "{name}" {words}'))
    filled = {name: value for name, value in added.items() if value != "NULL"}
    if filled:
        values = ", ".join(f'"{name}" = {value}' for name, value in filled.items())
        session.run(text(f"UPDATE {table.name} AS old SET {values}"))
    for name in added:
        if not table.c[name].nullable:
            session.run(text(f'ALTER TABLE {table.name} ALTER COLUMN "{name}" SET NOT NULL'))
    for index in table.indexes:
        session.run(text(f"DROP INDEX IF EXISTS {index.name}"))
    _make_indexes(session, table)


def _rebuild(session: Session, table: Table, added: Mapping[str, str]) -> None:
    """Make a table anew with the rows that it has, for a database that adds no columns with values to a table that is there."""
    old = f"{table.name}_old"
    names = [column.name for column in table.columns]
    values = ", ".join(added.get(name, f'old."{name}"') for name in names)
    quoted = ", ".join(f'"{name}"' for name in names)
    session.run(text(f"ALTER TABLE {table.name} RENAME TO {old}"))
    session.run(CreateTable(table))
    session.run(text(f"INSERT INTO {table.name} ({quoted}) SELECT {values} FROM {old} AS old"))
    session.run(text(f"DROP TABLE {old}"))  # and its indexes, whose names are free then
    _make_indexes(session, table)


def _make_indexes(session: Session, table: Table) -> None:
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        session.run(MakeIndex(index))
