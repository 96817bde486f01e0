"""The part of a tracking store's contract that is about moving runs to another experiment. Optional, declared by Feature.MOVES."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from drupe.entities import NewLoggedModel
from drupe.errors import InvalidValue, UnsupportedFeature
from drupe.extend.features import Feature

__all__ = ["MOVED_MAX", "Moving", "at_home", "check_moved"]

MOVED_MAX = 10_000
"""So many runs in one call: all of them move in one transaction, for which others wait."""


class Moving:
    """What a tracking store does to move runs."""

    def move_runs(self, run_ids: Sequence[str], experiment_id: str) -> None:
        """Put runs, deleted or not, into an active experiment: all of them or none.

        With a run go its data, its datasets, and the logged models that it has made, deleted or not, which are in its experiment. Ids, stages, times and
        the addresses of artifacts stay. A run that is there already stays, so doing it again changes nothing. Who logs to a run goes on: a
        parcel or a repeated request that names the experiment of before still means this run, and models of a parcel are made where it is
        now. `run_ids` are at most 10_000. Raises RunNotFound, ExperimentNotFound, WrongLifecycle (the experiment is deleted), InvalidValue.
        """
        raise UnsupportedFeature(f"{type(self).__name__} cannot move runs to another experiment", feature=Feature.MOVES.name)


def check_moved(run_ids: Sequence[str]) -> list[str]:
    """The runs that are asked to be moved, each once. Raises InvalidValue for a text, which is a sequence of letters, and for too many."""
    if isinstance(run_ids, str):
        raise InvalidValue(f"run_ids is the text {run_ids[:60]!r}; give a list of run ids")
    wanted = list(dict.fromkeys(run_ids))
    if len(wanted) > MOVED_MAX:
        raise InvalidValue(f"{len(wanted):,} runs are asked to be moved; at most {MOVED_MAX:,} move at once, so ask in parts")
    return wanted


def at_home(model: NewLoggedModel, run_id: str, experiment_id: str) -> NewLoggedModel:
    """The model as it is made in the experiment where its run is now, if this run has made it."""
    return evolve(model, experiment_id=experiment_id) if model.source_run_id == run_id else model
