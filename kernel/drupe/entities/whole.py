"""A run, a logged model or a registered model with all that belongs to it, as it is taken from one store to another. No I/O."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from drupe.entities.logged_models import LoggedModel
from drupe.entities.metrics import Points
from drupe.entities.registry import ModelVersion, RegisteredModel
from drupe.entities.runs import Run

__all__ = ["WholeLoggedModel", "WholeModel", "WholeRun"]


@frozen
class WholeRun:
    """A run and every point of its series by metric; `run.data.metrics` and `summaries` follow from the points and are not looked at.

    Nor are the logged models that it uses and has made when a store takes it in: they come later, and know their runs.
    """

    run: Run
    points: Mapping[str, Points] = field(factory=dict)


@frozen
class WholeLoggedModel:
    """A logged model, and by their ids the runs that use it and those that have made it, with the step."""

    model: LoggedModel
    is_deleted: bool = False
    used_by: tuple[str, ...] = ()
    made_by: Mapping[str, int] = field(factory=dict)


@frozen
class WholeModel:
    """A registered model, all of its versions, and the highest version number that was ever used, deleted versions included.

    `model.aliases` says which version an alias points to; `model.latest_versions` and the versions' own `aliases` follow from the rest and are
    not looked at.
    """

    model: RegisteredModel
    versions: tuple[ModelVersion, ...] = ()
    highest: int = 0
