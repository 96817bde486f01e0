"""Runs and logged models as pandas DataFrames, in MLflow's columns."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, MutableSequence
from typing import Any, TypeVar

from drupe.entities import LoggedModel, Run
from drupe.lazy import need

__all__ = ["logged_models_frame", "runs_frame"]

NAN = float("nan")
T = TypeVar("T")


def runs_frame(runs: Iterable[Run]) -> Any:
    """One row a run: run_id, experiment_id, status, artifact_uri, start_time, end_time (aware UTC), then `metrics.*`, `params.*`, `tags.*`.

    A run without a metric has NaN there, without a param or tag None. The runs are taken one by one and not kept, and the time is in
    proportion to what they hold, however many different keys that makes.
    """
    pandas = need("pandas", to="return runs as a DataFrame; output_format='list' does without")
    infos: list[tuple[Any, ...]] = []
    metrics: dict[str, MutableSequence[float]] = {}
    params: dict[str, MutableSequence[str | None]] = {}
    tags: dict[str, MutableSequence[str | None]] = {}
    for row, run in enumerate(runs):
        info = run.info
        infos.append((info.run_id, info.experiment_id, str(info.status), info.artifact_uri, info.start_time, info.end_time))
        _put(metrics, row, run.data.metrics, NAN, lambda: array("d"))
        _put(params, row, run.data.params, None, list)
        _put(tags, row, run.data.tags, None, list)
    run_ids, experiment_ids, statuses, places, starts, ends = zip(*infos, strict=True) if infos else ((),) * 6
    columns: dict[str, Any] = {
        "run_id": run_ids,
        "experiment_id": experiment_ids,
        "status": statuses,
        "artifact_uri": places,
        "start_time": pandas.to_datetime(starts, unit="ms", utc=True),
        "end_time": pandas.to_datetime(ends, unit="ms", utc=True),
    }
    for key in sorted(metrics):
        columns[f"metrics.{key}"] = _filled(metrics[key], len(infos), NAN)
    for entity, found in (("params", params), ("tags", tags)):
        for key in sorted(found):
            columns[f"{entity}.{key}"] = _filled(found[key], len(infos), None)
    return pandas.DataFrame(columns)


_MODEL_COLUMNS = (
    *("artifact_location", "creation_timestamp", "experiment_id", "last_updated_timestamp", "metrics", "model_id", "model_type", "name"),
    *("params", "source_run_id", "status", "status_message", "tags"),
)


def logged_models_frame(models: Iterable[LoggedModel]) -> Any:
    """One row a logged model, a column for each of its fields; `metrics` holds lists of Metric, `params` and `tags` dicts, times are ms."""
    pandas = need("pandas", to="return logged models as a DataFrame; output_format='list' does without")
    rows = []
    for model in models:
        row = {name: getattr(model, name) for name in _MODEL_COLUMNS}
        rows.append({**row, "metrics": list(model.metrics), "params": dict(model.params), "tags": dict(model.tags)})
    return pandas.DataFrame(rows, columns=list(_MODEL_COLUMNS))


def _put(
    columns: dict[str, MutableSequence[T]], row: int, values: Mapping[str, T], missing: T, new: Callable[[], MutableSequence[T]]
) -> None:
    """Append to the columns of these keys, which may have ended some rows ago."""
    for key, value in values.items():
        column = columns.get(key)
        if column is None:
            column = columns[key] = new()
        if len(column) != row:
            _filled(column, row, missing)
        column.append(value)


def _filled(column: MutableSequence[T], length: int, missing: T) -> MutableSequence[T]:
    column.extend([missing] * (length - len(column)))
    return column
