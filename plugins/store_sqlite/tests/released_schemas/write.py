"""Writes `v<newest>.sql` beside this file: a small database of the schema as it is now. To be run again until that version is released."""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

from drupe.entities import Heartbeat, LifecycleStage, LogBatch, ModelOutput, ModelPoints, NewLoggedModel, NewRun, Origin, Parcel, Points
from drupe.uris import Uri
from drupe_store_sql.migrations import NEWEST
from drupe_store_sqlite.settings import SqliteSettings
from drupe_store_sqlite.stores import SqliteTrackingStore

MODEL = "m-" + "a" * 32
NOW = 1_700_000_000_000


def dump(file: Path) -> str:
    """The SQL that makes a new database at `file` again, once it was furnished with a run and a model of it."""
    store = SqliteTrackingStore.open(Uri.parse(f"sqlite:///{file}"), SqliteSettings(artifact_root="file:///artifacts"))
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
    connection = sqlite3.connect(file)
    connection.execute("UPDATE drupe_schema SET applied_ms = ?", (NOW,))
    connection.execute("UPDATE experiments SET created_ms = ?, updated_ms = ?", (NOW, NOW))
    connection.execute("UPDATE deletions SET at_ms = ?", (NOW,))
    connection.execute("UPDATE logged_models SET created_ms = ?, updated_ms = ?", (NOW, NOW))
    connection.commit()
    text = "\n".join(connection.iterdump()) + "\n"
    connection.close()
    return text


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        Path(__file__).with_name(f"v{NEWEST}.sql").write_text(dump(Path(folder) / "runs.db"))
