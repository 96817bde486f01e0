"""Looking for damage: what each kind of it is called, and that looking changes nothing."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from drupe.entities import Damage, LogBatch, ModelPoints, NewLoggedModel, NewRun, Points
from drupe.errors import StoreBusy, StoreCorrupt, StoreSchema, StoreUnavailable
from drupe.uris import Uri
from drupe_store_sqlite.stores import SqliteTrackingStore

Open = Callable[..., SqliteTrackingStore]


@pytest.fixture
def filled(open_store: Open, file: Path) -> Path:
    """A closed store with two runs, one with a long curve."""
    store = open_store()
    for run_id, count in (("apple", 3), ("pear", 2000)):
        store.create_run(NewRun("0", run_id=run_id, run_name=f"{run_id} pie"))
        store.log_batch(run_id, LogBatch({"loss": Points.of((n, n, n / 3) for n in range(count))}, {"lr": "0.1"}, {"team": "growth"}))
    store.close()
    return file


def verify(file: Path) -> list[Damage]:
    return SqliteTrackingStore.verify(Uri.parse(f"sqlite:///{file}"))


def change(file: Path, statement: str, *, unchecked: bool = False) -> None:
    """Change rows behind the store's back."""
    connection = sqlite3.connect(file, isolation_level=None)
    if unchecked:
        connection.execute("PRAGMA writable_schema=ON")
    connection.execute(statement)
    connection.close()


def test_a_whole_store_has_no_damage_and_is_not_written(filled: Path) -> None:
    before = filled.read_bytes()
    assert verify(filled) == []
    assert filled.read_bytes() == before
    assert [path.name for path in filled.parent.iterdir()] == [filled.name]


@pytest.mark.parametrize(
    ("statement", "told", "key"),
    [
        ("UPDATE chunks SET points = x'0201020304' WHERE run = 1", "3 points cannot be read", "loss"),
        ("UPDATE chunks SET max_ms = 77 WHERE run = 2", "the header of 2000 points says something else", "loss"),
        ("UPDATE chunks SET level = 3 WHERE run = 2", "the sample of 2000 points is not one of them", "loss"),
        ("UPDATE series SET last = 5 WHERE run = 2", "its summary does not fit its points (last)", "loss"),
        ("UPDATE series SET tail_rows = 9 WHERE run = 1", "its summary does not fit its points (tail_rows)", "loss"),
        ("DELETE FROM chunks WHERE run = 1", "it has a summary of 3 points, but no points", "loss"),
        ("DELETE FROM series WHERE run = 1", "it has points, but no summary", "loss"),
        ("INSERT INTO chunks SELECT 99, run, key, 1, count, min_step, max_step, min_ms, max_ms, level, sample, points FROM chunks WHERE run = 1",
         "points are there twice", "loss"),
        ("UPDATE runs SET status = 'RUNNINH' WHERE id = 1", "has the status 'RUNNINH' and the stage 0, which do not exist", None),
        ("UPDATE runs SET name = 'apple pif' WHERE id = 1", "is named 'apple pif', but its tag mlflow.runName says 'apple pie'", None),
    ],
)  # fmt: skip
def test_what_does_not_agree_is_told_with_run_and_metric(filled: Path, statement: str, told: str, key: str | None) -> None:
    change(filled, statement)
    (found, *others) = verify(filled)
    assert told in found.told
    assert found.key == key
    assert found.run_id in ("apple", "pear")
    assert found.place == str(filled)
    assert all("apple" in other.told or "pear" in other.told for other in others)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE logged_models SET status = 'READX'", "the status 'READX'"),
        ("UPDATE logged_models SET name = ''", "the name ''"),
        ("UPDATE logged_models SET is_deleted = 2", "the stage 2"),
        ("DELETE FROM logged_models", "a row of logged_model_tags belongs to a row of logged_models that is not there"),
        ("UPDATE logged_model_metrics SET step = 'x'", "of logged_model_metrics has 'x' as its step"),
    ],
)
def test_what_does_not_agree_about_logged_models_is_told(filled: Path, open_store: Open, statement: str, told: str) -> None:
    store = open_store()
    model_id = store.create_logged_model(NewLoggedModel("0", name="pie", tags={"team": "growth"})).model_id
    store.log_batch("apple", LogBatch(model_points=(ModelPoints(model_id, "acc", Points.of([(0, 1, 0.5)])),)))
    store.close()
    assert verify(filled) == []
    change(filled, statement)
    assert any(told in one.told for one in verify(filled))


def test_a_value_of_the_wrong_type_is_found(filled: Path) -> None:
    change(filled, "UPDATE runs SET user_id = x'00ff' WHERE id = 1")
    assert r"row 1 of runs has b'\x00\xff' as its user_id" in [one.told for one in verify(filled)]


def test_text_that_is_no_unicode_is_found_and_told_as_damage_when_it_is_met(filled: Path, open_store: Open) -> None:
    change(filled, "UPDATE runs SET artifact_uri = CAST(x'66ff' AS TEXT) WHERE id = 1")
    assert any("of runs has 'f\\udcff' as its artifact_uri" in one.told for one in verify(filled))
    with pytest.raises(StoreCorrupt, match="drupe store repair"):
        open_store().get_run("apple")


def test_a_changed_list_of_tables_is_found(filled: Path) -> None:
    change(filled, "UPDATE sqlite_master SET sql = replace(sql, 'user_id', 'usex_id') WHERE name = 'runs'", unchecked=True)
    assert "the list of tables is damaged where it tells of runs" in [one.told for one in verify(filled)]


def test_a_misspelt_table_makes_it_no_other_programs_database(filled: Path) -> None:
    change(filled, "UPDATE sqlite_master SET name = 'drupe_schemb', tbl_name = 'drupe_schemb' WHERE name = 'drupe_schema'", unchecked=True)
    assert any("drupe_schema" in one.told for one in verify(filled))


def test_a_database_of_another_program_is_not_looked_through(file: Path) -> None:
    change(file, "CREATE TABLE recipes (x)")
    with pytest.raises(StoreSchema, match="another program"):
        verify(file)


def test_looking_for_damage_makes_no_store(file: Path) -> None:
    with pytest.raises(StoreUnavailable, match="no such file"):
        verify(file)
    assert not file.exists()


def test_a_store_that_this_process_has_open_is_left_alone(filled: Path, open_store: Open) -> None:
    open_store()
    with pytest.raises(StoreBusy, match="this process has the database open"):
        verify(filled)


# --- the write-ahead log


@pytest.fixture
def logged(open_store: Open, file: Path, tmp_path: Path) -> Path:
    """What a killed process leaves: a database with a log, here of 21 transactions."""
    store = open_store()
    store.create_run(NewRun("0", run_id="apple"))
    for step in range(20):
        store.log_batch("apple", LogBatch({"loss": Points.of([(step, step, 0.5)])}))
    left = tmp_path / "left"
    left.mkdir()
    for part in (file, file.with_name(f"{file.name}-wal")):
        shutil.copy(part, left / part.name)
    store.close()
    return left / file.name


def flip(log: Path, place: int) -> None:
    content = bytearray(log.read_bytes())
    content[place] ^= 1
    log.write_bytes(content)


def test_a_log_that_a_killed_process_left_is_no_damage(logged: Path) -> None:
    assert verify(logged) == []


@pytest.mark.parametrize(
    ("place", "told"), [(13, "the head of the write-ahead log is damaged"), (-9000, "of the write-ahead log is damaged")]
)
def test_a_damaged_log_is_found_before_sqlite_forgets_what_is_behind_it(logged: Path, place: int, told: str) -> None:
    log = logged.with_name(f"{logged.name}-wal")
    flip(log, place)
    before = log.read_bytes()
    (found,) = verify(logged)
    assert told in found.told
    assert log.read_bytes() == before


def test_a_log_that_was_cut_inside_its_last_transaction_is_no_damage(logged: Path) -> None:
    log = logged.with_name(f"{logged.name}-wal")
    log.write_bytes(log.read_bytes()[:-100])
    assert verify(logged) == []
