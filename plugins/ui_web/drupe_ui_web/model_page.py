"""What the page of one model shows: its card as data, built by the kernel's own card rooms, and its files with their sizes.

A model may be asked as a logged model, as a registered version, or as a folder of a run. Where the files cannot be read, what the stores know
is told all the same, with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from drupe.artifacts.run_models import find_in_run, versions_of
from drupe.entities import FileInfo, LoggedModel, ModelVersion, Run
from drupe.entities.codec import to_plain
from drupe.errors import DrupeError, ExperimentNotFound, InvalidModelFolder, LoggedModelNotFound, RunNotFound
from drupe.extend import Feature, ServedStore, WebReply, WebRequest, WebRoute
from drupe.models.card import Card, Code, Facts, Note, Prose, Table, card_of
from drupe.models.mlmodel import Model
from drupe.models.yaml_text import parse_yaml
from drupe.search import Kind, parse
from drupe.uris import ArtifactPath
from drupe_ui_web.files import whole_file
from drupe_ui_web.replies import json_reply
from drupe_ui_web.run_page import short_run, short_version, version_of
from drupe_ui_web.subjects import Place, address_of, place_of

__all__ = ["KnownModel", "ModelPage", "SavedModel", "known_model", "saved_model"]

TEXT_BYTES = 4 << 20
EXAMPLE_BYTES = 100_000
FILES_SHOWN = 2000
FILES_MAX = 20_000
KEY_MAX = 500
_VERSIONS_MAX = 1000


@frozen
class SavedModel:
    """What lies in a model's folder; `files` are told below it."""

    model: Model
    requirements: tuple[str, ...]
    example: str | None
    files: tuple[FileInfo, ...]

    @property
    def size_bytes(self) -> int:
        """All files together."""
        return sum(info.file_size or 0 for info in self.files)


@frozen
class KnownModel:
    """The logged model that is asked for, the run that has made it and the versions registered of it; each may be missing."""

    entity: LoggedModel | None = None
    run: Run | None = None
    versions: tuple[ModelVersion, ...] = ()


class ModelPage:
    """The route of one model's page."""

    def __init__(self, store: ServedStore) -> None:
        self._store = store

    def routes(self, root: str) -> Sequence[WebRoute]:
        """The routes, below `root`."""
        return [WebRoute("GET", f"{root}/model", self.model)]

    def model(self, request: WebRequest) -> WebReply:
        """A model and what belongs to it. Raises NotFound where neither files nor stores know it, InvalidValue."""
        saved: SavedModel | None = None
        fault = ""
        try:
            saved = saved_model(self._store, request.query)
        except DrupeError as problem:
            fault = problem.message
        known = known_model(self._store, request.query, None if saved is None else saved.model)
        if saved is None and known.entity is None and known.run is None and not known.versions:
            raise InvalidModelFolder(fault)
        form = _form(address_of(request.query), saved, known, fault)
        if form["model"] is not None:
            form["model"]["experiment"] = self._experiment(form["model"]["experiment_id"])
        return json_reply(form)

    def _experiment(self, experiment_id: str) -> str:
        """The name of an experiment; its id where there is no such experiment any more."""
        try:
            return self._store.tracking.get_experiment(experiment_id).name
        except ExperimentNotFound:
            return experiment_id


def saved_model(store: ServedStore, query: Mapping[str, str]) -> SavedModel:
    """Read what lies at a place. Raises InvalidModelFolder where no model lies there, InvalidUri where this server does not reach."""
    place = place_of(store, {name: text for name, text in query.items() if name != "path"})
    files = _files_below(place)
    names = {info.path: info for info in files}
    if "MLmodel" not in names:
        raise InvalidModelFolder(f"there is no file MLmodel in {address_of(query)}, so this is no model")
    keys = parse_yaml(whole_file(Place(place.repo, place.root, ArtifactPath(("MLmodel",))), TEXT_BYTES), Path("MLmodel"))
    if not isinstance(keys, dict):
        raise InvalidModelFolder("the MLmodel file is no map")
    if keys.get("flavors") == {}:  # a model whose files are elsewhere
        keys = {**keys, "flavors": {"external": {}}}

    def text(name: str, most: int) -> str | None:
        if name not in names or (names[name].file_size or 0) > most:
            return None
        return whole_file(Place(place.repo, place.root, ArtifactPath((name,))), most).decode("utf-8", "replace")

    lines = (text("requirements.txt", TEXT_BYTES) or "").splitlines()
    return SavedModel(
        Model.from_dict(keys),
        tuple(line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")),
        text("serving_input_example.json", EXAMPLE_BYTES),
        files,
    )


def known_model(store: ServedStore, query: Mapping[str, str], model: Model | None) -> KnownModel:
    """What the stores know of a model. Raises NotFound where what was asked by its id is not there, InvalidValue."""
    address_of(query)  # raises when nothing is asked
    version = None
    if query.get("name") and query.get("version"):
        version = store.registry.get_model_version(query["name"], query["version"])
    entity = _entity(store, query, model, version)
    run_id = entity.source_run_id if entity is not None else (model.run_id if model is not None else None)
    run_id = run_id or (version.run_id if version is not None else None) or query.get("run_id")
    run = None
    if run_id:
        try:
            run = store.tracking.get_run(run_id)
        except RunNotFound:
            run = None
    found = {} if version is None else {(version.name, version.version): version}
    for name, number in _registered(store, entity, run):
        if (name, number) not in found and (known := version_of(store, name, number)) is not None:
            found[name, number] = known
    return KnownModel(entity, run, tuple(found[key] for key in sorted(found)))


def _entity(store: ServedStore, query: Mapping[str, str], model: Model | None, version: ModelVersion | None) -> LoggedModel | None:
    if not store.tracking.features.get(Feature.LOGGED_MODELS):
        return None
    if query.get("model_id"):
        return store.tracking.get_logged_model(query["model_id"])
    asked = model.model_id if model is not None else None
    if asked is None and version is not None and version.source.startswith("models:/m-"):
        asked = version.source.removeprefix("models:/")
    try:
        if asked:
            return store.tracking.get_logged_model(asked)
        if query.get("run_id") and query.get("folder"):
            found = find_in_run(store.tracking, store.tracking.get_run(query["run_id"]), ArtifactPath.parse(query["folder"]))
            return found[0] if found is not None and found[1].is_root else None
    except LoggedModelNotFound:
        return None
    return None


def _registered(store: ServedStore, entity: LoggedModel | None, run: Run | None) -> set[tuple[str, str]]:
    """Names and numbers of the versions of a logged model."""
    if entity is None:
        return set()
    listed = set(versions_of(entity))
    if run is not None:
        sources = {entity.model_uri, entity.artifact_location}
        query = parse(Kind.MODEL_VERSIONS, f"run_id = '{run.info.run_id}'")
        seen = store.registry.search_model_versions(query, limit=_VERSIONS_MAX)
        listed |= {(version.name, version.version) for version in seen if version.source in sources}
    return listed


def _files_below(place: Place) -> tuple[FileInfo, ...]:
    """All files below a place, by path there, up to a bound; a model has no more."""
    found: list[FileInfo] = []
    folders = [place.root]
    while folders and len(found) < FILES_MAX:
        for info in place.repo.list(folders.pop()):
            if info.is_dir:
                folders.append(ArtifactPath.parse(info.path))
            else:
                found.append(FileInfo(place.told(info.path), False, info.file_size))
    return tuple(sorted(found))


def _form(address: str, saved: SavedModel | None, known: KnownModel, fault: str) -> dict[str, Any]:
    entity, run = known.entity, known.run
    model = saved.model if saved is not None else Model({}, model_uuid=None, utc_time_created="")
    card = card_of(
        model,
        uri=address,
        requirements=() if saved is None else saved.requirements,
        files=None if saved is None else len(saved.files),
        example=None if saved is None else saved.example,
        entity=entity,
        run=run,
        versions=[(version.name, version.version) for version in known.versions],
    )
    files = () if saved is None else saved.files
    return {
        "address": address,
        "title": card.title,
        "subtitle": card.subtitle,
        "sections": _sections(card) if saved is not None else [],
        "flavors": [
            {
                "name": name,
                "release": str(next((value for key, value in config.items() if str(key).endswith("_version")), "")),
                "keys": [[str(key), _short(value)] for key, value in config.items()],
            }
            for name, config in model.flavors.items()
        ],
        "files": [{"path": info.path, "size": info.file_size or 0} for info in files[:FILES_SHOWN]],
        "files_count": len(files),
        "size_bytes": 0 if saved is None else saved.size_bytes,
        "model": None if entity is None else _entity_form(entity),
        "run": None if run is None else short_run(run),
        "versions": [short_version(version) for version in known.versions],
        "fault": fault,
    }


def _entity_form(entity: LoggedModel) -> dict[str, Any]:
    def pairs(told: Mapping[str, str]) -> list[dict[str, str]]:
        return [{"key": key, "value": value} for key, value in sorted(told.items())]

    return {
        "model_id": entity.model_id,
        "name": entity.name,
        "type": entity.model_type or "",
        "status": entity.status.value,
        "status_message": entity.status_message or "",
        "created": entity.creation_timestamp,
        "experiment_id": entity.experiment_id,
        "metrics": [to_plain(metric) for metric in entity.metrics],
        "params": pairs(entity.params),
        "tags": pairs(entity.tags),
    }


def _sections(card: Card) -> list[dict[str, Any]]:
    return [{"title": section.title, "blocks": [_block(block) for block in section.blocks]} for section in card.sections]


def _block(block: Prose | Note | Facts | Table | Code) -> dict[str, Any]:
    match block:
        case Prose(text):
            return {"kind": "prose", "text": text}
        case Note(text):
            return {"kind": "note", "text": text}
        case Facts(rows):
            return {"kind": "facts", "rows": rows}
        case Table(headings, rows, numbers):
            return {"kind": "table", "headings": headings, "rows": rows, "numbers": numbers}
        case Code(language, text):
            return {"kind": "code", "language": language, "text": text}


def _short(value: Any) -> str:
    try:
        text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    except TypeError:  # YAML has maps whose keys are dates, JSON has not
        text = str(value)
    return text if len(text) <= KEY_MAX else f"{text[:KEY_MAX]}…"
