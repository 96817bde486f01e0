"""Where each searchable field lies in the tables, for every kind of search. `conditions` compares them, `paging` sorts by them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen
from sqlalchemy import Column, ColumnElement, FromClause, Table, and_, or_, true

from drupe.entities.enums import Stat
from drupe.errors import InvalidQuery
from drupe.search.query import Entity, Field, Kind
from drupe_store_sql.session import Session
from drupe_store_sql.tables import (
    experiment_tags,
    experiments,
    logged_model_metrics,
    logged_model_params,
    logged_model_tags,
    logged_models,
    model_tags,
    models,
    params,
    runs,
    series,
    tags,
    version_tags,
    versions,
)

__all__ = ["ATTRIBUTE_INDEXES", "MAIN", "Keyed", "attribute", "keyed", "main_id", "model_metrics"]

MAIN: Mapping[Kind, FromClause] = {
    Kind.RUNS: runs,
    Kind.EXPERIMENTS: experiments,
    Kind.REGISTERED_MODELS: models,
    Kind.MODEL_VERSIONS: versions.join(models, models.c.id == versions.c.model),
    Kind.LOGGED_MODELS: logged_models,
}
"""What a search selects from."""

_ATTRIBUTES: Mapping[Kind, Mapping[str, Column[Any]]] = {
    Kind.RUNS: {
        "run_id": runs.c.run_id,
        "run_name": runs.c.name,
        "status": runs.c.status,
        "user_id": runs.c.user_id,
        "artifact_uri": runs.c.artifact_uri,
        "start_time": runs.c.start_ms,
        "end_time": runs.c.end_ms,
    },
    Kind.EXPERIMENTS: {
        "name": experiments.c.name,
        "experiment_id": experiments.c.id,
        "creation_time": experiments.c.created_ms,
        "last_update_time": experiments.c.updated_ms,
    },
    Kind.REGISTERED_MODELS: {
        "name": models.c.name,
        "creation_timestamp": models.c.created_ms,
        "last_updated_timestamp": models.c.updated_ms,
    },
    Kind.MODEL_VERSIONS: {
        "name": models.c.name,
        "version_number": versions.c.version,
        "run_id": versions.c.run_id,
        "source_path": versions.c.source,
        "creation_timestamp": versions.c.created_ms,
        "last_updated_timestamp": versions.c.updated_ms,
    },
    Kind.LOGGED_MODELS: {
        "name": logged_models.c.name,
        "model_id": logged_models.c.model_id,
        "model_type": logged_models.c.model_type,
        "status": logged_models.c.status,
        "source_run_id": logged_models.c.source_run_id,
        "experiment_id": logged_models.c.experiment,
        "creation_timestamp": logged_models.c.created_ms,
        "last_updated_timestamp": logged_models.c.updated_ms,
    },
}

ATTRIBUTE_INDEXES: Mapping[str, str] = {
    "end_time": "runs_by_end",
    "run_id": "sqlite_autoindex_runs_1",
    "run_name": "runs_by_name",
    "status": "runs_by_status",
    "user_id": "runs_by_user",
}
"""Attributes of runs, other than the start, whose index leads from a value to the newest runs with it. The names are for SQLite."""

_IDS: Mapping[Kind, Column[Any]] = {
    Kind.RUNS: runs.c.id,
    Kind.EXPERIMENTS: experiments.c.id,
    Kind.REGISTERED_MODELS: models.c.id,
    Kind.MODEL_VERSIONS: versions.c.id,
    Kind.LOGGED_MODELS: logged_models.c.id,
}

_KEYED: Mapping[tuple[Kind, Entity], tuple[Table, str]] = {
    (Kind.RUNS, Entity.METRIC): (series, "run"),
    (Kind.RUNS, Entity.PARAM): (params, "run"),
    (Kind.RUNS, Entity.TAG): (tags, "run"),
    (Kind.EXPERIMENTS, Entity.TAG): (experiment_tags, "experiment"),
    (Kind.REGISTERED_MODELS, Entity.TAG): (model_tags, "model"),
    (Kind.MODEL_VERSIONS, Entity.TAG): (version_tags, "version"),
    (Kind.LOGGED_MODELS, Entity.PARAM): (logged_model_params, "model"),
    (Kind.LOGGED_MODELS, Entity.TAG): (logged_model_tags, "model"),
}


@frozen
class Keyed:
    """A field that lies in rows of another table: at most one row, which `on` finds; NULL in `value` means NaN."""

    table: FromClause
    owner: ColumnElement[Any]
    on: ColumnElement[bool]
    is_key: ColumnElement[bool]
    """The part of `on` that does not speak of the main table."""
    value: ColumnElement[Any]
    index: str | None = None
    """The index that leads from key and value, or the head of it, and the start of runs to the owner and its experiment."""
    has_head: bool = False
    """It is the leading characters of the value that are indexed."""
    long_index: str | None = None
    """The index of keys that have a value of more than its head."""


def main_id(kind: Kind) -> Column[Any]:
    """The row number of the things searched."""
    return _IDS[kind]


def attribute(kind: Kind, key: str) -> Column[Any]:
    """The column of an attribute. Raises InvalidQuery."""
    found = _ATTRIBUTES[kind].get(key)
    if found is None:
        raise InvalidQuery(f"{kind} have no attribute {key!r} to search by; they have {', '.join(_ATTRIBUTES[kind])}")
    return found


def keyed(session: Session, kind: Kind, field: Field, *, key: str | None = None, stat: Stat | None = None) -> Keyed | None:
    """A way to the value of a field with a free key, through an alias of its own; None when no such key was ever used.

    `key` and `stat` override the field's own. Raises InvalidQuery for an entity that the kind does not have.
    """
    place = _KEYED.get((kind, field.entity))
    if place is None:
        raise InvalidQuery(f"{kind} have no {field.entity.value}s to search by")
    table, owner = place
    name: str | int | None = field.key if key is None else key
    if kind is Kind.RUNS:
        name = session.key_ids([str(name)]).get(str(name))
        if name is None:
            return None
    alias = session.alias(table)
    column = (stat or field.stat or Stat.LAST).value if field.entity is Entity.METRIC else "value"
    is_key = alias.c.key == name
    index = None
    if table is series:
        index = "series_by_last" if column == Stat.LAST.value else None
    elif kind is Kind.RUNS:
        index = f"{table.name}_by_value"
    has_head = table in (params, tags)
    return Keyed(
        alias,
        alias.c[owner],
        and_(alias.c[owner] == _IDS[kind], is_key),
        is_key,
        alias.c[column],
        index,
        has_head,
        f"{table.name}_long" if has_head else None,
    )


def model_metrics(session: Session, sought: Field) -> tuple[FromClause, ColumnElement[bool]] | None:
    """The rows of a metric of the logged models searched: a table, and what is true of them; None when no such metric was ever logged.

    There may be several for a model: of several runs, and measured on several datasets.
    """
    alias = session.alias(logged_model_metrics)
    is_key: ColumnElement[bool] = true()
    if sought.key:
        number = session.key_ids([sought.key]).get(sought.key)
        if number is None:
            return None
        is_key = alias.c.key == number
    on = [
        and_(alias.c.dataset_name == one.name, true() if one.digest is None else alias.c.dataset_digest == one.digest)
        for one in sought.datasets
    ]
    return alias, and_(alias.c.model == logged_models.c.id, is_key, or_(*on) if on else true())
