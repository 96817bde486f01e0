"""The steps between the schema's versions; `migrations` takes them.

A step makes the tables that it brings as `tables` has them now. A later version that changes one of those must first give the step a copy
of what they were.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Table, text
from sqlalchemy.schema import CreateTable

from drupe_store_sql.session import Session
from drupe_store_sql.statements import OF_RUN, MakeIndex
from drupe_store_sql.tables import (
    chunks,
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

__all__ = ["make", "rebuild", "to_version_2", "to_version_3"]


def to_version_2(session: Session) -> None:
    """Origins and heartbeats; a sample beside the points of a chunk, which chunks that are there get when they are next folded.

    Params, tags and series repeat the experiment and the start of their run; the indexes of runs are for a million of them.
    """
    for table in (origins, heartbeats):
        make(session, table)
    rebuild(session, chunks, {"level": "NULL", "sample": "NULL"})
    repeated = {name: f"(SELECT {name} FROM runs WHERE id = old.run)" for name in OF_RUN}
    for table in (params, tags, series):
        rebuild(session, table, repeated)
    for index in sorted(runs.indexes, key=lambda index: str(index.name)):
        session.run(text(f"DROP INDEX IF EXISTS {index.name}"))
        session.run(MakeIndex(index))


def to_version_3(session: Session) -> None:
    """Logged models."""
    for table in (logged_models, logged_model_tags, logged_model_params, logged_model_metrics, logged_model_ties):
        make(session, table)


def make(session: Session, table: Table) -> None:
    """Make a table with its indexes."""
    session.run(CreateTable(table))
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        session.run(MakeIndex(index))


def rebuild(session: Session, table: Table, added: Mapping[str, str]) -> None:
    """Make a table anew with the rows that it has; `added` says how a new column is filled, in SQL with the old row as `old`."""
    old = f"{table.name}_old"
    names = [column.name for column in table.columns]
    values = ", ".join(added.get(name, f'old."{name}"') for name in names)
    quoted = ", ".join(f'"{name}"' for name in names)
    session.run(text(f"ALTER TABLE {table.name} RENAME TO {old}"))
    session.run(CreateTable(table))
    session.run(text(f"INSERT INTO {table.name} ({quoted}) SELECT {values} FROM {old} AS old"))
    session.run(text(f"DROP TABLE {old}"))  # and its indexes, whose names are free then
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        session.run(MakeIndex(index))
