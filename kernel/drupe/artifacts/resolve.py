"""Following an address to the repository and path where its files are: `runs:/`, `models:/`, local paths, artifact addresses.

Only looks things up; fetching is in `trees` and `download`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from drupe.artifacts.repos import repo_for
from drupe.artifacts.run_models import find_in_run
from drupe.entities import LoggedModel, ModelVersion, Run, Stage
from drupe.errors import InvalidPath, InvalidUri, ModelVersionNotFound
from drupe.extend import ArtifactRepo, RegistryStore, TrackingStore
from drupe.uris import ArtifactPath, ModelsUri, RunsUri, Uri, inside_of, redact

__all__ = ["find_logged_model", "find_version", "locate", "path_in_model", "split_models_uri"]

S = TypeVar("S")

_MOST_HOPS = 8
_LOGGED_MODEL = re.compile(r"models:/+(?P<model_id>m-[0-9a-f]{32})(?:/(?P<path>.*))?", re.DOTALL)
_ROOT = ArtifactPath()


def locate(
    uri: str | Path,
    *,
    tracking: TrackingStore | Callable[[], TrackingStore],
    registry: RegistryStore | Callable[[], RegistryStore],
) -> tuple[ArtifactRepo, ArtifactPath]:
    """The repository that holds what `uri` names, and the path in it; whether anything is there is not asked.

    Stores may be given as functions, which are called only when the address needs them. A model's version leads to its source, which
    may again be an address of any of these forms; `models:/m-…` is a logged model. Raises InvalidUri, InvalidPath, RunNotFound,
    RegisteredModelNotFound, ModelVersionNotFound, AliasNotFound, LoggedModelNotFound, NoProvider.
    """
    inner = _ROOT
    text = str(uri)
    passed: list[str] = []
    while _scheme(text) == "models":
        if text in passed or len(passed) >= _MOST_HOPS:
            chain = " → ".join([*passed, text])
            raise InvalidUri(f"{str(uri)!r} leads from model to model and never to files: {chain}")
        passed.append(text)
        logged = _LOGGED_MODEL.fullmatch(text)
        if logged is not None:
            address = _opened(tracking).get_logged_model(logged["model_id"]).artifact_location
            return repo_for(address), ArtifactPath(ArtifactPath.parse(logged["path"] or "").segments + inner.segments)
        model, path = split_models_uri(text)
        inner = ArtifactPath(path.segments + inner.segments)
        text = find_version(_opened(registry), model).source
    if _scheme(text) == "runs":
        named = RunsUri.parse(text)
        store = _opened(tracking)
        run, path = store.get_run(named.run_id), ArtifactPath(named.path.segments + inner.segments)
        return _in_run(store, run, path)
    repo, path = _direct(Path(text) if isinstance(uri, Path) and not passed else text)
    return repo, ArtifactPath(path.segments + inner.segments)


def find_logged_model(store: TrackingStore, uri: str) -> LoggedModel | None:
    """The logged model that an address `models:/m-…` or `runs:/<run>/<name>` names; None for all other addresses.

    Raises LoggedModelNotFound, RunNotFound.
    """
    logged = _LOGGED_MODEL.fullmatch(uri)
    if logged is not None:
        return None if logged["path"] else store.get_logged_model(logged["model_id"])
    if _scheme(uri) != "runs":
        return None
    named = RunsUri.parse(uri)
    found = find_in_run(store, store.get_run(named.run_id), named.path)
    return found[0] if found is not None and found[1].is_root else None


def _in_run(store: TrackingStore, run: Run, path: ArtifactPath) -> tuple[ArtifactRepo, ArtifactPath]:
    """The place of a path in a run, where it leads into a logged model that of the model."""
    found = find_in_run(store, run, path)
    if found is None:
        return repo_for(run.info.artifact_uri), path
    model, rest = found
    inside = inside_of(model.artifact_location, run.info.artifact_uri)
    if inside is not None:  # the same repository as for all else of the run
        return repo_for(run.info.artifact_uri), ArtifactPath(inside.segments + rest.segments)
    return repo_for(model.artifact_location), rest


def split_models_uri(text: str) -> tuple[ModelsUri, ArtifactPath]:
    """Read `models:/name/3/folder/file` or `models:/name@alias/folder/file`; most often the path is empty. Raises InvalidUri, InvalidPath."""
    scheme, _, rest = text.partition(":")
    parts = rest.lstrip("/").split("/")
    count = 1 if "@" in parts[0] else 2
    return ModelsUri.parse(f"{scheme}:/{'/'.join(parts[:count])}"), ArtifactPath.parse("/".join(parts[count:]))


def path_in_model(text: str) -> ArtifactPath:
    """What a `models:/` address names inside the model: of a version or of a logged model. Raises InvalidUri, InvalidPath."""
    logged = _LOGGED_MODEL.fullmatch(text)
    return split_models_uri(text)[1] if logged is None else ArtifactPath.parse(logged["path"] or "")


def find_version(registry: RegistryStore, model: ModelsUri) -> ModelVersion:
    """The version that a model address means now. A stage means its newest version, `latest` the newest of all.

    Raises RegisteredModelNotFound, ModelVersionNotFound, AliasNotFound; InvalidUri when the stage is none of the four.
    """
    if model.version is not None:
        return registry.get_model_version(model.name, model.version)
    if model.alias is not None:
        return registry.get_version_by_alias(model.name, model.alias)
    versions = registry.get_registered_model(model.name).latest_versions
    if model.stage is None:
        if not versions:
            raise ModelVersionNotFound(f"registered model {model.name!r} has no versions yet", name=model.name)
        return max(versions, key=lambda version: int(version.version))
    stage = next((stage for stage in Stage if stage.value.lower() == model.stage.lower()), None)
    if stage is None:
        raise InvalidUri(
            f"{str(model)!r} names the stage {model.stage!r}; the stages are {', '.join(stage.value for stage in Stage)}. "
            f"An alias is written models:/{model.name}@{model.stage}"
        )
    for version in versions:
        if version.current_stage is stage:
            return version
    raise ModelVersionNotFound(f"registered model {model.name!r} has no version in stage {stage.value}", name=model.name, stage=stage.value)


def _scheme(text: str) -> str:
    return text.partition(":")[0].lower()


def _opened(store: S | Callable[[], S]) -> S:
    return store() if callable(store) else store


def _direct(place: str | Path) -> tuple[ArtifactRepo, ArtifactPath]:
    """An artifact address or local path as its parent folder and its name, which serves files and folders alike."""
    parsed = Uri.parse(place, query=True)
    path = parsed.path
    if parsed.scheme == "file":
        path = str(Path(path).resolve())  # the user's own path may lead over links; below the folder that it names none is followed
        parsed = Uri(parsed.scheme, path=path, query=parsed.query)
    parent, _, name = path.rstrip("/").rpartition("/")
    try:
        inner = ArtifactPath.parse(name)
    except InvalidPath:
        if parsed.scheme != "file" or not Path(path).is_dir():
            raise InvalidUri(f"{redact(str(place))!r} ends in a name that no artifact may have") from None
        return repo_for(parsed), _ROOT  # an odd name of a folder that is only passed through
    if inner.is_root:
        return repo_for(parsed), _ROOT
    above = Uri(parsed.scheme, parsed.host, parent or "/", parsed.query, parsed.user_info, parsed.has_authority)
    return repo_for(above), inner
