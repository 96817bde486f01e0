"""Random series, written in random pieces and read in every way, answer as the in-memory oracle does.

Chunks are made tiny, so that a few dozen points are folded, sampled and folded again as millions would be.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import Phase, given, settings, strategies as st

from drupe.entities import LogBatch, NewRun, Origin, Parcel, Points
from drupe.extend.tracking_store import TrackingStore
from drupe.testing.comparison import Pair
from drupe.testing.kit import all_pages
from drupe.testing.memory_tracking import MemoryTrackingStore
from drupe.testing.operations import compare_tracking_store
from drupe.uris import Uri
from drupe_store_sql import points
from drupe_store_sqlite.stores import SqliteTrackingStore

TINY = {"TAIL_ROWS": 3, "TAIL_POINTS": 16, "FULL": 16, "MIDDLE": 24, "LARGEST": 48, "BUCKET": 8, "WORTH_FOLDING": 2}

_steps = st.integers(-40, 120) | st.sampled_from([-(2**63), -1, 0, 1, 2**63 - 1])
_values = st.sampled_from([0.0, -0.0, 1.0, -1.0, math.nan, math.inf, -math.inf]) | st.floats()
_point = st.tuples(_steps, st.integers(0, 4), _values)
_run_of_steps = st.builds(
    lambda start, values: [(start + number, 2, value) for number, value in enumerate(values)],
    st.integers(-20, 100),
    st.lists(_values, min_size=1, max_size=40),
)
_piece = st.lists(_point, min_size=1, max_size=12) | _run_of_steps
_bound = st.none() | st.integers(-60, 140)


@pytest.fixture(autouse=True)
def tiny_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in TINY.items():
        assert hasattr(points, name)
        monkeypatch.setattr(points, name, size)


@pytest.fixture(scope="module")
def shared() -> Iterator[Pair[TrackingStore]]:
    """One store and its oracle for all examples, which have a run each."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteTrackingStore.open(Uri.parse(f"sqlite:///{folder}/series.db"))
        root = store.get_experiment("0").artifact_location.removesuffix("/0")
        yield Pair(store, MemoryTrackingStore(artifact_root=root))
        store.close()


@given(
    pieces=st.lists(_piece, min_size=1, max_size=10),
    writers=st.lists(st.sampled_from(["log", "v", "w"]), min_size=10, max_size=10),
    reads=st.lists(st.tuples(st.none() | st.integers(1, 12), _bound, _bound), min_size=3, max_size=3),
    limit=st.integers(1, 20),
)
@settings(max_examples=120, deadline=None, derandomize=True, phases=(Phase.generate,))
def test_whatever_arrives_in_whatever_order_is_read_as_the_oracle_reads_it(
    shared: Pair[TrackingStore], pieces: list[Any], writers: list[str], reads: list[tuple[int | None, int | None, int | None]], limit: int
) -> None:
    run_id = shared.oracle.create_run(NewRun("0")).info.run_id
    shared.store.create_run(NewRun("0", run_id))
    for number, piece in enumerate(pieces):
        batch = LogBatch({"loss": Points.of(piece)})
        writer = writers[number]
        if writer == "log":
            shared.same(lambda one, batch=batch: one.log_batch(run_id, batch))  # type: ignore[misc]
        else:
            start = shared.oracle.shipped_to(run_id + writer)
            parcel = Parcel(run_id, Origin(run_id + writer, start, start + len(piece)), batch=batch)
            shared.same(lambda one, parcel=parcel: one.ship(parcel))  # type: ignore[misc]
        for buckets, first, last in reads:
            shared.same(
                lambda one, buckets=buckets, first=first, last=last: one.metric_bulk(  # type: ignore[misc]
                    [run_id], buckets=buckets, first_step=first, last_step=last
                )
            )
    shared.same(lambda one: one.get_run(run_id).data.metrics)
    shared.same(
        lambda one: [list(page) for page in all_pages(lambda token: one.metric_history(run_id, "loss", limit=limit, page_token=token))]
    )
    # the oracle adds up in the order of arrival, and so its mean is not exact
    shared.same(lambda one: {key: evolve(summary, mean=0.0) for key, summary in one.get_run(run_id).data.summaries.items()})


def test_random_operations_on_tiny_chunks_answer_as_the_oracle_does() -> None:
    compare_tracking_store(lambda folder: SqliteTrackingStore.open(Uri.parse(f"sqlite:///{Path(folder)}/store.db")), examples=12)


def test_most_of_what_a_chart_of_a_long_series_reads_are_samples(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.undo()
    store = SqliteTrackingStore.open(Uri.parse(f"sqlite:///{tmp_path}/long.db"))
    run_id = store.create_run(NewRun("0")).info.run_id
    store.log_batch(run_id, LogBatch({"loss": Points.of((step, step, math.sin(step)) for step in range(100_000))}))
    decoded = []
    real = points.decode
    monkeypatch.setattr(points, "decode", lambda stored: decoded.append(real(stored)) or decoded[-1])
    (series,) = store.metric_bulk([run_id], buckets=500)
    assert series.is_sampled
    assert sum(map(len, decoded)) < 3_000
    decoded.clear()
    store.metric_bulk([run_id], buckets=500, first_step=50_000, last_step=52_000)
    assert sum(map(len, decoded)) <= 2 * 8192
    store.close()


@pytest.mark.parametrize("has_nan", [False, True])
@pytest.mark.parametrize("moments", [1, 7, 300])
def test_points_that_all_have_one_step_and_writers_that_share_steps_lose_and_double_nothing(
    shared: Pair[TrackingStore], has_nan: bool, moments: int
) -> None:
    run_id = shared.oracle.create_run(NewRun("0")).info.run_id
    shared.store.create_run(NewRun("0", run_id))
    value = math.nan if has_nan else 0.5
    for writer in range(3):
        without_steps = Points.of((0, number % moments, value if number == 9 else float(number % 11 - writer)) for number in range(60))
        shared_steps = Points.of((step, writer, value if step == 5 else float(step % 4)) for step in range(writer, 80))
        batch = LogBatch({"loss": without_steps, "acc": shared_steps})
        for _ in range(2):
            shared.same(lambda one, batch=batch: one.log_batch(run_id, batch))  # type: ignore[misc]
            shared.same(lambda one: one.metric_bulk([run_id]))
    shared.same(lambda one: {key: evolve(summary, mean=0.0) for key, summary in one.get_run(run_id).data.summaries.items()})
