"""The source of local files passes the published kit, and its front door the published check."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from drupe.errors import ArtifactNotFound, InvalidUri
from drupe.extend import DatasetSource
from drupe.testing.dataset_source import DatasetSourceKit
from drupe.testing.plugin import check_front_door
from drupe.uris import Uri
from drupe_source_files.source import LocalFile


def test_the_front_door_keeps_the_rules() -> None:
    check_front_door("drupe_source_files")


class TestLocalFile(DatasetSourceKit):
    @pytest.fixture
    def publish(self, tmp_path: Path) -> Callable[[str, bytes], DatasetSource]:
        folder = tmp_path / "published"
        folder.mkdir()

        def put(name: str, content: bytes) -> DatasetSource:
            (folder / name).write_bytes(content)
            return LocalFile.open(Uri.parse(folder / name))

        return put

    @pytest.fixture
    def nothing(self, tmp_path: Path) -> DatasetSource:
        return LocalFile.open(Uri.parse(tmp_path / "missing.csv"))


def test_a_folder_or_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(ArtifactNotFound, match="is no file"):
            LocalFile.open(Uri.parse(place)).stat()


def test_a_file_has_no_options(tmp_path: Path) -> None:
    with pytest.raises(InvalidUri, match="options"):
        LocalFile.open(Uri.parse("file:///a.csv?x=1", query=True))


def test_a_copy_has_the_time_of_the_original(tmp_path: Path) -> None:
    original = tmp_path / "a.csv"
    original.write_text("x")
    os.utime(original, (1_000_000, 1_000_000))
    LocalFile.open(Uri.parse(original)).download(tmp_path / "copy.csv")
    assert (tmp_path / "copy.csv").stat().st_mtime == 1_000_000
