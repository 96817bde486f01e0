"""The published kits, against drupe's server in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import pytest

from drupe.artifacts.repos import repo_for
from drupe.extend import ArtifactRepo
from drupe.loading import catalog
from drupe.testing.artifact_repo import ArtifactRepoKit
from drupe.testing.registry_store import RegistryStoreKit
from drupe.testing.tracking_store import TrackingStoreKit
from drupe.uris import Uri
from plugins.store_http.tests.serving import Served

TRACKING, REGISTRY = "drupe_tracking_stores", "drupe_registry_stores"


class _Provided:
    hook: str

    @pytest.fixture
    def address(self, served: Served) -> Uri:
        return Uri.parse(served.url)

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


LOCAL_FILES = "the kit's versions are local files, which drupe's server takes only with the run that they belong to"


class TestRegistryStore(_Provided, RegistryStoreKit):
    hook = REGISTRY
    cannot: ClassVar[Mapping[str, str]] = dict.fromkeys(
        (
            "test_a_found_version_is_complete_but_for_its_aliases",
            "test_pages_of_versions_hold_each_one_once_in_order",
            "test_versions_made_between_pages_neither_repeat_nor_hide_others",
            "test_a_version_search_refuses_foreign_tokens_and_page_sizes",
            "test_versions_outlive_the_opened_store",
            "test_a_version_filter_finds_exactly_what_it_says",
            "test_versions_come_in_the_order_asked_for",
        ),
        LOCAL_FILES,
    )


class TestArtifactRepo(ArtifactRepoKit):
    big_bytes = 3_000_000

    @pytest.fixture
    def repo(self, served: Served) -> ArtifactRepo:
        return repo_for(f"{served.url}/api/2.0/mlflow-artifacts/artifacts/a%20folder/inside")
