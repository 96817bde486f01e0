"""Several processes, threads and forks on one file."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from drupe.entities import LogBatch, NewRun, Points
from drupe.search import Kind, parse
from drupe.uris import Uri
from drupe_store_sqlite.stores import SqliteRegistryStore, SqliteTrackingStore

Open = Callable[..., SqliteTrackingStore]

WRITERS, CALLS = 4, 60

pytestmark = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)  # Python 3.12 warns of every such fork


def write_many(address: str, worker: int) -> None:
    store = SqliteTrackingStore.open(Uri.parse(address))
    own = store.create_run(NewRun("0", run_id=f"run{worker}")).info.run_id
    for call in range(CALLS):
        store.log_batch("shared", LogBatch({"loss": Points.of([(call, worker, worker + 0.5)])}, {f"p{worker}.{call}": "x"}))
        store.log_batch(own, LogBatch({f"m{call % 5}": Points.of((call * 10 + n, 0, n) for n in range(10))}, {}, {"last": str(call)}))
    store.close()


def open_at_once(address: str, barrier: threading.Barrier) -> None:
    barrier.wait()
    store = SqliteTrackingStore.open(Uri.parse(address))
    store.create_run(NewRun("0"))
    store.close()


def test_processes_that_write_at_once_lose_nothing_and_are_never_told_of_locks(store: SqliteTrackingStore, file: Path) -> None:
    store.create_run(NewRun("0", run_id="shared"))
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(WRITERS) as pool:
        pool.starmap(write_many, [(f"sqlite:///{file}", worker) for worker in range(WRITERS)])
    shared = store.get_run("shared").data
    assert shared.summaries["loss"].count == WRITERS * CALLS
    assert len(store.metric_history("shared", "loss")) == WRITERS * CALLS
    assert len(shared.params) == WRITERS * CALLS
    for worker in range(WRITERS):
        own = store.get_run(f"run{worker}").data
        assert sum(summary.count for summary in own.summaries.values()) == CALLS * 10
        assert own.tags["last"] == str(CALLS - 1)


def test_processes_that_open_a_new_file_at_once_make_one_database(file: Path, open_store: Open) -> None:
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(WRITERS)
    processes = [spawn.Process(target=open_at_once, args=(f"sqlite:///{file}", barrier)) for _ in range(WRITERS)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * WRITERS
    assert len(open_store().search_runs(parse(Kind.RUNS), experiment_ids=["0"])) == WRITERS


def test_readers_see_one_state_while_others_write(store: SqliteTrackingStore, run_id: str) -> None:
    stop = threading.Event()
    torn: list[tuple[float, str]] = []

    def read() -> None:
        while not stop.is_set():
            data = store.get_run(run_id).data
            if data.metrics and str(data.metrics["n"]) != data.tags["n"]:
                torn.append((data.metrics["n"], data.tags["n"]))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for n in range(150):
        store.log_batch(run_id, LogBatch({"n": Points.of([(n, n, float(n))])}, {}, {"n": str(float(n))}))
    stop.set()
    for reader in readers:
        reader.join()
    assert torn == []


def test_a_forked_child_and_its_parent_go_on_writing(store: SqliteTrackingStore, run_id: str) -> None:
    store.log_batch(run_id, LogBatch({"m": Points.of([(0, 0, 0.0)])}))
    child = os.fork()
    if child == 0:
        try:
            for step in range(1, 50):
                store.log_batch(run_id, LogBatch({"m": Points.of([(step, 1, 1.0)])}))
        finally:
            os._exit(0)
    for step in range(50, 100):
        store.log_batch(run_id, LogBatch({"m": Points.of([(step, 2, 2.0)])}))
    os.waitpid(child, 0)
    assert store.get_run(run_id).data.summaries["m"].count == 100


def test_what_a_child_wrote_stays_when_the_parent_closes_first(store: SqliteTrackingStore, run_id: str, file: Path) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            store.log_batch(run_id, LogBatch({"m": Points.of([(0, 0, 0.0)])}))
            os.read(reading, 1)  # the parent has closed now, and must not have taken the log away
            store.log_batch(run_id, LogBatch({"m": Points.of([(1, 1, 1.0)])}))
        finally:
            os._exit(0)
    store.close()
    os.write(writing, b".")
    os.waitpid(child, 0)
    again = SqliteTrackingStore.open(Uri.parse(f"sqlite:///{file}"))
    assert again.get_run(run_id).data.summaries["m"].count == 2
    again.close()


def test_a_fork_while_other_threads_write_leaves_both_sides_working(store: SqliteTrackingStore, run_id: str) -> None:
    stop = threading.Event()
    written = [0]

    def write() -> None:
        while not stop.is_set():
            store.log_batch(run_id, LogBatch({"thread": Points.of([(written[0], 0, 0.0)])}))
            written[0] += 1

    writer = threading.Thread(target=write)
    writer.start()
    codes = []
    for number in range(5):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                store.log_batch(run_id, LogBatch({"child": Points.of([(number, 0, 0.0)])}))
                code = 0
            finally:
                os._exit(code)
        codes.append(os.waitpid(child, 0)[1])
    stop.set()
    writer.join()
    data = store.get_run(run_id).data
    assert codes == [0] * 5
    assert data.summaries["child"].count == 5
    assert data.summaries["thread"].count == written[0]


def test_threads_that_fork_at_once_do_not_hang(store: SqliteTrackingStore, run_id: str) -> None:
    codes: list[int] = []

    def fork(number: int) -> None:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                store.log_batch(run_id, LogBatch({"m": Points.of([(number, 0, 0.0)])}))
                code = 0
            finally:
                os._exit(code)
        codes.append(os.waitpid(child, 0)[1])

    threads = [threading.Thread(target=fork, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [0] * 6
    assert store.get_run(run_id).data.summaries["m"].count == 6


@pytest.mark.usefixtures("quick_programs")
def test_a_writer_killed_at_any_moment_leaves_a_whole_database(file: Path, open_store: Open) -> None:
    script = (
        "import sys\n"
        "from drupe.entities import LogBatch, NewRun, Points\n"
        "from drupe.uris import Uri\n"
        "from drupe_store_sqlite.stores import SqliteTrackingStore\n"
        "store = SqliteTrackingStore.open(Uri.parse(sys.argv[1]))\n"
        "store.create_run(NewRun('0', run_id='apple'))\n"
        "for n in range(10**6):\n"
        "    store.log_batch('apple', LogBatch({'m': Points.of([(n, 0, 0.5)])}))\n"
        "    print(n, flush=True)\n"
    )
    acknowledged = -1
    with subprocess.Popen([sys.executable, "-c", script, f"sqlite:///{file}"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            acknowledged = int(line) if line.endswith("\n") else acknowledged
            if acknowledged == 300:
                process.kill()
    store = open_store()
    steps = {metric.step for metric in store.metric_history("apple", "m")}
    assert steps >= set(range(acknowledged + 1))  # the one that was under way may be there too
    assert store.get_run("apple").data.summaries["m"].count == len(steps)
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


# --- one engine for a file


def test_tracking_and_registry_of_one_file_share_an_engine_until_the_last_closes(store: SqliteTrackingStore, file: Path) -> None:
    registry = SqliteRegistryStore.open(Uri.parse(f"sqlite:///{file}"))
    assert registry._database is store._database
    store.close()
    registry.create_registered_model("clf")
    registry.close()
    assert not file.with_name(file.name + "-wal").exists()  # the last connection takes the log with it


def test_a_file_that_was_deleted_and_made_anew_is_noticed(store: SqliteTrackingStore, run_id: str, file: Path) -> None:
    for part in file.parent.iterdir():
        part.unlink()
    assert store.search_runs(parse(Kind.RUNS), experiment_ids=None) == []
    store.create_run(NewRun("0", run_id=run_id))
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT run_id FROM runs").fetchall() == [(run_id,)]
    connection.close()
