"""What is counted instead of timed: SQL statements of a call, and bytes of a point."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from drupe.entities import Dataset, DatasetInput, InputTag, LogBatch, NewRun, Points, RunStatus
from drupe.search import Kind, parse
from drupe_store_sql import points
from drupe_store_sqlite.stores import SqliteTrackingStore

Open = Callable[..., SqliteTrackingStore]


@contextmanager
def counted(store: SqliteTrackingStore) -> Iterator[list[str]]:
    """The statements that run inside, but for BEGIN and COMMIT and the reading that takes the snapshot."""
    seen: list[str] = []

    def note(statement: str) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK", "SELECT 1 FROM sqlite_master")):
            seen.append(statement)

    with store._database.read() as session:
        connection = session.driver  # the pool hands out the same one again
    connection.set_trace_callback(note)
    yield seen
    connection.set_trace_callback(None)


def fill(store: SqliteTrackingStore, runs: int) -> None:
    for number in range(runs):
        run_id = store.create_run(NewRun("0", start_time=number, tags={"team": "red", "n": str(number)})).info.run_id
        store.log_batch(
            run_id,
            LogBatch({"loss": Points.of([(0, 0, number / 100)]), "acc": Points.of([(0, 0, 0.5)])}, {"alpha": "1", "beta": str(number)}),
        )
        store.log_inputs(run_id, [DatasetInput(Dataset("iris", str(number)), (InputTag("mlflow.data.context", "training"),))])


@pytest.mark.parametrize("page", [1, 10, 100])
def test_a_page_of_runs_takes_the_same_few_statements_whatever_its_size(store: SqliteTrackingStore, page: int) -> None:
    fill(store, 100)
    query = parse(Kind.RUNS, "metrics.loss >= 0 AND params.alpha = '1'", ["metrics.acc DESC"])
    store.search_runs(query, experiment_ids=["0"])  # keys are known from now on
    with counted(store) as statements:
        found = store.search_runs(query, experiment_ids=["0"], limit=page)
    assert len(found) == page
    assert all(len(run.data.params) == 2 and run.inputs.dataset_inputs for run in found)
    assert len(statements) == 8  # the size of the scope; the page; series, params, tags, inputs and their tags, logged models


def test_one_point_takes_four_statements(store: SqliteTrackingStore, run_id: str) -> None:
    for step in range(3):
        store.log_batch(run_id, LogBatch({"loss": Points.of([(step, 0, 0.5)])}))
    with counted(store) as statements:
        store.log_batch(run_id, LogBatch({"loss": Points.of([(3, 0, 0.5)])}))
    assert [statement.split()[0] for statement in statements] == ["SELECT", "SELECT", "UPDATE", "INSERT"]


def test_a_batch_of_a_thousand_points_takes_four_statements_and_a_look_at_the_sizes_of_the_chunks(
    store: SqliteTrackingStore, run_id: str
) -> None:
    store.log_batch(run_id, LogBatch({"loss": Points.of([(-1, 0, 0.5)])}))
    with counted(store) as statements:
        store.log_batch(run_id, LogBatch({"loss": Points.of((step, 0, 0.5) for step in range(1000))}))
    assert [statement.split()[0] for statement in statements] == ["SELECT", "SELECT", "UPDATE", "INSERT", "SELECT"]


@pytest.mark.parametrize("size", [30, 100, 700, 3000])
def test_a_series_that_arrives_in_pieces_is_in_few_chunks_and_no_point_is_written_more_than_four_times(
    store: SqliteTrackingStore, run_id: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    real = points.encode
    monkeypatch.setattr(points, "encode", lambda part, **how: written.append(len(part)) or real(part, **how))
    for start in range(0, 42_000, size):
        store.log_batch(run_id, LogBatch({"loss": Points.of((step, 0, 0.5) for step in range(start, start + size))}))
    with store._database.read() as session:
        ((chunks, kept),) = session.driver.execute("SELECT count(*), sum(count) FROM chunks WHERE count >= 512")
        ((tails,),) = session.driver.execute("SELECT count(*) FROM chunks WHERE count < 512")
    assert kept > 40_000
    assert chunks <= 42_000 // 8192 + 8
    assert tails <= 64
    assert sum(written) <= 4.2 * 42_000  # the samples are counted too


def test_a_new_run_takes_three_statements_beside_one_for_each_tag(store: SqliteTrackingStore) -> None:
    store.create_run(NewRun("0", tags={"team": "red"}))
    with counted(store) as statements:
        store.create_run(NewRun("0", tags={"team": "red"}))
    assert [statement.split()[0] for statement in statements] == ["SELECT", "INSERT", "INSERT", "INSERT"]


def test_a_page_of_a_long_history_reads_only_the_chunks_that_it_needs(store: SqliteTrackingStore, run_id: str) -> None:
    for start in range(0, 20_000, 1000):
        store.log_batch(run_id, LogBatch({"loss": Points.of((start + n, start + n, 0.5) for n in range(1000))}))
    page = store.metric_history(run_id, "loss", limit=1000)
    with counted(store) as statements:
        page = store.metric_history(run_id, "loss", limit=1000, page_token=page.token)
    assert [metric.step for metric in page] == list(range(1000, 2000))
    (listed,) = [statement for statement in statements if "json_each('[" in statement]
    assert listed.count(",") - listed.split("json_each")[0].count(",") <= 3


@pytest.mark.parametrize("size", [1, 1000], ids=["one by one", "in thousands"])
def test_a_training_curve_takes_at_most_twelve_bytes_a_point_on_disk(open_store: Open, file: Path, size: int) -> None:
    store = open_store()
    chance = random.Random(4)
    run_id = store.create_run(NewRun("0")).info.run_id
    store.log_batch(run_id, LogBatch({"loss": Points.of([(-1, 0, 1.0)])}))
    store.close()
    before = file.stat().st_size
    store = open_store()
    clock, count = 1_700_000_000_000, 8000
    for start in range(0, count, size):
        points = Points()
        for step in range(start, start + size):
            clock += 40 + chance.randrange(20)
            points.append(step, clock, 2.0 / (1 + step / 500) + chance.gauss(0, 0.05))
        store.log_batch(run_id, LogBatch({"loss": points}))
    store.update_run(run_id, status=RunStatus.FINISHED)
    store.close()
    assert (file.stat().st_size - before) / count <= 12


def test_counting_runs_takes_one_statement_and_reads_none_of_them(store: SqliteTrackingStore) -> None:
    fill(store, 5)
    with counted(store) as statements:
        assert store.count_runs(parse(Kind.RUNS)) == 5
    assert len(statements) == 1
