"""Figures of groups of runs: what stands in the rows of a grouped table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from drupe.extend import TrackingStore
from drupe.search import Entity, Field
from drupe_ui_web.cells import shown
from drupe_ui_web.results import RUNS_MAX, Result

__all__ = ["figures_of", "mean_of"]


def figures_of(store: TrackingStore, result: Result, fields: Mapping[str, Field]) -> dict[str, Any]:
    """Of each field a form with one entry for each group, in their order.

    A metric has `mean`, `std` (of a sample, so None for less than two) and `n`, of its finite values; a text has `same`, the value that all of
    the group's runs have, and `n`, how many different ones there are.
    """
    groups = result.groups or []
    asked = result.question
    found = store.run_columns(
        asked.query(), experiment_ids=asked.experiments, view=asked.view, fields=list(fields.values()), limit=RUNS_MAX
    )
    place = {run_id: n for n, run_id in enumerate(found.run_ids)}
    members = [[place[run_id] for run_id in result.run_ids[group.first : group.first + group.count] if run_id in place] for group in groups]
    told: dict[str, Any] = {}
    for (name, field), column in zip(fields.items(), found.columns, strict=True):
        values = [[column[n] for n in numbers] for numbers in members]
        told[name] = _of_metric(values) if field.entity is Entity.METRIC else _of_texts(values)
    return told


def mean_of(values: Sequence[float]) -> tuple[float | None, float | None]:
    """The mean and the deviation of a sample, of finite numbers; None where there are too few. A deviation beyond the largest number is infinite."""
    if not values:
        return None, None
    try:
        mean = math.fsum(values) / len(values)
    except OverflowError:  # the sum is beyond the largest number, the mean is not
        mean = math.fsum(value / len(values) for value in values)
    if len(values) == 1:
        return mean, None
    gaps = [value - mean for value in values]
    try:
        return mean, math.sqrt(math.fsum(gap**2 for gap in gaps) / (len(values) - 1))
    except OverflowError:
        widest = max(map(abs, gaps))
        if math.isinf(widest):
            return mean, math.inf
        return mean, widest * math.sqrt(math.fsum((gap / widest) ** 2 for gap in gaps) / (len(values) - 1))


def _of_metric(groups: Sequence[Sequence[float | None]]) -> dict[str, Any]:
    finite = [[value for value in values if value is not None and math.isfinite(value)] for values in groups]
    figures = [mean_of(values) for values in finite]
    return {
        "mean": [shown(mean) for mean, _ in figures],
        "std": [shown(std) for _, std in figures],
        "n": [len(values) for values in finite],
    }


def _of_texts(groups: Sequence[Sequence[Any]]) -> dict[str, Any]:
    different = [set(values) for values in groups]
    return {
        "same": [shown(next(iter(values))) if len(values) == 1 else None for values in different],
        "n": [len(values) for values in different],
    }
