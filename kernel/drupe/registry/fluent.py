"""Registering a model with one call, and searching the registry: module functions under MLflow's names."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from drupe.artifacts.manifest import fetch_manifest
from drupe.artifacts.resolve import find_logged_model, locate
from drupe.artifacts.run_models import VERSIONS_TAG, address_in_store, versions_of
from drupe.entities import ModelVersion, RegisteredModel, gather
from drupe.errors import AlreadyExists, InvalidModelFolder, InvalidValue
from drupe.extend import TrackingStore
from drupe.registry.client import RegistryClient
from drupe.tracking.address import get_tracking_uri, tracking_store
from drupe.tracking.chosen import client_of
from drupe.tracking.client import TrackingClient
from drupe.tracking.model_history import DIGEST_TAG
from drupe.uris import ModelsUri, RunsUri

__all__ = ["register_model", "search_model_versions", "search_registered_models"]


def register_model(
    model_uri: str,
    name: str,
    await_registration_for: int = 300,
    *,
    tags: Mapping[str, Any] | None = None,
    tracking: TrackingClient | None = None,
) -> ModelVersion:
    """Add the model at `model_uri` as the next version of the registered model `name`, creating that when it is new.

    `model_uri` is `models:/m-…` (a logged model, which then lists the version), `runs:/<run id>/<path>`, `models:/…` (a copy), a folder or an
    artifact address; one that lies among the artifacts of a run is that run's. `tracking` is the client of the store that knows the run or logged model; by default the one in use. Raises
    ArtifactNotFound, InvalidModelFolder when no MLmodel file lies there, InvalidName, LoggedModelNotFound. The digest of the model's files is
    noted with the version, as a tag.
    """
    client = RegistryClient()
    if tracking is None and model_uri.startswith("runs:"):
        tracking = client_of(RunsUri.parse(model_uri).run_id)
    store = tracking_store() if tracking is None else tracking.store
    known_at = get_tracking_uri() if tracking is None else tracking.tracking_uri
    if not model_uri.startswith(("runs:", "models:")):
        model_uri = address_in_store(store, model_uri, known_at) or model_uri
    repo, path = locate(model_uri, tracking=store, registry=client.registry)
    if not repo.is_file(path / "MLmodel"):
        raise InvalidModelFolder(f"{model_uri!r} is not a model: there is no file MLmodel in {repo.root / path}", model_uri=model_uri)
    source, run_id = str(repo.root / path), None
    logged = find_logged_model(store, model_uri)
    if logged is not None:
        run_id = logged.source_run_id
        if client.registry_uri == known_at:  # else nobody would find it from there
            source = logged.model_uri
    elif model_uri.startswith("runs:"):
        run_id = RunsUri.parse(model_uri).run_id
    elif model_uri.startswith("models:"):
        copied = _version_at(client, ModelsUri.parse(model_uri))  # an alias would lead elsewhere when it moves
        source, run_id = f"models:/{copied.name}/{copied.version}", copied.run_id
    sealed = fetch_manifest(repo, path)
    if sealed is not None:
        tags = {**(tags or {}), DIGEST_TAG: sealed.digest}
    with suppress(AlreadyExists):  # the usual case: one more version
        client.create_registered_model(name)
    try:
        version = client.create_model_version(name, source, run_id, tags)
    except InvalidValue as fault:
        if run_id is not None or repo.local_path(path) is None:
            raise
        raise InvalidValue(
            f"the registry does not take {model_uri!r}, which lies on this machine: {fault.message}. Log it first (drupe.log_model, or "
            "drupe.log_artifacts), then register runs:/<run id>/<path>"
        ) from fault
    if logged is not None:
        _list_version(store, logged.model_id, version)
    return version


def search_registered_models(
    max_results: int | None = None, filter_string: str | None = None, order_by: Sequence[str] | None = None
) -> list[RegisteredModel]:
    """All registered models that the filter finds, at most `max_results`."""
    client = RegistryClient()
    return gather(
        lambda limit, token: client.search_registered_models(filter_string, limit, order_by, token), page_size=1000, at_most=max_results
    )


def search_model_versions(
    max_results: int | None = None, filter_string: str | None = None, order_by: Sequence[str] | None = None
) -> list[ModelVersion]:
    """All versions that the filter finds, at most `max_results`."""
    client = RegistryClient()
    return gather(
        lambda limit, token: client.search_model_versions(filter_string, limit, order_by, token), page_size=10_000, at_most=max_results
    )


def _list_version(store: TrackingStore, model_id: str, version: ModelVersion) -> None:
    """Add the version to the tag of a logged model that lists its versions, as MLflow's clients do."""
    listed = versions_of(store.get_logged_model(model_id))
    if (version.name, version.version) not in listed:
        entries = [{"name": name, "version": number} for name, number in [*listed, (version.name, version.version)]]
        store.set_logged_model_tags(model_id, {VERSIONS_TAG: json.dumps(entries)})


def _version_at(client: RegistryClient, uri: ModelsUri) -> ModelVersion:
    if uri.version:
        return client.get_model_version(uri.name, uri.version)
    if uri.stage:
        return client.get_latest_versions(uri.name, [uri.stage])[0]
    return client.get_model_version_by_alias(uri.name, uri.alias or "latest")
