"""The digest file: what it says, how it stays true through interruptions, edits by others, growth and damage to itself."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from drupe.artifacts.trees import put_tree
from drupe.errors import ArtifactCorrupt, StoreUnavailable
from drupe.uris import ArtifactPath
from drupe_store_local import digests
from drupe_store_local.digests import Record
from drupe_store_local.repo import LocalArtifactRepo

Put = Callable[[str, bytes], None]
Get = Callable[[str], bytes]
P = ArtifactPath.parse


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def lines(repo: LocalArtifactRepo, folder: str = "") -> list[str]:
    return (repo.folder / folder / ".drupe-sha256").read_text().splitlines()


class Killed(BaseException):
    """Stands for SIGKILL: nothing that handles errors runs after it but what the operating system does."""


@pytest.fixture
def killed_before_the_rename(monkeypatch: pytest.MonkeyPatch, put: Put) -> Put:
    """A put that dies between the digest's line and the rename."""

    def put_and_die(path: str, content: bytes) -> None:
        def die(*given: object, **named: object) -> None:
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(os, "rename", die)
            with pytest.raises(Killed):
                put(path, content)

    return put_and_die


@pytest.fixture
def killed_after_the_rename(monkeypatch: pytest.MonkeyPatch, put: Put) -> Put:
    """A put that dies between the rename and all that follows."""

    def put_and_die(path: str, content: bytes) -> None:
        real = os.rename

        def rename_and_die(*given: Any, **named: Any) -> None:
            real(*given, **named)
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(os, "rename", rename_and_die)
            with pytest.raises(Killed):
                put(path, content)

    return put_and_die


def test_a_new_file_gets_one_line_of_digest_size_and_encoded_name(repo: LocalArtifactRepo, put: Put) -> None:
    put("dir/50% größe #1.txt", b"abc")
    assert lines(repo, "dir") == [f"{sha(b'abc')} 3 50%25%20gr%C3%B6%C3%9Fe%20%231.txt"]


def test_a_replaced_file_gets_its_line_before_and_after_the_rename(repo: LocalArtifactRepo, put: Put) -> None:
    put("a", b"1")
    put("a", b"2")
    assert [line[:64] for line in lines(repo)] == [sha(b"1"), sha(b"2"), sha(b"2")]


def test_a_deleted_file_is_forgotten_so_that_another_tool_may_use_its_name(repo: LocalArtifactRepo, put: Put, get: Get) -> None:
    put("a", b"1")
    repo.delete(P("a"))
    assert lines(repo)[-1] == "- 0 a"
    (repo.folder / "a").write_bytes(b"by hand")
    assert get("a") == b"by hand"


def test_damage_is_told_with_the_name_and_both_digests(repo: LocalArtifactRepo, put: Put, get: Get, tmp_path: Path) -> None:
    put("dir/a b.txt", b"good")
    (repo.folder / "dir" / "a b.txt").write_bytes(b"evil")
    with pytest.raises(ArtifactCorrupt) as caught:
        get("dir/a b.txt")
    assert caught.value.details == {"path": "dir/a b.txt", "expected": sha(b"good"), "found": sha(b"evil")}
    for part in ("dir/a b.txt", str(repo.folder), sha(b"good"), sha(b"evil")):
        assert part in str(caught.value)
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize("content", [b"", b"goo", b"good and more", b"Good"])
def test_every_kind_of_change_is_noticed(repo: LocalArtifactRepo, put: Put, get: Get, content: bytes) -> None:
    put("a", b"good")
    (repo.folder / "a").write_bytes(content)
    with pytest.raises(ArtifactCorrupt):
        get("a")
    with pytest.raises(ArtifactCorrupt):
        repo.digest(P("a"))


def test_putting_a_damaged_file_again_repairs_it(repo: LocalArtifactRepo, put: Put, get: Get, tmp_path: Path) -> None:
    put("a", b"good")
    (repo.folder / "a").write_bytes(b"evil")
    source = tmp_path / "folder"
    source.mkdir()
    (source / "a").write_bytes(b"good")
    assert put_tree(repo, source).files == 1
    assert get("a") == b"good"


def test_a_file_that_another_tool_put_there_is_read_unverified(repo: LocalArtifactRepo, put: Put, get: Get) -> None:
    put("known", b"1")
    (repo.folder / "unknown").write_bytes(b"2")
    (repo.folder / "plain").mkdir()
    (repo.folder / "plain" / "file").write_bytes(b"3")
    assert (get("unknown"), get("plain/file")) == (b"2", b"3")
    assert repo.digest(P("unknown")) == sha(b"2")


def test_an_old_digest_does_not_vouch_for_a_file_that_was_put_back(repo: LocalArtifactRepo, put: Put, get: Get) -> None:
    for content in (b"first", b"second", b"third"):
        put("a", content)
    (repo.folder / "a").write_bytes(b"second")
    with pytest.raises(ArtifactCorrupt):
        get("a")


def test_the_old_content_stays_good_when_a_writer_dies_before_the_rename(
    repo: LocalArtifactRepo, put: Put, get: Get, killed_before_the_rename: Put
) -> None:
    put("a", b"old")
    killed_before_the_rename("a", b"new")
    assert get("a") == b"old"
    assert repo.digest(P("a")) == sha(b"old")


def test_the_old_content_stays_good_however_often_writers_die(
    put: Put, get: Get, killed_before_the_rename: Put, killed_after_the_rename: Put
) -> None:
    put("a", b"old")
    for number in range(5):
        killed_before_the_rename("a", b"new %d" % number)
        assert get("a") == b"old"
    killed_after_the_rename("a", b"newer")
    assert get("a") == b"newer"
    for number in range(3):
        killed_before_the_rename("a", b"later %d" % number)
        assert get("a") == b"newer"
    put("a", b"last")
    assert get("a") == b"last"


def test_a_new_file_whose_writer_died_is_not_there_and_can_be_put(
    repo: LocalArtifactRepo, put: Put, get: Get, killed_before_the_rename: Put
) -> None:
    killed_before_the_rename("dir/a", b"never")
    assert repo.list(P("dir")) == []
    put("dir/a", b"x")
    assert get("dir/a") == b"x"


def test_a_file_of_another_tool_stays_good_when_its_replacement_is_interrupted(
    repo: LocalArtifactRepo, get: Get, killed_before_the_rename: Put
) -> None:
    repo.folder.mkdir()
    (repo.folder / "a").write_bytes(b"by hand")
    killed_before_the_rename("a", b"new")
    assert get("a") == b"by hand"


def test_a_failed_rename_leaves_the_old_digest_the_only_one(
    repo: LocalArtifactRepo, put: Put, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("a", b"old")

    def fail(*given: object, **named: object) -> None:
        raise OSError(errno.EACCES, "no")

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", fail)
        for path in ("a", "b"):
            with pytest.raises(Exception, match="cannot be written"):
                put(path, b"new")
    assert get("a") == b"old"
    (repo.folder / "a").write_bytes(b"old2")
    with pytest.raises(ArtifactCorrupt):
        get("a")
    (repo.folder / "b").write_bytes(b"by hand")
    assert get("b") == b"by hand"


def test_a_torn_last_line_spoils_nothing(repo: LocalArtifactRepo, put: Put, get: Get) -> None:
    put("a", b"1")
    put("b", b"2")
    file = repo.folder / ".drupe-sha256"
    file.write_bytes(file.read_bytes() + sha(b"x").encode()[:30])
    assert (get("a"), get("b")) == (b"1", b"2")
    put("c", b"3")
    assert get("c") == b"3"
    (repo.folder / "c").write_bytes(b"4")
    with pytest.raises(ArtifactCorrupt):
        get("c")


def test_garbage_in_the_digest_file_is_skipped(repo: LocalArtifactRepo, put: Put, get: Get) -> None:
    put("a", b"1")
    with (repo.folder / ".drupe-sha256").open("ab") as file:
        file.write(b"\n\xff\xfe 1 a\n" + b"zz" * 32 + b" 1 a\n" + sha(b"x").encode() + b" one a\n" + sha(b"x").encode() + b" 1 \n")
    assert get("a") == b"1"
    (repo.folder / "a").write_bytes(b"x")
    with pytest.raises(ArtifactCorrupt):
        get("a")


def test_a_digest_file_that_is_a_folder_or_pipe_is_named(repo: LocalArtifactRepo, put: Put, get: Get) -> None:
    for name in ("pipe", "folder"):
        (repo.folder / name).mkdir(parents=True)
        (repo.folder / name / "a").write_bytes(b"1")
    os.mkfifo(repo.folder / "pipe" / ".drupe-sha256")
    (repo.folder / "folder" / ".drupe-sha256").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(StoreUnavailable, match=r"\.drupe-sha256 is not an ordinary file"):
            get(f"{name}/a")
        with pytest.raises(StoreUnavailable, match=r"\.drupe-sha256 is not an ordinary file"):
            put(f"{name}/b", b"x")


def test_the_file_is_compacted_when_it_is_mostly_history(
    repo: LocalArtifactRepo, put: Put, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "_COMPACT_FROM_BYTES", 1 << 12)
    put("kept %", b"1")
    put("replaced", b"0")
    put("gone", b"1")
    repo.delete(P("gone"))
    mode = (repo.folder / ".drupe-sha256").stat().st_mode
    sizes = []
    for number in range(200):
        put("replaced", b"%d" % number)
        sizes.append((repo.folder / ".drupe-sha256").stat().st_size)
    assert max(sizes) < 2 * (1 << 12)
    assert any(after < before for before, after in pairwise(sizes))
    assert (get("kept %"), get("replaced")) == (b"1", b"199")
    assert (repo.folder / ".drupe-sha256").stat().st_mode == mode
    assert stat.S_ISREG(mode)
    (repo.folder / "kept %").write_bytes(b"2")
    with pytest.raises(ArtifactCorrupt):
        get("kept %")


def test_a_file_that_is_mostly_true_is_not_rewritten(repo: LocalArtifactRepo, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "_COMPACT_FROM_BYTES", 1 << 10)
    put("0", b"")
    before = (repo.folder / ".drupe-sha256").stat().st_ino
    for number in range(1, 60):
        put(str(number), b"")
    assert (repo.folder / ".drupe-sha256").stat().st_ino == before
    assert len(lines(repo)) == 60


def test_a_writer_that_waited_for_a_compaction_uses_the_new_file(
    repo: LocalArtifactRepo, put: Put, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("a", b"1")
    real = fcntl.flock
    replaced: list[bytes] = []

    def compacted_meanwhile(descriptor: int, how: int) -> None:
        real(descriptor, how)
        if not replaced and how == fcntl.LOCK_EX:
            file = repo.folder / ".drupe-sha256"
            replaced.append(file.read_bytes())
            file.unlink()
            file.write_bytes(replaced[0])

    monkeypatch.setattr(fcntl, "flock", compacted_meanwhile)
    put("b", b"2")
    assert replaced
    assert [line[-1] for line in lines(repo)] == ["a", "b"]
    assert get("b") == b"2"


def test_file_systems_without_locks_are_served(repo: LocalArtifactRepo, put: Put, get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(descriptor: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    put("dir/a", b"1")
    put("dir/a", b"2")
    assert get("dir/a") == b"2"
    repo.delete(P("dir"))
    assert repo.list() == []


def test_what_was_read_once_is_not_trusted_when_the_file_changed(repo: LocalArtifactRepo, put: Put, get: Get) -> None:
    put("a", b"1")
    assert get("a") == b"1"
    file = repo.folder / ".drupe-sha256"
    other = Record(sha(b"2"), 1).line("a")
    assert len(other) == len(file.read_bytes())
    with file.open("r+b") as stream:  # the same file, size and place, as after a number is used again
        stream.write(other)
    (repo.folder / "a").write_bytes(b"2")
    assert get("a") == b"2"


def test_only_the_last_folders_are_remembered(repo: LocalArtifactRepo, put: Put, get: Get) -> None:
    for number in range(digests._KEPT_FOLDERS + 5):
        put(f"{number}/a", b"%d" % number)
        put(f"{number}/a", b"%d" % number)
    assert len(digests._cache._kept) <= digests._KEPT_FOLDERS
    assert get("0/a") == b"0"
