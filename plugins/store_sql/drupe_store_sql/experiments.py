"""Experiments and their tags, as functions of a session. Ids are decimal texts outside and row numbers inside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, insert, select, update

from drupe.entities import DeletedKind, Experiment, ExperimentActivity, LifecycleStage, ViewType
from drupe.errors import AlreadyExists, ExperimentNotFound, InvalidValue, TagNotFound, WrongLifecycle
from drupe_store_sql import deletions
from drupe_store_sql.session import Session
from drupe_store_sql.statements import held, replace, shared, stretch
from drupe_store_sql.tables import deletions as tombs, experiment_tags, experiments, runs

__all__ = [
    "IDS",
    "activity",
    "add",
    "add_default",
    "add_whole",
    "by_name",
    "delete_tag",
    "get",
    "next_number",
    "read",
    "rename",
    "require_active",
    "row_number",
    "set_stage",
    "set_tags",
]

LARGEST = 2**63 - 1
IDS = "experiment ids"
"""What a transaction is alone for that takes the next id."""

_ADD = insert(experiments)
_HIGHEST = (select(func.max(experiments.c.id)), select(func.max(tombs.c.number)).where(tombs.c.kind == DeletedKind.EXPERIMENT.value))
_ONE = select(experiments).where(experiments.c.id == bindparam("number"))
_HELD, _SHARED = held(_ONE), shared(_ONE)
_NAMED = select(experiments).where(experiments.c.name == bindparam("name"))
_RENAME = update(experiments).where(experiments.c.id == bindparam("number")).values(name=bindparam("new_name"), updated_ms=bindparam("now"))
_STAGE = (
    update(experiments).where(experiments.c.id == bindparam("number")).values(is_deleted=bindparam("gone"), updated_ms=bindparam("now"))
)
_STAGE_OF_RUNS = update(runs).where(runs.c.experiment == bindparam("number")).values(is_deleted=bindparam("gone"))
_TAGS = select(experiment_tags).where(stretch(experiment_tags.c.experiment))
_SET_TAG = replace(experiment_tags, on=("experiment", "key"))
_DELETE_TAG = delete(experiment_tags).where(experiment_tags.c.experiment == bindparam("number"), experiment_tags.c.key == bindparam("tag"))
_COUNTED = select(runs.c.experiment, func.count(), func.max(runs.c.start_ms)).group_by(runs.c.experiment)
_ACTIVITY = {
    ViewType.ALL: _COUNTED,
    ViewType.ACTIVE_ONLY: _COUNTED.where(runs.c.is_deleted == 0),
    ViewType.DELETED_ONLY: _COUNTED.where(runs.c.is_deleted == 1),
}
"""All of the experiments at once: an index has what is counted, and the experiments that are left out are rarely many."""

Row = tuple[Any, ...]


def row_number(experiment_id: str) -> int:
    """The row number that an id means. Raises InvalidValue."""
    if not isinstance(experiment_id, str) or not (experiment_id.isascii() and experiment_id.isdecimal()):
        raise InvalidValue(
            f"experiment id {str(experiment_id)[:60]!r} is not a decimal number; the name of an experiment is not its id",
            experiment_id=str(experiment_id)[:300],
        )
    number = int(experiment_id[:40])
    return number if number <= LARGEST and str(number) == experiment_id else -1  # "01" is nobody's id


def add_default(session: Session, *, now: int, artifact_root: str) -> None:
    """The experiment that is there from the start."""
    _add(session, 0, "Default", f"{artifact_root}/0", now)


def add(session: Session, name: str, *, artifact_root: str, artifact_location: str | None, tags: Mapping[str, str], now: int) -> Experiment:
    """See TrackingStore.create_experiment."""
    session.alone(IDS)
    _check_is_free(session, name)
    number = next_number(session)
    location = artifact_location or f"{artifact_root}/{number}"
    _add(session, number, name, location, now)
    set_tags(session, number, tags)
    return Experiment(str(number), name, location, creation_time=now, last_update_time=now, tags=dict(tags))


def add_whole(session: Session, number: int, experiment: Experiment) -> None:
    """Add an experiment with all that it is. Raises AlreadyExists when its name is taken."""
    _check_is_free(session, experiment.name)
    session.run(
        _ADD,
        id=number,
        name=experiment.name,
        artifact_location=experiment.artifact_location,
        is_deleted=int(experiment.lifecycle_stage == LifecycleStage.DELETED),
        created_ms=experiment.creation_time,
        updated_ms=experiment.last_update_time,
    )
    if experiment.lifecycle_stage == LifecycleStage.DELETED:
        deletions.note(session, DeletedKind.EXPERIMENT, number, now=experiment.last_update_time or 0)
    set_tags(session, number, experiment.tags)


def next_number(session: Session) -> int:
    """The id that the next experiment gets; also one that was removed for good keeps its own."""
    found = [row[0] for statement in _HIGHEST if (row := session.row(statement)) and row[0] is not None]
    return max(found, default=-1) + 1


def get(session: Session, experiment_id: str) -> Experiment:
    """See TrackingStore.get_experiment."""
    return read(session, [_row(session, experiment_id)])[0]


def by_name(session: Session, name: str) -> Experiment | None:
    """See TrackingStore.get_experiment_by_name."""
    row = session.row(_NAMED, name=name)
    return None if row is None else read(session, [row])[0]


def read(session: Session, rows: Iterable[Row]) -> list[Experiment]:
    """Experiments from whole rows of the table, in their order; the tags of all with one statement."""
    found = list(rows)
    tags: dict[int, dict[str, str]] = {row[0]: {} for row in found}
    for number, key, value in session.among(_TAGS, tags):
        tags[number][key] = value
    return [
        Experiment(
            experiment_id=str(number),
            name=name,
            artifact_location=location,
            lifecycle_stage=LifecycleStage.DELETED if is_deleted else LifecycleStage.ACTIVE,
            creation_time=created,
            last_update_time=updated,
            tags=tags[number],
        )
        for number, name, location, is_deleted, created, updated in found
    ]


def rename(session: Session, experiment_id: str, name: str, *, now: int) -> None:
    """See TrackingStore.rename_experiment."""
    number, old_name, *_ = require_active(session, experiment_id)
    if name != old_name:
        _check_is_free(session, name)
    session.run(_RENAME, number=number, new_name=name, now=now)


def set_stage(session: Session, experiment_id: str, stage: LifecycleStage, *, now: int) -> None:
    """See TrackingStore.set_experiment_stage."""
    row = _row(session, experiment_id, _HELD)
    gone = int(stage == LifecycleStage.DELETED)
    if row[3] == gone:
        raise ExperimentNotFound(f"experiment {experiment_id} ({row[1]!r}) is {stage} already", experiment_id=experiment_id)
    session.run(_STAGE, number=row[0], gone=gone, now=now)
    deletions.of_experiment(session, row[0], is_deleted=bool(gone), now=now)
    session.run(_STAGE_OF_RUNS, number=row[0], gone=gone)


def set_tags(session: Session, number: int, tags: Mapping[str, str]) -> None:
    """Set checked tags of an experiment that is known to be active."""
    session.many(_SET_TAG, [{"experiment": number, "key": key, "value": value} for key, value in tags.items()])


def delete_tag(session: Session, experiment_id: str, key: str) -> None:
    """See TrackingStore.delete_experiment_tag."""
    number = require_active(session, experiment_id)[0]
    if not session.run(_DELETE_TAG, number=number, tag=key):
        raise TagNotFound(f"experiment {experiment_id} has no tag {key!r}", experiment_id=experiment_id, key=key)


def activity(session: Session, experiment_ids: Sequence[str], view: ViewType) -> dict[str, ExperimentActivity]:
    """See TrackingStore.experiment_activity."""
    numbers = {experiment_id: row_number(experiment_id) for experiment_id in experiment_ids}
    counted = {number: ExperimentActivity(count, newest) for number, count, newest in session.rows(_ACTIVITY[view])} if numbers else {}
    return {experiment_id: counted.get(number, ExperimentActivity()) for experiment_id, number in numbers.items()}


def require_active(session: Session, experiment_id: str, *, for_more: bool = False) -> Row:
    """The row of an experiment that may be written to, and that nobody else changes meanwhile.

    `for_more` says that something is added to it, which others may do at the same time. Raises ExperimentNotFound or WrongLifecycle.
    """
    row = _row(session, experiment_id, _SHARED if for_more else _HELD)
    if row[3]:
        raise WrongLifecycle(f"experiment {experiment_id} ({row[1]!r}) is deleted; restore it first", experiment_id=experiment_id)
    return row


def _row(session: Session, experiment_id: str, statement: Select[Any] = _ONE) -> Row:
    row = session.row(statement, number=row_number(experiment_id))
    if row is None:
        raise ExperimentNotFound(f"no experiment has the id {experiment_id[:60]}", experiment_id=experiment_id[:300])
    return row


def _add(session: Session, number: int, name: str, location: str, now: int) -> None:
    session.run(_ADD, id=number, name=name, artifact_location=location, is_deleted=0, created_ms=now, updated_ms=now)


def _check_is_free(session: Session, name: str) -> None:
    row = session.row(_NAMED, name=name)
    if row is not None:
        state = "deleted; restore it, or choose another name" if row[3] else "active"
        raise AlreadyExists(f"an experiment named {name!r} exists (id {row[0]}, {state})", name=name, experiment_id=str(row[0]))
