"""The registered models of a file store: a folder for each model, and in it one for each version."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from drupe.entities import ModelVersion, RegisteredModel, WholeModel
from drupe.extend import Loss
from drupe_import_mlflow.folders import files_below, folders_in, read_map, read_text
from drupe_import_mlflow.values import DELETED_VERSION, Damaged, files_of, number, stage, text, text_of, version_status

__all__ = ["models_in"]

_VERSION = re.compile(r"version-(\d{1,18})")


def models_in(folder: Path, logged: Collection[str]) -> Iterator[WholeModel | Loss]:
    """Every registered model; parts that cannot be read come as losses before the model that they belong to.

    `logged` are the ids of the logged models that can be read.
    """
    for name in folders_in(folder):
        losses: list[Loss] = []
        try:
            found = _model(folder / name, losses, logged)
        except Damaged as fault:
            yield Loss("registered model", f"registered model {name!r}", str(fault), is_damage=True)
            continue
        yield from losses
        yield found


def _model(folder: Path, losses: list[Loss], logged: Collection[str]) -> WholeModel:
    meta = read_map(folder)
    name = text_of(meta, "name")
    place = f"registered model {name!r}"
    created = number(meta.get("creation_timestamp"), "creation_timestamp") or 0
    versions, highest = [], 0
    for inner in folders_in(folder):
        matched = _VERSION.fullmatch(inner)
        if matched is None:
            continue
        highest = max(highest, int(matched[1]))
        try:
            version = _version(folder / inner, name, str(int(matched[1])), losses, logged)
        except Damaged as fault:
            losses.append(Loss("model version", f"{place}, version {matched[1]}", str(fault), is_damage=True))
            continue
        if version is not None:
            versions.append(version)
    aliases = {alias: number.strip() for alias, number in _texts(folder / "aliases", place, "alias", losses).items()}
    tags = _texts(folder / "tags", place, "registered model tag", losses)
    updated = number(meta.get("last_updated_timestamp"), "last_updated_timestamp") or created
    model = RegisteredModel(name, created, updated, text(meta.get("description")), tags, aliases)
    return WholeModel(model, tuple(sorted(versions, key=lambda one: int(one.version))), highest)


def _version(folder: Path, name: str, numbered: str, losses: list[Loss], logged: Collection[str]) -> ModelVersion | None:
    meta = read_map(folder)
    if meta.get("current_stage") == DELETED_VERSION:
        return None
    source, storage = text(meta.get("source")), text(meta.get("storage_location"))
    created = number(meta.get("creation_timestamp"), "creation_timestamp") or 0
    return ModelVersion(
        name,
        numbered,
        created,
        number(meta.get("last_updated_timestamp"), "last_updated_timestamp") or created,
        files_of(source, storage, logged),
        text(meta.get("run_id")) or None,
        text(meta.get("description")),
        text(meta.get("user_id")),
        stage(meta.get("current_stage")),
        version_status(meta.get("status")),
        text(meta.get("status_message")),
        text(meta.get("run_link")),
        _texts(folder / "tags", f"registered model {name!r}, version {numbered}", "model version tag", losses),
    )


def _texts(folder: Path, place: str, what: str, losses: list[Loss]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, file in files_below(folder):
        try:
            if isinstance(file, Damaged):
                raise file
            found[key] = read_text(file)
        except Damaged as fault:
            losses.append(Loss(what, f"{place}, {what} {key!r}", str(fault), is_damage=True))
    return found
