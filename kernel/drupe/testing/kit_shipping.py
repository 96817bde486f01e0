"""The part of the tracking kit about shipping: what a parcel does, that it does so exactly once, and signs of life.

A store without ORIGINS or HEARTBEATS is held to what the defaults promise; the tests of more are skipped for it.
"""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pytest
from attrs import evolve

from drupe.entities import (
    Dataset,
    DatasetInput,
    Heartbeat,
    InputTag,
    LifecycleStage,
    LogBatch,
    NewRun,
    Origin,
    ParamClash,
    Parcel,
    Points,
    Receipt,
    RunStatus,
)
from drupe.errors import (
    AlreadyExists,
    DrupeError,
    ExperimentNotFound,
    InvalidName,
    InvalidValue,
    OriginGap,
    RunNotFound,
    ValueTooLong,
    WrongLifecycle,
)
from drupe.extend.features import Feature, Support
from drupe.extend.tracking_store import TrackingStore
from drupe.testing.kit import StoreKit, in_threads, log, new_run
from drupe.uris import Uri

__all__ = ["ShippingTests"]

_IRIS = DatasetInput(Dataset("iris", "d1", "local", "iris.csv"), (InputTag("mlflow.data.context", "training"),))
_GOOD = LogBatch({"good": Points.of([(0, 1, 0.5)])}, {"good": "yes"}, {"good": "yes"})
# Each is a change to a good parcel that makes it one that no store takes, and the error that it gets.
_FAULTS: list[tuple[dict[str, Any], type[DrupeError]]] = [
    ({"batch": LogBatch({"a//b": Points.of([(0, 1, 0.5)])})}, InvalidName),
    ({"batch": LogBatch({"loss": Points.of([(0, 1, 0.5), (1, -1, 0.5)])})}, InvalidValue),
    ({"batch": LogBatch({}, {"": "x"})}, InvalidName),
    ({"batch": LogBatch({}, {"huge": "x" * 1_000_001})}, ValueTooLong),
    ({"batch": LogBatch({}, {}, {"a//b": "x"})}, InvalidName),
    ({"inputs": (DatasetInput(Dataset("n" * 501, "d")),)}, ValueTooLong),
    ({"origin": Origin("", 0, 1)}, InvalidName),
    ({"origin": Origin("a b", 0, 1)}, InvalidName),
    ({"origin": Origin("w" * 257, 0, 1)}, InvalidName),
    ({"origin": Origin("w", -1, 1)}, InvalidValue),
    ({"origin": Origin("w", 2, 1)}, InvalidValue),
    ({"run_id": "nobody"}, RunNotFound),
]


def _parcel(
    run_id: str,
    start: int,
    end: int,
    metrics: Mapping[str, Iterable[tuple[int, int, float]]] | None = None,
    *,
    writer: str = "w",
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    **given: Any,
) -> Parcel:
    columns = {key: Points.of(points) for key, points in (metrics or {}).items()}
    return Parcel(run_id, Origin(writer, start, end), batch=LogBatch(columns, params or {}, tags or {}), **given)


def _steps(store: TrackingStore, run_id: str, key: str = "loss") -> list[int]:
    return [point.step for point in store.metric_history(run_id, key)]


def _beat(run_id: str, writer: str = "w", at_ms: int = 1000) -> Heartbeat:
    return Heartbeat(run_id, writer, at_ms, 5000, "box", 4711, "b00t")


class ShippingTests(StoreKit):
    @pytest.fixture
    def exact(self, store: TrackingStore) -> TrackingStore:
        """The store, if it takes parcels exactly once."""
        if store.features.get(Feature.ORIGINS) is not Support.FULL:
            pytest.skip("this store keeps no origins (Feature.ORIGINS)")
        return store

    @pytest.fixture
    def beating(self, store: TrackingStore) -> TrackingStore:
        """The store, if it keeps signs of life."""
        if store.features.get(Feature.HEARTBEATS) is not Support.FULL:
            pytest.skip("this store keeps no heartbeats (Feature.HEARTBEATS)")
        return store

    # --- what a parcel does

    def test_a_parcel_does_all_that_it_holds(self, store: TrackingStore) -> None:
        new_run(store, run_id="apple", run_name="first", tags={"old": "x", "kept": "y"})
        parcel = _parcel(
            "apple",
            0,
            7,
            {"loss": [(1, 2, 0.25), (0, 1, 0.5)], "acc": [(0, 1, math.inf)]},
            params={"alpha": "1"},
            tags={"team": "red"},
            removed_tags=("old",),
            inputs=(_IRIS,),
            status=RunStatus.FAILED,
            end_time=99,
        )
        assert store.ship(parcel) == Receipt()
        run = store.get_run("apple")
        assert run.data.metrics == {"loss": 0.25, "acc": math.inf}
        assert run.data.params == {"alpha": "1"}
        assert run.data.tags == {"kept": "y", "team": "red", "mlflow.runName": "first"}
        assert run.inputs.dataset_inputs == (_IRIS,)
        assert (run.info.status, run.info.end_time) == (RunStatus.FAILED, 99)
        assert _steps(store, "apple") == [0, 1]

    def test_an_empty_parcel_changes_nothing_of_its_run(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        before = store.get_run(run_id)
        assert store.ship(_parcel(run_id, 0, 3)) == Receipt()
        assert store.get_run(run_id) == before

    def test_a_shipped_name_tag_renames_the_run(self, store: TrackingStore) -> None:
        run_id = new_run(store, run_name="first").info.run_id
        store.ship(_parcel(run_id, 0, 1, tags={"mlflow.runName": "second"}))
        assert store.get_run(run_id).info.run_name == "second"

    def test_a_tag_that_is_removed_and_set_in_one_parcel_is_set(self, store: TrackingStore) -> None:
        run_id = new_run(store, tags={"team": "red"}).info.run_id
        store.ship(_parcel(run_id, 0, 1, tags={"team": "blue"}, removed_tags=("team",)))
        assert store.get_run(run_id).data.tags["team"] == "blue"

    def test_removing_a_tag_that_is_not_set_is_no_fault(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, tags={"seen elsewhere": "x"})
        other = new_run(store, run_name="other").info.run_id
        store.ship(_parcel(other, 0, 1, {"loss": [(0, 1, 0.5)]}, removed_tags=("never seen", "seen elsewhere")))
        assert store.get_run(other).data.metrics == {"loss": 0.5}
        assert store.get_run(run_id).data.tags["seen elsewhere"] == "x"

    def test_only_what_a_parcel_says_of_the_run_changes(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        store.ship(_parcel(run_id, 0, 1, status=RunStatus.SCHEDULED))
        assert (store.get_run(run_id).info.status, store.get_run(run_id).info.end_time) == (RunStatus.SCHEDULED, None)
        store.ship(_parcel(run_id, 1, 2, end_time=5))
        assert (store.get_run(run_id).info.status, store.get_run(run_id).info.end_time) == (RunStatus.SCHEDULED, 5)

    # --- creation

    def test_a_parcel_creates_its_run(self, store: TrackingStore) -> None:
        experiment = store.create_experiment("pears").experiment_id
        new = NewRun(experiment, "apple", "first", "ann", 42, {"team": "red"})
        store.ship(_parcel("apple", 0, 2, {"loss": [(0, 1, 0.5)]}, new=new))
        run = store.get_run("apple")
        location = store.get_experiment(experiment).artifact_location
        assert (run.info.experiment_id, run.info.run_name, run.info.user_id) == (experiment, "first", "ann")
        assert (run.info.start_time, run.info.status) == (42, RunStatus.RUNNING)
        assert run.info.artifact_uri == f"{location}/apple/artifacts"
        assert run.data.tags == {"team": "red", "mlflow.runName": "first"}
        assert run.data.metrics == {"loss": 0.5}

    def test_two_writers_that_bring_the_same_new_run_share_it(self, store: TrackingStore) -> None:
        new = NewRun("0", "apple", start_time=42)
        store.ship(_parcel("apple", 0, 1, {"loss": [(0, 1, 0.5)]}, writer="a", new=new))
        name = store.get_run("apple").info.run_name
        store.ship(_parcel("apple", 0, 1, {"loss": [(1, 2, 0.25)]}, writer="b", new=new))
        assert _steps(store, "apple") == [0, 1]
        assert store.get_run("apple").info.run_name == name
        assert store.create_run(new).info.run_id == "apple"

    def test_a_parcel_cannot_take_the_id_of_another_run(self, store: TrackingStore) -> None:
        new_run(store, run_id="apple", start_time=1)
        with pytest.raises(AlreadyExists):
            store.ship(_parcel("apple", 0, 1, {"loss": [(0, 1, 0.5)]}, new=NewRun("0", "apple", start_time=2)))
        assert _steps(store, "apple") == []
        assert store.shipped_to("w") == 0

    def test_a_parcel_creates_no_other_run_than_its_own(self, store: TrackingStore) -> None:
        for other in ("pear", None):
            with pytest.raises(InvalidValue):
                store.ship(_parcel("apple", 0, 1, new=NewRun("0", other)))
        with pytest.raises(RunNotFound):
            store.get_run("pear")

    def test_a_parcel_creates_no_run_in_a_deleted_or_unknown_experiment(self, store: TrackingStore) -> None:
        experiment = store.create_experiment("pears").experiment_id
        store.set_experiment_stage(experiment, LifecycleStage.DELETED)
        for where, error in ((experiment, WrongLifecycle), ("77", ExperimentNotFound)):
            with pytest.raises(error):
                store.ship(_parcel("apple", 0, 1, new=NewRun(where, "apple")))
        with pytest.raises(RunNotFound):
            store.get_run("apple")

    # --- clashes and refusals

    def test_a_param_with_another_value_is_told_and_the_rest_is_written(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, params={"alpha": "0.1", "beta": "2"})
        receipt = store.ship(_parcel(run_id, 0, 1, {"loss": [(0, 1, 0.5)]}, params={"alpha": "0.2", "beta": "2", "gamma": "3"}))
        assert receipt == Receipt((ParamClash("alpha", "0.1", "0.2"),))
        data = store.get_run(run_id).data
        assert data.params == {"alpha": "0.1", "beta": "2", "gamma": "3"}
        assert data.metrics == {"loss": 0.5}

    def test_a_long_param_clashes_by_what_would_be_kept_of_it(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(store, run_id, params={"long": "x" * 7000})
        assert store.ship(_parcel(run_id, 0, 1, params={"long": "x" * 6000 + "y"})) == Receipt()
        assert store.ship(_parcel(run_id, 1, 2, params={"long": "y"})).clashes == (ParamClash("long", "x" * 6000, "y"),)

    def test_a_parcel_for_a_deleted_run_is_refused(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        store.set_run_stage(run_id, LifecycleStage.DELETED)
        before = store.get_run(run_id)
        with pytest.raises(WrongLifecycle):
            store.ship(_parcel(run_id, 0, 1, {"loss": [(0, 1, 0.5)]}, params={"alpha": "1"}, removed_tags=("t",)))
        assert store.get_run(run_id) == before
        assert store.shipped_to("w") == 0

    @pytest.mark.parametrize(("bad", "error"), _FAULTS, ids=[str(number) for number in range(len(_FAULTS))])
    def test_a_parcel_with_a_fault_is_refused(self, store: TrackingStore, bad: Mapping[str, Any], error: type[DrupeError]) -> None:
        new_run(store, run_id="apple")
        with pytest.raises(error):
            store.ship(evolve(_parcel("apple", 0, 1), **bad))
        assert store.shipped_to("w") == 0

    @pytest.mark.parametrize(("bad", "error"), _FAULTS, ids=[str(number) for number in range(len(_FAULTS))])
    def test_a_refused_parcel_leaves_nothing_of_itself(self, exact: TrackingStore, bad: Mapping[str, Any], error: type[DrupeError]) -> None:
        new_run(exact, run_id="apple", tags={"old": "x"})
        log(exact, "apple", params={"alpha": "1"})
        before = exact.get_run("apple")
        good = Parcel("apple", Origin("w", 0, 1), batch=_GOOD, removed_tags=("old",), inputs=(_IRIS,))
        with pytest.raises(error):
            exact.ship(evolve(good, status=RunStatus.FINISHED, end_time=7, **bad))
        assert exact.get_run("apple") == before
        assert exact.shipped_to("w") == 0

    def test_a_refused_parcel_does_not_leave_the_run_that_it_would_have_made(self, exact: TrackingStore) -> None:
        with pytest.raises(InvalidName):
            exact.ship(_parcel("apple", 0, 1, tags={"a//b": "x"}, new=NewRun("0", "apple")))
        with pytest.raises(RunNotFound):
            exact.get_run("apple")

    # --- exactly once

    def test_a_writer_is_known_up_to_the_end_of_its_last_parcel(self, exact: TrackingStore) -> None:
        run_id = new_run(exact).info.run_id
        assert exact.shipped_to("w") == 0
        exact.ship(_parcel(run_id, 0, 70))
        exact.ship(_parcel(run_id, 70, 2**40))
        exact.ship(_parcel(run_id, 0, 3, writer="W"))
        assert [exact.shipped_to(writer) for writer in ("w", "W", "v")] == [2**40, 3, 0]

    def test_a_parcel_that_is_sent_again_does_nothing(self, exact: TrackingStore) -> None:
        run_id = new_run(exact).info.run_id
        first = _parcel(run_id, 0, 5, {"loss": [(0, 1, 0.5)]}, tags={"team": "red"}, params={"alpha": "1"}, status=RunStatus.FINISHED)
        assert exact.ship(first) == Receipt()
        log(exact, run_id, tags={"team": "blue"})
        exact.update_run(run_id, status=RunStatus.RUNNING)
        before = exact.get_run(run_id)
        assert exact.ship(first) == Receipt(is_repeat=True)
        assert exact.ship(evolve(first, origin=Origin("w", 2, 4))) == Receipt(is_repeat=True)
        assert exact.get_run(run_id) == before
        assert exact.shipped_to("w") == 5

    def test_a_parcel_that_is_sent_again_after_its_run_was_deleted_is_still_a_repeat(self, exact: TrackingStore) -> None:
        run_id = new_run(exact).info.run_id
        exact.ship(_parcel(run_id, 0, 5))
        exact.set_run_stage(run_id, LifecycleStage.DELETED)
        assert exact.ship(_parcel(run_id, 0, 5)) == Receipt(is_repeat=True)

    @pytest.mark.parametrize(("start", "end"), [(6, 9), (3, 9), (0, 6)])
    def test_a_parcel_that_does_not_follow_the_last_one_is_refused_with_the_position(
        self, exact: TrackingStore, start: int, end: int
    ) -> None:
        run_id = new_run(exact).info.run_id
        exact.ship(_parcel(run_id, 0, 5, {"loss": [(0, 1, 0.5)]}))
        with pytest.raises(OriginGap) as caught:
            exact.ship(_parcel(run_id, start, end, {"loss": [(1, 1, 0.5)]}))
        assert caught.value.position == 5
        assert (_steps(exact, run_id), exact.shipped_to("w")) == ([0], 5)
        exact.ship(_parcel(run_id, 5, 9, {"loss": [(1, 1, 0.5)]}))
        assert (_steps(exact, run_id), exact.shipped_to("w")) == ([0, 1], 9)

    def test_the_first_parcel_of_a_writer_starts_at_0(self, exact: TrackingStore) -> None:
        run_id = new_run(exact).info.run_id
        with pytest.raises(OriginGap) as caught:
            exact.ship(_parcel(run_id, 1, 2))
        assert caught.value.position == 0

    def test_threads_that_send_the_same_parcels_write_each_once(self, exact: TrackingStore) -> None:
        run_id = new_run(exact).info.run_id

        def send() -> list[Receipt]:
            return [exact.ship(_parcel(run_id, start, start + 1, {"loss": [(start, start, float(start))]})) for start in range(20)]

        receipts: list[list[Receipt]] = []
        raised = in_threads([lambda: receipts.append(send())] * 4)
        assert raised == []
        assert sum(not receipt.is_repeat for sent in receipts for receipt in sent) == 20
        assert _steps(exact, run_id) == list(range(20))

    def test_processes_that_send_the_same_parcels_write_each_once(self, exact: TrackingStore, address: Uri) -> None:
        run_id = new_run(exact).info.run_id
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            fresh = pool.starmap(_send_from_elsewhere, [(type(exact), address, run_id)] * 2)
        assert sum(fresh) == 20
        assert _steps(exact, run_id) == list(range(20))

    def test_origins_outlive_the_opened_store(self, exact: TrackingStore, reopen: Callable[[], TrackingStore]) -> None:
        run_id = new_run(exact).info.run_id
        exact.ship(_parcel(run_id, 0, 5))
        again = reopen()
        assert again.shipped_to("w") == 5
        assert again.ship(_parcel(run_id, 0, 5)).is_repeat

    def test_a_parcel_of_many_points_and_keys_arrives_whole(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        metrics = {f"m{key}": Points.of((step, 1_000 + step, float(step * key)) for step in range(5_000)) for key in range(4)}
        store.ship(Parcel(run_id, Origin("w", 0, 9), batch=LogBatch({**metrics, "one": Points.of([(0, 1, 0.5)])})))
        summaries = store.get_run(run_id).data.summaries
        assert {key: summary.count for key, summary in summaries.items()} == {"m0": 5000, "m1": 5000, "m2": 5000, "m3": 5000, "one": 1}
        assert _steps(store, run_id, "m3") == list(range(5_000))

    # --- signs of life

    def test_the_latest_sign_of_life_of_each_writer_is_kept(self, beating: TrackingStore) -> None:
        first, second = new_run(beating, run_id="apple").info.run_id, new_run(beating, run_id="pear").info.run_id
        beating.beat([_beat(first), _beat(first, "v"), _beat(second)])
        beating.beat([evolve(_beat(first), at_ms=2000, interval_ms=1, host="other", pid=9, boot_id="x")])
        assert _by_place(beating.heartbeats()) == [
            _beat(first, "v"),
            Heartbeat(first, "w", 2000, 1, "other", 9, "x"),
            _beat(second),
        ]

    def test_signs_of_life_can_be_asked_of_some_runs(self, beating: TrackingStore) -> None:
        first, second = new_run(beating, run_id="apple").info.run_id, new_run(beating, run_id="pear").info.run_id
        beating.beat([_beat(first), _beat(second)])
        assert beating.heartbeats([second, "unknown"]) == [_beat(second)]
        assert beating.heartbeats([]) == []

    def test_unknown_and_ended_runs_get_no_signs_of_life(self, beating: TrackingStore) -> None:
        ended, running = new_run(beating).info.run_id, new_run(beating, run_id="apple").info.run_id
        beating.update_run(ended, status=RunStatus.FINISHED)
        beating.beat([_beat("unknown"), _beat(ended), _beat(running)])
        beating.update_run(ended, status=RunStatus.RUNNING)
        assert beating.heartbeats() == [_beat(running)]

    @pytest.mark.parametrize("status", [RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED])
    def test_signs_of_life_go_when_the_run_ends(self, beating: TrackingStore, status: RunStatus) -> None:
        updated, shipped, other = (new_run(beating, run_id=run_id).info.run_id for run_id in ("apple", "pear", "plum"))
        beating.beat([_beat(updated), _beat(shipped), _beat(shipped, "v"), _beat(other)])
        beating.update_run(updated, status=status)
        beating.ship(_parcel(shipped, 0, 1, status=status))
        assert beating.heartbeats() == [_beat(other)]
        for run_id in (updated, shipped):
            beating.update_run(run_id, status=RunStatus.RUNNING)
        assert beating.heartbeats() == [_beat(other)]

    def test_only_running_runs_have_signs_of_life(self, beating: TrackingStore) -> None:
        run_id = new_run(beating).info.run_id
        beating.beat([_beat(run_id)])
        beating.update_run(run_id, status=RunStatus.SCHEDULED)
        assert beating.heartbeats() == []
        beating.update_run(run_id, status=RunStatus.RUNNING)
        assert beating.heartbeats() == [_beat(run_id)]

    def test_signs_of_life_outlive_the_opened_store(self, beating: TrackingStore, reopen: Callable[[], TrackingStore]) -> None:
        run_id = new_run(beating).info.run_id
        beating.beat([_beat(run_id)])
        assert reopen().heartbeats([run_id]) == [_beat(run_id)]

    def test_a_store_without_signs_of_life_takes_and_forgets_them(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        store.beat([_beat(run_id)])
        store.beat([])
        kept = store.heartbeats([run_id])
        assert kept == ([_beat(run_id)] if store.features.get(Feature.HEARTBEATS) is Support.FULL else [])


def _by_place(beats: Sequence[Heartbeat]) -> list[Heartbeat]:
    return sorted(beats, key=lambda beat: (beat.run_id, beat.writer))


def _send_from_elsewhere(kind: type[TrackingStore], address: Uri, run_id: str) -> int:
    store = kind.open(address)
    receipts = [store.ship(_parcel(run_id, start, start + 1, {"loss": [(start, start, 0.5)]})) for start in range(20)]
    store.close()
    return sum(not receipt.is_repeat for receipt in receipts)
