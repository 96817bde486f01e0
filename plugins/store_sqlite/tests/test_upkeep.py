"""Upgrades, backups, restores and vacuums of a file: under writers, beside others that have it open, killed at every step, on a full disk."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from drupe.entities import (
    Dataset,
    DatasetInput,
    Deleted,
    DeletedKind,
    Heartbeat,
    LifecycleStage,
    LogBatch,
    ModelInput,
    ModelOutput,
    ModelPoints,
    NewLoggedModel,
    NewRun,
    Points,
    RunStatus,
)
from drupe.errors import AlreadyExists, LoggedModelNotFound, RunNotFound, StoreBusy, StoreCorrupt, StoreFull, StoreUnavailable
from drupe.uris import Uri
from drupe_store_sql import migrations
from drupe_store_sql.session import Session
from drupe_store_sqlite import copies, upkeep
from drupe_store_sqlite.settings import SqliteSettings
from drupe_store_sqlite.stores import SqliteTrackingStore

Open = Callable[..., SqliteTrackingStore]
RELEASED = sorted(Path(__file__).with_name("released_schemas").glob("*.sql"))
OLD = RELEASED[:-1]

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def uri(file: Path) -> Uri:
    return Uri.parse(f"sqlite:///{file}")


def dump(released: Path, file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.executescript(released.read_text())
    connection.close()


def version(file: Path) -> int:
    connection = sqlite3.connect(file)
    (found,) = connection.execute("SELECT max(version) FROM drupe_schema").fetchone()
    connection.close()
    return int(found)


def rows(file: Path, query: str) -> list[Any]:
    connection = sqlite3.connect(file)
    found = connection.execute(query).fetchall()
    connection.close()
    return found


def backups(file: Path) -> list[Path]:
    return sorted(file.parent.glob(f"{file.name}.*.bak"))


# --- upgrades


@pytest.mark.parametrize("released", OLD, ids=lambda path: path.stem)
def test_a_plan_tells_each_step_and_changes_nothing(released: Path, file: Path) -> None:
    dump(released, file)
    content = file.read_bytes()
    plan = SqliteTrackingStore.plan_upgrade(uri(file))
    found = int(released.stem.removeprefix("v"))
    assert (plan.found, plan.newest, plan.is_plan) == (found, migrations.NEWEST, True)
    assert [step.version for step in plan.steps] == list(range(found + 1, migrations.NEWEST + 1))
    assert all(step.told for step in plan.steps)
    assert plan.backup is not None
    assert file.read_bytes() == content
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("backup", [True, False])
def test_an_upgrade_keeps_a_whole_copy_of_the_old_one_unless_told_not_to(file: Path, backup: bool) -> None:
    dump(RELEASED[0], file)
    report = SqliteTrackingStore.upgrade(uri(file), backup=backup)
    assert (report.found, report.is_plan, version(file)) == (1, False, migrations.NEWEST)
    assert [str(path) for path in backups(file)] == ([report.backup] if backup else [])
    if report.backup:
        assert version(Path(report.backup)) == 1
        assert rows(Path(report.backup), "SELECT run_id FROM runs") == [("apple",)]
    again = SqliteTrackingStore.upgrade(uri(file))
    assert (again.steps, again.backup) == ((), None)
    assert sorted(path.name for path in file.parent.iterdir() if "upgrading" in path.name or "part" in path.name) == []


HOLDS = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA journal_mode=WAL'); c.execute('SELECT 1 FROM runs').fetchall(); print('open', flush=True); sys.stdin.read()"


@pytest.fixture
def holder(file: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has a database of version 2 open."""
    dump(RELEASED[1], file)
    holding = subprocess.Popen([sys.executable, "-c", HOLDS, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holding.stdout is not None
    assert holding.stdout.readline() == "open\n"
    yield holding
    holding.communicate()


def test_while_another_process_has_it_open_nothing_is_upgraded_and_it_is_named(
    holder: subprocess.Popen[str], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "LEAVING_S", 0.1)
    for attempt in (SqliteTrackingStore.upgrade, SqliteTrackingStore.open):
        with pytest.raises(StoreBusy, match=f"process {holder.pid} has it open.*drupe store upgrade"):
            attempt(uri(file))
    assert version(file) == 2
    assert backups(file) == []
    holder.communicate()
    SqliteTrackingStore.open(uri(file)).close()
    assert version(file) == migrations.NEWEST


@pytest.mark.usefixtures("quick_programs")
def test_processes_that_open_an_old_store_at_once_upgrade_it_once(file: Path) -> None:
    dump(RELEASED[0], file)
    code = (
        "import sys; from drupe.uris import Uri; from drupe_store_sqlite.stores import SqliteTrackingStore as S\n"
        "s = S.open(Uri.parse('sqlite:///' + sys.argv[1])); assert s.get_run('apple'); s.close()"
    )
    started = [subprocess.Popen([sys.executable, "-c", code, str(file)]) for _ in range(4)]
    assert [one.wait() for one in started] == [0] * 4
    assert version(file) == migrations.NEWEST
    assert len(backups(file)) == 1


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


def killed_at(moment: int) -> Callable[..., Any]:
    """`Session._run` that ends the process by SIGKILL at the given statement of a transaction that writes."""
    run, seen = Session._run, [0]

    def counted(self: Session, statement: Any, values: Any) -> None:
        if self.is_writing:
            seen[0] += 1
            if seen[0] == moment:
                os.kill(os.getpid(), signal.SIGKILL)
        run(self, statement, values)

    return counted


@pytest.mark.parametrize("released", OLD, ids=lambda path: path.stem)
def test_an_upgrade_that_is_killed_at_any_statement_leaves_the_old_or_the_new_one_and_succeeds_the_second_time(
    released: Path, tmp_path: Path
) -> None:
    old = int(released.stem.removeprefix("v"))
    original = tmp_path / "original.db"
    dump(released, original)
    for moment in range(1, 300, 4 if old == 1 else 1):
        file = tmp_path / str(moment) / "runs.db"
        file.parent.mkdir()
        file.write_bytes(original.read_bytes())

        def work(file: Path = file, moment: int = moment) -> None:
            Session._run = killed_at(moment)  # type: ignore[method-assign]
            SqliteTrackingStore.upgrade(uri(file), SqliteSettings(durability="full"))

        ended = in_child(work)
        assert ended in (0, -signal.SIGKILL)
        assert version(file) == (migrations.NEWEST if ended == 0 else old)
        assert rows(file, "PRAGMA integrity_check") == [("ok",)]
        assert [version(kept) for kept in backups(file)] == [old]
        if ended == 0:
            break
        SqliteTrackingStore.upgrade(uri(file))
        store = SqliteTrackingStore.open(uri(file))
        assert (len(store.metric_history("apple", "loss")), store.find_damage()) == (603, [])
        store.close()
    assert ended == 0
    assert moment > 3


@pytest.mark.parametrize("moment", ["backup", "synced", "named", "committed"])
def test_an_upgrade_that_is_killed_around_its_transaction_succeeds_the_second_time(file: Path, moment: str) -> None:
    dump(RELEASED[1], file)

    def die(*_: Any, **__: Any) -> Any:
        os.kill(os.getpid(), signal.SIGKILL)

    def work() -> None:
        if moment == "backup":
            copies.look_through = die
        elif moment == "synced":
            os.replace = die
        elif moment == "named":
            copies.sync_folder = die
        else:
            commit = Session.commit

            def then(self: Session) -> None:
                commit(self)
                if self.is_writing:
                    die()

            Session.commit = then  # type: ignore[method-assign]
        SqliteTrackingStore.upgrade(uri(file))

    assert in_child(work) == -signal.SIGKILL
    assert version(file) == (migrations.NEWEST if moment == "committed" else 2)
    for left in file.parent.glob("*.part"):  # of a day before, as when the second time is later than the same second
        left.rename(left.with_name(left.name.replace("-20", "-19", 1)))
    SqliteTrackingStore.upgrade(uri(file))
    assert version(file) == migrations.NEWEST
    assert {version(kept) for kept in backups(file)} == {2}
    assert [path.name for path in file.parent.glob("*.part*")] == []


# --- full disks


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Mounts a file system of so many kB."""
    disk = tmp_path / "disk"
    disk.mkdir()

    def mount(kilobytes: int) -> Path:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(disk)], capture_output=True, check=False)
        if done.returncode != 0:
            pytest.skip("a small file system can only be mounted by root")
        return disk

    yield mount
    subprocess.run(["umount", "-l", str(disk)], capture_output=True, check=False)


@pytest.mark.parametrize("spare", [0, 40, 120, 200, 300])
def test_on_a_full_disk_an_upgrade_leaves_the_old_one_whole(small_disk: Callable[[int], Path], tmp_path: Path, spare: int) -> None:
    original = tmp_path / "original.db"
    dump(RELEASED[0], original)
    disk = small_disk(original.stat().st_size // 1024 + spare)
    file = disk / "runs.db"
    file.write_bytes(original.read_bytes())
    with pytest.raises((StoreFull, StoreUnavailable), match=r"space|backup"):
        SqliteTrackingStore.upgrade(uri(file))
    assert version(file) == 1
    assert rows(file, "PRAGMA integrity_check") == [("ok",)]
    assert list(disk.glob("*.part*")) == []
    subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
    SqliteTrackingStore.upgrade(uri(file))
    assert version(file) == migrations.NEWEST


def test_on_a_full_disk_a_backup_leaves_nothing_and_the_store_as_it_was(
    small_disk: Callable[[int], Path], store: SqliteTrackingStore, file: Path
) -> None:
    store.create_run(NewRun("0", run_id="apple"))
    store.close()
    disk = small_disk(60)
    with pytest.raises(StoreFull):
        SqliteTrackingStore.back_up(uri(file), target=disk / "database")
    assert list(disk.iterdir()) == []
    subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
    assert SqliteTrackingStore.back_up(uri(file), target=disk / "database") == migrations.NEWEST


# --- backups and restores


def test_a_backup_under_writers_is_of_one_moment(store: SqliteTrackingStore, file: Path, tmp_path: Path, monkeypatch: Any) -> None:
    """Two runs get the same params in one transaction each; a backup must never have one without the other."""
    monkeypatch.setattr(copies, "PAGES", 3)  # so that there is room for writers between two steps
    for name in ("apple", "pear"):
        store.create_run(NewRun("0", run_id=name))
    ended, written = threading.Event(), 0

    def write() -> None:
        nonlocal written
        while not ended.is_set():
            batch = LogBatch(params={f"p{written}": "x" * 500})
            store.apply([lambda: store.log_batch("apple", batch), lambda: store.log_batch("pear", batch)])  # noqa: B023
            written += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            before, target = written, tmp_path / f"backup{number}"
            store._database.dialect.copy_to(target)  # type: ignore[attr-defined]
            counts = dict(rows(target, "SELECT r.run_id, count(*) FROM params AS p JOIN runs AS r ON r.id = p.run GROUP BY 1"))
            assert counts.get("apple", 0) == counts.get("pear", 0) >= before
    finally:
        ended.set()
        writer.join()
    assert written > 5


def test_a_restored_store_is_what_was_backed_up(store: SqliteTrackingStore, file: Path, tmp_path: Path) -> None:
    store.create_run(NewRun("0", run_id="apple"))
    store.close()
    kept = tmp_path / "kept"
    SqliteTrackingStore.back_up(uri(file), target=kept)
    with pytest.raises(AlreadyExists):
        SqliteTrackingStore.restore(uri(file), source=kept)
    opened = SqliteTrackingStore.open(uri(file))
    opened.create_run(NewRun("0", run_id="later"))
    with pytest.raises(StoreBusy):
        SqliteTrackingStore.restore(uri(file), source=kept, replace=True)
    opened.close()
    replaced = SqliteTrackingStore.restore(uri(file), source=kept, replace=True)
    assert rows(file, "SELECT run_id FROM runs") == [("apple",)]
    assert replaced is not None
    assert rows(Path(replaced), "SELECT run_id FROM runs ORDER BY 1") == [("apple",), ("later",)]
    elsewhere = tmp_path / "new" / "runs.db"
    assert SqliteTrackingStore.restore(uri(elsewhere), source=kept) is None
    assert SqliteTrackingStore.open(uri(elsewhere)).get_run("apple").info.run_id == "apple"


def test_an_old_backup_is_restored_as_it_is_and_upgraded_when_it_is_used(file: Path, tmp_path: Path) -> None:
    dump(RELEASED[1], tmp_path / "old.db")
    assert SqliteTrackingStore.back_up(uri(tmp_path / "old.db"), target=tmp_path / "kept") == 2
    SqliteTrackingStore.restore(uri(file), source=tmp_path / "kept")
    assert version(file) == 2
    assert len(SqliteTrackingStore.open(uri(file)).metric_history("apple", "loss")) == 603


@pytest.mark.parametrize("moment", ["look_through", "swap", "sync_folder"])
def test_a_restore_that_is_killed_leaves_the_old_or_the_new_store(
    store: SqliteTrackingStore, file: Path, tmp_path: Path, moment: str
) -> None:
    store.create_run(NewRun("0", run_id="apple"))
    store.close()
    kept = tmp_path / "kept"
    SqliteTrackingStore.back_up(uri(file), target=kept)
    store = SqliteTrackingStore.open(uri(file))
    store.create_run(NewRun("0", run_id="later"))
    store.close()

    def work() -> None:
        setattr(copies, moment, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        upkeep.restore(file, SqliteSettings(), source=kept, replace=True)

    assert in_child(work) == -signal.SIGKILL
    assert len(rows(file, "SELECT run_id FROM runs")) == (1 if moment == "sync_folder" else 2)
    SqliteTrackingStore.restore(uri(file), source=kept, replace=True)
    assert rows(file, "SELECT run_id FROM runs") == [("apple",)]


def test_what_is_no_database_is_not_restored(file: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"SQLite format 3\x00" + b"x" * 5000)
    with pytest.raises(StoreCorrupt):
        SqliteTrackingStore.restore(uri(file), source=tmp_path / "kept")
    assert not file.exists()
    assert list(file.parent.glob("*.restored*")) == []


# --- what was deleted, and unused space


def fill(store: SqliteTrackingStore, run_id: str, experiment: str = "0") -> None:
    """A run with all that can belong to one."""
    store.create_run(NewRun(experiment, run_id=run_id))
    store.log_batch(run_id, LogBatch({"loss": Points.of((n, n, n / 2) for n in range(10))}, {"p": "x"}, {"t": "y"}))
    store.log_inputs(run_id, [DatasetInput(Dataset(f"of {run_id}", "d1")), DatasetInput(Dataset("shared", "d2"))])
    store.beat([Heartbeat(run_id, "w1", 1, 5000, "host", 1, "boot")])
    model = store.create_logged_model(NewLoggedModel(experiment, name=run_id, source_run_id=run_id, tags={"t": "x"}, params={"p": "y"}))
    store.log_outputs(run_id, [ModelOutput(model.model_id, 1)])
    store.log_model_inputs(run_id, [ModelInput(model.model_id)])
    store.log_batch(run_id, LogBatch(model_points=(ModelPoints(model.model_id, "acc", Points.of([(0, 1, 0.5)])),)))


def counts(file: Path) -> dict[str, int]:
    names = [name for (name,) in rows(file, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('drupe_schema', 'keys')")]
    return {name: rows(file, f"SELECT count(*) FROM {name}")[0][0] for name in names}


def test_removing_a_run_and_its_model_takes_all_that_belongs_to_them_and_nothing_else(store: SqliteTrackingStore, file: Path) -> None:
    fill(store, "apple")
    before = counts(file)
    fill(store, "pear")
    (model,) = store.get_run("pear").outputs.model_outputs
    store.set_run_stage("pear", LifecycleStage.DELETED)
    store.delete_logged_model(model.model_id)
    store.remove(store.deleted())
    assert counts(file) == before
    assert store.deleted() == store.find_damage() == []
    with pytest.raises(RunNotFound):
        store.get_run("pear")
    with pytest.raises(LoggedModelNotFound):
        store.get_logged_model(model.model_id, allow_deleted=True)
    assert [one.dataset.name for one in store.get_run("apple").inputs.dataset_inputs] == ["of apple", "shared"]


def test_removing_an_experiment_takes_all_that_is_in_it(store: SqliteTrackingStore, file: Path) -> None:
    fill(store, "apple")
    before = counts(file)
    experiment = store.create_experiment("fruit", tags={"a": "b"}).experiment_id
    fill(store, "pear", experiment)
    fill(store, "plum", experiment)
    store.set_experiment_stage(experiment, LifecycleStage.DELETED)
    found = store.deleted()
    assert [(one.kind, one.id) for one in found] == [
        (DeletedKind.RUN, "pear"), (DeletedKind.RUN, "plum"), (DeletedKind.EXPERIMENT, experiment)
    ]  # fmt: skip
    store.remove([found[-1]])
    assert {**counts(file), "deletions": 0} == before
    assert store.find_damage() == []
    assert int(store.create_experiment("next").experiment_id) == int(experiment) + 1


def test_what_was_restored_meanwhile_is_not_removed(store: SqliteTrackingStore) -> None:
    fill(store, "apple")
    experiment = store.create_experiment("fruit").experiment_id
    fill(store, "pear", experiment)
    store.set_run_stage("apple", LifecycleStage.DELETED)
    store.set_experiment_stage(experiment, LifecycleStage.DELETED)
    found = store.deleted()
    store.set_run_stage("apple", LifecycleStage.ACTIVE)
    store.set_experiment_stage(experiment, LifecycleStage.ACTIVE)
    store.remove([*found, Deleted(DeletedKind.EXPERIMENT, "0", "Default", "0", None)])
    assert [store.get_run(one).info.lifecycle_stage for one in ("apple", "pear")] == [LifecycleStage.ACTIVE] * 2
    assert store.deleted() == []
    assert store.get_experiment("0").name == "Default"


def test_a_vacuum_folds_the_small_pieces_of_ended_runs_and_shrinks_the_file(open_store: Open, file: Path) -> None:
    store = open_store()
    store.create_run(NewRun("0", run_id="apple"))
    for step in range(12):
        store.log_batch("apple", LogBatch({"loss": Points.of([(step, step, 0.5)])}, {}, {"t": "x" * 5000 * (step % 2)}))
    with store._database.write() as session:
        session.driver.execute("UPDATE runs SET status = 'FINISHED'")  # as a process would leave it that ended before it folded
    store.log_batch("apple", LogBatch({}, {}, {f"t{n}": "x" * 5000 for n in range(100)}))
    for n in range(100):
        store.delete_run_tag("apple", f"t{n}")
    store.close()
    pieces = rows(file, "SELECT count(*) FROM chunks")[0][0]
    space = SqliteTrackingStore.vacuum(uri(file))
    assert space.after_bytes < space.before_bytes / 2
    assert rows(file, "SELECT count(*) FROM chunks")[0][0] < pieces
    opened = open_store()
    assert (len(opened.metric_history("apple", "loss")), opened.find_damage()) == (12, [])
    assert opened.get_run("apple").info.status is RunStatus.FINISHED
