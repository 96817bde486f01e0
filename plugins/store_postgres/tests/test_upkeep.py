"""Upgrades, backups, restores and vacuums of a database: from every version, beside others that have it open, killed in the middle, on a full disk."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from drupe.entities import LifecycleStage, LogBatch, ModelOutput, NewLoggedModel, NewRun, Points
from drupe.errors import AlreadyExists, RunNotFound, StoreBusy, StoreCorrupt, StoreFull, StoreUnavailable
from drupe.uris import Uri
from drupe_store_postgres import programs
from drupe_store_postgres.settings import PostgresSettings
from drupe_store_postgres.stores import PostgresTrackingStore
from drupe_store_sql import migrations
from drupe_store_sql.session import Session

Open = Callable[..., PostgresTrackingStore]
RELEASED = sorted(Path(__file__).with_name("released_schemas").glob("*.sql"))
OLD = RELEASED[:-1]
EVERY = 5  # of the statements of an upgrade, at which it is killed
SHAPE = """
SELECT 'column', table_name::text, column_name::text, data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '') || ' ' || coalesce(collation_name, '')
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'index', tablename::text, indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname::text, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
ORDER BY 1, 2, 3
"""

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def uri(address: str) -> Uri:
    return Uri.parse(address, user_info=True)


@pytest.fixture
def old(server: Any) -> Iterator[Callable[[Path], str]]:
    """Makes a database of a released schema, from a template that is made once; returns its name."""
    made: list[str] = []

    def make(released: Path) -> str:
        template = f"released_{released.stem}"
        with server.connect() as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (template,)).fetchone():
                connection.execute(f"CREATE DATABASE {template}")
                with server.connect(template) as inside:
                    inside.execute(released.read_text())
        made.append(server.new_database(f"TEMPLATE {template}"))
        return made[-1]

    yield make
    for name in made:
        server.drop(name)


def version(server: Any, name: str) -> int:
    with server.connect(name) as connection:
        return int(connection.execute("SELECT max(version) FROM public.drupe_schema").fetchone()[0])


def backups(server: Any, name: str) -> list[str]:
    with server.connect(name) as connection:
        return [
            one for (one,) in connection.execute("SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'drupe_backup%' ORDER BY 1")
        ]


# --- upgrades


@pytest.mark.parametrize("released", RELEASED, ids=lambda path: path.stem)
def test_an_upgraded_database_equals_a_new_one_and_works(server: Any, old: Callable[[Path], str], template: str, released: Path) -> None:
    name = old(released)
    found = int(released.stem.removeprefix("v"))
    plan = PostgresTrackingStore.plan_upgrade(uri(server.address(name)))
    assert (plan.found, [step.version for step in plan.steps]) == (found, list(range(found + 1, migrations.NEWEST + 1)))
    assert version(server, name) == found
    report = PostgresTrackingStore.upgrade(uri(server.address(name)))
    assert version(server, name) == migrations.NEWEST
    assert len(backups(server, name)) == (found < migrations.NEWEST)
    if report.backup:
        assert report.backup.endswith(backups(server, name)[0])
    with server.connect(name) as one, server.connect(template) as other:
        assert one.execute(SHAPE).fetchall() == other.execute(SHAPE).fetchall()
        for table in ("params", "tags", "series"):
            assert one.execute(f"SELECT experiment, start_ms FROM {table}").fetchall() == [(0, 5)]
    store = PostgresTrackingStore.open(uri(server.address(name)))
    assert len(store.metric_history("apple", "loss")) == 603
    store.log_batch("apple", LogBatch({"loss": Points.of([(700, 700, 0.5)])}, {"beta": "2"}))
    store.create_run(NewRun("0", run_id="pear"))
    made = store.create_logged_model(NewLoggedModel("0", name="tart"))
    store.log_outputs("pear", [ModelOutput(made.model_id, 1)])
    assert store.get_run("apple").data.summaries["loss"].count == 604
    assert store.find_damage() == []
    store.close()


def test_while_others_have_it_open_nothing_is_upgraded(server: Any, old: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "LEAVING_S", 0.1)
    name = old(RELEASED[2])
    other = server.connect(name)
    other.execute("SET application_name = 'drupe'")
    for attempt in (PostgresTrackingStore.upgrade, PostgresTrackingStore.open):
        with pytest.raises(StoreBusy, match=r"1 connection of drupe.*has it open.*drupe store upgrade"):
            attempt(uri(server.address(name)))
    assert (version(server, name), backups(server, name)) == (3, [])
    other.close()
    PostgresTrackingStore.open(uri(server.address(name))).close()
    assert version(server, name) == migrations.NEWEST


def test_several_that_open_an_old_store_at_once_upgrade_it_once(server: Any, old: Callable[[Path], str]) -> None:
    name = old(RELEASED[1])
    ended: list[int] = []

    def work() -> None:
        def opened() -> None:
            store = PostgresTrackingStore.open(uri(server.address(name)))
            assert store.get_run("apple")
            store.close()

        ended.append(in_child(opened))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended == [0, 0, 0]
    assert version(server, name) == migrations.NEWEST
    assert len(backups(server, name)) == 1


def in_child(work: Callable[[], None]) -> int:
    """How a forked process ended that does this and nothing else: its exit code, or minus the signal."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


@pytest.mark.parametrize("released", OLD, ids=lambda path: path.stem)
def test_an_upgrade_that_is_killed_leaves_the_old_or_the_new_one_and_succeeds_the_second_time(
    server: Any, old: Callable[[Path], str], released: Path
) -> None:
    found = int(released.stem.removeprefix("v"))
    run = Session._run
    for moment in range(1, 200, EVERY if found < 3 else 2):
        name = old(released)

        def work(name: str = name, moment: int = moment) -> None:
            seen = [0]

            def counted(self: Session, statement: Any, values: Any) -> None:
                if self.is_writing:
                    seen[0] += 1
                    if seen[0] == moment:
                        os.kill(os.getpid(), signal.SIGKILL)
                run(self, statement, values)

            Session._run = counted  # type: ignore[method-assign]
            PostgresTrackingStore.upgrade(uri(server.address(name)))

        ended = in_child(work)
        assert ended in (0, -signal.SIGKILL)
        assert version(server, name) == (migrations.NEWEST if ended == 0 else found)
        assert len(backups(server, name)) == 1
        if ended == 0:
            break
        PostgresTrackingStore.upgrade(uri(server.address(name)))
        assert version(server, name) == migrations.NEWEST
    assert ended == 0
    assert moment > 2


def test_without_the_right_to_make_a_schema_nothing_is_upgraded_unless_without_a_backup(server: Any, old: Callable[[Path], str]) -> None:
    name = old(RELEASED[2])
    with server.connect(name) as admin:
        admin.execute("CREATE ROLE owner LOGIN PASSWORD 'o'")
        for (table,) in admin.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall():
            admin.execute(f"ALTER TABLE public.{table} OWNER TO owner")
        admin.execute("GRANT ALL ON SCHEMA public TO owner")
    try:
        place = uri(f"postgresql://owner:o@127.0.0.1:{server.port}/{name}")
        with pytest.raises(StoreUnavailable, match="no backup could be made"):
            PostgresTrackingStore.upgrade(place)
        assert version(server, name) == 3
        assert PostgresTrackingStore.upgrade(place, backup=False).backup is None
        assert version(server, name) == migrations.NEWEST
    finally:
        with server.connect(name) as admin:
            admin.execute("DROP OWNED BY owner CASCADE; DROP ROLE owner")


# --- backups and restores


def test_a_backup_is_restored_into_another_database_and_over_its_own(
    server: Any, store: PostgresTrackingStore, database: str, address: str, tmp_path: Path
) -> None:
    store.create_run(NewRun("0", run_id="apple"))
    store.log_batch("apple", LogBatch({"loss": Points.of((n, n, n / 7) for n in range(1000))}, {"p": "line\nbreak \\ ' ä"}))
    kept = tmp_path / "kept"
    assert PostgresTrackingStore.back_up(uri(address), target=kept) == migrations.NEWEST  # while it is open
    apple = store.get_run("apple")
    store.create_run(NewRun("0", run_id="later"))
    with pytest.raises(AlreadyExists):
        PostgresTrackingStore.restore(uri(address), source=kept)
    with pytest.raises(StoreBusy):
        PostgresTrackingStore.restore(uri(address), source=kept, replace=True)
    store.close()
    replaced = PostgresTrackingStore.restore(uri(address), source=kept, replace=True)
    assert replaced is not None
    empty = server.new_database()
    try:
        assert PostgresTrackingStore.restore(uri(server.address(empty)), source=kept) is None
        for place in (address, server.address(empty)):
            opened = PostgresTrackingStore.open(uri(place))
            assert opened.get_run("apple") == apple
            assert len(opened.metric_history("apple", "loss")) == 1000
            with pytest.raises(RunNotFound):
                opened.get_run("later")
            opened.create_run(NewRun("0", run_id="next"))
            assert opened.find_damage() == []
            opened.close()
        with server.connect(database) as connection:
            schema = replaced.rpartition(" ")[2]
            assert connection.execute(f"SELECT run_id FROM {schema}.runs ORDER BY 1").fetchall() == [("apple",), ("later",)]
    finally:
        server.drop(empty)
        server.empty(database)


def test_a_newer_store_is_replaced_by_an_old_backup_which_is_upgraded_when_it_is_used(
    server: Any, old: Callable[[Path], str], tmp_path: Path
) -> None:
    name = old(RELEASED[1])
    place = uri(server.address(name))
    assert PostgresTrackingStore.back_up(place, target=tmp_path / "kept") == 2
    PostgresTrackingStore.upgrade(place)
    PostgresTrackingStore.restore(place, source=tmp_path / "kept", replace=True)
    assert version(server, name) == 2
    store = PostgresTrackingStore.open(place)
    assert len(store.metric_history("apple", "loss")) == 603
    store.close()


def test_a_restore_that_fails_half_way_leaves_what_was_there(
    server: Any, database: str, address: str, store: PostgresTrackingStore, tmp_path: Path
) -> None:
    store.create_run(NewRun("0", run_id="apple"))
    kept = tmp_path / "kept"
    PostgresTrackingStore.back_up(uri(address), target=kept)
    store.close()
    text = kept.read_text()
    kept.write_text(text.replace("COPY public.runs ", "COPY public.nothing ", 1))
    with pytest.raises(StoreUnavailable, match="psql failed"):
        PostgresTrackingStore.restore(uri(address), source=kept, replace=True)
    with closing(PostgresTrackingStore.open(uri(address))) as opened:
        assert opened.get_run("apple").info.run_id == "apple"
    kept.write_text(text[: len(text) // 2])
    with pytest.raises(StoreCorrupt):
        PostgresTrackingStore.restore(uri(address), source=kept, replace=True)
    server.empty(database)


def test_without_its_programs_a_backup_says_what_to_install(
    address: str, store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del store
    monkeypatch.setattr(programs, "_PLACES", str(tmp_path / "nothing"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StoreUnavailable, match="postgresql-client"):
        PostgresTrackingStore.back_up(uri(address), target=tmp_path / "kept")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("kept")] == []


def test_a_password_is_on_no_command_line_and_in_no_message(
    address: str, store: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    del store
    fake = tmp_path / "bin"
    fake.mkdir()
    (fake / "pg_dump").write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/said\necho "no way" >&2\nexit 1\n')
    (fake / "pg_dump").chmod(0o755)
    monkeypatch.setattr(programs, "_PLACES", str(tmp_path / "nothing"))
    monkeypatch.setenv("PATH", f"{fake}:{os.environ['PATH']}")
    with pytest.raises(StoreUnavailable, match="pg_dump failed: no way") as caught:
        PostgresTrackingStore.back_up(uri(address), target=tmp_path / "kept")
    assert "s3cret" not in (tmp_path / "said").read_text() + str(caught.value)


def test_a_backup_on_a_full_disk_leaves_nothing(address: str, store: PostgresTrackingStore, tmp_path: Path) -> None:

    store.create_run(NewRun("0", run_id="apple"))
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(disk)], capture_output=True, check=False).returncode:
        pytest.skip("a small file system can only be mounted by root")
    try:
        with pytest.raises((StoreFull, StoreUnavailable), match="space"):
            PostgresTrackingStore.back_up(uri(address), target=disk / "kept")
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


# --- what was deleted, and unused space


def test_what_was_deleted_is_removed_and_space_told(store: PostgresTrackingStore, address: str) -> None:
    for run_id in ("apple", "pear"):
        store.create_run(NewRun("0", run_id=run_id))
        store.log_batch(run_id, LogBatch({"m": Points.of([(0, 0, 0.5)])}, {"p": "x"}))
    experiment = store.create_experiment("gone").experiment_id
    store.create_run(NewRun(experiment, run_id="plum"))
    store.set_experiment_stage(experiment, LifecycleStage.DELETED)
    store.set_run_stage("pear", LifecycleStage.DELETED)
    store.remove(store.deleted())
    assert store.deleted() == store.find_damage() == []
    for run_id in ("pear", "plum"):
        with pytest.raises(RunNotFound):
            store.get_run(run_id)
    assert store.get_run("apple").data.params == {"p": "x"}
    assert store.create_experiment("next").experiment_id == str(int(experiment) + 1)
    space = PostgresTrackingStore.vacuum(uri(address), PostgresSettings())
    assert space.before_bytes > 0
    assert space.after_bytes > 0
