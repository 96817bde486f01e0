"""The published kit, on a real storage."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from drupe.extend import ArtifactRepo
from drupe.testing.artifact_repo import ArtifactRepoKit
from drupe.uris import ArtifactPath
from drupe_store_s3 import repo as repo_room
from drupe_store_s3.repo import S3ArtifactRepo
from plugins.store_s3.tests.conftest import Open
from plugins.store_s3.tests.own_storage import OwnStorage


class TestS3(ArtifactRepoKit):
    writers = 4
    many_files = 240  # on three pages of a hundred

    @pytest.fixture
    def repo(self, open_repo: Open, monkeypatch: pytest.MonkeyPatch) -> ArtifactRepo:
        monkeypatch.setattr(repo_room, "PAGE", 100)
        return open_repo()

    @pytest.fixture
    def damage(self, storage: OwnStorage) -> Callable[[ArtifactRepo, ArtifactPath], None]:
        def change_a_byte(repo: ArtifactRepo, path: ArtifactPath) -> None:
            assert isinstance(repo, S3ArtifactRepo)
            key = repo._key(path)
            there = storage.client.get_object(Bucket="drupe", Key=key)
            content = there["Body"].read()
            storage.client.put_object(Bucket="drupe", Key=key, Body=content[:-1] + bytes([content[-1] ^ 1]), Metadata=there["Metadata"])

        return change_a_byte
