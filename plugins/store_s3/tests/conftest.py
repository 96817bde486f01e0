"""One storage for the whole session, and for each test a prefix of its own in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from drupe.testing.plugin import drupe_workspace
from drupe.uris import Uri
from drupe_store_s3.repo import S3ArtifactRepo
from drupe_store_s3.settings import S3Settings
from plugins.store_s3.tests.own_storage import KEY_ID, SECRET, NoStorage, OwnStorage, own_storage

__all__ = ["drupe_workspace"]

Open = Callable[..., S3ArtifactRepo]


@pytest.fixture(scope="session")
def storage() -> Iterator[OwnStorage]:
    with ExitStack() as stack:
        try:
            running = stack.enter_context(own_storage())
        except NoStorage as reason:
            if os.environ.get("CI"):
                pytest.fail(str(reason))
            pytest.skip(str(reason))
        yield running


@pytest.fixture
def open_repo(storage: OwnStorage) -> Open:
    """Opens a repository at a new prefix, or at another address."""

    def opener(address: str | None = None, **settings: Any) -> S3ArtifactRepo:
        given = {"endpoint_url": storage.url, "region": "us-east-1", "access_key_id": KEY_ID, "secret_access_key": SECRET, **settings}
        return S3ArtifactRepo.open(Uri.parse(address or storage.new_root()), S3Settings(**given))

    return opener


@pytest.fixture
def repo(open_repo: Open) -> S3ArtifactRepo:
    return open_repo()
