"""The local repository passes the published kit, through the installed plugin and with either way of opening paths."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from drupe.artifacts.repos import repo_for
from drupe.extend import ArtifactRepo
from drupe.testing.artifact_repo import ArtifactRepoKit
from drupe.uris import ArtifactPath
from drupe_store_local.beneath import Beneath
from drupe_store_local.repo import LocalArtifactRepo
from drupe_store_local.settings import LocalSettings


def flip_last_byte(repo: ArtifactRepo, path: ArtifactPath) -> None:
    file = repo.local_path(path)
    assert file is not None
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


class TestInstalledPlugin(ArtifactRepoKit):
    @pytest.fixture
    def repo(self, tmp_path: Path) -> ArtifactRepo:
        return repo_for(tmp_path / "a folder" / "to be made")

    @pytest.fixture
    def damage(self) -> Callable[[ArtifactRepo, ArtifactPath], None]:
        return flip_last_byte


class TestPartByPart(TestInstalledPlugin):
    @pytest.fixture
    def repo(self, tmp_path: Path) -> ArtifactRepo:
        folder = tmp_path / "root"
        return LocalArtifactRepo(folder, beneath=Beneath(folder, whole_paths=False))


class TestFullyDurable(TestInstalledPlugin):
    big_bytes = 1_000_000
    writers = 3

    @pytest.fixture
    def repo(self, tmp_path: Path) -> ArtifactRepo:
        return LocalArtifactRepo(tmp_path / "root", LocalSettings("full"))
