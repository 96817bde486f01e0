"""The contract of a registry store: registered models, their versions, aliases, stages and tags.

The conformance kit is `drupe.testing.registry_store`. Resolving sources and downloading files is not the store's work, see
`drupe.registry` and `drupe.artifacts`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from drupe.entities import ModelVersion, Page, RegisteredModel, Stage, WholeModel
from drupe.errors import UnsupportedFeature
from drupe.extend.features import Feature, Support
from drupe.search.query import Comparison, Entity, Field, Kind, Op, OrderBy, Query
from drupe.uris import Uri

__all__ = ["RegistryStore"]


class RegistryStore(ABC):
    """Registered models in one place. The same promises as TrackingStore: thread-safe, and all or nothing per call."""

    features: ClassVar[Mapping[Feature, Support]] = {}

    @classmethod
    @abstractmethod
    def open(cls, uri: Uri, settings: Any = None) -> Self:
        """Open the store at `uri`; see TrackingStore.open."""

    @abstractmethod
    def close(self) -> None:
        """Let go of files and connections; see TrackingStore.close."""

    # --- registered models

    @abstractmethod
    def create_registered_model(self, name: str, *, description: str = "", tags: Mapping[str, str] | None = None) -> RegisteredModel:
        """Create a model with no versions. Raises AlreadyExists, InvalidName, ValueTooLong."""

    @abstractmethod
    def get_registered_model(self, name: str) -> RegisteredModel:
        """Read one, with tags, aliases and the newest version of each stage. Raises RegisteredModelNotFound."""

    @abstractmethod
    def search_registered_models(self, query: Query, *, limit: int = 100, page_token: str | None = None) -> Page[RegisteredModel]:
        """One page of the models that the query finds. `limit` is 1..1000. Raises InvalidPageToken."""

    @abstractmethod
    def update_registered_model(self, name: str, *, description: str) -> RegisteredModel:
        """Replace the description. Raises RegisteredModelNotFound."""

    @abstractmethod
    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        """Give it, its versions, tags and aliases another name. Raises RegisteredModelNotFound, AlreadyExists, InvalidName."""

    @abstractmethod
    def delete_registered_model(self, name: str) -> None:
        """Remove it with versions, tags and aliases, whatever their stage; a new model of that name starts at version 1.

        Raises RegisteredModelNotFound.
        """

    @abstractmethod
    def set_registered_model_tag(self, name: str, key: str, value: str) -> None:
        """Set a tag; the last write wins. Raises RegisteredModelNotFound, InvalidName, ValueTooLong (100 000 characters)."""

    @abstractmethod
    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Remove a tag; a missing one is no error. Raises RegisteredModelNotFound."""

    # --- versions

    @abstractmethod
    def create_model_version(
        self,
        name: str,
        source: str,
        *,
        run_id: str | None = None,
        description: str = "",
        tags: Mapping[str, str] | None = None,
        user_id: str = "",
        run_link: str = "",
    ) -> ModelVersion:
        """Add the next version: one more than the highest number ever used by this model, deleted versions included.

        Raises RegisteredModelNotFound, InvalidName, ValueTooLong.
        """

    @abstractmethod
    def get_model_version(self, name: str, version: str) -> ModelVersion:
        """Read one version with its aliases. Raises RegisteredModelNotFound, ModelVersionNotFound; InvalidValue for a non-number."""

    @abstractmethod
    def search_model_versions(self, query: Query, *, limit: int = 10_000, page_token: str | None = None) -> Page[ModelVersion]:
        """One page of the versions that the query finds. `limit` is 1..200_000. Deleted versions never show. Raises InvalidPageToken."""

    @abstractmethod
    def update_model_version(self, name: str, version: str, *, description: str) -> ModelVersion:
        """Replace the description. Raises ModelVersionNotFound."""

    @abstractmethod
    def transition_model_version_stage(self, name: str, version: str, stage: Stage, *, archive_existing: bool = False) -> ModelVersion:
        """Move a version to `stage`; `archive_existing` moves the others of that stage to Archived.

        Raises ModelVersionNotFound; InvalidValue when `archive_existing` goes with a stage other than Staging or Production.
        """

    @abstractmethod
    def delete_model_version(self, name: str, version: str) -> None:
        """Remove a version for good, with its tags and aliases; its number is not used again. Raises ModelVersionNotFound."""

    @abstractmethod
    def set_model_version_tag(self, name: str, version: str, key: str, value: str) -> None:
        """Set a tag; the last write wins. Raises ModelVersionNotFound, InvalidName, ValueTooLong."""

    @abstractmethod
    def delete_model_version_tag(self, name: str, version: str, key: str) -> None:
        """Remove a tag; a missing one is no error. Raises ModelVersionNotFound."""

    # --- aliases

    @abstractmethod
    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Point `alias` to `version`, moving it if it points elsewhere. Raises RegisteredModelNotFound, ModelVersionNotFound, InvalidName."""

    @abstractmethod
    def delete_alias(self, name: str, alias: str) -> None:
        """Remove an alias; a missing one is no error. Raises RegisteredModelNotFound."""

    @abstractmethod
    def get_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """The version that `alias` points to; `latest` is the newest. Raises RegisteredModelNotFound, AliasNotFound."""

    # --- taking in what was in another store; where IMPORTS is declared

    def highest_version(self, name: str) -> int:
        """The highest version number that this model ever had; 0 for none. Raises RegisteredModelNotFound.

        Here it is that of the versions which are there; a store that remembers deleted ones should tell theirs.
        """
        self.get_registered_model(name)
        where = Comparison(Field(Entity.ATTRIBUTE, "name"), Op.EQ, name)
        newest = OrderBy(Field(Entity.ATTRIBUTE, "version_number"), descending=True)
        return max(
            (int(one.version) for one in self.search_model_versions(Query(Kind.MODEL_VERSIONS, where, (newest,)), limit=1)), default=0
        )

    def import_model(self, whole: WholeModel) -> None:
        """Keep a model as it was elsewhere: with its times, the numbers, stages and times of its versions, tags and aliases; all or nothing.

        The next new version gets a number above `whole.highest`. A model that is here already gets what it lacks: versions whose number was
        never used here, aliases and tags that are not set; all that is here stays as it is.
        Raises InvalidName, InvalidValue (a number below 1, twice, or of more than 18 digits; an alias of no version), ValueTooLong.
        """
        raise UnsupportedFeature(f"{type(self).__name__} cannot keep the numbers of another store", feature=Feature.IMPORTS.name)
