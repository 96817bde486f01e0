"""drupe with its SQLite store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import drupe
from drupe.entities import LogBatch, Points, Series

FIRST_MS = 1_750_000_000_000


def place(folder: str) -> None:
    drupe.set_tracking_uri(f"sqlite:///{folder}/drupe.db")


def begin() -> str:
    return drupe.start_run().info.run_id


log = drupe.log_metric


def finish() -> None:
    drupe.end_run()


def fill(run: str, key: str, points: int) -> None:
    columns = Points.of([(step, FIRST_MS + step, float(step % 997)) for step in range(points)])
    drupe.Client().store.log_batch(run, LogBatch(metrics={key: columns}))


def warm() -> None:
    drupe.Client().search_experiments(max_results=1)


def read(run: str, key: str) -> tuple[Sequence[int], Sequence[float]]:
    found = drupe.Client().get_metric_series([run], [key])
    return (found[0].points.steps, found[0].points.values) if found else ([], [])


def history(run: str, key: str) -> int:
    return len(drupe.get_metric_history(run, key))


def chart(run: str, keys: Sequence[str], buckets: int) -> int:
    series: list[Series] = drupe.Client().get_metric_series([run], keys, buckets=buckets)
    return sum(len(one.points.steps) for one in series)


def search(experiment: str, filter_string: str, order_by: Sequence[str], limit: int) -> Sequence[Any]:
    return drupe.Client().search_runs([experiment], filter_string, max_results=limit, order_by=order_by)


def get(run: str) -> Any:
    return drupe.Client().get_run(run)
