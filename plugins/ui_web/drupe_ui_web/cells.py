"""Columns of the runs table as the page gets them: values aligned with run ids, in forms that JSON has."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from drupe.entities import ViewType
from drupe.extend import TrackingStore
from drupe.search import Entity, Field
from drupe_ui_web.asked import Question
from drupe_ui_web.results import of_ids

__all__ = ["ATTRIBUTES", "TEXT_MAX", "aligned", "shown", "values_of"]

TEXT_MAX = 250
"""Longer texts are cut in tables; the page of the run has all of them."""

ATTRIBUTES = ("run_name", "status", "start_time", "end_time", "user_id", "experiment_id", "lifecycle_stage")
_NOT_FINITE = {math.inf: "Infinity", -math.inf: "-Infinity"}


def values_of(
    store: TrackingStore, question: Question, run_ids: Sequence[str], fields: Mapping[str, Field]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The attributes and the columns of these runs, aligned with them. A run that is gone has None everywhere."""
    every = {**{key: Field(Entity.ATTRIBUTE, key) for key in ATTRIBUTES}, **fields}
    columns = aligned(store, question, run_ids, every)
    return {key: columns[key] for key in ATTRIBUTES}, {name: list(map(shown, columns[name])) for name in fields}


def aligned(store: TrackingStore, question: Question, run_ids: Sequence[str], fields: Mapping[str, Field]) -> dict[str, list[Any]]:
    """The same, as the store has it, of any fields."""
    if not run_ids:
        return {name: [] for name in fields}
    found = store.run_columns(
        of_ids(run_ids), experiment_ids=question.experiments, view=ViewType.ALL, fields=list(fields.values()), limit=len(run_ids)
    )
    place = {run_id: n for n, run_id in enumerate(found.run_ids)}
    places = [place.get(run_id) for run_id in run_ids]
    return {name: [None if n is None else column[n] for n in places] for name, column in zip(fields, found.columns, strict=True)}


def shown(value: Any) -> Any:
    """A value as JSON has it: long texts cut, NaN and infinities as texts."""
    if isinstance(value, float) and not math.isfinite(value):
        return _NOT_FINITE.get(value, "NaN")
    if isinstance(value, str) and len(value) > TEXT_MAX:
        return f"{value[: TEXT_MAX - 1]}…"
    return value
