"""Moments in the life of runs, models and versions, told to observers after the fact.

An observer implements `drupe_event(event)` and looks at the event's type. It cannot stop or change what happened, and what it raises
is reported, not passed on.
"""

from __future__ import annotations

from attrs import frozen

from drupe.entities import ModelVersion, RegisteredModel, Run, RunStatus, Stage

__all__ = [
    "AliasDeleted",
    "AliasSet",
    "Event",
    "ModelLogged",
    "ModelRegistered",
    "RunDeleted",
    "RunEnded",
    "RunMoved",
    "RunRestored",
    "RunStarted",
    "StageChanged",
    "VersionCreated",
    "VersionDeleted",
]


@frozen
class Event:
    """Base of all events. `store` is the address of the store it happened in, without credentials."""

    store: str


@frozen
class RunStarted(Event):
    """A run was created, or an ended one taken up again (`is_resumed`)."""

    run: Run
    is_resumed: bool = False


@frozen
class RunEnded(Event):
    """A run got an end status."""

    run_id: str
    status: RunStatus


@frozen
class RunDeleted(Event):
    """A run was moved to the trash."""

    run_id: str


@frozen
class RunRestored(Event):
    """A run was taken out of the trash."""

    run_id: str


@frozen
class RunMoved(Event):
    """A run was moved to another experiment, or was there already."""

    run_id: str
    experiment_id: str


@frozen
class ModelLogged(Event):
    """A model's folder is complete among the artifacts of a run."""

    run_id: str
    name: str
    model_uri: str


@frozen
class ModelRegistered(Event):
    """A registered model was created; it has no versions yet."""

    model: RegisteredModel


@frozen
class VersionCreated(Event):
    """A version was added to a registered model."""

    version: ModelVersion


@frozen
class VersionDeleted(Event):
    """A version was deleted for good."""

    name: str
    version: str


@frozen
class AliasSet(Event):
    """An alias now points to `version`."""

    name: str
    alias: str
    version: str


@frozen
class AliasDeleted(Event):
    """An alias was removed."""

    name: str
    alias: str


@frozen
class StageChanged(Event):
    """A version moved from one stage to another."""

    version: ModelVersion
    previous: Stage
