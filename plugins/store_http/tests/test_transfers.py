"""Files through connections that break: a download goes on where it was, an upload begins again, and what was there stays until it is replaced."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from drupe.artifacts.repos import repo_for
from drupe.errors import StoreUnavailable
from drupe.uris import ArtifactPath
from plugins.store_http.tests.cutting import Cutter
from plugins.store_http.tests.serving import Served

FILES = "/api/2.0/mlflow-artifacts/artifacts"
SIZE = 6_000_000
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
