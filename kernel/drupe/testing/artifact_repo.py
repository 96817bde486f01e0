"""The conformance kit of artifact repositories: what every implementation of `drupe.extend.ArtifactRepo` must do.

A plugin's test module subclasses the kit and gives it a repository; nothing else is needed:

    class TestMyRepo(ArtifactRepoKit):
        @pytest.fixture
        def repo(self, tmp_path):
            return MyRepo.open(Uri.parse("myscheme://host/new-and-empty"))

How a store keeps files safe on its own medium (links, torn writes, full disks) is for the plugin's own tests.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import ClassVar

import pytest

from drupe.artifacts.trees import get_tree, list_tree, put_tree
from drupe.entities import FileInfo
from drupe.errors import ArtifactCorrupt, ArtifactNotFound, InvalidPath, UnsupportedFeature
from drupe.extend import ArtifactRepo, Feature
from drupe.testing.kit import in_threads
from drupe.uris import ArtifactPath, join_segments

__all__ = ["ODD_NAMES", "ArtifactRepoKit", "get", "local_tree", "path_of", "put"]

ODD_NAMES = (
    "with space.txt",
    " leading and trailing ",
    "50% done.txt",
    "%41.txt",
    "a#b?c&d=e+f.txt",
    "images/k%step%1%timestamp%1700000000000%x.png",
    "images/k+step+1+timestamp+1700000000000+x.png",
    "größe/π/日本語.txt",
    "cafe\u0301.txt",
    "emoji 🍒.txt",
    ".hidden",
    "..two dots first",
    "ends with.",
    "quotes'\"`.txt",
    "[brackets]{*}$(x);|<>.txt",
    "-rf",
    "~",
    "nul",
    "x" * 200,
)
"""Names that are legal, and that careless handling of addresses, shells or file systems gets wrong."""


class ArtifactRepoKit:
    """Subclass it as `Test…` and override the fixture `repo`; `damage` too, where the repository declares Feature.DIGESTS.

    `cannot` names tests that this repository does not pass, each with the reason; they are skipped and the reason shown.
    """

    cannot: ClassVar[Mapping[str, str]] = {}
    big_bytes: ClassVar[int] = 20_000_000
    writers: ClassVar[int] = 8
    many_files: ClassVar[int] = 1200

    @pytest.fixture
    def repo(self) -> ArtifactRepo:
        """An open repository whose root holds nothing yet."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture `repo` that gives an open, empty repository")

    @pytest.fixture
    def damage(self) -> Callable[[ArtifactRepo, ArtifactPath], None]:
        """A function that changes one byte of a stored file behind the repository's back."""
        pytest.skip("this repository keeps no digests, or its bytes cannot be reached (no fixture `damage`)")

    @pytest.fixture(autouse=True)
    def _leave_out_what_the_repository_cannot(self, request: pytest.FixtureRequest) -> None:
        reason = self.cannot.get(getattr(request.function, "__name__", ""))
        if reason:
            pytest.skip(reason)

    def test_what_is_left_out_are_tests_of_this_kit(self) -> None:
        assert [name for name in self.cannot if not callable(getattr(self, name, None))] == []

    # --- one file

    def test_an_empty_repository_lists_nothing_and_has_no_file(self, repo: ArtifactRepo) -> None:
        assert repo.list() == []
        assert not repo.is_file(ArtifactPath())
        assert not repo.is_file(path_of("a"))

    def test_a_file_comes_back_byte_for_byte(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        content = bytes(range(256)) + b"\r\n\x00end"
        put(repo, tmp_path, "data.bin", content)
        assert get(repo, tmp_path, "data.bin") == content

    def test_an_empty_file_is_a_file(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        put(repo, tmp_path, "dir/empty", b"")
        assert repo.is_file(path_of("dir/empty"))
        assert repo.list(path_of("dir")) == [FileInfo("dir/empty", False, 0)]
        assert get(repo, tmp_path, "dir/empty") == b""

    def test_a_big_file_comes_back_byte_for_byte(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        content = Random(7).randbytes(self.big_bytes)
        put(repo, tmp_path, "big.bin", content)
        assert repo.list() == [FileInfo("big.bin", False, self.big_bytes)]
        assert hashlib.sha256(get(repo, tmp_path, "big.bin")).digest() == hashlib.sha256(content).digest()

    def test_putting_again_replaces_the_content_also_by_a_shorter_one(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        put(repo, tmp_path, "a.txt", b"a rather long text")
        put(repo, tmp_path, "a.txt", b"short")
        assert get(repo, tmp_path, "a.txt") == b"short"
        assert repo.list() == [FileInfo("a.txt", False, 5)]

    def test_bytes_are_kept_as_they_are_and_leave_no_file_elsewhere(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        temporary = tmp_path / "temporary"
        temporary.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tempfile.tempdir", str(temporary))
            repo.put_bytes(b"old and longer", path_of("dir/a.bin"))
            repo.put_bytes(b"\x00\r\n\xff", path_of("dir/a.bin"))
            with pytest.raises(InvalidPath):
                repo.put_bytes(b"x", path_of(""))
        assert get(repo, tmp_path, "dir/a.bin") == b"\x00\r\n\xff"
        assert repo.list(path_of("dir")) == [FileInfo("dir/a.bin", False, 4)]
        assert list(temporary.iterdir()) == []

    def test_the_local_file_is_only_read(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        source = tmp_path / "source.txt"
        source.write_bytes(b"mine")
        source.chmod(0o400)
        repo.put_file(source, path_of("copy.txt"))
        assert source.read_bytes() == b"mine"
        assert source.stat().st_mode & 0o777 == 0o400
        source.unlink()
        assert get(repo, tmp_path, "copy.txt") == b"mine"

    def test_getting_replaces_the_local_file_whole(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        put(repo, tmp_path, "a.txt", b"new")
        target = tmp_path / "target.txt"
        target.write_bytes(b"old and longer")
        repo.get_file(path_of("a.txt"), target)
        assert target.read_bytes() == b"new"

    def test_getting_leaves_nothing_beside_the_target(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        put(repo, tmp_path, "a.txt", b"x")
        folder = tmp_path / "folder"
        folder.mkdir()
        repo.get_file(path_of("a.txt"), folder / "a.txt")
        with pytest.raises(ArtifactNotFound):
            repo.get_file(path_of("missing"), folder / "b.txt")
        assert os.listdir(folder) == ["a.txt"]

    @pytest.mark.parametrize("name", ODD_NAMES)
    def test_odd_names_survive_and_are_listed_as_they_were_given(self, repo: ArtifactRepo, tmp_path: Path, name: str) -> None:
        put(repo, tmp_path, name, name.encode())
        assert get(repo, tmp_path, name) == name.encode()
        assert [info.path for info in list_tree(repo)] == [name]
        assert repo.is_file(path_of(name))
        repo.delete(path_of(name))
        assert list_tree(repo) == []

    def test_names_that_differ_only_after_decoding_are_two_files(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        put(repo, tmp_path, "a b", b"space")
        put(repo, tmp_path, "a%20b", b"percent")
        put(repo, tmp_path, "a+b", b"plus")
        assert [get(repo, tmp_path, name) for name in ("a b", "a%20b", "a+b")] == [b"space", b"percent", b"plus"]
        assert len(repo.list()) == 3

    # --- what is not there, or in the way

    @pytest.mark.parametrize("path", ["missing", "dir/missing", "missing/deeper", "dir/a.txt/deeper", "dir"])
    def test_getting_what_is_no_file_is_not_found(self, repo: ArtifactRepo, tmp_path: Path, path: str) -> None:
        put(repo, tmp_path, "dir/a.txt", b"x")
        with pytest.raises(ArtifactNotFound):
            repo.get_file(path_of(path), tmp_path / "target")
        assert not (tmp_path / "target").exists()

    def test_getting_the_root_is_not_found(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        put(repo, tmp_path, "a.txt", b"x")
        with pytest.raises(ArtifactNotFound):
            repo.get_file(ArtifactPath(), tmp_path / "target")

    def test_putting_a_local_file_that_is_not_there_changes_nothing(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        for source in (tmp_path / "missing", tmp_path):
            with pytest.raises(ArtifactNotFound):
                repo.put_file(source, path_of("dir/a.txt"))
        assert repo.list() == []

    def test_a_file_cannot_be_put_at_the_root(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        with pytest.raises(InvalidPath):
            put(repo, tmp_path, "", b"x")
        assert repo.list() == []

    def test_a_file_cannot_be_put_through_a_file(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        put(repo, tmp_path, "a.txt", b"first")
        with pytest.raises(InvalidPath):
            put(repo, tmp_path, "a.txt/b.txt", b"second")
        assert get(repo, tmp_path, "a.txt") == b"first"

    def test_a_file_cannot_take_the_place_of_a_folder(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        put(repo, tmp_path, "dir/a.txt", b"x")
        with pytest.raises(InvalidPath):
            put(repo, tmp_path, "dir", b"y")
        assert get(repo, tmp_path, "dir/a.txt") == b"x"

    # --- listing

    def test_a_listing_holds_direct_children_sorted_with_paths_from_the_root(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        for path in ("b/z.txt", "b/a/deep.txt", "b/m.txt", "a.txt", "b.txt"):
            put(repo, tmp_path, path, b"123")
        assert repo.list() == [FileInfo("a.txt", False, 3), FileInfo("b", True), FileInfo("b.txt", False, 3)]
        assert repo.list(path_of("b")) == [FileInfo("b/a", True), FileInfo("b/m.txt", False, 3), FileInfo("b/z.txt", False, 3)]

    def test_listing_a_file_or_nothing_gives_an_empty_list(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        put(repo, tmp_path, "dir/a.txt", b"x")
        for path in ("dir/a.txt", "missing", "missing/deeper", "dir/a.txt/deeper"):
            assert repo.list(path_of(path)) == []

    def test_a_folder_is_not_confused_with_one_whose_name_begins_like_it(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        put(repo, tmp_path, "model/a", b"1")
        put(repo, tmp_path, "model-2/b", b"2")
        assert [info.path for info in repo.list(path_of("model"))] == ["model/a"]
        repo.delete(path_of("model"))
        assert [info.path for info in list_tree(repo)] == ["model-2/b"]

    def test_only_files_are_files(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        put(repo, tmp_path, "dir/a.txt", b"x")
        answers = {path: repo.is_file(path_of(path)) for path in ("dir/a.txt", "dir", "missing", "dir/a.txt/deeper", "dir/a.tx")}
        assert answers == {"dir/a.txt": True, "dir": False, "missing": False, "dir/a.txt/deeper": False, "dir/a.tx": False}

    def test_a_folder_of_many_files_is_listed_whole(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        names = [f"{number:04}.txt" for number in range(self.many_files)]
        for name in names:
            put(repo, tmp_path, f"many/{name}", b"")
        assert [info.path for info in repo.list(path_of("many"))] == [f"many/{name}" for name in names]

    # --- deleting

    def test_a_deleted_file_is_gone_and_its_neighbours_stay(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        put(repo, tmp_path, "dir/a.txt", b"a")
        put(repo, tmp_path, "dir/b.txt", b"b")
        repo.delete(path_of("dir/a.txt"))
        assert [info.path for info in repo.list(path_of("dir"))] == ["dir/b.txt"]
        assert not repo.is_file(path_of("dir/a.txt"))

    def test_a_deleted_folder_is_gone_with_all_that_was_in_it(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        for path in ("dir/a.txt", "dir/sub/b.txt", "dir/sub/c/d.txt", "other.txt"):
            put(repo, tmp_path, path, b"x")
        repo.delete(path_of("dir"))
        assert [info.path for info in list_tree(repo)] == ["other.txt"]
        assert repo.list(path_of("dir")) == []

    def test_deleting_what_is_not_there_changes_nothing(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        put(repo, tmp_path, "dir/a.txt", b"x")
        for path in ("missing", "missing/deeper", "dir/missing", "dir/a.txt/deeper"):
            repo.delete(path_of(path))
        assert [info.path for info in list_tree(repo)] == ["dir/a.txt"]

    def test_the_root_cannot_be_deleted(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        put(repo, tmp_path, "a.txt", b"x")
        for root in (ArtifactPath(), ArtifactPath.parse(""), ArtifactPath.parse(None)):
            with pytest.raises(InvalidPath):
                repo.delete(root)
        assert get(repo, tmp_path, "a.txt") == b"x"

    def test_a_deleted_path_can_be_put_again(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        put(repo, tmp_path, "x/a.txt", b"first")
        repo.delete(path_of("x"))
        put(repo, tmp_path, "x", b"now a file")
        assert get(repo, tmp_path, "x") == b"now a file"

    # --- trees

    def test_a_deep_tree_goes_there_and_back(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        deep = "/".join(f"level {number}" for number in range(60))
        contents = {f"{deep}/leaf.txt": b"deep", "top.txt": b"", **{f"wide/{n}/f.bin": bytes([n]) * n for n in range(20)}}
        source = local_tree(tmp_path / "source", contents)
        put_tree(repo, source, path_of("stored here"))
        fetched = get_tree(repo, path_of("stored here"), tmp_path / "fetched", relative_to=path_of("stored here"))
        assert {str(file.relative_to(fetched)): file.read_bytes() for file in fetched.rglob("*") if file.is_file()} == contents

    def test_an_upload_that_is_repeated_ends_in_the_same_content(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        source = local_tree(tmp_path / "source", {"a": b"1", "b/c": b"2"})
        put_tree(repo, source)
        (source / "b" / "c").write_bytes(b"3")
        put_tree(repo, source)
        assert get(repo, tmp_path, "a") == b"1"
        assert get(repo, tmp_path, "b/c") == b"3"

    # --- several at once

    def test_writers_of_one_path_leave_the_whole_content_of_one_of_them(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        contents = [bytes([65 + number]) * (100_000 + 1000 * number) for number in range(self.writers)]
        sources = []
        for number, content in enumerate(contents):
            (tmp_path / f"{number}").write_bytes(content)
            sources.append(tmp_path / f"{number}")

        def write(source: Path) -> None:
            for _ in range(5):
                repo.put_file(source, path_of("shared/file.bin"))

        def read() -> None:
            target = tmp_path / "read while written"
            for _ in range(10):
                repo.get_file(path_of("shared/file.bin"), target)
                assert target.read_bytes() in contents

        repo.put_file(sources[0], path_of("shared/file.bin"))
        assert in_threads([*(partial(write, source) for source in sources), read]) == []
        assert get(repo, tmp_path, "shared/file.bin") in contents
        assert [info.path for info in repo.list(path_of("shared"))] == ["shared/file.bin"]

    def test_writers_of_many_paths_lose_nothing(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        source = tmp_path / "source"
        source.write_bytes(b"x")

        def write(number: int) -> None:
            for other in range(20):
                repo.put_file(source, path_of(f"together/{number}/{other}.txt"))
                repo.put_file(source, path_of(f"together/{number}-{other}.txt"))

        assert in_threads([partial(write, number) for number in range(self.writers)]) == []
        assert len(list_tree(repo)) == self.writers * 40

    # --- digests

    def test_a_digest_is_the_sha256_of_the_bytes_or_not_told(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        put(repo, tmp_path, "a.txt", b"abc")
        told = repo.digest(path_of("a.txt"))
        assert told in (None, hashlib.sha256(b"abc").hexdigest())
        put(repo, tmp_path, "a.txt", b"other")
        assert repo.digest(path_of("a.txt")) in (None, hashlib.sha256(b"other").hexdigest())
        assert (told is not None) or not repo.features.get(Feature.DIGESTS)

    def test_damaged_bytes_are_not_handed_out(
        self, repo: ArtifactRepo, tmp_path: Path, damage: Callable[[ArtifactRepo, ArtifactPath], None]
    ) -> None:
        put(repo, tmp_path, "dir/a b.txt", b"these bytes")
        damage(repo, path_of("dir/a b.txt"))
        with pytest.raises(ArtifactCorrupt, match=r"a b\.txt"):
            repo.get_file(path_of("dir/a b.txt"), tmp_path / "target")
        assert not (tmp_path / "target").exists()
        with pytest.raises(ArtifactCorrupt):
            repo.digest(path_of("dir/a b.txt"))

    # --- from any byte on, and by others

    def test_a_file_that_comes_in_pieces_is_there_when_it_is_whole(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        place = path_of("a/b/c.bin")
        with repo.begin_put(place) as incoming:
            for piece in (b"one", b"", b"two" * 1000):
                incoming.write(piece)
            assert not repo.is_file(place)
            assert repo.list(path_of("a/b")) == []
            assert incoming.digest() == hashlib.sha256(b"one" + b"two" * 1000).hexdigest()
            incoming.finish()
        incoming.drop()
        assert get(repo, tmp_path, str(place)) == b"one" + b"two" * 1000
        with repo.begin_put(place) as incoming:  # an empty one takes its place
            incoming.finish()
        assert get(repo, tmp_path, str(place)) == b""

    def test_a_file_that_comes_in_pieces_and_is_dropped_leaves_what_was_there(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        place = path_of("a/c.bin")
        repo.put_bytes(b"before", place)
        incoming = repo.begin_put(place)
        incoming.write(b"half")
        incoming.drop()
        incoming.drop()
        assert get(repo, tmp_path, str(place)) == b"before"
        assert [info.path for info in repo.list()] == ["a"]
        assert [info.path for info in repo.list(path_of("a"))] == ["a/c.bin"]
        with pytest.raises(InvalidPath), repo.begin_put(path_of("a/c.bin/below")) as incoming:
            incoming.finish()
        with pytest.raises(InvalidPath), repo.begin_put(ArtifactPath()) as incoming:
            incoming.finish()

    def test_an_opened_file_is_read_from_any_byte_on(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        content = bytes(range(256)) * 40
        put(repo, tmp_path, "dir/a b.bin", content)
        put(repo, tmp_path, "dir/empty", b"")
        with repo.open_file(path_of("dir/a b.bin")) as opened:
            assert opened.size == len(content)
            assert [opened.read(at, 100) for at in (0, 100, 5000, 7, len(content) - 3)] == [
                content[at : at + 100] for at in (0, 100, 5000, 7, len(content) - 3)
            ]
            assert opened.read(len(content), 10) == b""
            assert opened.digest() in (None, hashlib.sha256(content).hexdigest())
        with repo.open_file(path_of("dir/empty")) as opened:
            assert (opened.size, opened.read(0, 10)) == (0, b"")
        for missing in ("dir", "none", "dir/a b.bin/deeper"):
            with pytest.raises(ArtifactNotFound):
                repo.open_file(path_of(missing))

    def test_uploads_in_parts_and_signed_downloads_are_refused_where_they_are_not_declared(
        self, repo: ArtifactRepo, tmp_path: Path
    ) -> None:
        if repo.features.get(Feature.SIGNED_TRANSFERS):
            pytest.skip("this repository has them; how they are used is for its own tests, which know its storage")
        put(repo, tmp_path, "a.txt", b"x")
        for ask in (
            lambda: repo.start_parts(path_of("b.txt"), 2),
            lambda: repo.finish_parts(path_of("b.txt"), "id", {1: "x"}),
            lambda: repo.drop_parts(path_of("b.txt"), "id"),
            lambda: repo.signed_download(path_of("a.txt")),
        ):
            with pytest.raises(UnsupportedFeature):
                ask()

    # --- in place

    def test_a_local_path_leads_to_the_bytes_where_there_is_one(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        put(repo, tmp_path, "dir/a.txt", b"x")
        place = repo.local_path(path_of("dir/a.txt"))
        assert place is None or place.read_bytes() == b"x"


def path_of(text: str) -> ArtifactPath:
    """The path of that text; names are taken one by one, so that what a parser would refuse can still reach the repository."""
    return join_segments(text.split("/")) if text else ArtifactPath()


def put(repo: ArtifactRepo, tmp_path: Path, path: str, content: bytes) -> None:
    """Store `content` at `path`."""
    source = tmp_path / "put source"
    source.write_bytes(content)
    repo.put_file(source, path_of(path))


def get(repo: ArtifactRepo, tmp_path: Path, path: str) -> bytes:
    """The bytes stored at `path`."""
    target = tmp_path / "get target"
    repo.get_file(path_of(path), target)
    return target.read_bytes()


def local_tree(folder: Path, contents: Mapping[str, bytes]) -> Path:
    """Make a local folder that holds `contents`."""
    for path, content in contents.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return folder
