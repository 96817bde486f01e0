"""What the verbs of `drupe models` know of a model beside its folder: the logged model, its run and its registered versions, as they are now."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from drupe.artifacts.resolve import find_logged_model, find_version, locate, split_models_uri
from drupe.artifacts.run_models import versions_of
from drupe.artifacts.trees import list_tree
from drupe.entities import LoggedModel, ModelVersion, Run
from drupe.errors import InvalidModelFolder, LoggedModelNotFound, NotFound, RunNotFound, UnsupportedFeature
from drupe.extend import Feature
from drupe.models.mlmodel import Model
from drupe.models.yaml_text import read_yaml

if TYPE_CHECKING:
    from drupe.client import Client

__all__ = ["Known", "Saved", "known_of", "saved_at"]


@frozen
class Saved:
    """What lies in the folder of a model: MLmodel, requirements, the example request, and how many files of which size."""

    model: Model
    requirements: tuple[str, ...]
    example: str | None
    files: int
    size_bytes: int


@frozen
class Known:
    """The logged model at an address, the run that has made it and the versions that were registered of it; each may be missing."""

    entity: LoggedModel | None = None
    run: Run | None = None
    versions: tuple[ModelVersion, ...] = ()


def saved_at(client: Client, address: str) -> Saved:
    """Read what lies at an address. Raises ArtifactNotFound, InvalidModelFolder."""
    where: str | Path = Path(address) if ":" not in address else address
    repo, path = locate(where, tracking=lambda: client.store, registry=lambda: client.registry)
    files = list_tree(repo, path)
    skipped = len(str(path)) + 1 if not path.is_root else 0
    names = {info.path[skipped:] for info in files}
    if "MLmodel" not in names:
        raise InvalidModelFolder(f"{address} is not a model: there is no file MLmodel in it", model_uri=address)
    with tempfile.TemporaryDirectory(prefix="drupe-") as folder:
        found = {}
        for name in ("MLmodel", "requirements.txt", "serving_input_example.json"):
            if name in names:
                found[name] = Path(folder) / name
                repo.get_file(path / name, found[name])
        keys = read_yaml(found["MLmodel"])
        if isinstance(keys, dict) and keys.get("flavors") == {}:  # a model whose files are elsewhere
            keys = {**keys, "flavors": {"external": {}}}
        if not isinstance(keys, dict):
            raise InvalidModelFolder(f"the MLmodel file at {address} is no map", model_uri=address)
        model = Model.from_dict(keys, place=f"MLmodel at {address}")
        lines = found["requirements.txt"].read_text(encoding="utf-8").splitlines() if "requirements.txt" in found else []
        example = found.get("serving_input_example.json")
        return Saved(
            model,
            tuple(line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")),
            None if example is None else example.read_text(encoding="utf-8"),
            len(files),
            sum(info.file_size or 0 for info in files),
        )


def known_of(client: Client, address: str, model: Model | None = None) -> Known:
    """What the stores know of the model at an address, whose MLmodel may name its logged model and run."""
    entity = _entity(client, address, model)
    run_id = entity.source_run_id if entity is not None else None if model is None else model.run_id
    run = None
    if run_id:
        try:
            run = client.store.get_run(run_id)
        except RunNotFound:
            run = None
    return Known(entity, run, tuple(_versions(client, entity, run, address)))


def _entity(client: Client, address: str, model: Model | None) -> LoggedModel | None:
    if not client.store.features.get(Feature.LOGGED_MODELS):
        return None
    try:
        found = find_logged_model(client.store, _followed(client, address))
        if found is None and model is not None and model.model_id:
            found = client.store.get_logged_model(model.model_id)
    except LoggedModelNotFound:
        if address.startswith("models:/m-"):
            raise
        return None
    except (RunNotFound, UnsupportedFeature):
        return None
    return found


def _followed(client: Client, address: str) -> str:
    """A version's source, of `models:/NAME/…`; other addresses as they are."""
    if not address.startswith("models:/") or address.startswith("models:/m-"):
        return address
    return find_version(client.registry, split_models_uri(address)[0]).source


def _versions(client: Client, entity: LoggedModel | None, run: Run | None, address: str) -> list[ModelVersion]:
    found: dict[tuple[str, str], ModelVersion] = {}
    if address.startswith("models:/") and not address.startswith("models:/m-"):
        version = find_version(client.registry, split_models_uri(address)[0])
        found[version.name, version.version] = version
    sources = set() if entity is None else {entity.model_uri, entity.artifact_location}
    listed = set() if entity is None else set(versions_of(entity))
    if run is not None and entity is not None:
        seen = client.search_model_versions(f"run_id = '{run.info.run_id}'", max_results=1000)
        listed |= {(version.name, version.version) for version in seen if version.source in sources}
    for name, number in listed - found.keys():
        try:
            found[name, number] = client.get_model_version(name, number)  # a search tells no aliases
        except NotFound:  # it was deleted, and the list is of then
            continue
    return [found[key] for key in sorted(found)]
