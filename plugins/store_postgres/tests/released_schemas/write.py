"""Writes `v<newest>.sql` beside this file: a small database of the schema as it is now. To be run again until that version is released.

Versions 1 and 2 were never released for PostgreSQL; their files are version 3 without what the steps to 2 and 3 bring.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from drupe.entities import (
    Heartbeat,
    LifecycleStage,
    LogBatch,
    ModelOutput,
    ModelPoints,
    NewLoggedModel,
    NewRun,
    Origin,
    Parcel,
    Points,
)
from drupe.uris import Uri
from drupe_store_postgres.settings import PostgresSettings
from drupe_store_postgres.stores import PostgresTrackingStore
from drupe_store_sql.migrations import NEWEST

sys.path.append(str(Path(__file__).parents[1]))

from own_server import OwnServer, own_server

MODEL = "m-" + "a" * 32
NOW = 1_700_000_000_000
FIXED = (
    f"UPDATE drupe_schema SET applied_ms = {NOW}; UPDATE deletions SET at_ms = {NOW}; "
    f"UPDATE experiments SET created_ms = {NOW}, updated_ms = {NOW}; UPDATE logged_models SET created_ms = {NOW}, updated_ms = {NOW}"
)


def furnish(address: str) -> None:
    """A new store with a run and a model of it, and an experiment that was deleted."""
    store = PostgresTrackingStore.open(Uri.parse(address, user_info=True), PostgresSettings(artifact_root="file:///artifacts"))
    store.create_run(NewRun("0", run_id="apple", run_name="first", start_time=5))
    curve = Points.of((step, step, step % 50 / 4) for step in range(600))
    store.ship(Parcel("apple", Origin("w1", 0, 3), batch=LogBatch({"loss": curve}, {"alpha": "1"})))
    for step in range(600, 603):
        store.log_batch("apple", LogBatch({"loss": Points.of([(step, step, 0.5)])}))
    store.beat([Heartbeat("apple", "w1", 7, 5000, "box", 4711, "b00t")])
    store.create_logged_model(NewLoggedModel("0", MODEL, "pie", "tree", "apple", {"team": "red"}, {"depth": "3"}))
    store.log_outputs("apple", [ModelOutput(MODEL, 3)])
    store.log_batch("apple", LogBatch(model_points=(ModelPoints(MODEL, "loss", Points.of([(602, 602, 0.5)]), "iris", "d1"),)))
    store.set_experiment_stage(store.create_experiment("gone").experiment_id, LifecycleStage.DELETED)
    store.close()


def dump(server: OwnServer, database: str) -> str:
    """The SQL that makes the database again, without what only psql understands."""
    options = ["--inserts", "--no-owner", "--no-privileges", "--schema=public"]
    done = subprocess.run(
        [str(server.binaries / "pg_dump"), *options, database], env=server.variables, capture_output=True, text=True, check=True
    )
    kept = (
        line
        for line in done.stdout.splitlines()
        if line and not line.startswith(("--", "\\", "SET ", "CREATE SCHEMA", "COMMENT ON SCHEMA"))
    )
    return "\n".join(kept) + "\n"


if __name__ == "__main__":
    with own_server() as server:
        name = server.new_database()
        furnish(server.address(name))
        with server.connect(name) as connection:
            connection.execute(FIXED)
        Path(__file__).with_name(f"v{NEWEST}.sql").write_text(dump(server, name))
