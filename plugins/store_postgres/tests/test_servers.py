"""What a server does to its clients: it restarts, is away, is full, refuses; and what may never be told of an address."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from drupe import loading, settings
from drupe.entities import LogBatch, NewRun, Points
from drupe.errors import (
    DrupeError,
    InvalidUri,
    StoreBusy,
    StoreFull,
    StoreReadOnly,
    StoreSchema,
    StoreUnavailable,
)
from drupe.search import Kind, parse
from drupe.uris import Uri
from drupe_store_postgres.address import Address
from drupe_store_postgres.settings import PostgresSettings
from drupe_store_postgres.stores import PostgresTrackingStore

Open = Callable[..., PostgresTrackingStore]
POINT = LogBatch({"m": Points.of([(0, 0, 0.5)])})


def shown(fault: BaseException) -> str:
    """All that a log could hold of an error and its causes."""
    told, seen = "", fault
    while seen is not None:
        told += f"{seen} {seen!r} {getattr(seen, 'details', '')}"
        seen = seen.__cause__ or seen.__context__  # type: ignore[assignment]
    return told


# --- addresses and secrets


def test_an_address_is_taken_apart_and_its_escapes_undone() -> None:
    found = Address.of(Uri.parse("postgresql://ada:p%40ss%2Fw@db.example:6543/runs", user_info=True))
    assert (found.host, found.port, found.user, found.password, found.database) == ("db.example", 6543, "ada", "p@ss/w", "runs")
    assert found.parameters(PostgresSettings(sslmode="require")) == {
        "host": "db.example", "port": 6543, "user": "ada", "password": "p@ss/w", "dbname": "runs", "sslmode": "require",
    }  # fmt: skip
    assert "p@ss" not in repr(found)
    assert Address.of(Uri.parse("postgres://[::1]:5432/x")).host == "::1"


def test_what_an_address_leaves_out_is_left_to_libpq() -> None:
    assert Address.of(Uri.parse("postgresql:///runs")).parameters(PostgresSettings()) == {"dbname": "runs"}


@pytest.mark.parametrize("text", ["postgresql:runs", "postgresql://host/a/b", "mysql://host/a"])
def test_an_address_that_names_no_database_is_refused(text: str) -> None:
    with pytest.raises(InvalidUri):
        Address.of(Uri.parse(text))


def test_a_wrong_password_is_told_without_it(server: Any, database: str) -> None:
    address = server.address(database).replace(server_password(server), "wr0ng-secret")
    with pytest.raises(StoreUnavailable, match="password") as caught:
        PostgresTrackingStore.open(Uri.parse(address, user_info=True))
    assert "wr0ng-secret" not in shown(caught.value)


def server_password(server: Any) -> str:
    return str(server.address("x")).split(":")[2].split("@")[0]


def test_a_database_that_is_not_there_is_told_with_what_makes_it(server: Any) -> None:
    with pytest.raises(StoreUnavailable, match="createdb"):
        PostgresTrackingStore.open(Uri.parse(server.address("nobodys"), user_info=True))


def test_settings_come_from_the_address_and_the_environment(server: Any, empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUPE_STORE_POSTGRES__ARTIFACT_ROOT", "s3://bucket/runs")
    settings.reset()
    loading.reset()
    address = server.address(empty_database, scheme="postgres") + "?durability=normal&statement_timeout_s=7&pool_size=3"
    store = loading.catalog().open("drupe_tracking_stores", Uri.parse(address, query=True, user_info=True))
    with store._database.read() as session:
        found = session.driver.execute(
            "SELECT current_setting('synchronous_commit'), current_setting('statement_timeout'), current_setting('lock_timeout')"
        ).fetchone()
    assert found == ("off", "7s", "1min")
    assert store.get_experiment("0").artifact_location == "s3://bucket/runs/0"
    store.close()


# --- a server that comes and goes


def test_calls_after_a_restart_succeed_without_anybody_noticing(server: Any, store: PostgresTrackingStore, run_id: str) -> None:
    store.log_batch(run_id, POINT)
    server.stop()
    server.start()
    store.log_batch(run_id, LogBatch({"m": Points.of([(1, 0, 0.5)])}))
    assert store.get_run(run_id).data.summaries["m"].count == 2


def test_a_server_that_is_away_is_told_and_found_again(server: Any, store: PostgresTrackingStore, run_id: str) -> None:
    server.stop("immediate")
    try:
        with pytest.raises(StoreUnavailable) as caught:
            store.log_batch(run_id, POINT)
        assert "s3cret" not in shown(caught.value)
    finally:
        server.start()
    store.log_batch(run_id, POINT)
    assert store.get_run(run_id).data.summaries["m"].count == 1


def test_a_connection_that_is_cut_in_a_call_is_told_and_leaves_nothing(server: Any, store: PostgresTrackingStore, run_id: str) -> None:
    def write() -> None:
        with store._database.write() as session:
            session.driver.execute("UPDATE runs SET name = 'half'")
            with server.connect() as other:
                other.execute("SELECT pg_terminate_backend(%s)", [session.driver.info.backend_pid])
            session.driver.execute("SELECT 1")

    with pytest.raises(StoreUnavailable):
        write()
    assert store.get_run(run_id).info.run_name != "half"


def test_a_database_that_was_dropped_and_made_anew_is_noticed(
    server: Any, store: PostgresTrackingStore, run_id: str, database: str
) -> None:
    store.log_batch(run_id, POINT)
    server.empty(database)
    assert store.search_runs(parse(Kind.RUNS), experiment_ids=None) == []
    store.create_run(NewRun("0", run_id=run_id))
    store.log_batch(run_id, POINT)
    assert store.get_run(run_id).data.summaries["m"].count == 1


# --- a server that will not


def test_a_lock_that_others_keep_is_told_as_busy(server: Any, open_store: Open, database: str) -> None:
    store = open_store(busy_timeout_s=0.2)
    store.create_run(NewRun("0", run_id="apple"))
    with server.connect(database) as other, other.transaction():
        other.execute("SELECT 1 FROM runs FOR UPDATE")
        with pytest.raises(StoreBusy, match="lock"):
            store.log_batch("apple", POINT)
    store.log_batch("apple", POINT)


def test_a_statement_that_takes_too_long_is_told_as_busy(open_store: Open) -> None:
    store = open_store(statement_timeout_s=0.1)
    with pytest.raises(StoreBusy, match="statement_timeout_s"), store._database.read() as session:
        session.driver.execute("SELECT pg_sleep(5)")


def test_no_connection_left_is_told_as_busy(open_store: Open) -> None:
    store = open_store(pool_size=1, busy_timeout_s=0.1)
    with store._database.read(), pytest.raises(StoreBusy, match="pool_size"):
        store.get_experiment("0")


def test_a_server_that_takes_no_writes_is_read(server: Any, open_store: Open, database: str) -> None:
    open_store().create_run(NewRun("0", run_id="apple"))
    with server.connect(database) as other:
        other.execute("CREATE ROLE reader LOGIN PASSWORD 'r'")
        other.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    try:
        reader = open_store(f"postgresql://reader:r@127.0.0.1:{server.port}/{database}")
        assert reader.get_run("apple").info.run_id == "apple"
        with pytest.raises(StoreReadOnly, match="permission denied"):
            reader.create_experiment("pears")
    finally:
        with server.connect(database) as other:
            other.execute("DROP OWNED BY reader; DROP ROLE reader")


@pytest.fixture
def small_disk(tmp_path: Path, server: Any) -> Iterator[Path]:
    """A file system of 12 MB that belongs to the server."""
    disk = server.folder / "disk"
    disk.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m,mode=0777", "tmpfs", str(disk)], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("a small file system can only be mounted by root")
    inner = disk / "space"
    inner.mkdir(mode=0o777)
    subprocess.run(["chown", "postgres", str(inner)], check=True)
    yield inner
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_is_told_reading_goes_on_and_writing_when_there_is_room(server: Any, small_disk: Path, open_store: Open) -> None:
    with server.connect() as other:
        other.execute(f"CREATE TABLESPACE small LOCATION '{small_disk}'")
    name = server.new_database("TABLESPACE small")
    try:
        store = open_store(server.address(name))
        store.create_run(NewRun("0", run_id="apple"))
        filler = small_disk / "filler"
        with filler.open("wb") as file:
            try:
                while True:
                    file.write(b"x" * 65_536)
                    file.flush()
            except OSError:
                pass

        def write() -> None:
            for n in range(50):
                store.log_batch("apple", LogBatch({}, {f"p{n}.{m}": "y" * 500 for m in range(400)}))

        with pytest.raises(StoreFull):
            write()
        assert store.get_run("apple").info.run_id == "apple"
        filler.unlink()
        store.log_batch("apple", POINT)
        store.close()
    finally:
        server.drop(name)
        with server.connect() as other:
            other.execute("DROP TABLESPACE small")


# --- databases that are not for us


def test_a_database_without_unicode_is_refused(server: Any) -> None:
    name = server.new_database("ENCODING 'SQL_ASCII' TEMPLATE template0")
    with pytest.raises(StoreSchema, match="--encoding=UTF8"):
        PostgresTrackingStore.open(Uri.parse(server.address(name), user_info=True))
    server.drop(name)


def test_a_database_of_another_program_is_refused_and_left(server: Any, empty_database: str) -> None:
    address = server.address(empty_database)
    with server.connect(empty_database) as other:
        other.execute("CREATE TABLE customers (id int)")
        with pytest.raises(StoreSchema, match="another program"):
            PostgresTrackingStore.open(Uri.parse(address, user_info=True))
        assert other.execute("SELECT array_agg(tablename::text) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (["customers"],)


def test_a_backup_before_an_upgrade_is_a_copy_of_all_rows(store: PostgresTrackingStore, run_id: str, server: Any, database: str) -> None:
    store.log_batch(run_id, LogBatch({"m": Points.of([(0, 0, 0.5)])}, {"p": "x"}))
    where = store._database.dialect.back_up("v2")
    schema = where.rpartition(" ")[2]
    with server.connect(database) as other:
        for table in ("runs", "params", "tags", "series", "chunks", "keys", "experiments", "drupe_schema"):
            counts = other.execute(f"SELECT (SELECT count(*) FROM {table}), (SELECT count(*) FROM {schema}.{table})").fetchone()
            assert counts is not None
            assert counts[0] == counts[1] > 0
    with pytest.raises(psycopg.errors.UndefinedTable), server.connect(database) as other:
        other.execute(f"SELECT 1 FROM {schema}.nothing")


def test_damage_is_told_by_the_checks_of_all_stores(store: PostgresTrackingStore, run_id: str, address: str) -> None:
    store.log_batch(run_id, POINT)
    assert store.find_damage() == []
    with store._database.write() as session:
        session.driver.execute("UPDATE chunks SET points = '\\xff'")
    assert any("cannot be read" in told for told in store.find_damage())
    assert [damage.run_id for damage in PostgresTrackingStore.verify(Uri.parse(address, user_info=True))][:1] == [run_id]
    with pytest.raises(DrupeError):
        store.metric_history(run_id, "m")
