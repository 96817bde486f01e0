"""The registered models of an MLflow database, and the count of what else it holds that has no place in drupe."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Connection

from drupe.entities import ModelVersion, RegisteredModel, WholeModel
from drupe.extend import Loss
from drupe_import_mlflow.schema import Schema
from drupe_import_mlflow.values import DELETED_VERSION, Damaged, files_of, number, stage, text, version_status

__all__ = ["left_over", "models_in"]

_MODEL = ("name", "creation_time", "last_updated_time", "description")
_VERSION = (
    "name",
    "version",
    "creation_time",
    "last_updated_time",
    "description",
    "user_id",
    "current_stage",
    "source",
    "run_id",
    "status",
    "status_message",
    "run_link",
    "storage_location",
)
_NO_PLACE = (
    ("trace_info", "trace"),
    ("assessments", "assessment of a trace"),
    ("evaluation_datasets", "evaluation dataset"),
    ("scorers", "scorer"),
    ("webhooks", "webhook"),
    ("issues", "issue"),
    ("jobs", "job"),
    ("endpoints", "gateway endpoint"),
    ("secrets", "gateway secret"),
    ("mcp_servers", "MCP server"),
    ("review_queues", "review queue"),
    ("label_schemas", "label schema"),
)


def models_in(connection: Connection, schema: Schema, workspace: str, logged: Collection[str]) -> Iterator[WholeModel | Loss]:
    """Every registered model of the workspace; prompts are registered models too. `logged` are the ids of the logged models that can be read."""
    tags: dict[str, dict[str, str]] = defaultdict(dict)
    for row in schema.rows(connection, "registered_model_tags", ("name", "key", "value"), workspace=workspace):
        tags[text(row["name"])][text(row["key"])] = text(row["value"])
    aliases: dict[str, dict[str, str]] = defaultdict(dict)
    for row in schema.rows(connection, "registered_model_aliases", ("name", "alias", "version"), workspace=workspace):
        aliases[text(row["name"])][text(row["alias"])] = text(row["version"])
    version_tags: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for row in schema.rows(connection, "model_version_tags", ("name", "version", "key", "value"), workspace=workspace):
        version_tags[text(row["name"]), text(row["version"])][text(row["key"])] = text(row["value"])
    versions: dict[str, list[ModelVersion]] = defaultdict(list)
    highest: dict[str, int] = defaultdict(int)
    for row in schema.rows(connection, "model_versions", _VERSION, workspace=workspace):
        name = text(row["name"])
        try:
            numbered = number(row["version"], "version") or 0
            highest[name] = max(highest[name], numbered)
            if row["current_stage"] != DELETED_VERSION:
                versions[name].append(_version(row, name, str(numbered), version_tags[name, str(numbered)], logged))
        except Damaged as fault:
            yield Loss("model version", f"registered model {name!r:.100}, version {text(row['version'])[:60]}", str(fault), is_damage=True)
    for row in schema.rows(connection, "registered_models", _MODEL, workspace=workspace):
        name = text(row["name"])
        try:
            created = number(row["creation_time"], "creation_time") or 0
            updated = number(row["last_updated_time"], "last_updated_time") or created
        except Damaged as fault:
            yield Loss("registered model", f"registered model {name!r:.100}", str(fault), is_damage=True)
            continue
        model = RegisteredModel(name, created, updated, text(row["description"]), tags[name], aliases[name])
        yield WholeModel(model, tuple(sorted(versions[name], key=lambda one: int(one.version))), highest[name])


def left_over(connection: Connection, schema: Schema, workspace: str) -> Iterator[Loss]:
    """What else is there, one Loss for each kind."""
    for name in ("experiments", "registered_models"):
        others = schema.count(connection, name, but_workspace=workspace)
        if others:
            why = f"they are in other workspaces than {workspace!r}; ?workspace=NAME after the address reads one"
            yield Loss(name.replace("_", " ").removesuffix("s"), "those of other workspaces", why, others)
    for name, what in _NO_PLACE:
        count = schema.count(connection, name)
        if count:
            yield Loss(what, "all", "drupe has no such thing", count)


def _version(row: dict[str, Any], name: str, numbered: str, tags: dict[str, str], logged: Collection[str]) -> ModelVersion:
    source, storage = text(row["source"]), text(row["storage_location"])
    created = number(row["creation_time"], "creation_time") or 0
    return ModelVersion(
        name,
        numbered,
        created,
        number(row["last_updated_time"], "last_updated_time") or created,
        files_of(source, storage, logged),
        text(row["run_id"]) or None,
        text(row["description"]),
        text(row["user_id"]),
        stage(row["current_stage"]),
        version_status(row["status"]),
        text(row["status_message"]),
        text(row["run_link"]),
        tags,
    )
