"""The runs of `population` in a SQLite file of MLflow's, which MLflow has made: the rows that its own client would have written, in bulk."""

from __future__ import annotations

import sqlite3
from itertools import islice
from pathlib import Path

from population import METRICS, PARAMS, TAGS, made

__all__ = ["load"]

BLOCK = 2000
_COLUMNS = {
    "runs": "run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time, source_version, lifecycle_stage, artifact_uri, experiment_id",
    "params": "key, value, run_uuid",
    "tags": "key, value, run_uuid",
    "metrics": "key, value, timestamp, run_uuid, step, is_nan",
    "latest_metrics": "key, value, timestamp, step, is_nan, run_uuid",
}


def load(file: Path, runs: int) -> None:
    """Put so many runs into experiment 0, in the place of all that are there."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-400000; BEGIN")
    for table in _COLUMNS:
        connection.execute(f"DELETE FROM {table}")
    waiting = made(runs)
    while block := list(islice(waiting, BLOCK)):
        rows: dict[str, list[tuple[object, ...]]] = {table: [] for table in _COLUMNS}
        for run in block:
            times = run.start_ms, run.end_ms
            stage = "deleted" if run.is_deleted else "active"
            rows["runs"].append(
                (
                    run.run_id,
                    run.name,
                    "UNKNOWN",
                    "",
                    "",
                    run.user_id,
                    run.status,
                    *times,
                    "",
                    stage,
                    f"./mlruns/0/{run.run_id}/artifacts",
                    0,
                )
            )
            rows["params"] += [(key, value, run.run_id) for key, value in zip(PARAMS, run.params, strict=True)]
            rows["tags"] += [(key, value, run.run_id) for key, value in zip(TAGS, run.tags, strict=True)]
            for key, values in zip(METRICS, run.values, strict=True):
                rows["metrics"] += [(key, value, run.start_ms + step, run.run_id, step, 0) for step, value in enumerate(values)]
                last = len(values) - 1
                rows["latest_metrics"].append((key, values[-1], run.start_ms + last, last, 0, run.run_id))
        for table, found in rows.items():
            connection.executemany(
                f"INSERT INTO {table} ({_COLUMNS[table]}) VALUES ({', '.join('?' * len(found[0]))})",
                found,
            )
    connection.execute("COMMIT")
    connection.execute("ANALYZE")
    connection.close()
