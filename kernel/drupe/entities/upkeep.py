"""What looking after a store comes to: upgrades of its schema, what was deleted and may be removed for good, the space that it takes."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

__all__ = ["Deleted", "DeletedKind", "ExperimentStorage", "SchemaStep", "SpaceReport", "UpgradeReport"]


@frozen
class SchemaStep:
    """What one version of a store's schema brings."""

    version: int
    told: str


@frozen
class UpgradeReport:
    """How a store gets, or got, from the version of its schema that was `found` to the `newest`, by `steps`.

    `backup` is where the copy of the old one lies, or will lie with `is_plan`; None without one.
    """

    place: str
    found: int
    newest: int
    steps: tuple[SchemaStep, ...] = ()
    backup: str | None = None
    is_plan: bool = False


class DeletedKind(StrEnum):
    """What can be deleted and restored."""

    EXPERIMENT = "experiment"
    RUN = "run"
    LOGGED_MODEL = "logged model"


@frozen
class Deleted:
    """A thing that was deleted and is still there. `deleted_at` is None where that is not known; `artifacts` is the address of its files."""

    kind: DeletedKind
    id: str
    name: str
    experiment_id: str
    deleted_at: int | None
    artifacts: str | None = None


@frozen
class ExperimentStorage:
    """What a store keeps of an experiment: runs, deleted ones too, logged points, and the bytes of those points; None for what is not known."""

    runs: int
    points: int | None = None
    point_bytes: int | None = None


@frozen
class SpaceReport:
    """How much disk a store took before and after unused space in it was given back."""

    place: str
    before_bytes: int
    after_bytes: int
