"""Batches to a server that takes 1000 points, 100 params and 100 tags at once, and no more than 1000 of all together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import evolve

from drupe.entities import LogBatch, Param, Points, RunTag, limits, logged_limits
from drupe.errors import InvalidValue, ParamConflict, RunNotFound
from drupe.wire import tracking as wire
from drupe.wire.shapes import Unread
from drupe_store_http.ids import RunIds
from drupe_store_http.link import Link

__all__ = ["checked", "log_in_pieces"]

MOST_TOGETHER, MOST_METRICS, MOST_PARAMS, MOST_TAGS = 1000, 1000, 100, 100
_NAN = "NaN"
_WORDS = {float("inf"): "Infinity", float("-inf"): "-Infinity"}


def log_in_pieces(link: Link, ids: RunIds, there: str, batch: LogBatch, *, last_tags: Mapping[str, str] | None = None) -> None:
    """Log a batch to a run of the server: all of it is checked before any is sent. `last_tags` are written when all the rest is.

    Raises ParamConflict, WrongLifecycle, RunNotFound, and InvalidValue for what cannot be logged.
    """
    batch = checked(batch)
    with ids.in_active_run(there):
        for piece in _pieces(there, batch, last_tags or {}):
            try:
                link.ask("POST runs/log-batch", piece, missing=RunNotFound)
            except InvalidValue as fault:
                _check_params(ids, there, piece, fault)
                fresh = _without_known_nans(link, there, piece)
                if len(fresh.metrics) == len(piece.metrics):
                    raise
                link.ask("POST runs/log-batch", fresh, missing=RunNotFound)


def _check_params(ids: RunIds, there: str, piece: wire.LogBatch, fault: InvalidValue) -> None:
    kept = ids.read(there).data.params if piece.params else {}
    for param in piece.params:
        if kept.get(param.key, param.value) != param.value:
            raise ParamConflict(
                f"run {there}: param {param.key!r} is {kept[param.key][:100]!r} and cannot become {param.value[:100]!r}", key=param.key
            ) from fault


def _without_known_nans(link: Link, there: str, piece: wire.LogBatch) -> wire.LogBatch:
    """The request without those NaN that the run has already: MLflow 2 knows all other points again when they are sent twice."""
    known: dict[str, set[tuple[int, int]]] = {}
    for key in {one["key"] for one in piece.metrics if one["value"] == _NAN}:
        found = link.ask("GET metrics/get-history", wire.GetHistory(key, there)).metrics
        known[key] = {(one.step, one.timestamp) for one in found if math.isnan(one.value)}
    fresh = (one for one in piece.metrics if one["value"] != _NAN or (one["step"], one["timestamp"]) not in known[one["key"]])
    return evolve(piece, metrics=Unread(fresh))


def _pieces(run_id: str, batch: LogBatch, last_tags: Mapping[str, str]) -> Iterator[wire.LogBatch]:
    """Requests within the server's limits: params first, since they may be refused; then tags and points; at last `last_tags`."""
    params = [Param(key, value) for key, value in batch.params.items()]
    tags = [RunTag(key, value) for key, value in batch.tags.items()]
    points = list(_metrics(batch))
    last = [RunTag(key, value) for key, value in last_tags.items()]
    while params or tags or points or last:
        some_params, params = params[:MOST_PARAMS], params[MOST_PARAMS:]
        is_late = bool(params)
        some_tags: list[RunTag] = []
        some_points: list[dict[str, Any]] = []
        if not is_late:
            some_tags, tags = tags[:MOST_TAGS], tags[MOST_TAGS:]
            room = min(MOST_METRICS, MOST_TOGETHER - len(some_params) - len(some_tags))
            some_points, points = points[:room], points[room:]
            is_full = (
                len(some_tags) + len(last) > MOST_TAGS or len(some_params) + len(some_tags) + len(some_points) + len(last) > MOST_TOGETHER
            )
            if not tags and not points and not is_full:
                some_tags, last = [*some_tags, *last], []
        yield wire.LogBatch(run_id=run_id, metrics=Unread(some_points), params=tuple(some_params), tags=tuple(some_tags))


def _metrics(batch: LogBatch) -> Iterator[dict[str, Any]]:
    for key, points in batch.metrics.items():
        for step, timestamp, value in points:
            yield {"key": key, "value": _told(value), "timestamp": timestamp, "step": step}
    for one in batch.model_points:
        of_model = {"model_id": one.model_id, "dataset_name": one.dataset_name, "dataset_digest": one.dataset_digest}
        known = {name: text for name, text in of_model.items() if text}
        for step, timestamp, value in one.points:
            yield {"key": one.key, "value": _told(value), "timestamp": timestamp, "step": step, **known}


def checked(batch: LogBatch) -> LogBatch:
    """The batch, cut to the limits of texts, if all of it can be logged."""
    for key, points in batch.metrics.items():
        _check_points(key, points)
    return LogBatch(
        batch.metrics,
        dict(limits.check_param(key, value) for key, value in batch.params.items()),
        limits.check_tags("run tag", batch.tags, limit=None),
        tuple(logged_limits.check_model_points(one) for one in batch.model_points),
    )


def _check_points(key: str, points: Points) -> None:
    limits.check_key("metric", key)
    if len(points) and min(points.timestamps) < 0:
        limits.check_metric(key, 0.0, min(points.timestamps), 0)


def _told(value: float) -> float | str:
    return value if value - value == 0 else _NAN if value != value else _WORDS[value]
