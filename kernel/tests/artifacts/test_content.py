"""Bytes become artifacts, and nothing of them stays elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from drupe.artifacts.content import put_bytes
from drupe.artifacts.repos import repo_for
from drupe.errors import InvalidPath
from drupe.uris import ArtifactPath


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def test_bytes_are_kept_as_they_are_and_leave_no_temporary_file(tmp_path: Path, temporary: Path) -> None:
    put_bytes(repo_for(str(tmp_path / "kept")), b"\x00\r\n\xff", ArtifactPath.parse("a/b.bin"))
    assert (tmp_path / "kept/a/b.bin").read_bytes() == b"\x00\r\n\xff"
    assert list(temporary.iterdir()) == []


def test_a_put_that_fails_leaves_no_temporary_file(tmp_path: Path, temporary: Path) -> None:
    with pytest.raises(InvalidPath):
        put_bytes(repo_for(str(tmp_path / "kept")), b"content", ArtifactPath())
    assert list(temporary.iterdir()) == []
