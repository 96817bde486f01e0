"""Registered models, their tags and aliases, as functions of a session. Versions are in `versions`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, select, text, update

from drupe.entities import ModelVersion, RegisteredModel, Stage
from drupe.errors import AlreadyExists, RegisteredModelNotFound
from drupe_store_sql import versions
from drupe_store_sql.session import Session
from drupe_store_sql.statements import held, replace, stretch
from drupe_store_sql.tables import aliases, model_tags, models, versions as versions_table

__all__ = ["add", "delete_alias", "delete_tag", "describe", "get", "highest", "read", "remove", "rename", "row_of", "set_tags", "touch"]

_NAMED = select(models).where(models.c.name == bindparam("called"))
_HELD = held(_NAMED)
_ADD = text(
    "INSERT INTO models (name, description, created_ms, updated_ms, highest) VALUES (:name, :description, :now, :now2, 0) RETURNING id"
)
_TOUCH = update(models).where(models.c.id == bindparam("number")).values(updated_ms=bindparam("now"))
_DESCRIBE = update(models).where(models.c.id == bindparam("number")).values(description=bindparam("words"), updated_ms=bindparam("now"))
_RENAME = update(models).where(models.c.id == bindparam("number")).values(name=bindparam("new_name"), updated_ms=bindparam("now"))
_REMOVE = delete(models).where(models.c.id == bindparam("number"))
_SET_TAG = replace(model_tags, on=("model", "key"))
_DELETE_TAG = delete(model_tags).where(model_tags.c.model == bindparam("number"), model_tags.c.key == bindparam("tag"))
_TAGS = select(model_tags).where(stretch(model_tags.c.model))
_ALIASES = (
    select(aliases.c.model, aliases.c.alias, versions_table.c.version)
    .join(versions_table, versions_table.c.id == aliases.c.version)
    .where(stretch(aliases.c.model))
)
_DELETE_ALIAS = delete(aliases).where(aliases.c.model == bindparam("number"), aliases.c.alias == bindparam("called"))
_newest = (
    select(versions_table.c.model, versions_table.c.stage, func.max(versions_table.c.version).label("version"))
    .where(stretch(versions_table.c.model))
    .group_by(versions_table.c.model, versions_table.c.stage)
    .subquery()
)
_LATEST = (
    select(versions_table.c.model, *versions.COLUMNS)
    .join(_newest, and_(_newest.c.model == versions_table.c.model, _newest.c.version == versions_table.c.version))
    .join(models, models.c.id == versions_table.c.model)
)

Row = Sequence[Any]


def row_of(session: Session, name: str) -> Row:
    """The row of a model, which nobody else changes while it is written to. Raises RegisteredModelNotFound."""
    row = session.row(_HELD if session.is_writing else _NAMED, called=name)
    if row is None:
        raise RegisteredModelNotFound(f"no registered model is named {str(name)[:100]!r}", name=str(name)[:300])
    return row


def highest(session: Session, name: str) -> int:
    """See RegistryStore.highest_version."""
    return int(row_of(session, name)[-1])


def get(session: Session, name: str) -> RegisteredModel:
    """See RegistryStore.get_registered_model."""
    return read(session, [row_of(session, name)])[0]


def read(session: Session, rows: Sequence[Row]) -> list[RegisteredModel]:
    """Models from whole rows of the table, in their order, with a fixed number of statements."""
    numbers = [row[0] for row in rows]
    tags: dict[int, dict[str, str]] = {number: {} for number in numbers}
    pointing: dict[int, dict[str, str]] = {number: {} for number in numbers}
    for number, key, value in session.among(_TAGS, numbers):
        tags[number][key] = value
    for number, alias, version in session.among(_ALIASES, numbers):
        pointing[number][alias] = str(version)
    latest = _latest(session, numbers)
    return [
        RegisteredModel(name, created, updated, description, tags[number], pointing[number], latest[number])
        for number, name, description, created, updated, _ in rows
    ]


def add(session: Session, name: str, *, description: str, tags: Mapping[str, str], now: int) -> RegisteredModel:
    """See RegistryStore.create_registered_model."""
    _check_is_free(session, name)
    row = session.row(_ADD, name=name, description=description, now=now, now2=now)
    assert row is not None
    set_tags(session, row[0], tags)
    return RegisteredModel(name, now, now, description, dict(tags))


def describe(session: Session, name: str, description: str, *, now: int) -> None:
    """Replace the description."""
    session.run(_DESCRIBE, number=row_of(session, name)[0], words=description, now=now)


def rename(session: Session, name: str, new_name: str, *, now: int) -> None:
    """See RegistryStore.rename_registered_model."""
    number = row_of(session, name)[0]
    if new_name != name:
        _check_is_free(session, new_name)
    session.run(_RENAME, number=number, new_name=new_name, now=now)


def remove(session: Session, name: str) -> None:
    """Delete a model with all that belongs to it."""
    session.run(_REMOVE, number=row_of(session, name)[0])


def touch(session: Session, number: int, *, now: int) -> None:
    """Note that something of the model changed."""
    session.run(_TOUCH, number=number, now=now)


def set_tags(session: Session, number: int, tags: Mapping[str, str]) -> None:
    """Set checked tags of a model that is known to exist."""
    session.many(_SET_TAG, [{"model": number, "key": key, "value": value} for key, value in tags.items()])


def delete_tag(session: Session, name: str, key: str) -> None:
    """Remove a tag, if it is set."""
    session.run(_DELETE_TAG, number=row_of(session, name)[0], tag=key)


def delete_alias(session: Session, name: str, alias: str) -> None:
    """Remove an alias, if it is set."""
    session.run(_DELETE_ALIAS, number=row_of(session, name)[0], called=alias)


def _latest(session: Session, numbers: Collection[int]) -> dict[int, tuple[ModelVersion, ...]]:
    """The newest version of each stage, in the order of stages, without aliases."""
    rows = session.among(_LATEST, numbers)
    of_stage = {
        (row[0], found.current_stage): found for row, found in zip(rows, versions.read(session, [row[1:] for row in rows]), strict=True)
    }
    return {number: tuple(of_stage[number, stage] for stage in Stage if (number, stage) in of_stage) for number in numbers}


def _check_is_free(session: Session, name: str) -> None:
    if session.row(_NAMED, called=name) is not None:
        raise AlreadyExists(f"a registered model named {name!r} exists", name=name)
