"""The metrics of a log-batch, straight from parsed JSON into columns: no object per point."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from typing import Any

from drupe.entities import ModelPoints, Points
from drupe.entities.codec import number_out, whole_number
from drupe.entities.limits import check_key, check_metric, show
from drupe.errors import InvalidValue
from drupe.wire.shapes import Form

__all__ = ["columns", "history_form", "points_of_models"]

_NUMBERS, _WHOLE = {float, int}, {int}


def columns(metrics: Sequence[Any]) -> dict[str, Points]:
    """Columns of points by key, in order of arrival.

    A metric is an object with `key`, `value`, `timestamp` and, 0 unless given, `step`. Raises InvalidValue, InvalidName or ValueTooLong.
    """
    return _all_at_once(metrics) or _one_by_one(metrics)


def _all_at_once(metrics: Sequence[Any]) -> dict[str, Points] | None:
    """As most come, with nothing to check but names; None when anything needs a closer look."""
    found: dict[str, Points] = {}
    by_key: dict[Any, list[Any]] = {}
    numbers: set[type] = set()
    whole: set[type] = set()
    try:
        for metric in metrics:
            by_key.setdefault(metric["key"], []).append(metric)
        for key, of_key in by_key.items():
            values, times = [metric["value"] for metric in of_key], [metric["timestamp"] for metric in of_key]
            steps = [metric.get("step", 0) for metric in of_key]
            numbers.update(map(type, values))
            whole.update(map(type, times), map(type, steps))
            found[key] = Points(array("q", steps), array("q", times), array("d", values))
            if min(times) < 0:
                return None
    except (KeyError, TypeError, AttributeError, OverflowError):
        return None
    if not (numbers <= _NUMBERS and whole <= _WHOLE and all(isinstance(key, str) for key in found)):  # a bool fits an array too
        return None
    for key in found:
        check_key("metric", key)
    return found


def _one_by_one(metrics: Sequence[Any]) -> dict[str, Points]:
    """The same, with an error that names the metric."""
    found: dict[str, Points] = {}
    for at, metric in enumerate(metrics):
        try:
            key, value, timestamp, step = metric["key"], metric["value"], metric["timestamp"], metric.get("step", 0)
        except (KeyError, TypeError, AttributeError) as fault:
            raise InvalidValue(f"metrics[{at}] needs key, value and timestamp, not {show(metric)}") from fault
        key, value, timestamp, step = _checked(at, key, value, timestamp, step)
        try:
            found.setdefault(key, Points()).append(step, timestamp, value)
        except OverflowError as fault:
            raise InvalidValue(f"metrics[{at}]: step and timestamp fit 64 bits") from fault
    return found


def history_form(run_id: str, key: str, points: Points, token: str | None) -> Form:
    """The reply `HistoryFound` in its JSON form, straight from columns: an object per point would cost ten times as much."""
    values: Sequence[Any] = points.values
    if not math.isfinite(sum(points.values)):  # or the sum is too large, which costs a little time
        values = [value if math.isfinite(value) else number_out(value) for value in points.values]
    form: Form = {}
    if len(points):
        form["metrics"] = [
            {"key": key, "value": value, "timestamp": timestamp, "step": step, "run_id": run_id}
            for step, timestamp, value in zip(points.steps, points.timestamps, values, strict=True)
        ]
    if token:
        form["next_page_token"] = token
    return form


def points_of_models(metrics: Sequence[Any]) -> tuple[ModelPoints, ...]:
    """The points that are logged models' too, of metrics that `columns` has taken: those with a `model_id`, and maybe a dataset.

    Raises InvalidValue for a model or dataset that is no text.
    """
    found: dict[tuple[str, str, str | None, str | None], list[Any]] = {}
    for at, metric in [(at, metric) for at, metric in enumerate(metrics) if "model_id" in metric]:
        if metric["model_id"]:
            place = tuple(metric.get(name) for name in ("model_id", "key", "dataset_name", "dataset_digest"))
            if not all(part is None or isinstance(part, str) for part in place):
                raise InvalidValue(f"metrics[{at}]: model_id, dataset_name and dataset_digest are texts")
            found.setdefault(place, []).append(metric)
    return tuple(
        ModelPoints(model_id, key, columns(taken)[key], name or None, digest or None)
        for (model_id, key, name, digest), taken in found.items()
    )


def _checked(at: int, key: Any, value: Any, timestamp: Any, step: Any) -> tuple[str, float, int, int]:
    if not isinstance(key, str) or isinstance(value, bool) or not isinstance(value, int | float | str):
        raise InvalidValue(f"metrics[{at}] needs a text as key and a number as value, not {show(key)} and {show(value)}")
    try:
        return check_metric(key, float(value), _integer(timestamp), _integer(step))
    except (ValueError, OverflowError) as fault:
        raise InvalidValue(f"metrics[{at}] of {show(key)}: {fault}") from fault


def _integer(given: Any) -> int:
    return 0 if given is None else whole_number(given)
