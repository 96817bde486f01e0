"""Metrics that are a logged model's as well as the run's, on their way through the run's journal.

The points are checked and appended as all others are (see `run_log`); before the first of a model or dataset the run is tied to it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from time import time_ns
from typing import Any, TypeVar

from drupe.entities import Dataset
from drupe.entities.limits import check_metric
from drupe.entities.logged_limits import check_model_id
from drupe.errors import StoreError
from drupe.tracking import run_log
from drupe.tracking.chosen import client_of
from drupe.tracking.client import dataset_input
from drupe.tracking.journal.folding import model_points_form, ties_form
from drupe.tracking.journal.layout import FrameKind
from drupe.tracking.journal.outbox import Line

__all__ = ["log_measured", "log_measured_elsewhere", "tie_used"]

MOST_KEPT = 1000  # a model that is made now is measured by what was logged lately

T = TypeVar("T")
log = logging.getLogger("drupe.tracking")


def log_measured(
    line: Line, metrics: Mapping[str, Any], step: Any, timestamp: Any, model_id: str | None, dataset: Dataset | Any = None
) -> None:
    """Log points of metrics that were measured on a logged model, or on those that the run has made at this step, and on a dataset.

    Raises LoggedModelNotFound for a model that the store does not have; nothing is logged then.
    """
    now = time_ns() // 1_000_000 if timestamp is None else timestamp
    checked = [check_metric(key, value, now, 0 if step is None else step) for key, value in metrics.items()]
    if not checked:
        return
    at = checked[0][3]
    measured = line.models.get(at, []) if model_id is None else [model_id]
    for one in measured:
        tie_used(line, one)
    on = None if dataset is None else _tie_dataset(line, dataset)
    if not measured and on is not None:  # for a model that is made at this step later
        _remember(line.on, {(name, at): on for name, _, _, _ in checked})
    if not measured:
        line.journal.points({name: number for name, number, _, _ in checked}, at, checked[0][2])
    if model_id is not None:
        _remember(line.named, {(name, at): None for name, _, _, _ in checked})
    for one in measured:
        points = [(name, at, time_ms, number) for name, number, time_ms, _ in checked]
        line.journal.note(FrameKind.MODEL_POINTS, model_points_form(one, points, on))


def log_measured_elsewhere(line: Line, metrics: Mapping[str, Any]) -> None:
    """Log points that were measured on a model which the store does not know: the run has them, and none of the models that it makes."""
    run_log.log_points(line, metrics, None, None)
    _remember(line.named, {(name, 0): None for name in metrics})


def _remember(kept: dict[tuple[str, int], T], new: Mapping[tuple[str, int], T]) -> None:
    """Add to what is kept, and let the oldest go."""
    kept |= new
    for old in list(kept)[: max(len(kept) - MOST_KEPT, 0)]:
        del kept[old]


def tie_used(line: Line, model_id: str) -> None:
    """Tie the run to a logged model that it uses, unless it has made it. Raises LoggedModelNotFound, UnsupportedFeature."""
    if check_model_id(model_id) in line.tied:
        return
    client = client_of(line.run_id)
    try:
        client.store.get_logged_model(model_id)
        made = client.get_run(line.run_id).outputs.model_outputs
    except StoreError as fault:  # training goes on; where the model is not there either, its points are the run's alone
        log.warning("run %s: whether there is a logged model %s is not known now: %s", line.run_id, model_id, fault)
        made = ()
    if model_id not in {one.model_id for one in made}:
        line.journal.note(FrameKind.MODEL_TIES, ties_form([model_id]))
    line.tied.add(model_id)


def _tie_dataset(line: Line, dataset: Dataset | Any) -> tuple[str, str]:
    used = dataset_input(dataset)
    on = used.dataset.name, used.dataset.digest
    if on not in line.tied:
        run_log.log_inputs(line, [used])
        line.tied.add(on)
    return on
