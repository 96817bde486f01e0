"""Several processes, threads and forks on one database."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any

import pytest

from drupe.entities import Dataset, DatasetInput, LogBatch, NewRun, Origin, Parcel, Points
from drupe.search import Kind, parse
from drupe.testing.kit import in_threads
from drupe.uris import Uri
from drupe_store_postgres.stores import PostgresRegistryStore, PostgresTrackingStore

Open = Callable[..., PostgresTrackingStore]

WRITERS, CALLS = 4, 40

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def opened(address: str) -> PostgresTrackingStore:
    return PostgresTrackingStore.open(Uri.parse(address, user_info=True))


def at_once(work: Callable[..., None], address: str) -> list[int | None]:
    """Exit codes of WRITERS processes that begin together."""
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(WRITERS)
    processes = [spawn.Process(target=work, args=(address, barrier, worker)) for worker in range(WRITERS)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return [process.exitcode for process in processes]


def write_many(address: str, barrier: Any, worker: int) -> None:
    store = opened(address)
    own = store.create_run(NewRun("0", run_id=f"run{worker}")).info.run_id
    barrier.wait()
    for call in range(CALLS):
        store.log_batch(
            "shared", LogBatch({"loss": Points.of([(call, worker, worker + 0.5)])}, {f"p{worker}.{call}": "x"}, {f"t{call}": "x"})
        )
        store.log_batch(own, LogBatch({f"m{call}": Points.of((call * 10 + n, 0, n) for n in range(10))}, {}, {"last": str(call)}))
        store.log_inputs(own, [DatasetInput(Dataset("iris", str(call)))])
    store.close()


def open_at_once(address: str, barrier: Any, worker: int) -> None:
    barrier.wait()
    store = opened(address)
    store.create_run(NewRun("0"))
    store.close()


def make_the_same(address: str, barrier: Any, worker: int) -> None:
    store = opened(address)
    barrier.wait()
    for number in range(20):
        store.create_experiment(f"e{worker}.{number}")
        store.create_run(NewRun("0", run_id=f"twin{number}", run_name="same"))
        store.ship(Parcel(f"twin{number}", Origin(f"writer{number}", 0, 8), batch=LogBatch({"m": Points.of([(worker, 0, 1.0)])})))
    store.close()


def test_processes_that_write_at_once_lose_nothing(store: PostgresTrackingStore, address: str) -> None:
    store.create_run(NewRun("0", run_id="shared"))
    assert at_once(write_many, address) == [0] * WRITERS
    shared = store.get_run("shared").data
    assert shared.summaries["loss"].count == len(store.metric_history("shared", "loss")) == WRITERS * CALLS
    assert len(shared.params) == WRITERS * CALLS
    for worker in range(WRITERS):
        own = store.get_run(f"run{worker}")
        assert sum(summary.count for summary in own.data.summaries.values()) == CALLS * 10
        assert own.data.tags["last"] == str(CALLS - 1)
        assert len(own.inputs.dataset_inputs) == CALLS
    assert store.find_damage() == []


def test_processes_that_open_an_empty_database_at_once_make_one_store(address: str, open_store: Open) -> None:
    assert at_once(open_at_once, address) == [0] * WRITERS
    assert len(open_store().search_runs(parse(Kind.RUNS), experiment_ids=["0"])) == WRITERS


def test_what_several_make_at_once_is_made_once(store: PostgresTrackingStore, address: str) -> None:
    assert at_once(make_the_same, address) == [0] * WRITERS
    experiments = store.search_experiments(parse(Kind.EXPERIMENTS))
    assert sorted(int(one.experiment_id) for one in experiments) == list(range(20 * WRITERS + 1))
    assert len(store.search_runs(parse(Kind.RUNS), experiment_ids=["0"])) == 20
    for number in range(20):
        assert store.get_run(f"twin{number}").data.summaries["m"].count == 1  # of four parcels of one range, one was taken


def test_versions_made_at_once_have_numbers_of_their_own(address: str) -> None:
    registry = PostgresRegistryStore.open(Uri.parse(address, user_info=True))
    registry.create_registered_model("clf")
    raised = in_threads([lambda: [registry.create_model_version("clf", "s3://b") for _ in range(10)] for _ in range(6)])
    assert raised == []
    found = registry.search_model_versions(parse(Kind.MODEL_VERSIONS))
    assert sorted(int(one.version) for one in found) == list(range(1, 61))
    registry.close()


def test_more_threads_than_connections_wait_for_one(open_store: Open) -> None:
    store = open_store(pool_size=2)
    store.create_run(NewRun("0", run_id="apple"))
    works = [lambda n=n: store.log_batch("apple", LogBatch({"m": Points.of([(n, 0, 0.5)])})) for n in range(12)]
    assert in_threads(works) == []
    assert store.get_run("apple").data.summaries["m"].count == 12


def test_transactions_that_wait_for_each_other_are_told_apart_and_repeated(store: PostgresTrackingStore) -> None:
    for name in ("apple", "pear"):
        store.create_run(NewRun("0", run_id=name))

    def write(names: list[str], n: int) -> None:
        store.log_batch(names[0], LogBatch({}, {}, {f"{name}{n}": "x" for name in names}))

    works = [lambda n=n: write(["apple", "pear"][:: 1 if n % 2 else -1], n // 2) for n in range(20)]
    assert in_threads(works) == []
    assert len([key for key in store.get_run("apple").data.tags if key != "mlflow.runName"]) == 20


def test_groups_of_calls_that_two_servers_make_in_opposite_order_are_all_done(address: str, open_store: Open) -> None:
    store = open_store()
    names = [f"r{n}" for n in range(4)]
    for name in names:
        store.create_run(NewRun("0", run_id=name))

    def group(server: int) -> None:
        with closing(opened(address)) as own:
            for step in range(8):
                calls = [partial(own.log_batch, name, LogBatch({f"m{step}": Points.of([(server, 0, 0.5)])})) for name in names]
                assert own.apply(calls[:: 1 if server % 2 else -1]) == [None] * 4

    assert in_threads([partial(group, server) for server in range(4)]) == []
    for name in names:
        assert [summary.count for summary in store.get_run(name).data.summaries.values()] == [4] * 8


def test_readers_see_one_state_while_others_write(store: PostgresTrackingStore, run_id: str) -> None:
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
    for n in range(100):
        store.log_batch(run_id, LogBatch({"n": Points.of([(n, n, float(n))])}, {}, {"n": str(float(n))}))
    stop.set()
    for reader in readers:
        reader.join()
    assert torn == []


def forked(work: Callable[[], None]) -> int:
    """The process number of a child that does `work` and ends."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return child


def test_a_forked_child_and_its_parent_go_on_writing(store: PostgresTrackingStore, run_id: str) -> None:
    store.log_batch(run_id, LogBatch({"m": Points.of([(0, 0, 0.0)])}))

    def write(steps: range) -> None:
        for step in steps:
            store.log_batch(run_id, LogBatch({"m": Points.of([(step, 1, 1.0)])}))

    child = forked(lambda: write(range(1, 50)))
    write(range(50, 100))
    assert os.waitpid(child, 0)[1] == 0
    assert store.get_run(run_id).data.summaries["m"].count == 100


def test_a_fork_while_other_threads_write_leaves_both_sides_working(store: PostgresTrackingStore, run_id: str) -> None:
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
        child = forked(lambda n=number: store.log_batch(run_id, LogBatch({"child": Points.of([(n, 0, 0.0)])})))  # type: ignore[misc]
        codes.append(os.waitpid(child, 0)[1])
    stop.set()
    writer.join()
    data = store.get_run(run_id).data
    assert codes == [0] * 5
    assert data.summaries["child"].count == 5
    assert data.summaries["thread"].count == written[0]
