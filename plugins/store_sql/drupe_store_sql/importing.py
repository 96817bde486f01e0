"""Taking in what was in another store: experiments, runs and models with their ids, numbers and times, as functions of a session.

What is here already only gets what it lacks. Everything was checked before, see `limits.check_whole_run` and its neighbours.
"""

from __future__ import annotations

from attrs import evolve
from sqlalchemy import bindparam, insert, select, text

from drupe.entities import DeletedKind, Experiment, LifecycleStage, ModelVersionStatus, RunStatus, Stage, WholeModel, WholeRun
from drupe.errors import AlreadyExists
from drupe_store_sql import deletions, experiments, inputs, models as model_rows, points, runs as run_rows, versions as version_rows
from drupe_store_sql.session import Session
from drupe_store_sql.statements import held, stretch
from drupe_store_sql.tables import aliases, experiments as experiment_table, model_tags, models, runs, tags, versions

__all__ = ["take_experiment", "take_model", "take_run"]

_EXPERIMENT_NUMBERED = select(experiment_table.c.name).where(experiment_table.c.id == bindparam("number"))
_RUN = held(select(runs.c.id, runs.c.experiment, runs.c.status, runs.c.end_ms).where(runs.c.run_id == bindparam("of")))
_ADD_RUN = text(
    "INSERT INTO runs (run_id, experiment, name, user_id, status, start_ms, end_ms, is_deleted, artifact_uri) "
    "VALUES (:run_id, :experiment, :name, :user_id, :status, :start_ms, :end_ms, :is_deleted, :artifact_uri) RETURNING id"
)
_END_RUN = text("UPDATE runs SET status = :new_status, end_ms = :new_end WHERE id = :number")
_KNOWN_TAGS = select(tags.c.key).where(tags.c.run == bindparam("number"), stretch(tags.c.key))
_MODEL = held(select(models.c.id, models.c.highest).where(models.c.name == bindparam("called")))
_ADD_MODEL = text(
    "INSERT INTO models (name, description, created_ms, updated_ms, highest) "
    "VALUES (:name, :description, :created_ms, :updated_ms, 0) RETURNING id"
)
_RAISE = text("UPDATE models SET highest = :now_highest WHERE id = :number AND highest < :now_highest2")
_ADD_VERSION = insert(versions)
_NUMBERS = select(versions.c.version, versions.c.id).where(versions.c.model == bindparam("of_model"))
_KNOWN_MODEL_TAGS = select(model_tags.c.key).where(model_tags.c.model == bindparam("of_model"))
_KNOWN_ALIASES = select(aliases.c.alias).where(aliases.c.model == bindparam("of_model"))
_ADD_ALIAS = insert(aliases)


def take_experiment(session: Session, experiment: Experiment, *, artifact_root: str, now: int) -> Experiment:
    """See TrackingStore.import_experiment."""
    session.alone(experiments.IDS)
    if experiment.experiment_id:
        number = int(experiment.experiment_id)
        taken = session.row(_EXPERIMENT_NUMBERED, number=number)
        if taken is not None:
            raise AlreadyExists(f"the experiment id {number} belongs to {taken[0]!r}", experiment_id=str(number), name=taken[0])
    else:
        number = experiments.next_number(session)
    kept = evolve(
        experiment,
        experiment_id=str(number),
        artifact_location=experiment.artifact_location or f"{artifact_root}/{number}",
        creation_time=now if experiment.creation_time is None else experiment.creation_time,
        last_update_time=now if experiment.last_update_time is None else experiment.last_update_time,
    )
    experiments.add_whole(session, number, kept)
    return kept


def take_run(session: Session, whole: WholeRun, *, now: int) -> None:
    """See TrackingStore.import_runs."""
    run, info = whole.run, whole.run.info
    home = experiments.get(session, info.experiment_id)
    experiment = experiments.row_number(home.experiment_id)
    row = session.row(_RUN, of=info.run_id)
    if row is None:
        made = session.row(
            _ADD_RUN,
            run_id=info.run_id,
            experiment=experiment,
            name=info.run_name,
            user_id=info.user_id,
            status=RunStatus(info.status).value,
            start_ms=info.start_time,
            end_ms=info.end_time,
            is_deleted=int(info.lifecycle_stage == LifecycleStage.DELETED),
            artifact_uri=info.artifact_uri or f"{home.artifact_location.rstrip('/')}/{info.run_id}/artifacts",
        )
        assert made is not None
        number: int = made[0]
        if info.lifecycle_stage == LifecycleStage.DELETED:
            deletions.note(session, DeletedKind.RUN, number, now=now)
    else:
        number = row[0]
        if row[1] != experiment:
            raise AlreadyExists(f"run id {info.run_id} belongs to a run of experiment {row[1]}", run_id=info.run_id)
        if not RunStatus(row[2]).has_ended:
            end = row[3] if info.end_time is None else info.end_time
            session.run(_END_RUN, number=number, new_status=RunStatus(info.status).value, new_end=end)
    given = {run_rows.RUN_NAME_TAG: info.run_name, **run.data.tags} if row is None and info.run_name else dict(run.data.tags)
    ids = session.make_keys(given)
    known = {key for (key,) in session.among(_KNOWN_TAGS, ids.values(), number=number)} if row is not None else set()
    missing = {key: value for key, value in given.items() if ids[key] not in known}
    run_rows.write(session, number, (whole.points, run.data.params, {}, ()))
    run_rows.tag(session, number, missing)
    inputs.tie(session, number, run.inputs.dataset_inputs)
    if RunStatus(info.status).has_ended:
        points.fold_all(session, number)


def take_model(session: Session, whole: WholeModel) -> None:
    """See RegistryStore.import_model."""
    model = whole.model
    row = session.row(_MODEL, called=model.name)
    if row is None:
        row = session.row(
            _ADD_MODEL,
            name=model.name,
            description=model.description,
            created_ms=model.creation_timestamp,
            updated_ms=model.last_updated_timestamp,
        )
        assert row is not None
        row = (row[0], 0)
    number, highest = row
    known_tags = {key for (key,) in session.rows(_KNOWN_MODEL_TAGS, of_model=number)}
    model_rows.set_tags(session, number, {key: value for key, value in model.tags.items() if key not in known_tags})
    known = {version for version, _ in session.rows(_NUMBERS, of_model=number)}
    for version in whole.versions:
        # a number below the highest that is not there was deleted here, unless this model is being taken in for the first time
        if int(version.version) in known or int(version.version) <= highest:
            continue
        session.run(
            _ADD_VERSION,
            model=number,
            version=int(version.version),
            source=version.source,
            run_id=version.run_id,
            description=version.description,
            user_id=version.user_id,
            stage=Stage(version.current_stage).value,
            status=ModelVersionStatus(version.status).value,
            status_message=version.status_message,
            run_link=version.run_link,
            created_ms=version.creation_timestamp,
            updated_ms=version.last_updated_timestamp,
        )
        version_rows.set_tags(session, number, model.name, int(version.version), version.tags)
    top = max([whole.highest, *(int(version.version) for version in whole.versions)], default=0)
    session.run(_RAISE, number=number, now_highest=top, now_highest2=top)
    rows = dict(session.rows(_NUMBERS, of_model=number))
    taken = {alias for (alias,) in session.rows(_KNOWN_ALIASES, of_model=number)}
    for alias, pointed in model.aliases.items():
        if alias not in taken and int(pointed) in rows:
            session.run(_ADD_ALIAS, model=number, alias=alias, version=rows[int(pointed)])
