"""Versions of registered models, as functions of a session. Callers hand in the row number of the model, see `models.row_of`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve
from sqlalchemy import bindparam, delete, func, select, text, update

from drupe.entities import ModelVersion, ModelVersionStatus, Stage
from drupe.errors import AliasNotFound, InvalidValue, ModelVersionNotFound
from drupe_store_sql.session import Session
from drupe_store_sql.statements import replace, stretch
from drupe_store_sql.tables import aliases, models, version_tags, versions

__all__ = [
    "COLUMNS",
    "add",
    "by_alias",
    "delete_tag",
    "describe",
    "get",
    "move",
    "number_of",
    "read",
    "remove",
    "set_alias",
    "set_tags",
]

LATEST = "latest"

COLUMNS = (
    versions.c.id,
    models.c.name,
    versions.c.version,
    versions.c.created_ms,
    versions.c.updated_ms,
    versions.c.source,
    versions.c.run_id,
    versions.c.description,
    versions.c.user_id,
    versions.c.stage,
    versions.c.status,
    versions.c.status_message,
    versions.c.run_link,
)
"""The columns that `read` takes, from `versions` joined with `models`."""

_ONE = (
    select(*COLUMNS)
    .join(models, models.c.id == versions.c.model)
    .where(versions.c.model == bindparam("of_model"), versions.c.version == bindparam("numbered"))
)
_NEWEST = select(func.max(versions.c.version)).where(versions.c.model == bindparam("of_model"))
_NEXT = text("UPDATE models SET highest = highest + 1, updated_ms = :now WHERE id = :number RETURNING highest")
_ADD = text(
    "INSERT INTO versions (model, version, source, run_id, description, user_id, stage, status, status_message, run_link, created_ms, "
    "updated_ms) VALUES (:model, :version, :source, :run_id, :description, :user_id, :stage, :status, '', :run_link, :now, :now2) RETURNING id"
)
_DESCRIBE = update(versions).where(versions.c.id == bindparam("number")).values(description=bindparam("words"), updated_ms=bindparam("now"))
_MOVE = update(versions).where(versions.c.id == bindparam("number")).values(stage=bindparam("new_stage"), updated_ms=bindparam("now"))
_ARCHIVE = (
    update(versions)
    .where(versions.c.model == bindparam("of_model"), versions.c.stage == bindparam("old_stage"), versions.c.id != bindparam("but"))
    .values(stage=bindparam("new_stage"), updated_ms=bindparam("now"))
)
_REMOVE = delete(versions).where(versions.c.id == bindparam("number"))
_SET_TAG = replace(version_tags, on=("version", "key"))
_DELETE_TAG = delete(version_tags).where(version_tags.c.version == bindparam("number"), version_tags.c.key == bindparam("tag"))
_TAGS = select(version_tags).where(stretch(version_tags.c.version))
_SET_ALIAS = replace(aliases, on=("model", "alias"))
_ALIASES_OF = select(aliases.c.alias).where(aliases.c.version == bindparam("number")).order_by(aliases.c.alias)
_ALIASED = (
    select(versions.c.version)
    .join(aliases, aliases.c.version == versions.c.id)
    .where(aliases.c.model == bindparam("of_model"), aliases.c.alias == bindparam("called"))
)

Row = Sequence[Any]


def number_of(version: str) -> int:
    """The number that a version is. Raises InvalidValue."""
    if not isinstance(version, str) or not (version.isascii() and version.isdecimal()):
        raise InvalidValue(f"model version {str(version)[:60]!r} is not a number", version=str(version)[:300])
    return min(int(version[:40]), 2**63 - 1)


def add(
    session: Session,
    model: int,
    source: str,
    *,
    run_id: str | None,
    description: str,
    tags: Mapping[str, str],
    user_id: str,
    run_link: str,
    now: int,
) -> int:
    """Add the next version and return its number; see RegistryStore.create_model_version."""
    counted = session.row(_NEXT, number=model, now=now)
    assert counted is not None
    row = session.row(
        _ADD,
        model=model,
        version=counted[0],
        source=source,
        run_id=run_id,
        description=description,
        user_id=user_id,
        stage=Stage.NONE.value,
        status=ModelVersionStatus.READY.value,
        run_link=run_link,
        now=now,
        now2=now,
    )
    assert row is not None
    _set_tags(session, row[0], tags)
    return int(counted[0])


def get(session: Session, model: int, name: str, number: int) -> ModelVersion:
    """One version with its aliases. Raises ModelVersionNotFound."""
    row = _row(session, model, name, number)
    pointing = tuple(alias for (alias,) in session.rows(_ALIASES_OF, number=row[0]))
    return evolve(read(session, [row])[0], aliases=pointing)


def by_alias(session: Session, model: int, name: str, alias: str) -> ModelVersion:
    """See RegistryStore.get_version_by_alias."""
    row = session.row(_NEWEST, of_model=model) if alias == LATEST else session.row(_ALIASED, of_model=model, called=alias)
    if row is None or row[0] is None:
        raise AliasNotFound(f"registered model {name!r} has no alias {str(alias)[:60]!r}", name=name, alias=str(alias)[:300])
    return get(session, model, name, row[0])


def read(session: Session, rows: Sequence[Row]) -> list[ModelVersion]:
    """Versions of rows with the columns COLUMNS, in their order, without aliases; the tags of all with one statement."""
    tags: dict[int, dict[str, str]] = {row[0]: {} for row in rows}
    for number, key, value in session.among(_TAGS, tags):
        tags[number][key] = value
    return [
        ModelVersion(
            name=name,
            version=str(version),
            creation_timestamp=created,
            last_updated_timestamp=updated,
            source=source,
            run_id=run_id,
            description=description,
            user_id=user_id,
            current_stage=Stage(stage),
            status=ModelVersionStatus(status),
            status_message=status_message,
            run_link=run_link,
            tags=tags[number],
        )
        for (
            number,
            name,
            version,
            created,
            updated,
            source,
            run_id,
            description,
            user_id,
            stage,
            status,
            status_message,
            run_link,
        ) in rows
    ]


def describe(session: Session, model: int, name: str, number: int, description: str, *, now: int) -> None:
    """Replace the description."""
    session.run(_DESCRIBE, number=_row(session, model, name, number)[0], words=description, now=now)


def move(session: Session, model: int, name: str, number: int, stage: Stage, *, archive_existing: bool, now: int) -> None:
    """Move a version to a stage; see RegistryStore.transition_model_version_stage."""
    row = _row(session, model, name, number)
    if archive_existing:
        session.run(_ARCHIVE, of_model=model, old_stage=stage.value, but=row[0], new_stage=Stage.ARCHIVED.value, now=now)
    session.run(_MOVE, number=row[0], new_stage=stage.value, now=now)


def remove(session: Session, model: int, name: str, number: int) -> None:
    """Delete a version with its tags and aliases."""
    session.run(_REMOVE, number=_row(session, model, name, number)[0])


def set_tags(session: Session, model: int, name: str, number: int, tags: Mapping[str, str]) -> None:
    """Set checked tags of a version."""
    _set_tags(session, _row(session, model, name, number)[0], tags)


def delete_tag(session: Session, model: int, name: str, number: int, key: str) -> None:
    """Remove a tag, if it is set."""
    session.run(_DELETE_TAG, number=_row(session, model, name, number)[0], tag=key)


def set_alias(session: Session, model: int, name: str, alias: str, number: int) -> None:
    """Point an alias to a version."""
    session.run(_SET_ALIAS, model=model, alias=alias, version=_row(session, model, name, number)[0])


def _row(session: Session, model: int, name: str, number: int) -> Row:
    row = session.row(_ONE, of_model=model, numbered=number)
    if row is None:
        raise ModelVersionNotFound(f"registered model {name!r} has no version {number}", name=name, version=str(number))
    return row


def _set_tags(session: Session, row_number: int, tags: Mapping[str, str]) -> None:
    session.many(_SET_TAG, [{"version": row_number, "key": key, "value": value} for key, value in tags.items()])
