"""Registered models and their versions as frozen values, with MLflow's attribute names."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from drupe import lazy
from drupe.entities.enums import ModelVersionStatus, Stage

__all__ = ["ModelVersion", "RegisteredModel"]


@frozen
class ModelVersion:
    """One version of a registered model. `version` is a decimal text; times are ms since the epoch.

    Searches leave `aliases` empty; reading one version fills them.
    """

    name: str
    version: str
    creation_timestamp: int
    last_updated_timestamp: int
    source: str
    run_id: str | None = None
    description: str = ""
    user_id: str = ""
    current_stage: Stage = Stage.NONE
    status: ModelVersionStatus = ModelVersionStatus.READY
    status_message: str = ""
    run_link: str = ""
    tags: Mapping[str, str] = field(factory=dict)
    aliases: tuple[str, ...] = ()

    def _repr_html_(self) -> str | None:
        """What notebooks show."""
        found: str | None = lazy.load("drupe.notebook:html_of")(self)
        return found


@frozen
class RegisteredModel:
    """A name under which versions of a model are kept. `latest_versions` holds the newest version of each stage."""

    name: str
    creation_timestamp: int
    last_updated_timestamp: int
    description: str = ""
    tags: Mapping[str, str] = field(factory=dict)
    aliases: Mapping[str, str] = field(factory=dict)
    latest_versions: tuple[ModelVersion, ...] = ()

    def _repr_html_(self) -> str | None:
        """What notebooks show."""
        found: str | None = lazy.load("drupe.notebook:html_of")(self)
        return found
