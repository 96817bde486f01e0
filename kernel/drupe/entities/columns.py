"""A few things of many runs at once: columns of fields, and which keys the runs have. Whole runs are in `runs`."""

from __future__ import annotations

from typing import Any

from attrs import frozen

__all__ = ["RunColumns", "RunKey", "RunKeys"]


@frozen
class RunColumns:
    """The runs that a search found, in its order, and for each field that was asked for one column aligned with them.

    A column has None where a run lacks the field, floats for a metric (NaN and infinities are values), texts for a param or tag, and what
    `RunInfo` has for an attribute. `is_cut` means that there are more runs than were asked for.
    """

    run_ids: list[str]
    columns: list[list[Any]]
    is_cut: bool = False


@frozen
class RunKey:
    """A metric, param or tag, and how many runs have it.

    `differs` says whether those that have a param or tag have more than one value; None of a metric, where nobody looks.
    """

    name: str
    runs: int
    differs: bool | None = None


@frozen
class RunKeys:
    """What runs have: keys of each kind, those of most runs first, equals by name.

    `looked_at` is the number of runs that were looked at, the newest; `is_whole` means that there were no others. `cut` names those of
    "metrics", "params" and "tags" of which there are more than are told here.
    """

    metrics: tuple[RunKey, ...] = ()
    params: tuple[RunKey, ...] = ()
    tags: tuple[RunKey, ...] = ()
    looked_at: int = 0
    is_whole: bool = True
    cut: tuple[str, ...] = ()
