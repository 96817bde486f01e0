"""The part of the tracking kit about hearing of changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from drupe.errors import UnsupportedFeature
from drupe.extend.features import Feature
from drupe.extend.tracking_store import TrackingStore
from drupe.testing.kit import StoreKit, log, new_run

__all__ = ["WatchingTests"]


def _next(told: Iterator[Mapping[str, str] | None]) -> Mapping[str, str]:
    found = next((change for change in told if change is not None), None)
    assert found is not None, "no more changes are told"
    return found


class WatchingTests(StoreKit):
    @pytest.fixture
    def watched(self, store: TrackingStore) -> TrackingStore:
        """The store; skips where CHANGES is not declared."""
        if not store.features.get(Feature.CHANGES):
            pytest.skip("this store does not tell what changes (Feature.CHANGES)")
        return store

    def test_a_store_that_tells_no_changes_says_so_at_once(self, store: TrackingStore) -> None:
        if store.features.get(Feature.CHANGES):
            pytest.skip("this store tells what changes")
        with pytest.raises(UnsupportedFeature):
            store.changes()

    def test_what_changes_is_told_in_its_order_from_the_first_moment(self, watched: TrackingStore) -> None:
        before = new_run(watched).info.run_id
        told = watched.changes()
        after = new_run(watched).info.run_id
        log(watched, before, {"loss": [(0, 0, 1.0)]})
        log(watched, after, tags={"team": "red"})
        assert [(change["kind"], change["run_id"]) for change in (_next(told) for _ in range(3))] == [
            ("run", after),
            ("metric", before),
            ("tag", after),
        ]

    def test_changes_name_what_they_are_about_and_not_its_content(self, watched: TrackingStore) -> None:
        run_id = new_run(watched).info.run_id
        told = watched.changes()
        log(watched, run_id, params={"secret": "4711"})
        assert _next(told) == {"kind": "param", "run_id": run_id}
