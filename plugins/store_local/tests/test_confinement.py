"""No name, link or spelling reaches a byte outside of the root, and the root itself stays."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from drupe.artifacts.trees import get_tree, list_tree
from drupe.errors import ArtifactNotFound, InvalidPath, InvalidUri, StoreUnavailable
from drupe.uris import ArtifactPath, Uri
from drupe_store_local import beneath
from drupe_store_local.beneath import Beneath, LinkInTheWay
from drupe_store_local.repo import LocalArtifactRepo

Put = Callable[[str, bytes], None]
P = ArtifactPath.parse


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.txt").write_text("secret")
    return folder


@pytest.fixture
def planted(repo: LocalArtifactRepo, put: Put, outside: Path) -> LocalArtifactRepo:
    """A repository with links of every kind in its folder `dir`."""
    put("dir/real.txt", b"real")
    folder = repo.folder / "dir"
    (folder / "file-out").symlink_to(outside / "secret.txt")
    (folder / "folder-out").symlink_to(outside)
    (folder / "relative-out").symlink_to("../../outside")
    (folder / "inside").symlink_to("real.txt")
    (folder / "up").symlink_to("..")
    (folder / "dangling").symlink_to("nowhere")
    (folder / "loop").symlink_to("loop")
    return repo


LINKS = ["file-out", "folder-out", "relative-out", "inside", "up", "dangling", "loop"]


def test_links_are_not_listed(planted: LocalArtifactRepo) -> None:
    assert [info.path for info in planted.list(P("dir"))] == ["dir/real.txt"]
    assert [info.path for info in list_tree(planted)] == ["dir/real.txt"]


@pytest.mark.parametrize("link", LINKS)
def test_nothing_is_read_through_a_link(planted: LocalArtifactRepo, tmp_path: Path, link: str) -> None:
    for path in (P(f"dir/{link}"), P(f"dir/{link}/secret.txt"), P(f"dir/{link}/dir/real.txt")):
        assert not planted.is_file(path)
        assert planted.list(path) == []
        with pytest.raises(ArtifactNotFound):
            planted.get_file(path, tmp_path / "target")
        with pytest.raises(ArtifactNotFound):
            planted.digest(path)
    with pytest.raises(InvalidPath, match="link"):
        planted.local_path(P(f"dir/{link}"))


@pytest.mark.parametrize("link", LINKS)
def test_nothing_is_written_or_deleted_through_a_link(planted: LocalArtifactRepo, outside: Path, tmp_path: Path, link: str) -> None:
    for inner in ("secret.txt", "real.txt", "new/file.txt"):
        with pytest.raises(InvalidPath, match="link"):
            planted.put_file(tmp_path / "source", P(f"dir/{link}/{inner}"))
        with pytest.raises(InvalidPath, match="link"):
            planted.delete(P(f"dir/{link}/{inner}"))
    assert os.listdir(outside) == ["secret.txt"]
    assert (outside / "secret.txt").read_text() == "secret"
    assert (planted.folder / "dir" / "real.txt").read_text() == "real"


@pytest.mark.parametrize("link", LINKS)
def test_putting_or_deleting_at_a_link_replaces_or_removes_the_link_itself(
    planted: LocalArtifactRepo, outside: Path, tmp_path: Path, link: str
) -> None:
    place = planted.folder / "dir" / link
    (tmp_path / "source").write_bytes(b"mine")
    planted.put_file(tmp_path / "source", P(f"dir/{link}"))
    assert not place.is_symlink()
    assert place.read_bytes() == b"mine"
    planted.delete(P(f"dir/{link}"))
    place.symlink_to(outside)
    planted.delete(P(f"dir/{link}"))
    assert not os.path.lexists(place)
    assert (outside / "secret.txt").read_text() == "secret"
    assert (planted.folder / "dir" / "real.txt").read_text() == "real"


def test_deleting_a_folder_removes_the_links_in_it_and_not_what_they_point_to(planted: LocalArtifactRepo, outside: Path) -> None:
    planted.delete(P("dir"))
    assert os.listdir(planted.folder) == []
    assert (outside / "secret.txt").read_text() == "secret"


def test_a_fetched_tree_holds_nothing_from_outside(planted: LocalArtifactRepo, tmp_path: Path) -> None:
    fetched = get_tree(planted, ArtifactPath(), tmp_path / "fetched")
    assert [str(path.relative_to(fetched)) for path in fetched.rglob("*")] == ["dir", "dir/real.txt"]


def test_a_digest_file_that_is_a_link_is_refused_and_not_followed(repo: LocalArtifactRepo, put: Put, outside: Path) -> None:
    (repo.folder / "dir").mkdir(parents=True)
    (repo.folder / "dir" / ".drupe-sha256").symlink_to(outside / "secret.txt")
    with pytest.raises(StoreUnavailable, match=r"\.drupe-sha256 is a symbolic link"):
        put("dir/a.txt", b"x")
    assert (outside / "secret.txt").read_text() == "secret"
    assert os.listdir(repo.folder / "dir") == [".drupe-sha256"]


def test_pipes_and_sockets_are_neither_listed_nor_waited_for(
    repo: LocalArtifactRepo, put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("a.txt", b"x")
    monkeypatch.chdir(repo.folder)  # the address of a socket must be short
    os.mkfifo(repo.folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        assert [info.path for info in repo.list()] == ["a.txt"]
        for name in ("pipe", "socket"):
            assert not repo.is_file(P(name))
            with pytest.raises(ArtifactNotFound, match="not an ordinary file"):
                repo.get_file(P(name), tmp_path / "target")
        with pytest.raises(ArtifactNotFound, match="not an ordinary"):
            repo.put_file(repo.folder / "pipe", P("b.txt"))


def test_names_of_other_tools_that_no_artifact_may_have_are_not_listed(repo: LocalArtifactRepo, put: Put) -> None:
    put("dir/a.txt", b"x")
    for name in (b"back\\slash", b"line\nbreak", b"%2e%2e", b"not utf-8 \xff", b" "):
        (repo.folder / "dir" / os.fsdecode(name)).write_bytes(b"")
    assert [info.path for info in repo.list(P("dir"))] == ["dir/a.txt"]


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "/etc/passwd", "../outside/secret.txt", "a\x00b"])
def test_a_path_that_was_never_checked_cannot_leave_the_root_either(
    repo: LocalArtifactRepo, put: Put, outside: Path, tmp_path: Path, name: str
) -> None:
    put("a/b", b"inside")
    for forged in (
        ArtifactPath((name,)),
        ArtifactPath((name, "secret.txt")),
        ArtifactPath(("a", name)),
        ArtifactPath(("..", "outside", name)),
    ):
        for work in (
            lambda forged=forged: repo.get_file(forged, tmp_path / "target"),
            lambda forged=forged: repo.put_file(tmp_path / "source", forged),
            lambda forged=forged: repo.delete(forged),
            lambda forged=forged: repo.list(forged),
            lambda forged=forged: repo.local_path(forged),
            lambda forged=forged: repo.digest(forged),
            lambda forged=forged: repo.is_file(forged),
        ):
            with pytest.raises((InvalidPath, ArtifactNotFound)):
                work()
    assert not (tmp_path / "target").exists()
    assert os.listdir(outside) == ["secret.txt"]
    assert (repo.folder / "a" / "b").read_bytes() == b"inside"


@pytest.mark.parametrize(
    "spelling",
    ["", "/", "//", ".", "./", "..", "../", "a/..", "a/../", "%2e", "%2E/", "%252e", "%2e%2e", "%20", " ", "  /", "%00", "\x00", "%2f", "%09", "a/%2e%2e", "~/..", "C:\\", "\\\\host\\share"],
)  # fmt: skip
def test_the_root_cannot_be_deleted_by_any_spelling(repo: LocalArtifactRepo, put: Put, spelling: str) -> None:
    put("a/b.txt", b"x")
    with pytest.raises(InvalidPath):
        repo.delete(ArtifactPath.parse(spelling))
    assert (repo.folder / "a" / "b.txt").read_bytes() == b"x"


@pytest.mark.parametrize(
    "name", [".drupe-sha256", ".DRUPE-SHA256", ".drupe-partial-0123456789abcdef", ".drupe\u200b-sha256", ".ｄrupe-sha256"]
)
def test_the_names_that_the_store_keeps_for_itself_are_refused(repo: LocalArtifactRepo, put: Put, tmp_path: Path, name: str) -> None:
    put("a.txt", b"x")
    for path in (P(name), P(f"dir/{name}"), P(f"{name}/a.txt")):
        with pytest.raises(InvalidPath, match="store's own"):
            repo.put_file(tmp_path / "source", path)
        with pytest.raises(InvalidPath, match="store's own"):
            repo.delete(path)
        with pytest.raises(ArtifactNotFound):
            repo.get_file(path, tmp_path / "target")
        assert not repo.is_file(path)
    assert (repo.folder / ".drupe-sha256").exists()


def test_a_root_that_lies_behind_a_link_is_used(tmp_path: Path, outside: Path) -> None:
    (tmp_path / "link").symlink_to(outside)
    repo = LocalArtifactRepo.open(Uri.parse(tmp_path / "link"))
    assert [info.path for info in repo.list()] == ["secret.txt"]


def test_a_root_that_is_a_file_or_not_local_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="it is a file"):
        LocalArtifactRepo.open(Uri.parse(tmp_path / "file"))
    with pytest.raises(InvalidUri):
        LocalArtifactRepo.open(Uri("s3", "bucket", "/x"))
    behind_a_file = LocalArtifactRepo.open(Uri.parse(tmp_path / "file" / "deeper"))
    with pytest.raises(StoreUnavailable, match="file is in the way"):
        behind_a_file.put_file(tmp_path / "file", P("a.txt"))


def test_opening_a_repository_makes_nothing(tmp_path: Path) -> None:
    repo = LocalArtifactRepo.open(Uri.parse(tmp_path / "root"))
    assert repo.list() == []
    repo.delete(P("a"))
    assert os.listdir(tmp_path) == []


def test_names_that_are_too_long_are_refused_before_anything_is_written(repo: LocalArtifactRepo, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"x")
    for path in (ArtifactPath(("x" * 300,)), ArtifactPath(("deep",) * 1200), ArtifactPath(("d", "ü" * 130))):
        with pytest.raises(InvalidPath, match="long"):
            repo.put_file(tmp_path / "source", path)
        assert not repo.is_file(path)
        with pytest.raises(ArtifactNotFound):
            repo.digest(path)
    assert not repo.folder.exists() or os.listdir(repo.folder) == []


def test_very_deep_folders_are_deleted_without_recursion(repo: LocalArtifactRepo, put: Put) -> None:
    put("d/" * 1500 + "leaf", b"x")
    put("other", b"x")
    repo.delete(P("d"))
    assert sorted(os.listdir(repo.folder)) == [".drupe-sha256", "other"]


def test_a_system_without_openat2_is_noticed_and_served_part_by_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def forbidden(folder: int, path: str) -> int:
        calls.append(path)
        raise PermissionError(1, "a sandbox says no")

    monkeypatch.setattr(beneath, "_open_whole", forbidden)
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "link").symlink_to("b")
    place = Beneath(tmp_path)
    with place.folder(("a", "b")) as folder:
        assert os.listdir(folder) == []
    with pytest.raises(LinkInTheWay), place.folder(("a", "link")):
        pass
    assert calls == ["a/b"]


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="open descriptors cannot be counted here")
def test_no_descriptor_stays_open(planted: LocalArtifactRepo, put: Put, tmp_path: Path) -> None:
    def everything() -> None:
        put("x/y.txt", b"1")
        put("x/y.txt", b"2")
        planted.list(P("dir"))
        planted.digest(P("x/y.txt"))
        for path in ("dir/loop", "dir/up/x", "missing/x", "x", "x/y.txt/z"):
            with pytest.raises(ArtifactNotFound):
                planted.get_file(P(path), tmp_path / "target")
        with pytest.raises(InvalidPath):
            put("dir/up/x", b"")
        planted.delete(P("x"))

    everything()
    before = os.listdir("/proc/self/fd")
    everything()
    assert len(os.listdir("/proc/self/fd")) == len(before)
