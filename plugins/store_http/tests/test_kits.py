"""The published kits, against drupe's server in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

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


class TestRegistryStore(_Provided, RegistryStoreKit):
    hook = REGISTRY


class TestArtifactRepo(ArtifactRepoKit):
    big_bytes = 3_000_000
    many_files = 300  # a listing comes as a whole

    @pytest.fixture
    def repo(self, served: Served) -> ArtifactRepo:
        return repo_for(f"{served.url}/api/2.0/mlflow-artifacts/artifacts/a%20folder/inside")
