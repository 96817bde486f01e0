"""The part of the tracking kit about batches: params, all-or-nothing, bad input, several writers at once."""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from drupe.entities import LogBatch, Points
from drupe.errors import DrupeError, InvalidName, InvalidValue, ParamConflict, ValueTooLong
from drupe.extend.tracking_store import TrackingStore
from drupe.testing.kit import StoreKit, in_threads, log, new_run, query_runs
from drupe.uris import Uri

__all__ = ["LoggingTests"]

_GOOD: dict[str, dict[Any, Any]] = {"metrics": {"good": [(0, 1, 0.5)]}, "params": {"good": "yes"}, "tags": {"good": "yes"}}
# Each is a batch part with one fault, and the error that it gets.
_FAULTS: list[tuple[str, Mapping[Any, Any], type[DrupeError]]] = [
    ("metrics", {"": [(0, 1, 0.5)]}, InvalidName),
    ("metrics", {"a//b": [(0, 1, 0.5)]}, InvalidName),
    ("metrics", {"../up": [(0, 1, 0.5)]}, InvalidName),
    ("metrics", {"semi;colon": [(0, 1, 0.5)]}, InvalidName),
    ("metrics", {"k" * 251: [(0, 1, 0.5)]}, ValueTooLong),
    ("metrics", {"loss": [(0, 1, 0.5), (1, -1, 0.5)]}, InvalidValue),
    ("params", {math.nan: "x"}, InvalidName),
    ("params", {"": "x"}, InvalidName),
    ("params", {"/rooted": "x"}, InvalidName),
    ("params", {"nul\x00": "x"}, InvalidName),
    ("params", {"k" * 251: "x"}, ValueTooLong),
    ("params", {"nul": "a\x00b"}, InvalidValue),
    ("params", {"surrogate": "a\ud800b"}, InvalidValue),
    ("params", {"huge": "x" * 10_000_000}, ValueTooLong),
    ("tags", {"": "x"}, InvalidName),
    ("tags", {"a/./b": "x"}, InvalidName),
    ("tags", {"k" * 251: "x"}, ValueTooLong),
    ("tags", {"surrogate": "a\ud800b"}, InvalidValue),
    ("tags", {"huge": "x" * 10_000_000}, ValueTooLong),
]


class LoggingTests(StoreKit):
    # --- params

    def test_params_are_kept_as_text_under_their_names(self, store: TrackingStore) -> None:
        params = {"alpha": "0.1", "Alpha": "other case", "a/b.c-d_e:f g": "all signs", "päron": "🍐", "empty": "", "k" * 250: "long name"}
        run_id = new_run(store).info.run_id
        log(store, run_id, params=params)
        assert store.get_run(run_id).data.params == params

    def test_the_same_param_again_is_accepted(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, params={"alpha": "0.1", "empty": ""})
        log(store, run_id, params={"alpha": "0.1", "empty": "", "beta": "2"})
        assert store.get_run(run_id).data.params == {"alpha": "0.1", "empty": "", "beta": "2"}

    def test_a_param_never_changes(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, params={"alpha": "0.1", "empty": ""})
        for changed in ({"alpha": "0.2"}, {"alpha": "0.10"}, {"alpha": ""}, {"empty": "x"}):
            with pytest.raises(ParamConflict):
                log(store, run_id, params=changed)
        assert store.get_run(run_id).data.params == {"alpha": "0.1", "empty": ""}

    def test_a_param_conflict_leaves_nothing_of_its_batch(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, params={"alpha": "0.1"})
        before = store.get_run(run_id)
        with pytest.raises(ParamConflict):
            log(store, run_id, {"loss": [(0, 1, 0.5)]}, params={"new": "1", "alpha": "0.2", "other": "2"}, tags={"team": "red"})
        assert store.get_run(run_id) == before
        assert store.metric_history(run_id, "loss") == []

    def test_a_param_is_cut_at_6000_characters(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, params={"long": "ä" * 6001, "exact": "b" * 6000})
        params = store.get_run(run_id).data.params
        assert (params["long"], params["exact"]) == ("ä" * 6000, "b" * 6000)

    def test_a_long_param_again_is_the_same_when_its_first_6000_characters_are(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, params={"long": "x" * 7000})
        log(store, run_id, params={"long": "x" * 6000 + "y"})
        assert store.get_run(run_id).data.params == {"long": "x" * 6000}

    def test_params_of_one_run_are_not_those_of_another(self, store: TrackingStore) -> None:
        first, second = new_run(store).info.run_id, new_run(store).info.run_id
        log(store, first, params={"alpha": "1"})
        log(store, second, params={"alpha": "2"})
        assert store.get_run(first).data.params == {"alpha": "1"}
        assert store.get_run(second).data.params == {"alpha": "2"}

    # --- batches

    def test_a_batch_writes_all_of_its_parts(self, store: TrackingStore) -> None:
        new_run(store, run_id="apple", run_name="first")
        log(store, "apple", {"loss": [(0, 1, 0.5)], "acc": [(0, 1, 1.0)]}, params={"alpha": "1", "beta": "2"}, tags={"team": "red"})
        data = store.get_run("apple").data
        assert data.metrics == {"loss": 0.5, "acc": 1.0}
        assert data.params == {"alpha": "1", "beta": "2"}
        assert data.tags == {"team": "red", "mlflow.runName": "first"}

    def test_an_empty_batch_and_a_metric_without_points_write_nothing(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        before = store.get_run(run_id)
        store.log_batch(run_id, LogBatch())
        store.log_batch(run_id, LogBatch({"loss": Points()}))
        assert store.get_run(run_id) == before

    def test_a_batch_may_be_larger_than_the_protocol_lets_one_request_be(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(
            store,
            run_id,
            {f"metric {number}": [(0, 1, float(number))] for number in range(1200)},
            params={f"param {number}": str(number) for number in range(300)},
            tags={f"tag {number}": str(number) for number in range(300)},
        )
        data = store.get_run(run_id).data
        assert data.metrics == {f"metric {number}": float(number) for number in range(1200)}
        assert data.params == {f"param {number}": str(number) for number in range(300)}
        assert {key: data.tags[key] for key in data.tags if key != "mlflow.runName"} == {f"tag {n}": str(n) for n in range(300)}

    @pytest.mark.parametrize(("part", "bad", "error"), _FAULTS, ids=[f"{part}-{number}" for number, (part, _, _) in enumerate(_FAULTS)])
    def test_a_batch_with_one_fault_gets_one_error_and_leaves_nothing(
        self, store: TrackingStore, part: str, bad: Mapping[Any, Any], error: type[DrupeError]
    ) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, {"loss": [(0, 1, 1.5)]}, params={"alpha": "1"}, tags={"team": "red"})
        before = store.get_run(run_id)
        batch: dict[str, Any] = {**_GOOD, part: {**_GOOD[part], **bad}}
        with pytest.raises(error):
            log(store, run_id, batch["metrics"], params=batch["params"], tags=batch["tags"])
        assert store.get_run(run_id) == before

    def test_a_store_works_on_after_a_refused_batch(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        with pytest.raises(InvalidName):
            log(store, run_id, {"a//b": [(0, 1, 0.5)]})
        log(store, run_id, {"a/b": [(0, 1, 0.5)]}, params={"alpha": "1"})
        assert store.get_run(run_id).data.metrics == {"a/b": 0.5}

    # --- several writers

    def test_threads_writing_one_run_lose_nothing(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id

        def write(worker: int) -> Callable[[], None]:
            def work() -> None:
                for step in range(10):
                    log(store, run_id, {"shared": [(step, worker, float(worker))], f"own {worker}": [(step, 1, 0.5)]})
                log(store, run_id, params={f"param {worker}": str(worker)}, tags={f"tag {worker}": str(worker)})

            return work

        assert in_threads([write(worker) for worker in range(8)]) == []
        data = store.get_run(run_id).data
        assert data.summaries["shared"].count == 80
        assert [data.summaries[f"own {worker}"].count for worker in range(8)] == [10] * 8
        assert data.metrics["shared"] == 7.0
        assert data.params == {f"param {worker}": str(worker) for worker in range(8)}
        assert [data.tags[f"tag {worker}"] for worker in range(8)] == ["0", "1", "2", "3", "4", "5", "6", "7"]

    def test_threads_making_runs_and_experiments_get_one_each(self, store: TrackingStore) -> None:
        def make(worker: int) -> Callable[[], None]:
            def work() -> None:
                experiment = store.create_experiment(f"experiment {worker}")
                for _ in range(5):
                    new_run(store, experiment.experiment_id)

            return work

        assert in_threads([make(worker) for worker in range(8)]) == []
        experiments = [store.get_experiment(str(number)) for number in range(1, 9)]
        assert sorted(one.name for one in experiments) == [f"experiment {worker}" for worker in range(8)]
        for one in experiments:
            assert len(store.search_runs(query_runs(), experiment_ids=[one.experiment_id])) == 5

    def test_of_threads_that_log_one_param_differently_exactly_one_wins(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id

        def write(worker: int) -> Callable[[], None]:
            return lambda: log(store, run_id, {f"metric {worker}": [(0, 1, 0.5)]}, params={"alpha": str(worker)})

        raised = in_threads([write(worker) for worker in range(8)])
        assert [type(fault) for fault in raised] == [ParamConflict] * 7
        data = store.get_run(run_id).data
        assert data.metrics == {f"metric {data.params['alpha']}": 0.5}

    def test_a_reader_never_sees_half_a_batch(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        torn: list[Any] = []

        def write() -> None:
            for step in range(30):
                log(store, run_id, {"a": [(step, 1, float(step))], "b": [(step, 1, float(step))]}, tags={"step": str(step)})

        def read() -> None:
            for _ in range(30):
                data = store.get_run(run_id).data
                if data.metrics and not data.metrics["a"] == data.metrics["b"] == float(data.tags["step"]):
                    torn.append(data)

        assert in_threads([write, read, read]) == []
        assert torn == []

    def test_processes_writing_one_store_lose_nothing(self, store: TrackingStore, address: Uri) -> None:
        run_id = new_run(store).info.run_id
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            pool.starmap(_write_from_elsewhere, [(type(store), address, run_id, worker) for worker in range(2)])
        data = store.get_run(run_id).data
        assert data.summaries["shared"].count == 100
        assert data.params == {"param 0": "0", "param 1": "1"}


def _write_from_elsewhere(kind: type[TrackingStore], address: Uri, run_id: str, worker: int) -> None:
    store = kind.open(address)
    for step in range(50):
        log(store, run_id, {"shared": [(step, worker, float(worker))]})
    log(store, run_id, params={f"param {worker}": str(worker)})
    store.close()
