"""Metrics of logged models: for each model, metric, run and dataset the latest point. The whole series are those of the runs, in `points`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select, text

from drupe.entities import Metric, ModelPoints
from drupe.entities.metrics import rank
from drupe.errors import InvalidValue
from drupe_store_sql.session import Session
from drupe_store_sql.statements import stretch
from drupe_store_sql.summary import as_number
from drupe_store_sql.tables import logged_model_metrics, logged_models, runs

__all__ = ["keep", "read"]

_NUMBER = select(logged_models.c.id).where(logged_models.c.model_id == bindparam("of"), logged_models.c.is_deleted == 0)
_RANK = "({0}.step, {0}.ms, coalesce({0}.value, 0), {0}.value IS NULL)"  # as `drupe.entities.metrics.rank`
_KEEP = text(
    "INSERT INTO logged_model_metrics (model, key, run, dataset_name, dataset_digest, value, step, ms) "
    "VALUES (:model, :key, :run, :dataset_name, :dataset_digest, :value, :step, :ms) "
    "ON CONFLICT (model, key, run, dataset_name, dataset_digest) DO UPDATE "
    "SET value = excluded.value, step = excluded.step, ms = excluded.ms "
    f"WHERE {_RANK.format('excluded')} > {_RANK.format('logged_model_metrics')}"
)
_METRIC = logged_model_metrics.c
_OF_MODELS = (
    select(_METRIC.model, _METRIC.key, runs.c.run_id, _METRIC.dataset_name, _METRIC.dataset_digest, _METRIC.value, _METRIC.step, _METRIC.ms)
    .join(runs, runs.c.id == _METRIC.run)
    .where(stretch(_METRIC.model))
)


def keep(session: Session, run: int, given: Sequence[ModelPoints]) -> None:
    """Keep the latest of the checked points of a run that is known to be active. Raises InvalidValue for an unknown or deleted model."""
    models: dict[str, int] = {}
    for model_id in dict.fromkeys(one.model_id for one in given):
        row = session.row(_NUMBER, of=model_id) if isinstance(model_id, str) else None
        if row is None:
            raise InvalidValue(f"no logged model has the id {str(model_id)[:60]!r}, so no metric can be its", model_id=str(model_id)[:300])
        models[model_id] = row[0]
    ids = session.make_keys(dict.fromkeys(one.key for one in given if len(one.points)))
    session.many(_KEEP, [_row(models[one.model_id], ids[one.key], run, one) for one in given if len(one.points)])


def read(session: Session, models: Mapping[int, str]) -> dict[int, tuple[Metric, ...]]:
    """The metrics of these models, by row number, sorted by key, run and dataset; models without any are left out."""
    rows = session.among(_OF_MODELS, models)
    names = session.key_names({row[1] for row in rows})
    found: dict[int, list[Metric]] = {}
    for number, key, run_id, dataset, digest, value, step, ms in rows:
        metric = Metric(names[key], as_number(value), ms, step, run_id, models[number], dataset or None, digest or None)
        found.setdefault(number, []).append(metric)
    return {number: tuple(sorted(metrics, key=_place)) for number, metrics in found.items()}


def _place(metric: Metric) -> tuple[str, ...]:
    return metric.key, metric.run_id or "", metric.dataset_name or "", metric.dataset_digest or ""


def _row(model: int, key: int, run: int, given: ModelPoints) -> dict[str, Any]:
    step, ms, value = _latest(given.points)
    return {
        "model": model,
        "key": key,
        "run": run,
        "dataset_name": given.dataset_name or "",
        "dataset_digest": given.dataset_digest or "",
        "value": None if math.isnan(value) else value,
        "step": step,
        "ms": ms,
    }


def _latest(points: Iterable[tuple[int, int, float]]) -> tuple[int, int, float]:
    return max(points, key=lambda point: rank(*point))
