"""Logged models as functions of a session: making, reading, changing. Which runs use and make them is for `ties`, their metrics for `model_metrics`."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import asdict
from sqlalchemy import bindparam, delete, select, text, update

from drupe.entities import DeletedKind, LoggedModel, LoggedModelStatus, NewLoggedModel
from drupe.entities.names import invent_run_name
from drupe.errors import AlreadyExists, InvalidValue, LoggedModelNotFound, ParamConflict, RunNotFound, TagNotFound, WrongLifecycle
from drupe.uris import below
from drupe_store_sql import deletions, experiments, model_metrics
from drupe_store_sql.session import Session
from drupe_store_sql.statements import replace, stretch
from drupe_store_sql.tables import logged_model_params, logged_model_tags, logged_models, runs

__all__ = ["COLUMNS", "add", "add_missing", "add_params", "delete_tag", "get", "read", "remove", "require", "set_status", "set_tags"]

COLUMNS = tuple(
    logged_models.c[name]
    for name in (
        *("id", "model_id", "experiment", "name", "artifact_location", "created_ms", "updated_ms"),
        *("status", "status_message", "model_type", "source_run_id"),
    )
)
"""The columns that `read` takes."""

_ONE = select(*COLUMNS, logged_models.c.is_deleted, logged_models.c.request).where(logged_models.c.model_id == bindparam("of"))
_NUMBER = select(logged_models.c.id, logged_models.c.is_deleted).where(logged_models.c.model_id == bindparam("of"))
_ADD = text(
    "INSERT INTO logged_models (model_id, experiment, name, artifact_location, created_ms, updated_ms, status, model_type, source_run_id, "
    "is_deleted, request) VALUES (:model_id, :experiment, :name, :artifact_location, :created_ms, :updated_ms, :status, :model_type, "
    ":source_run_id, 0, :request) RETURNING id"
)
_RUN = select(runs.c.experiment, runs.c.artifact_uri, runs.c.is_deleted).where(runs.c.run_id == bindparam("of"))
_TOUCH = update(logged_models).where(logged_models.c.id == bindparam("number")).values(updated_ms=bindparam("now"))
_STATUS = (
    update(logged_models)
    .where(logged_models.c.id == bindparam("number"))
    .values(status=bindparam("new_status"), status_message=bindparam("message"), updated_ms=bindparam("now"))
)
_REMOVE = update(logged_models).where(logged_models.c.id == bindparam("number")).values(is_deleted=1)
_TAGS = select(logged_model_tags).where(stretch(logged_model_tags.c.model))
_PARAMS = select(logged_model_params).where(stretch(logged_model_params.c.model))
_SET_TAG = replace(logged_model_tags, on=("model", "key"))
_DELETE_TAG = delete(logged_model_tags).where(logged_model_tags.c.model == bindparam("number"), logged_model_tags.c.key == bindparam("tag"))
_ADD_PARAM = text("INSERT INTO logged_model_params (model, key, value) VALUES (:model, :key, :value) ON CONFLICT (model, key) DO NOTHING")

Row = Sequence[Any]


def add(session: Session, new: NewLoggedModel, *, now: int) -> LoggedModel:
    """See TrackingStore.create_logged_model. `new` was checked by the caller."""
    request = None
    if new.model_id is not None:
        request = _digest(new)
        twin = session.row(_ONE, of=new.model_id)
        if twin is not None:
            if twin[-1] != request:
                raise AlreadyExists(f"logged model id {new.model_id} belongs to another model; leave it out to get a new one")
            return read(session, [twin])[0]
    number, _, location, *_ = experiments.require_active(session, new.experiment_id)
    model_id = new.model_id or f"m-{uuid.uuid4().hex}"
    made = LoggedModel(
        model_id,
        new.experiment_id,
        new.name or invent_run_name(),
        _below_run(session, number, new) if new.artifact_path else f"{location.rstrip('/')}/models/{model_id}/artifacts",
        now,
        now,
        model_type=new.model_type,
        source_run_id=new.source_run_id,
        tags=dict(new.tags),
        params=dict(new.params),
    )
    row = session.row(
        _ADD,
        model_id=model_id,
        experiment=number,
        name=made.name,
        artifact_location=made.artifact_location,
        created_ms=now,
        updated_ms=now,
        status=made.status.value,
        model_type=made.model_type,
        source_run_id=made.source_run_id,
        request=request,
    )
    assert row is not None
    session.many(_SET_TAG, _rows(row[0], made.tags))
    session.many(_ADD_PARAM, _rows(row[0], made.params))
    return made


def _below_run(session: Session, experiment: int, new: NewLoggedModel) -> str:
    """The address of a model whose files lie among those of its run."""
    row = session.row(_RUN, of=new.source_run_id)
    if row is None:
        raise RunNotFound(f"no run has the id {str(new.source_run_id)[:60]!r}, so no model's files can lie among its files")
    home, address, is_deleted = row
    if is_deleted:
        raise WrongLifecycle(f"run {new.source_run_id} is deleted; restore it first", run_id=new.source_run_id)
    if home != experiment:
        raise InvalidValue(f"run {new.source_run_id} is not of experiment {new.experiment_id}", run_id=new.source_run_id)
    return below(str(address), str(new.artifact_path))


def get(session: Session, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
    """See TrackingStore.get_logged_model."""
    row = session.row(_ONE, of=model_id) if isinstance(model_id, str) else None
    if row is None or (row[-2] and not allow_deleted):
        raise _not_found(model_id)
    return read(session, [row])[0]


def read(session: Session, rows: Sequence[Row]) -> list[LoggedModel]:
    """Logged models of rows that begin with the columns COLUMNS, in their order; what belongs to all of them with one statement each."""
    numbers = [row[0] for row in rows]
    if not numbers:
        return []
    tags: dict[int, dict[str, str]] = {number: {} for number in numbers}
    params: dict[int, dict[str, str]] = {number: {} for number in numbers}
    for kept, statement in ((tags, _TAGS), (params, _PARAMS)):
        for number, key, value in session.among(statement, numbers):
            kept[number][key] = value
    metrics = model_metrics.read(session, {row[0]: row[1] for row in rows})
    return [
        LoggedModel(
            model_id,
            str(experiment),
            name,
            location,
            created,
            updated,
            LoggedModelStatus(status),
            model_type,
            source_run_id,
            message,
            tags[number],
            params[number],
            metrics.get(number, ()),
        )
        for number, model_id, experiment, name, location, created, updated, status, message, model_type, source_run_id, *_ in rows
    ]


def set_status(session: Session, model_id: str, status: LoggedModelStatus, message: str | None, *, now: int) -> LoggedModel:
    """See TrackingStore.set_logged_model_status."""
    session.run(_STATUS, number=require(session, model_id), new_status=LoggedModelStatus(status).value, message=message, now=now)
    return get(session, model_id)


def remove(session: Session, model_id: str, *, now: int) -> None:
    """See TrackingStore.delete_logged_model."""
    number = require(session, model_id, allow_deleted=True)
    session.run(_REMOVE, number=number)
    deletions.note(session, DeletedKind.LOGGED_MODEL, number, now=now)


def set_tags(session: Session, model_id: str, tags: Mapping[str, str], *, now: int) -> LoggedModel:
    """Set checked tags."""
    session.many(_SET_TAG, _rows(_touched(session, model_id, now), tags))
    return get(session, model_id)


def delete_tag(session: Session, model_id: str, key: str, *, now: int) -> None:
    """See TrackingStore.delete_logged_model_tag."""
    if not session.run(_DELETE_TAG, number=_touched(session, model_id, now), tag=key):
        raise TagNotFound(f"logged model {model_id} has no tag {key!r}", model_id=model_id, key=key)


def add_params(session: Session, model_id: str, params: Mapping[str, str], *, now: int) -> None:
    """Add checked params; see TrackingStore.log_logged_model_params."""
    number = _touched(session, model_id, now)
    known = {key: value for _, key, value in session.among(_PARAMS, [number])}
    clashes = [key for key, value in params.items() if known.get(key, value) != value]
    if clashes:
        told = "; ".join(f"param {key!r} is {known[key][:100]!r} and cannot become {params[key][:100]!r}" for key in clashes)
        raise ParamConflict(f"logged model {model_id}: {told}; params never change", model_id=model_id)
    session.many(_ADD_PARAM, _rows(number, params))


def add_missing(session: Session, number: int, tags: Mapping[str, str], params: Mapping[str, str]) -> None:
    """Add those of these checked tags and params that the model of this row lacks."""
    known = {key for _, key, _ in session.among(_TAGS, [number])}
    session.many(_SET_TAG, _rows(number, {key: value for key, value in tags.items() if key not in known}))
    session.many(_ADD_PARAM, _rows(number, params))


def require(session: Session, model_id: str, *, allow_deleted: bool = False) -> int:
    """The row number of a logged model. Raises LoggedModelNotFound."""
    row = session.row(_NUMBER, of=model_id) if isinstance(model_id, str) else None
    if row is None or (row[1] and not allow_deleted):
        raise _not_found(model_id)
    return int(row[0])


def _touched(session: Session, model_id: str, now: int) -> int:
    """The row number, after its time of change was moved; that comes first, so that of two who change it one waits."""
    number = require(session, model_id)
    session.run(_TOUCH, number=number, now=now)
    return number


def _not_found(model_id: object) -> LoggedModelNotFound:
    return LoggedModelNotFound(f"no logged model has the id {str(model_id)[:60]!r}", model_id=str(model_id)[:300])


def _rows(number: int, pairs: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"model": number, "key": key, "value": value} for key, value in pairs.items()]


def _digest(new: NewLoggedModel) -> bytes:
    """What makes two requests for a logged model the same request."""
    told: Any = {**asdict(new), "tags": sorted(new.tags.items()), "params": sorted(new.params.items())}
    if new.artifact_path is None:
        del told["artifact_path"]  # stores know requests that were made before there was one
    return hashlib.blake2b(json.dumps(told, sort_keys=True).encode("utf-8", "surrogatepass"), digest_size=16).digest()
