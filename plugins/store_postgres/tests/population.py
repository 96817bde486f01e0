"""Many runs, written by the server itself: what logging a point of each would have left in the tables.

The points of the series are all the same; only searches are asked of them."""

from __future__ import annotations

from typing import Any

from drupe.entities import Points
from drupe_store_sql.codec import encode

__all__ = ["EXPERIMENT", "populate"]

EXPERIMENT = "1"  # nine runs in ten; the others are in "0"
_PARAMS = {
    "lr": "(0.0001 * (n % 997))::text",
    "model": "(ARRAY['mlp','cnn','rnn'])[1 + n % 3]",
    "seed": "n::text",
    "data": "'fig-' || n % 50",
}
_TAGS = {"mlflow.runName": "'run-' || n", "team": "(ARRAY['risk','core','lab','web'])[1 + n % 4]"}
_METRICS = {"loss": "10.0 * ((n * 7919) % 100003) / 100003", "acc": "((n * 104729) % 99991) / 99991.0"}
_SERIES = "run, key, count, nans, first, first_step, first_ms, last, last_step, last_ms, min, max, argmin, argmax, mean, total, tail_rows, tail_points"


def populate(connection: Any, runs: int) -> None:
    """Fill an empty store with `runs` runs and let the planner know."""
    connection.execute("INSERT INTO experiments VALUES (1, 'population', 'memory:/1', 0, 0, 0)")
    connection.execute(
        "INSERT INTO runs (run_id, experiment, name, user_id, status, start_ms, end_ms, is_deleted, artifact_uri) "
        "SELECT md5(n::text), (n % 10 <> 0)::int, 'run-' || n, 'user-' || n % 7, (ARRAY['FINISHED','FINISHED','FAILED'])[1 + n % 3], "
        f"1700000000000 + n * 1000, 1700000000000 + n * 1000 + n % 5000, (n % 20 = 7)::int, 'memory:/1/' || n FROM generate_series(1, {runs}) n"
    )
    ids = {}
    for name in (*_PARAMS, *_TAGS, *_METRICS):
        ids[name] = connection.execute("INSERT INTO keys (name) VALUES (%s) RETURNING id", (name,)).fetchone()[0]
    numbered = "(SELECT id, id AS n, experiment, start_ms FROM runs)"
    for table, values in (("params", _PARAMS), ("tags", _TAGS)):
        for name, value in values.items():
            connection.execute(f"INSERT INTO {table} SELECT id, {ids[name]}, {value}, experiment, start_ms FROM {numbered} r")
    for name, value in _METRICS.items():
        with_value = f"(SELECT *, ({value})::float8 AS v FROM {numbered} s)"
        connection.execute(
            f"INSERT INTO series ({_SERIES}, experiment, start_ms) "
            f"SELECT id, {ids[name]}, 1, 0, v, 0, 0, v, 0, 0, v, v, 0, 0, v, '', 0, 0, experiment, start_ms FROM {with_value} r"
        )
        connection.execute(
            "INSERT INTO chunks (run, key, is_tail, count, min_step, max_step, min_ms, max_ms, points) "
            f"SELECT id, {ids[name]}, 1, 1, 0, 0, 0, 0, %s FROM runs",
            (encode(Points.of([(0, 0, 0.5)])),),
        )
    connection.execute("VACUUM ANALYZE")
