"""Old content or new, never torn: interrupted, concurrent and failing writes, permissions, and what is left behind."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from drupe.artifacts.trees import put_tree
from drupe.errors import ArtifactNotFound, InvalidPath, StoreBusy, StoreFull, StoreReadOnly, StoreUnavailable
from drupe.uris import ArtifactPath, Uri
from drupe_store_local import digests, partial, repo as repo_room
from drupe_store_local.partial import Partial
from drupe_store_local.repo import LocalArtifactRepo
from drupe_store_local.settings import Durability, LocalSettings

Put = Callable[[str, bytes], None]
Get = Callable[[str], bytes]
P = ArtifactPath.parse


def hidden(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob(".drupe-partial-*"))


@pytest.fixture
def umask_027() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


def test_files_are_readable_for_others_as_far_as_the_umask_allows(repo: LocalArtifactRepo, put: Put) -> None:
    put("dir/a.txt", b"x")
    before = os.umask(0)
    os.umask(before)
    assert (repo.folder / "dir" / "a.txt").stat().st_mode & 0o7777 == 0o644 & ~before


@pytest.mark.usefixtures("umask_027")
def test_the_umask_is_kept_for_files_folders_digests_and_downloads(repo: LocalArtifactRepo, put: Put, get: Get, tmp_path: Path) -> None:
    put("dir/a.txt", b"x")
    get("dir/a.txt")
    modes = [(repo.folder / name).stat().st_mode & 0o7777 for name in ("dir", "dir/a.txt", "dir/.drupe-sha256")]
    assert [oct(mode) for mode in modes] == ["0o750", "0o640", "0o640"]
    assert (tmp_path / "target").stat().st_mode & 0o777 == 0o640


def test_a_file_being_written_is_private_unpredictable_in_its_folder_and_not_listed(repo: LocalArtifactRepo, put: Put) -> None:
    put("dir/a.txt", b"x")
    with repo._beneath.folder(("dir",)) as folder, Partial(folder, 0o644) as first, Partial(folder, 0o644) as second:
        first.write(b"half")
        assert len({first.name, second.name}) == 2
        assert hidden(repo.folder / "dir") == sorted([first.name, second.name])
        assert (repo.folder / "dir" / first.name).stat().st_mode & 0o7777 == 0o600
        assert [info.path for info in repo.list(P("dir"))] == ["dir/a.txt"]
    assert hidden(repo.folder) == []


def test_a_reader_keeps_the_content_that_it_opened(repo: LocalArtifactRepo, put: Put, get: Get) -> None:
    put("a.txt", b"old")
    with (repo.folder / "a.txt").open("rb") as reader:
        put("a.txt", b"new")
        assert reader.read() == b"old"
    assert get("a.txt") == b"new"


def failing(number: int) -> Callable[..., object]:
    def fail(*given: object, **named: object) -> object:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("at", ["write", "fchmod", "rename", "mkdir"])
def test_a_full_disk_is_a_clean_refusal_at_every_step(
    repo: LocalArtifactRepo, put: Put, get: Get, monkeypatch: pytest.MonkeyPatch, at: str, number: int
) -> None:
    put("a.txt", b"old")
    with monkeypatch.context() as patch:
        patch.setattr(os, at, failing(number))
        with pytest.raises(StoreFull, match="no space is left"):
            put("new/folder/b.txt", b"never")
        if at != "mkdir":
            with pytest.raises(StoreFull):
                put("a.txt", b"new")
    assert get("a.txt") == b"old"
    assert hidden(repo.folder) == []
    assert sorted(os.listdir(repo.folder)) == [".drupe-sha256", "a.txt"]
    put("a.txt", b"new")
    assert get("a.txt") == b"new"


def test_every_write_and_rename_may_be_the_one_that_fails(
    repo: LocalArtifactRepo, put: Put, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("dir/a.txt", b"old")
    outcomes = []
    for step in range(1, 8):
        calls = 0

        def counted(name: str, step: int = step) -> Callable[..., object]:
            real = getattr(os, name)

            def call(*given: object, **named: object) -> object:
                nonlocal calls
                calls += 1
                if calls == step:
                    raise OSError(errno.ENOSPC, "full")
                return real(*given, **named)

            return call

        with monkeypatch.context() as patch:
            for name in ("write", "rename", "fchmod"):
                patch.setattr(os, name, counted(name))
            try:
                put("dir/a.txt", b"new %d" % step)
            except StoreFull:
                outcomes.append("refused")
            else:
                outcomes.append("written")
        assert get("dir/a.txt") == (b"old" if outcomes[-1] == "refused" else b"new %d" % step)
        put("dir/a.txt", b"old")
        assert get("dir/a.txt") == b"old"
    # privacy, bytes, mode, digest, rename may fail; the second note of the digest may be missing; then nothing is left to fail
    assert outcomes == ["refused"] * 5 + ["written"] * 2
    assert hidden(repo.folder) == []


def test_a_digest_line_that_does_not_fit_is_taken_back(
    repo: LocalArtifactRepo, put: Put, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("a.txt", b"old")
    before = (repo.folder / ".drupe-sha256").read_bytes()
    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(
            os, "write", lambda descriptor, block: real(descriptor, block[:10]) if b" a.txt\n" in bytes(block) else real(descriptor, block)
        )
        with pytest.raises(StoreFull):
            put("a.txt", b"new")
    assert (repo.folder / ".drupe-sha256").read_bytes() == before
    assert get("a.txt") == b"old"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    place = tmp_path / "small"
    place.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True, check=False).returncode
    ):
        pytest.skip("a small file system can only be mounted by root")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_really_full_disk_leaves_what_was_there_and_nothing_else(small_disk: Path, tmp_path: Path) -> None:
    repo = LocalArtifactRepo.open(Uri.parse(small_disk / "root"))
    source = tmp_path / "source"
    source.write_bytes(b"x" * 400_000)
    repo.put_file(source, P("dir/kept.bin"))
    source.write_bytes(b"y" * 800_000)
    for path in ("dir/kept.bin", "dir/other.bin", "new/folder/other.bin"):
        with pytest.raises(StoreFull):
            repo.put_file(source, P(path))
    assert sorted(str(path.relative_to(small_disk)) for path in small_disk.rglob("*")) == [
        "root",
        "root/dir",
        "root/dir/.drupe-sha256",
        "root/dir/kept.bin",
    ]
    repo.get_file(P("dir/kept.bin"), tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"x" * 400_000
    repo.delete(P("dir/kept.bin"))
    repo.put_file(source, P("dir/other.bin"))
    with pytest.raises(StoreFull, match="target"):
        repo.get_file(P("dir/other.bin"), small_disk / "target")
    assert sorted(os.listdir(small_disk)) == ["root"]


def test_a_full_disk_ends_the_upload_of_a_tree_at_once(small_disk: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for number in range(40):
        (source / f"{number}.bin").write_bytes(bytes([number]) * 100_000)
    with pytest.raises(StoreFull, match="others were not tried"):
        put_tree(LocalArtifactRepo.open(Uri.parse(small_disk / "root")), source, workers=2)
    assert hidden(small_disk) == []


WRITER = """
import sys
from pathlib import Path
from drupe.uris import ArtifactPath
from drupe_store_local.repo import LocalArtifactRepo
repo = LocalArtifactRepo(Path(sys.argv[1]))
sources = [Path(name) for name in sys.argv[2:]]
print("ready", flush=True)
while True:
    for source in sources:
        repo.put_file(source, ArtifactPath.parse("dir/file.bin"))
"""


def test_killed_writers_leave_old_or_new_content_and_nothing_that_stays(
    repo: LocalArtifactRepo, tmp_path: Path, get: Get, put: Put
) -> None:
    contents = [bytes([65 + number]) * 300_000 for number in range(4)]
    sources = []
    for number, content in enumerate(contents):
        (tmp_path / f"content {number}").write_bytes(content)
        sources.append(str(tmp_path / f"content {number}"))
    repo.put_file(Path(sources[0]), P("dir/file.bin"))
    for round_number in range(4):
        writers = [
            subprocess.Popen([sys.executable, "-c", WRITER, repo.folder, *sources], stdout=subprocess.PIPE, text=True) for _ in range(2)
        ]
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
        for _ in range(3 * round_number + 1):
            assert get("dir/file.bin") in contents
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
            writer.communicate()
        assert get("dir/file.bin") in contents
        assert [info.path for info in repo.list(P("dir"))] == ["dir/file.bin"]
    repo_room._swept.clear()  # as a new process would
    put("dir/other.txt", b"x")
    assert hidden(repo.folder) == []


def test_what_a_living_writer_holds_is_not_swept(repo: LocalArtifactRepo, put: Put) -> None:
    put("dir/a.txt", b"x")
    abandoned = repo.folder / "dir" / ".drupe-partial-00"
    abandoned.write_bytes(b"left by a killed process")
    (repo.folder / "dir" / ".drupe-partial-01" / "folder").mkdir(parents=True)
    with repo._beneath.folder(("dir",)) as folder, Partial(folder, 0o644) as living:
        repo_room._swept.clear()
        put("dir/b.txt", b"y")
        assert hidden(repo.folder) == [living.name]


def test_a_new_file_that_is_taken_for_abandoned_gets_another_name(
    repo: LocalArtifactRepo, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("a.txt", b"x")
    real = partial._try_lock
    names: list[str] = []

    def sweeping(descriptor: int) -> bool | None:
        if not names:
            names.extend(hidden(repo.folder))
            (repo.folder / names[0]).unlink()
        return real(descriptor)

    monkeypatch.setattr(partial, "_try_lock", sweeping)
    put("b.txt", b"y")
    assert len(names) == 1
    assert (repo.folder / "b.txt").read_bytes() == b"y"


def test_a_folder_that_is_deleted_while_it_is_written_to_is_made_again(
    repo: LocalArtifactRepo, put: Put, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("dir/sub/a.txt", b"x")
    real = repo_room._copy
    deletions: list[str] = []

    def deleting(stream: int, target: Partial) -> digests.Record:
        record = real(stream, target)
        if len(deletions) < 2:
            repo.delete(P("dir"))
            deletions.append("dir")
        return record

    monkeypatch.setattr(repo_room, "_copy", deleting)
    put("dir/sub/b.txt", b"y")
    assert len(deletions) == 2
    assert get("dir/sub/b.txt") == b"y"


def test_a_folder_that_others_never_stop_deleting_is_given_up(repo: LocalArtifactRepo, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    real = repo_room._copy

    def deleting(stream: int, target: Partial) -> digests.Record:
        record = real(stream, target)
        repo.delete(P("dir"))
        return record

    monkeypatch.setattr(repo_room, "_copy", deleting)
    with pytest.raises(StoreBusy, match="deleting"):
        put("dir/b.txt", b"y")


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_place_that_may_not_be_written_says_so(repo: LocalArtifactRepo, put: Put, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    put("a.txt", b"x")
    monkeypatch.setattr(os, "rename", failing(number))
    with pytest.raises(StoreReadOnly, match=r"a\.txt"):
        put("a.txt", b"y")
    monkeypatch.setattr(os, "unlink", failing(number))
    with pytest.raises(StoreReadOnly, match=r"a\.txt"):
        repo.delete(P("a.txt"))


def test_a_place_that_may_not_be_read_is_not_said_to_be_empty(
    repo: LocalArtifactRepo, put: Put, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("a.txt", b"x")
    monkeypatch.setattr(os, "scandir", failing(errno.EACCES))
    with pytest.raises(StoreUnavailable, match="cannot be read"):
        repo.list()


def test_a_target_that_is_a_folder_is_refused(repo: LocalArtifactRepo, put: Put, tmp_path: Path) -> None:
    put("a.txt", b"x")
    (tmp_path / "target").mkdir()
    with pytest.raises(InvalidPath, match="folder is there"):
        repo.get_file(P("a.txt"), tmp_path / "target")
    assert hidden(tmp_path) == []


def test_a_missing_source_is_named(repo: LocalArtifactRepo, tmp_path: Path) -> None:
    with pytest.raises(ArtifactNotFound, match="no such"):
        repo.put_file(tmp_path / "no such", P("a.txt"))
    with pytest.raises(ArtifactNotFound, match="null"):
        repo.put_file(tmp_path / "nul\x00l", P("a.txt"))


def test_full_durability_syncs_bytes_digest_and_folders_before_it_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x")
    events: list[str] = []
    real_sync, real_rename = os.fsync, os.rename

    def sync(descriptor: int) -> None:
        events.append(os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}")).partition("-0")[0][:14])
        real_sync(descriptor)

    def rename(*given: Any, **named: Any) -> None:
        events.append("rename")
        real_rename(*given, **named)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "rename", rename)
    LocalArtifactRepo(tmp_path / "normal").put_file(source, P("dir/a.txt"))
    assert events == ["rename"]
    events.clear()
    full = LocalArtifactRepo(tmp_path / "full", LocalSettings(Durability.FULL))
    full.put_file(source, P("dir/a.txt"))
    assert events == ["full", ".drupe-partial", ".drupe-sha256", "rename", "dir"]
    events.clear()
    full.delete(P("dir/a.txt"))
    full.delete(P("dir"))
    assert events == ["dir", "rename", "full"]


def test_an_unknown_durability_is_refused() -> None:
    assert LocalSettings().durability is Durability.NORMAL
    with pytest.raises(ValueError, match="fulll"):
        LocalSettings("fulll")
