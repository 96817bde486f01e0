"""Taking in logged models that were in another store, with their ids, times, metrics and ties. Experiments, runs and models are in `importing`.

What is here already only gets what it lacks. Everything was checked before, see `logged_limits.check_whole_logged_model`.
"""

from __future__ import annotations

from sqlalchemy import bindparam, select, text

from drupe.entities import LoggedModelStatus, ModelInput, ModelOutput, WholeLoggedModel, logged_limits
from drupe.errors import AlreadyExists
from drupe_store_sql import experiments, logged_models, model_metrics, ties
from drupe_store_sql.session import Session
from drupe_store_sql.statements import held, stretch
from drupe_store_sql.tables import logged_models as table, runs

__all__ = ["take"]

_KNOWN = held(select(table.c.id, table.c.experiment, table.c.is_deleted, table.c.status).where(table.c.model_id == bindparam("of")))
_ADD = text(
    "INSERT INTO logged_models (model_id, experiment, name, artifact_location, created_ms, updated_ms, status, status_message, model_type, "
    "source_run_id, is_deleted) VALUES (:model_id, :experiment, :name, :artifact_location, :created_ms, :updated_ms, :status, :status_message, "
    ":model_type, :source_run_id, 0) RETURNING id"
)
_STATUS = text("UPDATE logged_models SET status = :new_status, status_message = :message WHERE id = :number")
_UPDATED = text("UPDATE logged_models SET updated_ms = :at WHERE id = :number AND updated_ms < :at2")
_RUNS = select(runs.c.run_id, runs.c.id).where(stretch(runs.c.run_id))


def take(session: Session, whole: WholeLoggedModel) -> None:
    """See TrackingStore.import_logged_models."""
    given = whole.model
    home = experiments.get(session, given.experiment_id)
    experiment = experiments.row_number(home.experiment_id)
    row = session.row(_KNOWN, of=given.model_id)
    if row is None:
        made = session.row(
            _ADD,
            model_id=given.model_id,
            experiment=experiment,
            name=given.name,
            artifact_location=given.artifact_location or f"{home.artifact_location.rstrip('/')}/models/{given.model_id}/artifacts",
            created_ms=given.creation_timestamp,
            updated_ms=given.last_updated_timestamp,
            status=LoggedModelStatus(given.status).value,
            status_message=given.status_message,
            model_type=given.model_type,
            source_run_id=given.source_run_id,
        )
        assert made is not None
        number: int = made[0]
    else:
        number, at_home, is_deleted, status = row
        if at_home != experiment:
            raise AlreadyExists(f"logged model id {given.model_id} belongs to a model of experiment {at_home}", model_id=given.model_id)
        if is_deleted:
            return
        if LoggedModelStatus(status) is LoggedModelStatus.PENDING:
            session.run(_STATUS, number=number, new_status=LoggedModelStatus(given.status).value, message=given.status_message)
        session.run(_UPDATED, number=number, at=given.last_updated_timestamp, at2=given.last_updated_timestamp)
    logged_models.add_missing(session, number, given.tags, given.params)
    points = logged_limits.points_of(whole)
    of_runs = {*points, *whole.used_by, *whole.made_by}
    here = dict(session.among(_RUNS, sorted(of_runs))) if of_runs else {}
    for run_id, logged in points.items():
        if run_id in here:
            model_metrics.keep(session, here[run_id], logged)
    for run_id in whole.used_by:
        if run_id in here:
            ties.tie_inputs(session, here[run_id], [ModelInput(given.model_id)])
    for run_id, step in whole.made_by.items():
        if run_id in here:
            ties.tie_outputs(session, here[run_id], [ModelOutput(given.model_id, step)])
    if row is None and whole.is_deleted:
        logged_models.remove(session, given.model_id, now=given.last_updated_timestamp)
