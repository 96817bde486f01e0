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


@pytest.fixture(autouse=True)
def _artifacts_go_to_a_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


class _Provided:
    """The fixtures of both kits; `hook` says through which door the store comes."""

    hook: str

    @pytest.fixture
    def address(self, server: Any, database: str) -> Uri:
        return Uri.parse(server.address(database), user_info=True)

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


@pytest.fixture
def opener(server: Any, database: str) -> Callable[[str], Callable[[Path], Any]]:
    """By hook: a function that opens the store of a folder; a new folder gets the database cleared."""
    known: set[Path] = set()

    def of(hook: str) -> Callable[[Path], Any]:
        def open_in(folder: Path) -> Any:
            if folder not in known:
                server.clear(database, Uri.parse(Path("drupe-artifacts").absolute()).text)
                known.add(folder)
            return catalog().open(hook, Uri.parse(server.address(database), user_info=True))

        return open_in

    return of


Opener = Callable[[str], Callable[[Path], Any]]


def test_random_operations_on_runs_answer_as_the_oracle_does(opener: Opener) -> None:
    compare_tracking_store(opener(TRACKING), examples=8)


def test_random_operations_on_models_answer_as_the_oracle_does(opener: Opener) -> None:
    compare_registry_store(opener(REGISTRY), examples=8)


def test_random_searches_of_runs_find_what_the_oracle_finds_wherever_the_database_begins(
    opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare_run_searches(lambda folder: EveryWay(opener(TRACKING)(folder), monkeypatch), examples=100)  # type: ignore[arg-type, return-value]


def test_random_searches_of_versions_find_what_the_oracle_finds(opener: Opener) -> None:
    compare_version_searches(opener(REGISTRY), examples=60)
