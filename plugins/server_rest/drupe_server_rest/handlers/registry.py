"""Registered models, their versions, aliases, stages and tags."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from attrs import evolve

from drupe.entities import LoggedModel, ModelVersion, RegisteredModel, Stage
from drupe.errors import InvalidPath, InvalidUri, InvalidValue
from drupe.registry.client import read_stage
from drupe.search import Kind, parse
from drupe.uris import Uri
from drupe.wire import registry as wire
from drupe.wire.tracking import Nothing
from drupe_server_rest.services import Services

__all__ = ["HANDLERS"]

MODELS_PAGE = 100
VERSIONS_PAGE = 10_000
VERSIONS_TAG = "mlflow.modelVersions"
_MODEL = re.compile(r"models:/+m-[0-9a-f]{32}")
PLACEHOLDER = "dummy-source"  # what prompts name as their source
REFUSED_SCHEMES = ("http", "https")


def _create(services: Services, asked: wire.CreateModel) -> wire.ModelFound:
    """See `wire.CreateModel`."""
    made = services.registry.create_registered_model(asked.name, description=asked.description, tags=_tags(asked.tags))
    return _changed_model(services, made)


def _get(services: Services, asked: wire.OneModel) -> wire.ModelFound:
    """See `wire.OneModel`."""
    return wire.ModelFound(_told_model(services, services.registry.get_registered_model(asked.name)))


def _search(services: Services, asked: wire.SearchModels) -> wire.ModelsFound:
    """See `wire.SearchModels`."""
    page = services.registry.search_registered_models(
        parse(Kind.REGISTERED_MODELS, asked.filter, asked.order_by),
        limit=MODELS_PAGE if asked.max_results is None else asked.max_results,
        page_token=asked.page_token or None,
    )
    return wire.ModelsFound(tuple(_told_model(services, model) for model in page), page.token)


def _update(services: Services, asked: wire.UpdateModel) -> wire.ModelFound:
    """See `wire.UpdateModel`."""
    return _changed_model(services, services.registry.update_registered_model(asked.name, description=asked.description))


def _rename(services: Services, asked: wire.RenameModel) -> wire.ModelFound:
    """See `wire.RenameModel`."""
    return _changed_model(services, services.registry.rename_registered_model(asked.name, asked.new_name))


def _delete(services: Services, asked: wire.OneModel) -> Nothing:
    """Delete it with all that it has."""
    services.registry.delete_registered_model(asked.name)
    return _changed(services, asked.name)


def _set_tag(services: Services, asked: wire.SetModelTag) -> Nothing:
    """See `wire.SetModelTag`."""
    services.registry.set_registered_model_tag(asked.name, asked.key, asked.value)
    return _changed(services, asked.name)


def _delete_tag(services: Services, asked: wire.DeleteModelTag) -> Nothing:
    """See `wire.DeleteModelTag`."""
    services.registry.delete_registered_model_tag(asked.name, asked.key)
    return _changed(services, asked.name)


def _get_latest_versions(services: Services, asked: wire.GetLatestVersions) -> wire.VersionsFound:
    """See `wire.GetLatestVersions`."""
    wanted = {read_stage(stage) for stage in asked.stages} or set(Stage)
    model = services.registry.get_registered_model(asked.name)
    return wire.VersionsFound(tuple(_told(services, one) for one in model.latest_versions if one.current_stage in wanted))


def _follow_alias(services: Services, asked: wire.OneAlias) -> wire.VersionFound:
    """The version that it points to."""
    return wire.VersionFound(_told(services, services.registry.get_version_by_alias(asked.name, asked.alias)))


def _set_alias(services: Services, asked: wire.SetAlias) -> Nothing:
    """See `wire.SetAlias`."""
    services.registry.set_alias(asked.name, asked.alias, asked.version)
    return _changed(services, asked.name)


def _delete_alias(services: Services, asked: wire.OneAlias) -> Nothing:
    """Remove it; one that is not there is no error."""
    services.registry.delete_alias(asked.name, asked.alias)
    return _changed(services, asked.name)


def _create_version(services: Services, asked: wire.CreateVersion) -> wire.VersionFound:
    """See `wire.CreateVersion`."""
    model = services.tracking.get_logged_model(asked.model_id) if asked.model_id else None
    made = services.registry.create_model_version(
        asked.name,
        _source(services, asked, model),
        run_id=asked.run_id or (model.source_run_id if model else None),
        description=asked.description,
        tags=_tags(asked.tags),
        run_link=asked.run_link,
        user_id=asked.user_id,
    )
    if model:
        _note_version(services, model, made)
    return _changed_version(services, made)


def _get_version(services: Services, asked: wire.OneVersion) -> wire.VersionFound:
    """See `wire.OneVersion`."""
    return wire.VersionFound(_told(services, services.registry.get_model_version(asked.name, asked.version)))


def _search_versions(services: Services, asked: wire.SearchVersions) -> wire.VersionsFound:
    """See `wire.SearchVersions`."""
    page = services.registry.search_model_versions(
        parse(Kind.MODEL_VERSIONS, asked.filter, asked.order_by),
        limit=VERSIONS_PAGE if asked.max_results is None else asked.max_results,
        page_token=asked.page_token or None,
    )
    return wire.VersionsFound(tuple(_told(services, one) for one in page), page.token)


def _download_uri(services: Services, asked: wire.OneVersion) -> wire.DownloadUri:
    """Where its files are: its source, or those of the logged model that its source names."""
    source = services.registry.get_model_version(asked.name, asked.version).source
    if _MODEL.fullmatch(source):
        source = services.tracking.get_logged_model(source.rpartition("/")[2]).artifact_location
    return wire.DownloadUri(services.places.told(source))


def _update_version(services: Services, asked: wire.UpdateVersion) -> wire.VersionFound:
    """See `wire.UpdateVersion`."""
    changed = services.registry.update_model_version(asked.name, asked.version, description=asked.description)
    return _changed_version(services, changed)


def _transition_stage(services: Services, asked: wire.TransitionStage) -> wire.VersionFound:
    """See `wire.TransitionStage`."""
    changed = services.registry.transition_model_version_stage(
        asked.name, asked.version, read_stage(asked.stage), archive_existing=asked.archive_existing_versions
    )
    return _changed_version(services, changed)


def _delete_version(services: Services, asked: wire.OneVersion) -> Nothing:
    """Delete it for good."""
    services.registry.delete_model_version(asked.name, asked.version)
    return _changed(services, asked.name)


def _set_version_tag(services: Services, asked: wire.SetVersionTag) -> Nothing:
    """See `wire.SetVersionTag`."""
    services.registry.set_model_version_tag(asked.name, asked.version, asked.key, asked.value)
    return _changed(services, asked.name)


def _delete_version_tag(services: Services, asked: wire.DeleteVersionTag) -> Nothing:
    """See `wire.DeleteVersionTag`."""
    services.registry.delete_model_version_tag(asked.name, asked.version, asked.key)
    return _changed(services, asked.name)


def _note_version(services: Services, model: LoggedModel, version: ModelVersion) -> None:
    """Add the version to the tag of a logged model that lists its versions, as clients expect it."""
    try:
        listed = json.loads(model.tags.get(VERSIONS_TAG, "[]"))
    except ValueError:  # anyone may set the tag
        listed = []
    noted = [*(listed if isinstance(listed, list) else []), {"name": version.name, "version": version.version}]
    services.tracking.set_logged_model_tags(model.model_id, {VERSIONS_TAG: json.dumps(noted)})


def _source(services: Services, asked: wire.CreateVersion, model: LoggedModel | None) -> str:
    """The source as it is noted: a local one only inside the artifacts of the run or logged model that it is said to come from."""
    if asked.source == PLACEHOLDER:
        return asked.source
    source = Uri.parse(asked.source)
    if source.scheme in REFUSED_SCHEMES:
        raise InvalidUri(f"model-versions/create: {source.text} cannot be a source; use the address of a run, a model or a storage")
    if source.scheme in ("runs", "models"):
        return asked.source  # nothing is decoded in these when they are followed
    if source.scheme not in ("file", "mlflow-artifacts"):
        return source.text
    noted = services.places.noted(source.text)
    if not asked.run_id and model is None:
        raise InvalidValue(f"model-versions/create: the source {source.text} needs the run_id of the run whose artifacts it is among")
    roots = [] if model is None else [model.artifact_location]
    if asked.run_id:
        roots.append(services.tracking.get_run(asked.run_id).info.artifact_uri)
    inside = services.places.inside(noted).segments
    if not any(inside[: len(root)] == root for root in (services.places.inside(root).segments for root in roots)):
        where = f"run {asked.run_id}" if asked.run_id else f"logged model {asked.model_id}"
        raise InvalidPath(f"model-versions/create: the source {source.text} is not among the artifacts of {where}")
    return noted


def _tags(tags: Iterable[wire.ModelTag]) -> dict[str, str]:
    return {tag.key: tag.value for tag in tags}


def _told(services: Services, version: ModelVersion) -> ModelVersion:
    return evolve(version, source=services.places.told(version.source))


def _told_model(services: Services, model: RegisteredModel) -> RegisteredModel:
    return evolve(model, latest_versions=tuple(_told(services, version) for version in model.latest_versions))


def _changed(services: Services, name: str) -> Nothing:
    services.changes.tell("model", name=name)
    return Nothing()


def _changed_model(services: Services, model: RegisteredModel) -> wire.ModelFound:
    _changed(services, model.name)
    return wire.ModelFound(_told_model(services, model))


def _changed_version(services: Services, version: ModelVersion) -> wire.VersionFound:
    _changed(services, version.name)
    return wire.VersionFound(_told(services, version))


HANDLERS = {
    "POST registered-models/create": _create,
    "GET registered-models/get": _get,
    "GET registered-models/search": _search,
    "PATCH registered-models/update": _update,
    "POST registered-models/rename": _rename,
    "DELETE registered-models/delete": _delete,
    "POST registered-models/set-tag": _set_tag,
    "DELETE registered-models/delete-tag": _delete_tag,
    "GET registered-models/get-latest-versions": _get_latest_versions,
    "POST registered-models/get-latest-versions": _get_latest_versions,
    "GET registered-models/alias": _follow_alias,
    "POST registered-models/alias": _set_alias,
    "DELETE registered-models/alias": _delete_alias,
    "POST model-versions/create": _create_version,
    "GET model-versions/get": _get_version,
    "GET model-versions/search": _search_versions,
    "GET model-versions/get-download-uri": _download_uri,
    "PATCH model-versions/update": _update_version,
    "POST model-versions/transition-stage": _transition_stage,
    "DELETE model-versions/delete": _delete_version,
    "POST model-versions/set-tag": _set_version_tag,
    "DELETE model-versions/delete-tag": _delete_version_tag,
}
