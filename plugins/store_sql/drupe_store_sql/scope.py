"""What a search is about before any condition of its query: deleted things or not, and of runs and logged models the experiments they are in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import evolve, frozen
from sqlalchemy import Column, ColumnElement, false

from drupe.entities import ViewType
from drupe.search.query import Kind
from drupe_store_sql.tables import experiments, logged_models, runs

__all__ = ["EVERYTHING", "Scope", "among"]

BRANCHES_MAX = 8
_IS_DELETED: Mapping[Kind, Column[int]] = {
    Kind.RUNS: runs.c.is_deleted,
    Kind.EXPERIMENTS: experiments.c.is_deleted,
    Kind.LOGGED_MODELS: logged_models.c.is_deleted,
}
_EXPERIMENT: Mapping[Kind, Column[int]] = {Kind.RUNS: runs.c.experiment, Kind.LOGGED_MODELS: logged_models.c.experiment}


@frozen
class Scope:
    """A view, and for runs and logged models the row numbers of experiments; None for all of them."""

    view: ViewType = ViewType.ALL
    experiments: tuple[int, ...] | None = None

    def conditions(self, kind: Kind) -> list[ColumnElement[bool]]:
        """What is true of the things in it."""
        found: list[ColumnElement[bool]] = []
        if self.view is not ViewType.ALL:
            found.append(_IS_DELETED[kind] == int(self.view is ViewType.DELETED_ONLY))
        if self.experiments is not None:
            found.append(among(_EXPERIMENT[kind], self.experiments))
        return found

    @property
    def index(self) -> str | None:
        """The index of `runs` that has them together; None for the whole table."""
        if self.experiments is not None and len(self.experiments) <= BRANCHES_MAX:
            return "runs_by_experiment"
        return None if self.view is ViewType.ALL else "runs_by_start"

    def branches(self) -> list[Scope]:
        """Scopes that together are this one, in each of which an index has the runs in the order of their start.

        Of more experiments than `BRANCHES_MAX` together: it is quicker to pass over the runs of others.
        """
        views = (ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY) if self.view is ViewType.ALL else (self.view,)
        parts = [self.experiments]
        if self.experiments is not None and len(self.experiments) <= BRANCHES_MAX:
            parts = [(number,) for number in self.experiments] or parts
        return [evolve(self, view=view, experiments=part) for view in views for part in parts]


EVERYTHING = Scope()


def among(column: ColumnElement[int], numbers: Sequence[int]) -> ColumnElement[bool]:
    """`column` is one of these; for a single one an equality, which lets an index deliver the order too."""
    if not numbers:
        return false()
    return column == numbers[0] if len(numbers) == 1 else column.in_(numbers)
