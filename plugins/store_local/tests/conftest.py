"""What the tests of the local repository share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from drupe.uris import ArtifactPath
from drupe_store_local.beneath import Beneath
from drupe_store_local.repo import LocalArtifactRepo

Put = Callable[[str, bytes], None]
Get = Callable[[str], bytes]


@pytest.fixture(params=[True, False], ids=["openat2", "part-by-part"])
def repo(request: pytest.FixtureRequest, tmp_path: Path) -> LocalArtifactRepo:
    """A repository that does not exist yet, once for each way of opening paths."""
    folder = tmp_path / "root"
    return LocalArtifactRepo(folder, beneath=Beneath(folder, whole_paths=request.param))


@pytest.fixture
def put(repo: LocalArtifactRepo, tmp_path: Path) -> Put:
    """Store bytes at a path."""

    def put_bytes(path: str, content: bytes) -> None:
        source = tmp_path / "source"
        source.write_bytes(content)
        repo.put_file(source, ArtifactPath.parse(path))

    return put_bytes


@pytest.fixture
def get(repo: LocalArtifactRepo, tmp_path: Path) -> Get:
    """The bytes stored at a path."""

    def get_bytes(path: str) -> bytes:
        repo.get_file(ArtifactPath.parse(path), tmp_path / "target")
        return (tmp_path / "target").read_bytes()

    return get_bytes
