"""Schema versions: new databases, those of every released version, and what happens on the way between them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from drupe.entities import (
    DeletedKind,
    Heartbeat,
    LogBatch,
    ModelOutput,
    ModelPoints,
    NewLoggedModel,
    NewRun,
    Origin,
    Parcel,
    Points,
    Receipt,
)
from drupe.errors import StoreUnavailable
from drupe.extend.tracking_store import TrackingStore
from drupe.search import Kind, parse
from drupe.testing.comparison import Pair
from drupe.testing.memory_tracking import MemoryTrackingStore
from drupe_store_sql import experiments, migrations
from drupe_store_sql.database import Database, now_ms
from drupe_store_sql.session import Session
from drupe_store_sqlite.dialect import SqliteDialect
from drupe_store_sqlite.settings import SqliteSettings
from drupe_store_sqlite.stores import SqliteTrackingStore

Open = Callable[..., SqliteTrackingStore]

RELEASED = sorted(Path(__file__).with_name("released_schemas").glob("*.sql"))
FURNISH = partial(experiments.add_default, now=0, artifact_root="file:///artifacts")


def all_rows(file: Path, query: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(file)
    found = connection.execute(query).fetchall()
    connection.close()
    return found


def shape(file: Path) -> list[tuple[Any, ...]]:
    """What defines the tables and indexes of a database."""
    return all_rows(file, "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name")


def restore(released: Path, file: Path) -> None:
    """Make the database of a released schema's dump."""
    connection = sqlite3.connect(file)
    connection.executescript(released.read_text())
    connection.close()


@pytest.fixture
def database(file: Path) -> Iterator[Database]:
    """A database of version 1 with a run in it, not yet examined."""
    restore(RELEASED[0], file)
    opened = Database(SqliteDialect(file, SqliteSettings()), lambda database: None)
    yield opened
    opened.close()


def colour_runs(session: Session) -> None:
    session.driver.execute("ALTER TABLE runs ADD COLUMN colour TEXT")
    session.driver.execute("UPDATE runs SET colour = 'red'")


def shape_runs(session: Session) -> None:
    session.driver.execute("ALTER TABLE runs ADD COLUMN shape TEXT")


def fail(session: Session) -> None:
    raise RuntimeError("the lights went out")


def test_every_step_that_is_missing_is_taken_after_a_backup(database: Database, file: Path) -> None:
    backup = migrations.upgrade(database, furnish=FURNISH, newest=3, steps={2: colour_runs, 3: shape_runs})
    assert all_rows(file, "SELECT run_id, colour, shape FROM runs") == [("apple", "red", None)]
    assert all_rows(file, "SELECT version FROM drupe_schema ORDER BY version") == [(1,), (2,), (3,)]
    assert backup is not None
    assert Path(backup).name.startswith("runs.db.v1-")
    assert all_rows(Path(backup), "SELECT run_id FROM runs") == [("apple",)]
    assert all_rows(Path(backup), "SELECT max(version) FROM drupe_schema") == [(1,)]


def test_an_upgrade_that_fails_half_way_changes_nothing_and_can_be_repeated(database: Database, file: Path) -> None:
    before = shape(file)
    with pytest.raises(RuntimeError, match="lights"):
        migrations.upgrade(database, furnish=FURNISH, newest=3, steps={2: colour_runs, 3: fail})
    assert shape(file) == before
    assert all_rows(file, "SELECT max(version) FROM drupe_schema") == [(1,)]
    migrations.upgrade(database, furnish=FURNISH, newest=3, steps={2: colour_runs, 3: shape_runs})
    assert all_rows(file, "SELECT colour FROM runs") == [("red",)]


def test_without_room_for_a_backup_nothing_is_upgraded(database: Database, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = shape(file)
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(StoreUnavailable, match="no backup could be made"):
        migrations.upgrade(database, furnish=FURNISH, newest=2, steps={2: colour_runs})
    assert shape(file) == before
    assert not list(file.parent.glob("*.bak*"))


def test_an_upgrade_that_another_process_made_meanwhile_is_not_repeated(database: Database, file: Path) -> None:
    def other_process(label: str, *, progress: Any = None) -> str:
        with database.write() as session:
            colour_runs(session)
            session.driver.execute("INSERT INTO drupe_schema VALUES (2, 0, 'another')")
        return label

    database.dialect.back_up = other_process  # type: ignore[method-assign]
    migrations.upgrade(database, furnish=FURNISH, newest=2, steps={2: fail})
    assert all_rows(file, "SELECT colour FROM runs") == [("red",)]


def test_every_version_but_the_first_has_a_step() -> None:
    assert sorted(migrations.STEPS) == list(range(2, migrations.NEWEST + 1))


def test_there_is_a_released_schema_of_every_version() -> None:
    assert [int(path.stem.removeprefix("v")) for path in RELEASED] == list(range(1, migrations.NEWEST + 1))


@pytest.mark.parametrize("released", RELEASED, ids=lambda path: path.stem)
def test_an_upgraded_database_equals_a_new_one_and_keeps_what_it_held(released: Path, tmp_path: Path) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    restore(released, old)
    for file in (old, new):
        store = Database(SqliteDialect(file, SqliteSettings()), lambda database: None)
        migrations.upgrade(store, furnish=FURNISH)
        store.close()
    assert shape(old) == shape(new)
    assert all_rows(old, "SELECT run_id FROM runs") == [("apple",)]


@pytest.mark.parametrize("released", RELEASED, ids=lambda path: path.stem)
def test_params_tags_and_series_of_an_upgraded_database_know_the_experiment_and_the_start_of_their_run(
    released: Path, file: Path, open_store: Open
) -> None:
    restore(released, file)
    store = open_store()
    for table in ("params", "tags", "series"):
        assert all_rows(file, f"SELECT experiment, start_ms FROM {table}") == [(0, 5)]
    found = parse(Kind.RUNS, "params.alpha = '1' AND tags.`mlflow.runName` = 'first'", ["metrics.loss DESC"])
    assert [run.info.run_id for run in store.search_runs(found, experiment_ids=["0"])] == ["apple"]


@pytest.mark.parametrize("released", RELEASED, ids=lambda path: path.stem)
def test_the_series_of_an_upgraded_database_are_read_sampled_and_written_as_before(released: Path, file: Path, open_store: Open) -> None:
    restore(released, file)
    store, oracle = open_store(), MemoryTrackingStore()
    oracle.create_run(NewRun("0", "apple"))
    curve = [*((step, step, step % 50 / 4) for step in range(600)), *((step, step, 0.5) for step in range(600, 603))]
    oracle.log_batch("apple", LogBatch({"loss": Points.of(curve)}))
    both: Pair[TrackingStore] = Pair(store, oracle)
    more = Points.of((step, step, -1.0) for step in range(-3, 700, 7))
    for batch in (LogBatch(), LogBatch({"loss": more})):
        both.same(lambda one, batch=batch: one.log_batch("apple", batch))  # type: ignore[misc]
        both.same(lambda one: one.metric_history("apple", "loss"))
        both.same(lambda one: one.get_run("apple").data.summaries)
        for buckets in (None, 1, 5, 100):
            both.same(lambda one, buckets=buckets: one.metric_bulk(["apple"], buckets=buckets))  # type: ignore[misc]
    assert store.ship(Parcel("apple", Origin("w2", 0, 1), batch=LogBatch(params={"beta": "2"}))) == Receipt()
    store.beat([Heartbeat("apple", "w2", 1, 1, "h", 1, "b")])
    assert "w2" in [beat.writer for beat in store.heartbeats()]


@pytest.mark.parametrize("released", RELEASED, ids=lambda path: path.stem)
def test_an_upgraded_database_takes_logged_models(released: Path, file: Path, open_store: Open) -> None:
    restore(released, file)
    store = open_store()
    made = store.create_logged_model(NewLoggedModel("0", name="pie", tags={"team": "red"}, params={"depth": "3"}))
    store.log_outputs("apple", [ModelOutput(made.model_id, 7)])
    store.log_batch("apple", LogBatch(model_points=(ModelPoints(made.model_id, "acc", Points.of([(0, 1, 0.5)]), "iris"),)))
    found = parse(Kind.LOGGED_MODELS, "metrics.acc = 0.5 AND params.depth = '3' AND tags.team = 'red'")
    assert [model.name for model in store.search_logged_models(found, experiment_ids=["0"])] == ["pie"]
    assert ModelOutput(made.model_id, 7) in store.get_run("apple").outputs.model_outputs


def test_an_upgrade_to_version_3_that_is_cut_off_leaves_a_version_2_that_can_be_upgraded(file: Path, open_store: Open) -> None:
    restore(RELEASED[1], file)
    before = shape(file)

    def cut_off(session: Session) -> None:
        migrations.STEPS[3](session)
        fail(session)

    database = Database(SqliteDialect(file, SqliteSettings()), lambda database: None)
    with pytest.raises(RuntimeError, match="lights"):
        migrations.upgrade(database, furnish=FURNISH, newest=3, steps={**migrations.STEPS, 3: cut_off})
    database.close()
    assert shape(file) == before
    assert all_rows(file, "SELECT max(version) FROM drupe_schema") == [(2,)]
    assert open_store().create_logged_model(NewLoggedModel("0", name="pie")).name == "pie"
    assert all_rows(file, "SELECT max(version) FROM drupe_schema") == [(migrations.NEWEST,)]


def test_what_was_deleted_before_version_4_counts_from_the_upgrade_on(file: Path, open_store: Open) -> None:
    restore(RELEASED[2], file)
    connection = sqlite3.connect(file)
    connection.execute("UPDATE runs SET is_deleted = 1")
    connection.commit()
    connection.close()
    before = now_ms()
    (found,) = open_store().deleted()
    assert (found.kind, found.id) == (DeletedKind.RUN, "apple")
    assert found.deleted_at is not None
    assert found.deleted_at >= before


def test_when_something_was_deleted_is_kept_by_version_4(file: Path, open_store: Open) -> None:
    restore(RELEASED[3], file)
    assert [(found.kind, found.name, found.deleted_at) for found in open_store().deleted()] == [
        (DeletedKind.EXPERIMENT, "gone", 1_700_000_000_000)
    ]


def test_the_logged_model_of_version_3_is_kept(file: Path, open_store: Open) -> None:
    restore(RELEASED[2], file)
    model = open_store().get_logged_model("m-" + "a" * 32)
    assert (model.name, model.model_type, model.source_run_id) == ("pie", "tree", "apple")
    assert (model.tags, model.params) == ({"team": "red"}, {"depth": "3"})
    assert [(metric.key, metric.value, metric.dataset_digest) for metric in model.metrics] == [("loss", 0.5, "d1")]
    assert open_store().get_run("apple").outputs.model_outputs == (ModelOutput(model.model_id, 3),)


def test_a_new_database_is_furnished_once(store: SqliteTrackingStore, file: Path) -> None:
    store.create_run(NewRun("0"))
    store.close()
    assert all_rows(file, "SELECT id, name FROM experiments") == [(0, "Default")]
