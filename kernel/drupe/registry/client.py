"""The registry half of `drupe.Client`: registered models, versions, aliases, stages. MLflow's method names and argument order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from drupe.entities import ModelVersion, Page, RegisteredModel, Stage
from drupe.errors import InvalidValue
from drupe.extend import (
    AliasDeleted,
    AliasSet,
    Event,
    ModelRegistered,
    RegistryStore,
    StageChanged,
    VersionCreated,
    VersionDeleted,
)
from drupe.loading import catalog
from drupe.search import Kind, parse
from drupe.tracking.address import get_registry_uri, registry_store
from drupe.tracking.client import texts
from drupe.tracking.context import run_context
from drupe.uris import redact

__all__ = ["RegistryClient", "read_stage"]


class RegistryClient:
    """Registered models at one address."""

    def __init__(self, registry_uri: str | None = None) -> None:
        self._registry_uri = str(registry_uri) if registry_uri else None

    @property
    def registry_uri(self) -> str:
        """The address of the registry store in use."""
        return self._registry_uri or get_registry_uri()

    @property
    def registry(self) -> RegistryStore:
        """The opened store behind `registry_uri`."""
        return registry_store(self.registry_uri)

    def _announce(self, kind: type[Event], **fields: Any) -> None:
        catalog().notify(kind(store=redact(self.registry_uri), **fields))

    # --- registered models

    def create_registered_model(self, name: str, tags: Mapping[str, Any] | None = None, description: str | None = None) -> RegisteredModel:
        """Create a model with no versions yet. Raises AlreadyExists, InvalidName."""
        model = self.registry.create_registered_model(name, description=description or "", tags=texts(tags))
        self._announce(ModelRegistered, model=model)
        return model

    def get_registered_model(self, name: str) -> RegisteredModel:
        """Read a model with tags, aliases and the newest version of each stage. Raises RegisteredModelNotFound."""
        return self.registry.get_registered_model(name)

    def search_registered_models(
        self,
        filter_string: str | None = None,
        max_results: int = 100,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> Page[RegisteredModel]:
        """One page of registered models, by name unless ordered otherwise."""
        query = parse(Kind.REGISTERED_MODELS, filter_string, order_by)
        return self.registry.search_registered_models(query, limit=max_results, page_token=page_token)

    def update_registered_model(self, name: str, description: str | None = None) -> RegisteredModel:
        """Replace the description; None clears it."""
        return self.registry.update_registered_model(name, description=description or "")

    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        """Give a model another name; versions, tags and aliases go along."""
        return self.registry.rename_registered_model(name, new_name)

    def delete_registered_model(self, name: str) -> None:
        """Delete a model with all of its versions, for good. The files that they point to stay."""
        self.registry.delete_registered_model(name)

    def set_registered_model_tag(self, name: str, key: str, value: Any) -> None:
        """Set a tag on a model."""
        self.registry.set_registered_model_tag(name, key, str(value))

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Remove a tag of a model; a missing one is no error."""
        self.registry.delete_registered_model_tag(name, key)

    # --- versions

    def create_model_version(
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: Mapping[str, Any] | None = None,
        run_link: str | None = None,
        description: str | None = None,
        await_creation_for: int = 300,
    ) -> ModelVersion:
        """Add the next version, whose files lie at `source`; it is READY at once, so there is nothing to await."""
        version = self.registry.create_model_version(
            name,
            str(_given("source", source)),
            run_id=run_id,
            description=description or "",
            tags=texts(tags),
            user_id=run_context().user,
            run_link=run_link or "",
        )
        self._announce(VersionCreated, version=version)
        return version

    def get_model_version(self, name: str, version: str | int) -> ModelVersion:
        """Read one version with its aliases. Raises ModelVersionNotFound."""
        return self.registry.get_model_version(name, str(version))

    def search_model_versions(
        self,
        filter_string: str | None = None,
        max_results: int = 10_000,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> Page[ModelVersion]:
        """One page of versions of any model, last changed first unless ordered otherwise."""
        query = parse(Kind.MODEL_VERSIONS, filter_string, order_by)
        return self.registry.search_model_versions(query, limit=max_results, page_token=page_token)

    def update_model_version(self, name: str, version: str | int, description: str | None = None) -> ModelVersion:
        """Replace the description; None clears it."""
        return self.registry.update_model_version(name, str(version), description=description or "")

    def transition_model_version_stage(
        self, name: str, version: str | int, stage: str, archive_existing_versions: bool = False
    ) -> ModelVersion:
        """Move a version to None, Staging, Production or Archived (in any letter case).

        `archive_existing_versions` moves the others of that stage to Archived; it goes with Staging and Production only.
        """
        before = self.registry.get_model_version(name, str(version))
        after = self.registry.transition_model_version_stage(
            name, str(version), read_stage(stage), archive_existing=archive_existing_versions
        )
        self._announce(StageChanged, version=after, previous=before.current_stage)
        return after

    def delete_model_version(self, name: str, version: str | int) -> None:
        """Delete a version for good; its number is not used again."""
        self.registry.delete_model_version(name, str(version))
        self._announce(VersionDeleted, name=name, version=str(version))

    def set_model_version_tag(
        self, name: str, version: str | int | None = None, key: str | None = None, value: Any = None, stage: str | None = None
    ) -> None:
        """Set a tag on a version, or on the newest version of `stage`."""
        self.registry.set_model_version_tag(name, self._version(name, version, stage), _given("key", key), str(value))

    def delete_model_version_tag(
        self, name: str, version: str | int | None = None, key: str | None = None, stage: str | None = None
    ) -> None:
        """Remove a tag of a version; a missing one is no error."""
        self.registry.delete_model_version_tag(name, self._version(name, version, stage), _given("key", key))

    def get_latest_versions(self, name: str, stages: Sequence[str] | None = None) -> list[ModelVersion]:
        """The newest version of each stage, or of the stages asked for."""
        wanted = {read_stage(stage) for stage in stages} if stages else set(Stage)
        return [version for version in self.get_registered_model(name).latest_versions if version.current_stage in wanted]

    def get_model_version_download_uri(self, name: str, version: str | int) -> str:
        """Where the files of a version lie."""
        return self.get_model_version(name, version).source

    # --- aliases

    def set_registered_model_alias(self, name: str, alias: str, version: str | int) -> None:
        """Point an alias to a version, moving it if it points elsewhere."""
        self.registry.set_alias(name, alias, str(version))
        self._announce(AliasSet, name=name, alias=alias, version=str(version))

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        """Remove an alias; a missing one is no error."""
        self.registry.delete_alias(name, alias)
        self._announce(AliasDeleted, name=name, alias=alias)

    def get_model_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """The version that an alias points to. Raises AliasNotFound."""
        return self.registry.get_version_by_alias(name, alias)

    def _version(self, name: str, version: str | int | None, stage: str | None) -> str:
        if (version is None) == (stage is None):
            raise InvalidValue("give either a version or a stage")
        if version is not None:
            return str(version)
        newest = self.get_latest_versions(name, [str(stage)])
        if not newest:
            raise InvalidValue(f"no version of {name!r} is in stage {stage!r}")
        return newest[0].version


def read_stage(stage: str) -> Stage:
    """The stage that a word in any letter case names. Raises InvalidValue."""
    for known in Stage:
        if str(stage).lower() == known.lower():
            return known
    raise InvalidValue(f"stage {stage!r} is not one; use {', '.join(Stage)}")


def _given(what: str, value: str | None) -> str:
    if value is None:
        raise InvalidValue(f"a {what} is needed")
    return value
