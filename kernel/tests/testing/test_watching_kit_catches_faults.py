"""The part of the tracking kit about hearing of changes has teeth: each store below breaks one promise, and the test named beside it says so."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest

from drupe.entities import LogBatch, NewRun, Run
from drupe.extend.features import Feature, Support
from drupe.testing.kit_watching import WatchingTests
from drupe.testing.memory_tracking import MemoryTrackingStore
from drupe.testing.tracking_store import TrackingStoreKit

from .kit_runner import Faults, complaint, promises_of

FAULTS = Faults()
caught_by = FAULTS.caught_by
SAYS_SO = "test_a_store_that_tells_no_changes_says_so_at_once"


class Watched(MemoryTrackingStore):
    """A sound store that tells what changes in it."""

    features: ClassVar[Mapping[Feature, Support]] = {**MemoryTrackingStore.features, Feature.CHANGES: Support.FULL}

    def __init__(self) -> None:
        super().__init__()
        self.heard: deque[Mapping[str, str] | None] = deque()

    def changes(self) -> Iterator[Mapping[str, str] | None]:
        self.heard = deque([None])
        return self._told()

    def _told(self) -> Iterator[Mapping[str, str] | None]:
        while self.heard:
            yield self.heard.popleft()

    def tell(self, change: Mapping[str, str]) -> None:
        self.heard.append(change)

    def create_run(self, new: NewRun) -> Run:
        run = super().create_run(new)
        self.tell({"kind": "run", "experiment_id": run.info.experiment_id, "run_id": run.info.run_id})
        return run

    def log_batch(self, run_id: str, batch: LogBatch) -> None:
        super().log_batch(run_id, batch)
        self.tell({"kind": "metric" if batch.metrics else "param" if batch.params else "tag", "run_id": run_id})


@caught_by("test_what_changes_is_told_in_its_order_from_the_first_moment")
class ListensOnlyWhenItIsAsked(Watched):
    def changes(self) -> Iterator[Mapping[str, str] | None]:
        yield from super().changes()


@caught_by("test_what_changes_is_told_in_its_order_from_the_first_moment")
class TellsTagsAsParams(Watched):
    def tell(self, change: Mapping[str, str]) -> None:
        super().tell({**change, "kind": "param"} if change["kind"] == "tag" else change)


@caught_by("test_changes_name_what_they_are_about_and_not_its_content")
class TellsTheContent(Watched):
    def log_batch(self, run_id: str, batch: LogBatch) -> None:
        MemoryTrackingStore.log_batch(self, run_id, batch)
        self.tell({"kind": "param", "run_id": run_id, **batch.params})


@caught_by(SAYS_SO)
class SaysSoTooLate(MemoryTrackingStore):
    def changes(self) -> Iterator[Mapping[str, str] | None]:
        yield from super().changes()


@FAULTS.each()
def test_the_named_test_complains_about_the_broken_store_and_not_about_the_sound_one(kind: type[Any], test: str) -> None:
    assert complaint(TrackingStoreKit, test, MemoryTrackingStore if test == SAYS_SO else Watched) is None
    assert complaint(TrackingStoreKit, test, kind) is not None


def test_every_promise_about_changes_is_broken_by_some_store() -> None:
    assert promises_of(WatchingTests) == FAULTS.tests


class TestStoreThatTellsWhatChanges(WatchingTests):
    @pytest.fixture
    def store(self) -> MemoryTrackingStore:
        return Watched()
