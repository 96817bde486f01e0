"""The published kits and the comparison with the in-memory oracle, on stores that come through the catalog like a third party's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from drupe.loading import catalog
from drupe.testing.operations import compare_registry_store, compare_run_searches, compare_tracking_store, compare_version_searches
from drupe.testing.registry_store import RegistryStoreKit
from drupe.testing.tracking_store import TrackingStoreKit
from drupe.uris import Uri
from plugins.store_sql.tests.every_way import EveryWay

TRACKING, REGISTRY = "drupe_tracking_stores", "drupe_registry_stores"


class _Provided:
    """The fixtures of both kits; `hook` says through which door the store comes."""

    hook: str

    @pytest.fixture
    def address(self, tmp_path: Path) -> Uri:
        return Uri.parse(f"sqlite:///{tmp_path}/store.db")

    @pytest.fixture
    def store(self, address: Uri) -> Iterator[Any]:
        opened = catalog().open(self.hook, address)
        yield opened
        opened.close()

    @pytest.fixture
    def reopen(self, store: Any, address: Uri) -> Iterator[Callable[[], Any]]:
        opened = [store]

        def again() -> Any:
            opened[-1].close()
            opened.append(catalog().open(self.hook, address))
            return opened[-1]

        yield again
        opened[-1].close()


class TestTrackingStore(_Provided, TrackingStoreKit):
    hook = TRACKING


class TestRegistryStore(_Provided, RegistryStoreKit):
    hook = REGISTRY


def _opener(hook: str) -> Callable[[Path], Any]:
    return lambda folder: catalog().open(hook, Uri.parse(f"sqlite:///{folder}/store.db"))


def test_random_operations_on_runs_answer_as_the_oracle_does() -> None:
    compare_tracking_store(_opener(TRACKING), examples=15)


def test_random_operations_on_models_answer_as_the_oracle_does() -> None:
    compare_registry_store(_opener(REGISTRY), examples=15)


def test_random_searches_of_runs_find_what_the_oracle_finds_wherever_the_database_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    compare_run_searches(lambda folder: EveryWay(_opener(TRACKING)(folder), monkeypatch))  # type: ignore[arg-type, return-value]


def test_pages_are_the_same_wherever_the_database_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drupe_store_sql.walks.FEW", 0)
    monkeypatch.setattr("drupe_store_sql.walks.WORTH", 0)
    compare_tracking_store(_opener(TRACKING), examples=15)


def test_random_searches_of_versions_find_what_the_oracle_finds() -> None:
    compare_version_searches(_opener(REGISTRY))
