"""Logged models as frozen values: a model that a run has made, or that was made elsewhere, before and apart from any registration."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from drupe import lazy
from drupe.entities.enums import LoggedModelStatus
from drupe.entities.metrics import Metric

__all__ = ["LoggedModel", "NewLoggedModel"]


@frozen
class LoggedModel:
    """A logged model as read at one moment. Times are ms since the epoch; names need not be unique.

    `metrics` holds, for each key, run and dataset, the latest point; they are sorted by these. The last update moves with status, tags and
    params, not with metrics.
    """

    model_id: str
    experiment_id: str
    name: str
    artifact_location: str
    creation_timestamp: int
    last_updated_timestamp: int
    status: LoggedModelStatus = LoggedModelStatus.PENDING
    model_type: str | None = None
    source_run_id: str | None = None
    status_message: str | None = None
    tags: Mapping[str, str] = field(factory=dict)
    params: Mapping[str, str] = field(factory=dict)
    metrics: tuple[Metric, ...] = ()

    @property
    def model_uri(self) -> str:
        """How the model is named to whoever loads it."""
        return f"models:/{self.model_id}"

    def _repr_html_(self) -> str:
        """The model card, for notebooks."""
        return str(lazy.load("drupe.models.card.files:html_of_entity")(self))


@frozen
class NewLoggedModel:
    """What a store needs to create a logged model.

    `model_id` is made by the store when None (`m-` and 32 hex digits); a given one must be new, or belong to an identical earlier call,
    which is then answered again instead of making a twin. `name` None lets the store invent one. An empty text means None everywhere.
    `artifact_path` says where its files lie among the artifacts of its source run, for models that lie under their run; None: in a place of
    its own.
    """

    experiment_id: str
    model_id: str | None = None
    name: str | None = None
    model_type: str | None = None
    source_run_id: str | None = None
    tags: Mapping[str, str] = field(factory=dict)
    params: Mapping[str, str] = field(factory=dict)
    artifact_path: str | None = None
