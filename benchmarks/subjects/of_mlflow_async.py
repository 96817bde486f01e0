"""MLflow with `synchronous=False`: calls are queued, threads write them."""

from __future__ import annotations

from typing import Any

import mlflow
from of_mlflow import begin, chart, fill, history, place, read, search, warm  # noqa: F401


def log(key: str, value: float, step: int) -> Any:
    return mlflow.log_metric(key, value, step=step, synchronous=False)


def finish() -> None:
    mlflow.flush_async_logging()
    mlflow.end_run()
