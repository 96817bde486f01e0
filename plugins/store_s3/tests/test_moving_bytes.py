"""Large files in parts, broken connections, changed sources, signed addresses, forks and memory."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from random import Random

import pytest

from drupe.artifacts.trees import put_tree
from drupe.entities import FileInfo
from drupe.errors import ArtifactCorrupt, ArtifactNotFound, InvalidValue, NotFound, StoreBusy, StoreError, StoreUnavailable
from drupe.uris import ArtifactPath
from drupe_store_s3 import bucket as bucket_room, repo as repo_room
from drupe_store_s3.downloads import Replaced
from drupe_store_s3.repo import S3ArtifactRepo
from drupe_store_s3.sums import sums_of
from plugins.store_s3.tests.conftest import Open
from plugins.store_s3.tests.cutting import cutting
from plugins.store_s3.tests.own_storage import OwnStorage

P = ArtifactPath.parse
BIG = Random(3).randbytes(17_000_000)  # three parts of 5 MB and a rest


@pytest.fixture
def big(tmp_path: Path) -> Path:
    file = tmp_path / "big.bin"
    file.write_bytes(BIG)
    return file


def test_a_large_file_goes_in_parts_with_a_digest_and_comes_back_in_ranges(open_repo: Open, storage: OwnStorage, big: Path) -> None:
    repo = open_repo(part_mb=5)
    repo.put_file(big, P("dir/big.bin"))
    there = storage.client.head_object(Bucket="drupe", Key=repo._key(P("dir/big.bin")))
    assert there["ETag"].endswith('-4"')
    assert there["Metadata"] == {"drupe-sha256": hashlib.sha256(BIG).hexdigest(), "drupe-etag": there["ETag"].strip('"')}
    assert repo.digest(P("dir/big.bin")) == hashlib.sha256(BIG).hexdigest()
    repo.get_file(P("dir/big.bin"), big.with_name("back"))
    assert big.with_name("back").read_bytes() == BIG
    assert storage.pending_uploads() == []


@pytest.mark.parametrize("size", [0, 1, 5 << 20, (5 << 20) + 1, 10 << 20])
def test_parts_end_where_they_should(tmp_path: Path, size: int) -> None:
    content = Random(size).randbytes(size)
    (tmp_path / "f").write_bytes(content)
    with (tmp_path / "f").open("rb") as file:
        sums = sums_of(file.fileno(), 5 << 20)
    expected = [content[at : at + (5 << 20)] for at in range(0, max(size, 1), 5 << 20)]
    assert sums.parts == tuple(hashlib.md5(part).digest() for part in expected)
    assert (sums.size, sums.sha256) == (size, hashlib.sha256(content).hexdigest())


def test_a_download_goes_on_where_connections_broke(open_repo: Open, storage: OwnStorage, big: Path) -> None:
    address = storage.new_root()
    open_repo(address).put_file(big, P("big.bin"))
    with cutting(storage.port) as proxy:
        repo = open_repo(address, endpoint_url=proxy.url, part_mb=5)
        proxy.cuts, proxy.after = 4, 2_000_000
        repo.get_file(P("big.bin"), big.with_name("back"))
        assert proxy.made == 4
        assert big.with_name("back").read_bytes() == BIG
        proxy.cuts, proxy.after = 3, 1_500_000
        with repo.open_file(P("big.bin")) as opened:
            read = b"".join(iter_pieces(opened))
        assert (proxy.made, read) == (7, BIG)
        proxy.cuts, proxy.after = 10_000, 1000
        with pytest.raises(StoreUnavailable, match=r"again and again|cannot be reached"):
            open_repo(address, endpoint_url=proxy.url, tries=2).get_file(P("big.bin"), big.with_name("torn"))
        assert not big.with_name("torn").exists()
        proxy.cuts = 0


def iter_pieces(opened: object) -> list[bytes]:
    pieces, at = [], 0
    while piece := opened.read(at, 1_000_000):  # type: ignore[attr-defined]
        pieces.append(piece)
        at += len(piece)
    return pieces


def test_an_upload_survives_lost_answers_and_is_given_up_whole(open_repo: Open, storage: OwnStorage, big: Path) -> None:
    address = storage.new_root()
    with cutting(storage.port) as proxy:
        repo = open_repo(address, endpoint_url=proxy.url, part_mb=5)
        assert repo.list() == []
        proxy.cuts, proxy.after = 2, 0
        repo.put_file(big, P("big.bin"))
        assert proxy.made == 2
        assert repo.digest(P("big.bin")) == hashlib.sha256(BIG).hexdigest()


def test_a_source_that_changes_while_it_is_sent_is_refused_by_its_sums(
    open_repo: Open, storage: OwnStorage, big: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = open_repo(part_mb=5)
    real = repo_room.sums_of

    def then_changes(descriptor: int, part_bytes: int) -> object:
        found = real(descriptor, part_bytes)
        with big.open("r+b") as file:
            file.seek(6_000_000)
            file.write(b"other bytes")
        return found

    monkeypatch.setattr(repo_room, "sums_of", then_changes)
    with pytest.raises(StoreError, match="changed meanwhile"):
        repo.put_file(big, P("dir/big.bin"))
    assert repo.list() == []
    assert storage.pending_uploads() == []

    def then_shrinks(descriptor: int, part_bytes: int) -> object:
        found = real(descriptor, part_bytes)
        os.truncate(big, 100)
        return found

    monkeypatch.setattr(repo_room, "sums_of", then_shrinks)
    with pytest.raises(StoreError):
        repo.put_file(big, P("dir/big.bin"))
    assert repo.list() == []
    assert storage.pending_uploads() == []


def test_a_file_that_is_replaced_while_it_is_read_is_read_anew(open_repo: Open, big: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = open_repo(part_mb=5)
    repo.put_file(big, P("big.bin"))
    real, replaced = repo_room.fetch, []

    def replacing(*given: object) -> object:
        if len(replaced) < 2:
            replaced.append(1)
            raise Replaced
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(repo_room, "fetch", replacing)
    repo.get_file(P("big.bin"), big.with_name("back"))
    assert big.with_name("back").read_bytes() == BIG
    replaced[:] = []
    monkeypatch.setattr(repo_room, "fetch", lambda *given: (_ for _ in ()).throw(Replaced))
    with pytest.raises(StoreBusy):
        repo.get_file(P("big.bin"), big.with_name("back"))
    with repo.open_file(P("big.bin")) as opened:
        assert opened.read(0, 10) == BIG[:10]
        repo.put_bytes(b"short", P("big.bin"))
        with pytest.raises(ArtifactCorrupt, match="replaced"):
            opened.read(9_000_000, 10)


def test_objects_of_other_tools_are_read_and_their_names_are_listed_as_far_as_they_are_names(
    open_repo: Open, storage: OwnStorage, tmp_path: Path
) -> None:
    repo = open_repo()
    prefix = repo._key(P("x"))[:-1]
    for key, content in (("dir/", b""), ("dir/a.txt", b"abc"), (".drupe-sha256", b"x"), ("plain", b"1")):
        storage.client.put_object(Bucket="drupe", Key=prefix + key, Body=content)
    assert repo.list() == [FileInfo("dir", True), FileInfo("plain", False, 1)]
    assert repo.list(P("dir")) == [FileInfo("dir/a.txt", False, 3)]
    assert repo.digest(P("dir/a.txt")) in (None, hashlib.sha256(b"abc").hexdigest())
    repo.get_file(P("dir/a.txt"), tmp_path / "t")
    assert (tmp_path / "t").read_bytes() == b"abc"
    repo.delete(P("dir"))
    assert repo.list() == [FileInfo("plain", False, 1)]


def test_a_digest_of_an_object_that_was_copied_in_other_parts_is_that_of_its_bytes(open_repo: Open, storage: OwnStorage, big: Path) -> None:
    repo = open_repo(part_mb=5)
    repo.put_file(big, P("big.bin"))
    key = repo._key(P("big.bin"))
    kept = storage.client.head_object(Bucket="drupe", Key=key)["Metadata"]
    storage.client.put_object(Bucket="drupe", Key=key, Body=BIG, Metadata=kept)
    assert repo.digest(P("big.bin")) == hashlib.sha256(BIG).hexdigest()


def test_an_interrupted_upload_of_a_tree_is_repeated_without_what_is_there(open_repo: Open, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.bin").write_bytes(bytes([number]) * 1000)
    repo = open_repo()
    assert put_tree(repo, folder, P("m")).files == 5
    (folder / "4.bin").write_bytes(b"other")
    again = put_tree(repo, folder, P("m"))
    assert (again.files, again.unchanged) == (1, 4)


def test_parts_are_sent_to_signed_addresses_and_put_together(repo: S3ArtifactRepo, storage: OwnStorage) -> None:
    begun = repo.start_parts(P("dir/a b.bin"), 2)
    assert [one.part for one in begun.parts] == [1, 2]
    assert "Signature" not in repr(begun)
    etags = {}
    for one, content in zip(begun.parts, (BIG[: 5 << 20], b"end"), strict=True):
        asked = urllib.request.Request(one.url, content, dict(one.headers), method="PUT")
        with urllib.request.urlopen(asked) as answer:
            etags[one.part] = answer.headers["ETag"]
    assert repo.list() == []
    repo.finish_parts(P("dir/a b.bin"), begun.upload_id, etags)
    with urllib.request.urlopen(repo.signed_download(P("dir/a b.bin")).url) as answer:
        assert answer.read() == BIG[: 5 << 20] + b"end"
    with pytest.raises(NotFound):
        repo.finish_parts(P("dir/a b.bin"), "none", etags)
    other = repo.start_parts(P("other.bin"), 1)
    repo.drop_parts(P("other.bin"), other.upload_id)
    repo.drop_parts(P("other.bin"), other.upload_id)
    assert storage.pending_uploads() == []
    for wrong in (0, 10_001):
        with pytest.raises(InvalidValue):
            repo.start_parts(P("x"), wrong)
    with pytest.raises(ArtifactNotFound):
        repo.signed_download(P("none"))


def test_a_forked_child_has_connections_of_its_own(open_repo: Open) -> None:
    repo = open_repo()
    repo.put_bytes(b"x", P("a.txt"))
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        told = "?"
        try:
            told = f"{len(bucket_room._clients)} {repo.digest(P('a.txt'))}"
        finally:
            os.write(writer, told.encode())
            os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 200).decode() == f"0 {hashlib.sha256(b'x').hexdigest()}"
    assert repo.digest(P("a.txt")) == hashlib.sha256(b"x").hexdigest()


MEMORY = """
import resource, sys
from pathlib import Path
from drupe.uris import ArtifactPath, Uri
from drupe_store_s3.repo import S3ArtifactRepo
small, big, folder = (Path(name) for name in sys.argv[2:])
repo = S3ArtifactRepo.open(Uri.parse(sys.argv[1]))
def there_and_back(file):
    repo.put_file(file, ArtifactPath.parse("f.bin"))
    repo.get_file(ArtifactPath.parse("f.bin"), folder / "back")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(there_and_back(small), there_and_back(big))
"""


def test_memory_does_not_grow_with_the_file(storage: OwnStorage, tmp_path: Path) -> None:
    """100 MB in CI; `BIG_MB=1000` for more."""
    for name, megabytes in (("small", 20), ("big", int(os.environ.get("BIG_MB", "100")))):
        with (tmp_path / name).open("wb") as file:
            for number in range(megabytes):
                file.write(bytes([number % 251]) * 1_000_000)
    command = [sys.executable, "-c", MEMORY, storage.new_root(), tmp_path / "small", tmp_path / "big", tmp_path]
    done = subprocess.run(command, env={**os.environ, **storage.environ}, capture_output=True, text=True, check=True)
    small, big = map(int, done.stdout.split())
    print(f"{small} kB, then {big} kB")
    assert big - small < 30_000, f"{small} kB after 20 MB, {big} kB after the larger file"
    assert (tmp_path / "back").read_bytes() == (tmp_path / "big").read_bytes()
