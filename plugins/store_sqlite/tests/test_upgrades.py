"""Schema versions: new databases, those of every released version, and what happens on the way between them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from drupe.entities import NewRun
from drupe.errors import StoreUnavailable
from drupe_store_sql import experiments, migrations
from drupe_store_sql.database import Database
from drupe_store_sql.session import Session
from drupe_store_sqlite.dialect import SqliteDialect
from drupe_store_sqlite.settings import SqliteSettings
from drupe_store_sqlite.stores import SqliteTrackingStore

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


@pytest.fixture
def database(store: SqliteTrackingStore, run_id: str, file: Path) -> Iterator[Database]:
    """A database of version 1 with a run in it, not yet examined."""
    store.close()
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
    def other_process(label: str) -> str:
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
    connection = sqlite3.connect(old)
    connection.executescript(released.read_text())
    connection.close()
    for file in (old, new):
        store = Database(SqliteDialect(file, SqliteSettings()), lambda database: None)
        migrations.upgrade(store, furnish=FURNISH)
        store.close()
    assert shape(old) == shape(new)
    assert all_rows(old, "SELECT run_id FROM runs") == [("apple",)]


def test_a_new_database_is_furnished_once(store: SqliteTrackingStore, file: Path) -> None:
    store.create_run(NewRun("0"))
    store.close()
    assert all_rows(file, "SELECT id, name FROM experiments") == [(0, "Default")]
