"""Taking away for good what was deleted, as functions of a session: what there is of it, and all rows that belong to it.

A removed experiment leaves its number in `deletions`, so that no later one gets it and finds old files in its folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Delete, and_, bindparam, delete, exists, select

from drupe.entities import Deleted, DeletedKind
from drupe_store_sql.session import Session
from drupe_store_sql.statements import held, stretch
from drupe_store_sql.tables import (
    chunks,
    datasets,
    deletions,
    experiment_tags,
    experiments,
    heartbeats,
    input_tags,
    inputs,
    logged_model_metrics,
    logged_model_params,
    logged_model_tags,
    logged_model_ties,
    logged_models,
    params,
    runs,
    series,
    tags,
)

__all__ = ["AT_ONCE", "experiment", "listed", "models", "models_of", "runs_of", "runs_with", "unused_datasets"]

AT_ONCE = 200
"""So many runs or models in one transaction."""


def _deleted_at(table: Any, kind: DeletedKind) -> Any:
    return table.outerjoin(deletions, and_(deletions.c.kind == kind.value, deletions.c.number == table.c.id))


_RUNS = (
    select(runs.c.run_id, runs.c.name, runs.c.experiment, deletions.c.at_ms, runs.c.artifact_uri)
    .select_from(_deleted_at(runs, DeletedKind.RUN))
    .where(runs.c.is_deleted == 1)
    .order_by(runs.c.run_id)
)
_MODELS = (
    select(logged_models.c.model_id, logged_models.c.name, logged_models.c.experiment, deletions.c.at_ms, logged_models.c.artifact_location)
    .select_from(_deleted_at(logged_models, DeletedKind.LOGGED_MODEL))
    .where(logged_models.c.is_deleted == 1)
    .order_by(logged_models.c.model_id)
)
_EXPERIMENTS = (
    select(experiments.c.id, experiments.c.name, deletions.c.at_ms)
    .select_from(_deleted_at(experiments, DeletedKind.EXPERIMENT))
    .where(experiments.c.is_deleted == 1)
    .order_by(experiments.c.id)
)
_DELETED_RUNS = held(select(runs.c.id, runs.c.experiment).where(runs.c.is_deleted == 1, stretch(runs.c.run_id)))
_DELETED_MODELS = held(select(logged_models.c.id).where(logged_models.c.is_deleted == 1, stretch(logged_models.c.model_id)))
_DELETED_EXPERIMENT = held(select(experiments.c.id).where(experiments.c.is_deleted == 1, experiments.c.id == bindparam("number")))
_RUNS_OF = select(runs.c.id).where(runs.c.experiment == bindparam("number")).limit(AT_ONCE)
_MODELS_OF = select(logged_models.c.id).where(logged_models.c.experiment == bindparam("number")).limit(AT_ONCE)

_OF_RUNS: Sequence[Delete] = (
    delete(input_tags).where(input_tags.c.input.in_(select(inputs.c.id).where(stretch(inputs.c.run)))),
    *(delete(table).where(stretch(table.c.run)) for table in (inputs, logged_model_metrics, logged_model_ties, heartbeats)),
    *(delete(table).where(stretch(table.c.run)) for table in (params, tags, series, chunks)),
    delete(deletions).where(deletions.c.kind == DeletedKind.RUN.value, stretch(deletions.c.number)),
    delete(runs).where(stretch(runs.c.id)),
)
_OF_MODELS: Sequence[Delete] = (
    *(
        delete(table).where(stretch(table.c.model))
        for table in (logged_model_tags, logged_model_params, logged_model_metrics, logged_model_ties)
    ),
    delete(deletions).where(deletions.c.kind == DeletedKind.LOGGED_MODEL.value, stretch(deletions.c.number)),
    delete(logged_models).where(stretch(logged_models.c.id)),
)
_UNUSED_DATASETS = delete(datasets).where(
    stretch(datasets.c.experiment), ~exists(select(inputs.c.id).where(inputs.c.dataset == datasets.c.id).correlate(datasets))
)
_OF_EXPERIMENT: Sequence[Delete] = (
    *(delete(table).where(table.c.experiment == bindparam("number")) for table in (experiment_tags, datasets)),
    delete(experiments).where(experiments.c.id == bindparam("number")),
)


def listed(session: Session) -> list[Deleted]:
    """See TrackingStore.deleted."""
    found = [Deleted(DeletedKind.RUN, run_id, name, str(home), at, uri) for run_id, name, home, at, uri in session.rows(_RUNS)]
    found += [Deleted(DeletedKind.LOGGED_MODEL, one, name, str(home), at, uri) for one, name, home, at, uri in session.rows(_MODELS)]
    found += [Deleted(DeletedKind.EXPERIMENT, str(number), name, str(number), at) for number, name, at in session.rows(_EXPERIMENTS)]
    return found


def runs_with(session: Session, run_ids: Iterable[str]) -> None:
    """Take away those of these runs that are deleted."""
    found = session.among(_DELETED_RUNS, run_ids)
    _runs(session, [number for number, _ in found], {home for _, home in found})


def models(session: Session, model_ids: Iterable[str]) -> None:
    """Take away those of these logged models that are deleted."""
    _all(session, _OF_MODELS, [number for (number,) in session.among(_DELETED_MODELS, model_ids)])


def runs_of(session: Session, number: int) -> bool:
    """Take away some runs of a deleted experiment; false when there are none left."""
    found = [one for (one,) in session.rows(_RUNS_OF, number=number)] if session.row(_DELETED_EXPERIMENT, number=number) else []
    _runs(session, found, {number})
    return bool(found)


def models_of(session: Session, number: int) -> bool:
    """Take away some logged models of a deleted experiment; false when there are none left."""
    found = [one for (one,) in session.rows(_MODELS_OF, number=number)] if session.row(_DELETED_EXPERIMENT, number=number) else []
    _all(session, _OF_MODELS, found)
    return bool(found)


def experiment(session: Session, number: int) -> None:
    """Take away a deleted experiment that has no runs and models any more."""
    if session.row(_DELETED_EXPERIMENT, number=number):
        for statement in _OF_EXPERIMENT:
            session.run(statement, number=number)


def unused_datasets(session: Session, homes: Iterable[int]) -> None:
    """Take away the datasets of these experiments that no run of them uses any more."""
    session.run(_UNUSED_DATASETS, members=session.dialect.pack(list(homes)))


def _runs(session: Session, numbers: Sequence[int], homes: Iterable[int]) -> None:
    _all(session, _OF_RUNS, numbers)
    if numbers:
        unused_datasets(session, homes)


def _all(session: Session, statements: Iterable[Delete], numbers: Sequence[int]) -> None:
    if numbers:
        for statement in statements:
            session.run(statement, members=session.dialect.pack(list(numbers)))
