"""What is asked and answered about registered models, their versions, aliases, stages and tags."""

from __future__ import annotations

from attrs import frozen

from drupe.entities import ModelVersion, RegisteredModel
from drupe.wire.shapes import bounded, needed

__all__ = [
    "CreateModel",
    "CreateVersion",
    "DeleteModelTag",
    "DeleteVersionTag",
    "DownloadUri",
    "GetLatestVersions",
    "ModelFound",
    "ModelTag",
    "ModelsFound",
    "OneAlias",
    "OneModel",
    "OneVersion",
    "RenameModel",
    "SearchModels",
    "SearchVersions",
    "SetAlias",
    "SetModelTag",
    "SetVersionTag",
    "TransitionStage",
    "UpdateModel",
    "UpdateVersion",
    "VersionFound",
    "VersionsFound",
]


@frozen
class ModelTag:
    """One tag of a model or version."""

    key: str
    value: str = ""


# --- registered models


@frozen
class CreateModel:
    """A name without versions."""

    name: str = needed()
    tags: tuple[ModelTag, ...] = ()
    description: str = ""


@frozen
class OneModel:
    """To read or delete one."""

    name: str = needed()


@frozen
class ModelFound:
    """One registered model."""

    registered_model: RegisteredModel


@frozen
class SearchModels:
    """`max_results` is at most 1000, by default 100."""

    filter: str | None = None
    max_results: int | None = bounded(1, 1_000)
    order_by: tuple[str, ...] = ()
    page_token: str | None = None


@frozen
class ModelsFound:
    """One page."""

    registered_models: tuple[RegisteredModel, ...] = ()
    next_page_token: str | None = None


@frozen
class UpdateModel:
    """A description that is not given is cleared."""

    name: str = needed()
    description: str = ""


@frozen
class RenameModel:
    """Another name, for all that it has too."""

    name: str = needed()
    new_name: str = needed()


@frozen
class SetModelTag:
    """One tag."""

    name: str = needed()
    key: str = needed()
    value: str = ""


@frozen
class DeleteModelTag:
    """One tag."""

    name: str = needed()
    key: str = needed()


@frozen
class GetLatestVersions:
    """The newest version of each of these stages; none given means all."""

    name: str = needed()
    stages: tuple[str, ...] = ()


# --- versions


@frozen
class CreateVersion:
    """The next version, whose files are at `source`."""

    name: str = needed()
    source: str = needed()
    run_id: str | None = None
    tags: tuple[ModelTag, ...] = ()
    run_link: str = ""
    description: str = ""
    model_id: str | None = None
    user_id: str = ""
    """An addition of ours: who registers it."""


@frozen
class OneVersion:
    """To read or delete one, or ask where its files are."""

    name: str = needed()
    version: str = needed()


@frozen
class VersionFound:
    """One version."""

    model_version: ModelVersion


@frozen
class VersionsFound:
    """One page, or all that were asked for."""

    model_versions: tuple[ModelVersion, ...] = ()
    next_page_token: str | None = None


@frozen
class SearchVersions:
    """`max_results` is at most 200 000, which is the default too."""

    filter: str | None = None
    max_results: int | None = bounded(1, 200_000)
    order_by: tuple[str, ...] = ()
    page_token: str | None = None


@frozen
class UpdateVersion:
    """A description that is not given is cleared."""

    name: str = needed()
    version: str = needed()
    description: str = ""


@frozen
class TransitionStage:
    """`archive_existing_versions` moves the others of that stage to Archived."""

    name: str = needed()
    version: str = needed()
    stage: str = needed()
    archive_existing_versions: bool = False


@frozen
class SetVersionTag:
    """One tag."""

    name: str = needed()
    version: str = needed()
    key: str = needed()
    value: str = ""


@frozen
class DeleteVersionTag:
    """One tag."""

    name: str = needed()
    version: str = needed()
    key: str = needed()


@frozen
class DownloadUri:
    """Where a version's files are."""

    artifact_uri: str


# --- aliases


@frozen
class OneAlias:
    """To follow or delete one."""

    name: str = needed()
    alias: str = needed()


@frozen
class SetAlias:
    """Points an alias to a version, from wherever it points now."""

    name: str = needed()
    alias: str = needed()
    version: str = needed()
