"""Files through connections that break: they go on where they were, but for small uploads, and what was there stays until it is replaced."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from drupe.artifacts.repos import repo_for
from drupe.errors import InvalidValue, StoreUnavailable
from drupe.uris import ArtifactPath
from drupe_store_http import repo as transfers_of
from plugins.store_http.tests.cutting import Cutter
from plugins.store_http.tests.serving import Served

FILES = "/api/2.0/mlflow-artifacts/artifacts"
SIZE = 6_000_000
LARGE = 24_000_000  # from 16 MB on, an upload goes on where it was
NAME = ArtifactPath.parse("folder/big.bin")


@pytest.fixture
def proxy(served: Served) -> Iterator[Cutter]:
    made = Cutter(urlsplit(served.url).port or 0)
    yield made
    made.close()


@pytest.fixture
def place(served: Served, proxy: Cutter) -> str:
    """The address of a folder of the server, by way of the proxy."""
    return f"{proxy.url}{urlsplit(served.url).path}{FILES}/a"


@pytest.fixture
def content(tmp_path: Path) -> Path:
    made = tmp_path / "big.bin"
    made.write_bytes(bytes(number * 7 % 251 for number in range(1000)) * (SIZE // 1000))
    return made


def test_a_download_goes_on_where_its_connection_broke(proxy: Cutter, place: str, content: Path, tmp_path: Path) -> None:
    repo = repo_for(place)
    repo.put_file(content, NAME)
    before = proxy.down_bytes
    for _ in range(2):
        proxy.cut_download(SIZE // 2)
        repo.get_file(NAME, tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == content.read_bytes()
    assert proxy.broken == 2
    assert proxy.down_bytes - before < 2.2 * SIZE, "what had come already came again"


def test_an_upload_that_breaks_is_sent_again(proxy: Cutter, place: str, content: Path, tmp_path: Path) -> None:
    repo = repo_for(place)
    proxy.cut_upload(SIZE // 2)
    repo.put_file(content, NAME)
    assert proxy.broken == 1
    repo.get_file(NAME, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == content.read_bytes()


def test_a_file_is_the_old_one_until_the_new_one_is_complete(proxy: Cutter, place: str, content: Path, tmp_path: Path) -> None:
    repo_for(place).put_bytes(b"old", NAME)
    hasty = repo_for(f"{place}?retry_s=0.01")
    proxy.cut_upload(SIZE // 2)
    with pytest.raises(StoreUnavailable):
        hasty.put_file(content, NAME)
    repo = repo_for(place)
    repo.get_file(NAME, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b"old"
    assert [file.path for file in repo.list(ArtifactPath.parse("folder"))] == ["folder/big.bin"]


@pytest.fixture
def large(tmp_path: Path) -> Path:
    made = tmp_path / "large.bin"
    made.write_bytes(bytes(number * 11 % 253 for number in range(1000)) * (LARGE // 1000))
    return made


def test_a_large_upload_goes_on_where_its_connection_broke(proxy: Cutter, place: str, large: Path, tmp_path: Path) -> None:
    repo = repo_for(place)
    for _ in range(2):
        before, broken = proxy.up_bytes, proxy.broken
        proxy.cut_upload(LARGE // 2)
        repo.put_file(large, NAME)
        assert proxy.broken == broken + 1
        assert proxy.up_bytes - before < 1.3 * LARGE, "what had come already was sent again"
    repo.get_file(NAME, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == large.read_bytes()


def test_a_large_upload_whose_answer_is_lost_is_there(proxy: Cutter, place: str, large: Path, tmp_path: Path) -> None:
    repo = repo_for(place)
    assert repo.is_file(NAME) is False
    proxy.lose_answer(b"Content-Range: bytes 0-")
    repo.put_file(large, NAME)
    assert proxy.broken == 1
    repo.get_file(NAME, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == large.read_bytes()


def test_a_file_that_changes_while_it_is_sent_is_refused_and_the_old_one_stays(
    proxy: Cutter, place: str, large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = repo_for(place)
    repo.put_bytes(b"old", NAME)
    opened = transfers_of.hashlib.file_digest

    def and_then_changed(file: Any, kind: str) -> Any:
        found = opened(file, kind)
        with large.open("r+b") as again:
            again.write(b"other")
        return found

    monkeypatch.setattr(transfers_of.hashlib, "file_digest", and_then_changed)
    with pytest.raises(InvalidValue, match="not those whose digest was told"):
        repo.put_file(large, NAME)
    repo.get_file(NAME, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b"old"
