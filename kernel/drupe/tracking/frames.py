"""Runs as a pandas DataFrame, in MLflow's columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drupe.entities import Run
from drupe.lazy import need

__all__ = ["runs_frame"]


def runs_frame(runs: Sequence[Run]) -> Any:
    """One row a run: run_id, experiment_id, status, artifact_uri, start_time, end_time (aware UTC), then `metrics.*`, `params.*`, `tags.*`.

    A run without a metric has NaN there, without a param or tag None.
    """
    pandas = need("pandas", to="return runs as a DataFrame; output_format='list' does without")
    columns: dict[str, Any] = {
        "run_id": [run.info.run_id for run in runs],
        "experiment_id": [run.info.experiment_id for run in runs],
        "status": [str(run.info.status) for run in runs],
        "artifact_uri": [run.info.artifact_uri for run in runs],
        "start_time": pandas.to_datetime([run.info.start_time for run in runs], unit="ms", utc=True),
        "end_time": pandas.to_datetime([run.info.end_time for run in runs], unit="ms", utc=True),
    }
    for key in sorted({key for run in runs for key in run.data.metrics}):
        columns[f"metrics.{key}"] = [run.data.metrics.get(key, float("nan")) for run in runs]
    for key in sorted({key for run in runs for key in run.data.params}):
        columns[f"params.{key}"] = [run.data.params.get(key) for run in runs]
    for key in sorted({key for run in runs for key in run.data.tags}):
        columns[f"tags.{key}"] = [run.data.tags.get(key) for run in runs]
    return pandas.DataFrame(columns)
