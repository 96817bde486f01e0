"""MLflow, on a SQLite file of its own or, with `BENCH_SERVER`, on the server at that address."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from typing import Any

import mlflow
from mlflow.tracking import MlflowClient

FIRST_MS = 1_750_000_000_000


def place(folder: str) -> None:
    global database
    database = f"{folder}/mlflow.db"
    mlflow.set_tracking_uri(os.environ.get("BENCH_SERVER") or f"sqlite:///{database}")


def begin() -> str:
    return mlflow.start_run().info.run_id


log = mlflow.log_metric


def finish() -> None:
    mlflow.end_run()


def fill(run: str, key: str, points: int) -> None:
    """Write MLflow's own rows in bulk: logging so many would take an hour, and here only reading is looked at."""
    rows = [(key, float(step % 997), FIRST_MS + step, run, step, 0) for step in range(points)]
    with sqlite3.connect(database) as connection:
        connection.executemany("INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, ?)", rows)
        connection.execute(
            "INSERT INTO latest_metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, ?)",
            rows[-1],
        )
    connection.close()


def warm() -> None:
    MlflowClient().search_experiments(max_results=1)


def read(run: str, key: str) -> tuple[Sequence[int], Sequence[float]]:
    found = MlflowClient().get_metric_history(run, key)
    return [metric.step for metric in found], [metric.value for metric in found]


def history(run: str, key: str) -> int:
    return len(MlflowClient().get_metric_history(run, key))


def chart(run: str, keys: Sequence[str], buckets: int) -> int:
    """As the charts of MLflow's pages are fed: every metric by itself, some points chosen evenly by the database, spikes or not."""
    store = MlflowClient()._tracking_client.store
    return sum(len(store.get_metric_history_bulk_interval([run], key, buckets, None, None)) for key in keys)


def search(experiment: str, filter_string: str, order_by: Sequence[str], limit: int) -> Sequence[Any]:
    return MlflowClient().search_runs([experiment], filter_string, max_results=limit, order_by=list(order_by))


def get(run: str) -> Any:
    return MlflowClient().get_run(run)
