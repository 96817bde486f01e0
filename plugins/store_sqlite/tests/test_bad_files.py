"""Files that cannot be used: each is named, refused with its own error, and left as it was."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from drupe.entities import LogBatch, NewRun, Points
from drupe.errors import DrupeError, StoreBusy, StoreCorrupt, StoreFull, StoreReadOnly, StoreSchema, StoreUnavailable
from drupe.search import Kind, parse
from drupe_store_sql.database import Database
from drupe_store_sqlite.dialect import SqliteDialect
from drupe_store_sqlite.settings import SqliteSettings
from drupe_store_sqlite.stores import SqliteTrackingStore

Open = Callable[..., SqliteTrackingStore]


def filled(open_store: Open, file: Path, runs: int = 20) -> bytes:
    """A file with some runs in it, closed; its bytes."""
    store = open_store(file)
    for _ in range(runs):
        run_id = store.create_run(NewRun("0")).info.run_id
        store.log_batch(run_id, LogBatch({"loss": Points.of((step, step, 0.5) for step in range(600))}))
    store.close()
    return file.read_bytes()


@contextmanager
def small_file_system(folder: Path, size: str) -> Iterator[Path]:
    """A file system in memory; tests that need one are skipped where it cannot be had."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small file system")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


# --- damaged


def cut_in_half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def without_its_first_bytes(content: bytes) -> bytes:
    return b"\xff" * 16 + content[16:]


def with_an_impossible_page_size(content: bytes) -> bytes:
    return content[:16] + b"\x12\x34" + content[18:]


def cut_inside_the_header(content: bytes) -> bytes:
    return content[:60]


def of_garbage(content: bytes) -> bytes:
    return bytes((n * 37) % 251 for n in range(len(content)))


def with_a_ruined_schema_page(content: bytes) -> bytes:
    return content[:100] + b"\x00" * 3996 + content[4096:]


@pytest.mark.parametrize(
    "damage",
    [
        cut_in_half,
        without_its_first_bytes,
        with_an_impossible_page_size,
        cut_inside_the_header,
        of_garbage,
        with_a_ruined_schema_page,
    ],
)
def test_a_damaged_file_is_named_and_not_touched(open_store: Open, file: Path, damage: Callable[[bytes], bytes]) -> None:
    damaged = damage(filled(open_store, file))
    file.write_bytes(damaged)
    with pytest.raises(StoreCorrupt, match=str(file)):
        open_store(file)
    assert file.read_bytes() == damaged


def test_damage_inside_is_told_when_it_is_met_and_the_file_is_named(open_store: Open, file: Path) -> None:
    content = filled(open_store, file, runs=200)
    file.write_bytes(content[:40_960] + b"\xff" * 4096 * 20 + content[40_960 + 4096 * 20 :])
    with pytest.raises(StoreCorrupt, match=str(file)):  # noqa: PT012 - the page may be met by opening or by reading
        store = open_store(file)
        for run in store.search_runs(parse(Kind.RUNS), experiment_ids=None):
            store.metric_history(run.info.run_id, "loss")


def test_a_torn_page_is_found_by_looking_for_damage_even_where_no_search_meets_it(open_store: Open, file: Path) -> None:
    filled(open_store, file, runs=200)
    with sqlite3.connect(file) as connection:
        (page,) = connection.execute("SELECT max(pageno) FROM dbstat WHERE name = 'chunks' AND pagetype = 'leaf'").fetchone()
    connection.close()
    content = file.read_bytes()
    file.write_bytes(content[: (page - 1) * 4096] + b"\xff" * 4096 + content[page * 4096 :])
    store = open_store(file)
    found = store.find_damage()
    assert found
    assert all(line.startswith(f"{file}: ") for line in found)


def test_rows_that_belong_to_nothing_are_found(open_store: Open, file: Path) -> None:
    filled(open_store, file, runs=1)
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE series SET run = 77")
    connection.close()
    assert open_store(file).find_damage() == [f"{file}: a row of series belongs to a row of runs that is not there"]


def test_the_size_of_a_store_counts_its_log(open_store: Open, file: Path) -> None:
    filled(open_store, file, runs=1)
    store = open_store(file)
    before = store.size_bytes()
    store.create_run(NewRun("0"))
    log = file.with_name(f"{file.name}-wal").stat().st_size
    assert before is not None
    assert before >= file.stat().st_size
    assert store.size_bytes() == file.stat().st_size + log > file.stat().st_size


def test_damaged_points_of_a_metric_are_told_apart_from_missing_ones(open_store: Open, file: Path) -> None:
    filled(open_store, file, runs=1)
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE chunks SET points = x'01020304'")
    connection.close()
    store = open_store(file)
    (run,) = store.search_runs(parse(Kind.RUNS), experiment_ids=None)
    with pytest.raises(StoreCorrupt, match=str(file)):
        store.metric_history(run.info.run_id, "loss")


# --- not a file of ours


def test_a_folder_is_refused_with_a_file_to_use_instead(open_store: Open, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=f"{tmp_path}: this is a folder.*drupe.db"):
        open_store(tmp_path)


def test_a_database_of_mlflow_is_recognised_and_not_touched(open_store: Open, file: Path) -> None:
    with sqlite3.connect(file) as connection:
        for table in ("alembic_version", "experiments", "runs", "latest_metrics", "params"):
            connection.execute(f"CREATE TABLE {table} (x)")
    connection.close()
    before = file.read_bytes()
    with pytest.raises(StoreSchema, match=f"{file}: this is a database of MLflow"):
        open_store(file)
    assert file.read_bytes() == before
    assert [found.name for found in file.parent.iterdir()] == [file.name]


def test_a_database_of_another_program_is_refused_and_its_tables_are_shown(open_store: Open, file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE recipes (x)")
    connection.close()
    with pytest.raises(StoreSchema, match=r"another program.*recipes"):
        open_store(file)


def test_a_newer_schema_is_refused_with_the_command_that_helps(open_store: Open, file: Path) -> None:
    filled(open_store, file, runs=1)
    with sqlite3.connect(file) as connection:
        connection.execute("INSERT INTO drupe_schema VALUES (99, 0, 'from the future')")
    connection.close()
    before = file.read_bytes()
    with pytest.raises(StoreSchema, match=r"schema 99.*pip install --upgrade"):
        open_store(file)
    assert file.read_bytes() == before


def test_an_empty_file_becomes_a_database(open_store: Open, file: Path) -> None:
    file.touch()
    assert open_store(file).get_experiment("0").name == "Default"


# --- read-only


@pytest.fixture
def read_only(tmp_path: Path, open_store: Open) -> Iterator[Path]:
    """A filled database on a file system that cannot be written."""
    if os.geteuid() != 0:
        folder = tmp_path / "sealed"
        folder.mkdir()
        filled(open_store, folder / "runs.db")
        folder.chmod(0o500)
        (folder / "runs.db").chmod(0o400)
        yield folder / "runs.db"
        folder.chmod(0o700)
        return
    with small_file_system(tmp_path / "sealed", "8m") as folder:
        filled(open_store, folder / "runs.db")
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        yield folder / "runs.db"


def test_a_read_only_file_is_read_and_refuses_writes(open_store: Open, read_only: Path) -> None:
    store = open_store(read_only)
    found = store.search_runs(parse(Kind.RUNS), experiment_ids=None)
    assert len(found) == 20
    assert len(store.metric_history(found[0].info.run_id, "loss")) == 600
    with pytest.raises(StoreReadOnly, match=str(read_only)):
        store.create_run(NewRun("0"))


def test_a_new_file_in_a_read_only_folder_is_refused(open_store: Open, read_only: Path) -> None:
    with pytest.raises(StoreReadOnly, match=r"new\.db"):
        open_store(read_only.with_name("new.db"))


# --- locked


def test_a_lock_that_is_held_for_longer_than_the_time_out_is_told(open_store: Open, file: Path) -> None:
    store = open_store(file, busy_timeout_s=0.3)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy, match=f"{file}.*0.3 s"):
        store.create_run(NewRun("0"))
    assert store.get_experiment("0").name == "Default"  # readers are not blocked
    other.close()
    store.create_run(NewRun("0"))


# --- full


def test_a_full_disk_refuses_whole_calls_and_recovers_by_itself(open_store: Open, tmp_path: Path) -> None:
    with small_file_system(tmp_path / "small", "2m") as folder:
        store = open_store(folder / "runs.db")
        run_id = store.create_run(NewRun("0")).info.run_id
        kept = 0
        raised: DrupeError | None = None
        for start in range(0, 200_000, 1000):
            try:
                values = (((step * 7919) % 10_007) / 10_007 for step in range(start, start + 1000))
                store.log_batch(run_id, LogBatch({"loss": Points.of((start + n, n, value) for n, value in enumerate(values))}))
                kept += 1000
            except DrupeError as fault:
                raised = fault
                break
        assert isinstance(raised, StoreFull)
        assert store.get_run(run_id).data.summaries["loss"].count == kept  # nothing of the call that failed
        assert sum(len(series.points) for series in store.metric_bulk([run_id])) == kept
        subprocess.run(["mount", "-o", "remount,size=8m", folder], check=True)
        store.log_batch(run_id, LogBatch({"loss": Points.of([(10**9, 0, 0.5)])}))
        assert store.get_run(run_id).data.metrics["loss"] == 0.5
        store.close()


def test_a_connection_that_cannot_be_rolled_back_is_thrown_away_and_the_database_goes_on(file: Path) -> None:
    database = Database(SqliteDialect(file, SqliteSettings()), lambda database: None)
    with pytest.raises(ZeroDivisionError), database.write() as session:  # noqa: PT012 - what happens inside is the point
        session.driver.close()
        raise ZeroDivisionError
    with database.write() as session:
        assert session.driver.execute("SELECT 1").fetchone() == (1,)
    database.close()


def test_a_file_that_refuses_the_first_statement_leaves_no_connection_open(open_store: Open, file: Path) -> None:
    content = filled(open_store, file, runs=200)
    file.write_bytes(content[:40_960] + b"\xff" * 4096 * 20 + content[40_960 + 4096 * 20 :])
    before = os.listdir("/proc/self/fd")
    with pytest.raises(sqlite3.DatabaseError) as caught:
        SqliteDialect(file, SqliteSettings())._new_connection()
    assert os.listdir("/proc/self/fd") == before
    assert "malformed" in str(caught.value)  # its traceback has kept the connection until here
