"""The part of the tracking kit about many calls at once, which a server makes of the requests of many clients."""

from __future__ import annotations

import pytest

from drupe.entities import RunStatus
from drupe.errors import ParamConflict, RunNotFound
from drupe.extend.features import Feature, Support
from drupe.extend.tracking_store import TrackingStore
from drupe.testing.kit import StoreKit, log, new_run

__all__ = ["TogetherTests"]


class TogetherTests(StoreKit):
    def test_calls_that_are_applied_together_have_their_results_in_order(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        made, nothing, read, info = store.apply(
            [
                lambda: new_run(store, run_name="second"),
                lambda: log(store, run_id, {"loss": [(0, 1, 0.5)]}, params={"lr": "0.1"}),
                lambda: store.get_run(run_id),
                lambda: store.update_run(run_id, status=RunStatus.FINISHED),
            ]
        )
        assert nothing is None
        assert (read.data.metrics, read.data.params) == ({"loss": 0.5}, {"lr": "0.1"})
        assert info.status == RunStatus.FINISHED
        assert store.get_run(made.info.run_id).info.run_name == "second"
        assert store.get_run(run_id).info.status == RunStatus.FINISHED
        assert store.apply([]) == []

    def test_a_call_that_fails_leaves_those_beside_it_alone(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        results = store.apply(
            [
                lambda: log(store, run_id, params={"lr": "0.1"}),
                lambda: log(store, run_id, {"lost": [(0, 1, 0.5)]}, params={"lr": "0.2"}),
                lambda: log(store, "0" * 32, params={"lr": "0.1"}),
                lambda: log(store, run_id, {"kept": [(0, 1, 0.5)]}, tags={"team": "x"}),
            ]
        )
        assert [type(result) for result in results] == [type(None), ParamConflict, RunNotFound, type(None)]
        data = store.get_run(run_id).data
        assert (data.params, data.metrics, data.tags["team"]) == ({"lr": "0.1"}, {"kept": 0.5}, "x")

    def test_a_call_of_several_steps_is_all_or_nothing(self, store: TrackingStore) -> None:
        if store.features.get(Feature.GROUP_COMMIT) is not Support.FULL:
            pytest.skip("this store makes no calls last together (Feature.GROUP_COMMIT)")
        run_id = new_run(store).info.run_id

        def two_steps() -> None:
            log(store, run_id, {"unheard of": [(0, 1, 0.5)]}, tags={"first": "done"})
            store.get_run("0" * 32)

        (fault,) = store.apply([two_steps])
        assert isinstance(fault, RunNotFound)
        data = store.get_run(run_id).data
        assert data.metrics == {}
        assert "first" not in data.tags
        log(store, run_id, {"unheard of": [(0, 1, 0.25)]})  # what the undone step had learned is forgotten too
        assert store.get_run(run_id).data.metrics == {"unheard of": 0.25}

    def test_a_call_that_goes_on_after_a_write_that_failed_keeps_the_rest(self, store: TrackingStore) -> None:
        if store.features.get(Feature.GROUP_COMMIT) is not Support.FULL:
            pytest.skip("this store makes no calls last together (Feature.GROUP_COMMIT)")
        run_id = new_run(store, tags={"colour": "red"}).info.run_id
        log(store, run_id, params={"lr": "0.1"})

        def tries_again() -> str:
            for clash, metric in ((True, "first"), (False, "second"), (True, "third"), (False, "fourth")):
                try:
                    log(store, run_id, {metric: [(0, 1, 0.5)]}, params={"lr": "0.2" if clash else "0.1"})
                except ParamConflict:
                    continue
            return "done"

        assert store.apply([tries_again, lambda: store.get_run(run_id).data.metrics]) == ["done", {"second": 0.5, "fourth": 0.5}]
        assert store.get_run(run_id).data.metrics == {"second": 0.5, "fourth": 0.5}
