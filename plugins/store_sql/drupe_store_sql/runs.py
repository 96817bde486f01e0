"""Runs, params and tags: writing them, as functions of a session. Reading runs is for `readout`, metrics for `points`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import asdict
from sqlalchemy import bindparam, delete, select, text, update

from drupe.entities import (
    DeletedKind,
    LifecycleStage,
    LogBatch,
    ModelPoints,
    NewRun,
    ParamClash,
    Points,
    Run,
    RunData,
    RunInfo,
    RunStatus,
    limits,
    logged_limits,
)
from drupe.entities.names import invent_run_name
from drupe.errors import AlreadyExists, InvalidValue, ParamConflict, RunNotFound, TagNotFound, WrongLifecycle
from drupe_store_sql import deletions, experiments, model_metrics, points, readout
from drupe_store_sql.session import Session
from drupe_store_sql.statements import held, insert_of_run, stretch
from drupe_store_sql.tables import heartbeats, params, runs, tags

__all__ = [
    "RUN_NAME_TAG",
    "CheckedBatch",
    "add",
    "change",
    "check_batch",
    "delete_tag",
    "log",
    "remove_tag",
    "require",
    "require_active",
    "set_stage",
    "tag",
    "write",
]

RUN_NAME_TAG = "mlflow.runName"

_ONE = held(select(runs.c.id, runs.c.is_deleted).where(runs.c.run_id == bindparam("of")))
_TWIN = select(runs.c.id, runs.c.request).where(runs.c.run_id == bindparam("of"))
_ADD = text(
    "INSERT INTO runs (run_id, experiment, name, user_id, status, start_ms, is_deleted, artifact_uri, request) "
    "VALUES (:run_id, :experiment, :name, :user_id, :status, :start_ms, 0, :artifact_uri, :request) RETURNING id"
)
_STAGE = update(runs).where(runs.c.id == bindparam("number")).values(is_deleted=bindparam("gone"))
_RENAME = update(runs).where(runs.c.id == bindparam("number")).values(name=bindparam("new_name"))
_STATUS = update(runs).where(runs.c.id == bindparam("number")).values(status=bindparam("new_status"))
_END = update(runs).where(runs.c.id == bindparam("number")).values(end_ms=bindparam("end_time"))
_SET_TAG = insert_of_run(tags, replacing=("run", "key"))
_FORGET_BEATS = delete(heartbeats).where(heartbeats.c.run == bindparam("number"))
_DELETE_TAG = delete(tags).where(tags.c.run == bindparam("number"), tags.c.key == bindparam("tag"))
_KNOWN_PARAMS = select(params.c.key, params.c.value).where(params.c.run == bindparam("number"), stretch(params.c.key))

CheckedBatch = tuple[Mapping[str, Points], Mapping[str, str], Mapping[str, str], Sequence[ModelPoints]]
"""Points by metric, params, tags, and points of models, as they will be stored; points of models are among those by metric."""


def add(session: Session, new: NewRun, run_id: str) -> Run:
    """See TrackingStore.create_run. `run_id` was made or checked by the caller."""
    tagged = new.tags.get(RUN_NAME_TAG)
    if new.run_name and tagged and new.run_name != tagged:
        raise InvalidValue(f"run_name is {new.run_name!r} but the tag {RUN_NAME_TAG} is {tagged!r}; give one, or the same text twice")
    request = None
    if new.run_id is not None:
        request = _digest(new)
        twin = session.row(_TWIN, of=run_id)
        if twin is not None:
            if twin[1] != request:
                raise AlreadyExists(f"run id {run_id} belongs to another run; leave it out to get a new one", run_id=run_id)
            return readout.by_number(session, twin[0])
    number, _, location, *_ = experiments.require_active(session, new.experiment_id, for_more=True)
    name = new.run_name or tagged or invent_run_name()
    kept = {**{key: str(value) for key, value in new.tags.items()}, RUN_NAME_TAG: name}
    info = RunInfo(
        run_id=run_id,
        experiment_id=new.experiment_id,
        run_name=name,
        user_id=new.user_id,
        status=RunStatus.RUNNING,
        start_time=new.start_time,
        end_time=None,
        lifecycle_stage=LifecycleStage.ACTIVE,
        artifact_uri=f"{location.rstrip('/')}/{run_id}/artifacts",
    )
    row = session.row(
        _ADD,
        run_id=run_id,
        experiment=number,
        name=name,
        user_id=info.user_id,
        status=info.status.value,
        start_ms=info.start_time,
        artifact_uri=info.artifact_uri,
        request=request,
    )
    assert row is not None
    _set_tags(session, row[0], kept)
    return Run(info, RunData(tags=kept))


def change(session: Session, run_id: str, *, status: RunStatus | None, end_time: int | None, run_name: str | None) -> int:
    """Change what is given and return the row number; see TrackingStore.update_run."""
    number = require_active(session, run_id)
    if status is not None:
        session.run(_STATUS, number=number, new_status=RunStatus(status).value)
        if RunStatus(status).has_ended:
            points.fold_all(session, number)
            session.run(_FORGET_BEATS, number=number)
    if end_time is not None:
        session.run(_END, number=number, end_time=end_time)
    if run_name is not None:
        session.run(_RENAME, number=number, new_name=run_name)
        _set_tags(session, number, {RUN_NAME_TAG: run_name})
    return number


def set_stage(session: Session, run_id: str, stage: LifecycleStage, *, now: int) -> None:
    """See TrackingStore.set_run_stage."""
    number, _ = require(session, run_id)
    session.run(_STAGE, number=number, gone=int(stage == LifecycleStage.DELETED))
    if stage == LifecycleStage.DELETED:
        deletions.note(session, DeletedKind.RUN, number, now=now)
    else:
        deletions.forget(session, DeletedKind.RUN, number)


def check_batch(batch: LogBatch) -> CheckedBatch:
    """Everything that is to be written, checked before a transaction starts. Raises InvalidName, InvalidValue, ValueTooLong."""
    checked_params = dict(limits.check_param(key, value) for key, value in batch.params.items())
    checked_tags = limits.check_tags("run tag", batch.tags, limit=None)
    for key, columns in batch.metrics.items():
        limits.check_key("metric", key)
        if len(columns) and min(columns.timestamps) < 0:
            limits.check_metric(key, 0.0, min(columns.timestamps), 0)  # words the error
    if not batch.model_points:
        return batch.metrics, checked_params, checked_tags, ()
    of_models = [logged_limits.check_model_points(one) for one in batch.model_points]
    together = dict(batch.metrics)
    for one in of_models:
        joint = Points()
        for part in (together.get(one.key, joint), one.points):
            joint.extend(part)
        together[one.key] = joint
    return together, checked_params, checked_tags, of_models


def log(session: Session, run_id: str, batch: CheckedBatch) -> None:
    """Write a checked batch; see TrackingStore.log_batch."""
    clashes = write(session, require_active(session, run_id), batch)
    if clashes:
        told = "; ".join(f"param {one.key!r} is {one.kept[:100]!r} and cannot become {one.refused[:100]!r}" for one in clashes)
        raise ParamConflict(f"run {run_id}: {told}; params never change", run_id=run_id)


def write(session: Session, number: int, batch: CheckedBatch) -> list[ParamClash]:
    """Write a checked batch to a run that is active; params that have another value already stay as they are and are told."""
    metrics, new_params, new_tags, of_models = batch
    session.make_keys((*new_params, *metrics, *new_tags))  # all at once: see there for their order
    clashes = _add_params(session, number, new_params) if new_params else []
    if metrics:
        points.append(session, number, metrics)
    if of_models:
        model_metrics.keep(session, number, of_models)
    if new_tags:
        _set_tags(session, number, new_tags)
        if RUN_NAME_TAG in new_tags:
            session.run(_RENAME, number=number, new_name=new_tags[RUN_NAME_TAG])
    return clashes


def tag(session: Session, number: int, new: Mapping[str, str]) -> None:
    """Set tags of a run, whatever its stage and without a look at their names; its own name stays."""
    _set_tags(session, number, new)


def delete_tag(session: Session, run_id: str, key: str) -> None:
    """See TrackingStore.delete_run_tag."""
    if not remove_tag(session, require_active(session, run_id), key):
        raise TagNotFound(f"run {run_id} has no tag {key!r}", run_id=run_id, key=key)


def remove_tag(session: Session, number: int, key: str) -> bool:
    """Remove a tag of a run that is active, if it is set; whether it was."""
    known = session.key_ids([key])
    return bool(known) and bool(session.run(_DELETE_TAG, number=number, tag=known[key]))


def require(session: Session, run_id: str) -> tuple[int, bool]:
    """The row number of a run, and whether it is deleted; nobody else writes to it meanwhile. Raises RunNotFound."""
    row = session.row(_ONE, of=run_id) if isinstance(run_id, str) else None
    if row is None:
        raise RunNotFound(f"no run has the id {str(run_id)[:60]!r}", run_id=str(run_id)[:300])
    return row[0], bool(row[1])


def require_active(session: Session, run_id: str) -> int:
    """The row number of a run that may be written to. Raises RunNotFound or WrongLifecycle."""
    number, is_deleted = require(session, run_id)
    if is_deleted:
        raise WrongLifecycle(f"run {run_id} is deleted; restore it first", run_id=run_id)
    return number


def _add_params(session: Session, number: int, new: Mapping[str, str]) -> list[ParamClash]:
    ids = session.make_keys(new)
    known: dict[int, str] = dict(session.among(_KNOWN_PARAMS, ids.values(), number=number))
    rows = [{"run": number, "key": ids[key], "value": value} for key, value in new.items() if ids[key] not in known]
    session.add_all_of_runs(params, rows)
    return [ParamClash(key, known[ids[key]], value) for key, value in new.items() if known.get(ids[key], value) != value]


def _set_tags(session: Session, number: int, new: Mapping[str, str]) -> None:
    ids = session.make_keys(new)
    session.many(_SET_TAG, [{"run": number, "key": ids[key], "value": value} for key, value in new.items()])


def _digest(new: NewRun) -> bytes:
    """What makes two requests for a run the same request."""
    told: Any = {**asdict(new), "tags": sorted(new.tags.items())}
    return hashlib.blake2b(json.dumps(told, sort_keys=True, default=str).encode("utf-8", "surrogatepass"), digest_size=16).digest()
