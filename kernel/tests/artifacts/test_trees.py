"""Trees go up and down whole, in parallel and resumably, and say what failed."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from drupe.artifacts.local_files import files_below
from drupe.artifacts.trees import Copied, get_tree, list_tree, put_tree
from drupe.entities import FileInfo
from drupe.errors import ArtifactCorrupt, ArtifactNotFound, InvalidPath, StoreError, StoreFull
from drupe.testing.memory_artifacts import MemoryArtifactRepo
from drupe.uris import ArtifactPath

ROOT = ArtifactPath()
P = ArtifactPath.parse


@pytest.fixture
def repo() -> MemoryArtifactRepo:
    return MemoryArtifactRepo()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "sub" / "deeper").mkdir(parents=True)
    (folder / "a.txt").write_bytes(b"a")
    (folder / "sub" / "b.txt").write_bytes(b"bb")
    (folder / "sub" / "deeper" / "50% c.txt").write_bytes(b"ccc")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- up


def test_a_folder_is_stored_below_the_path_and_what_is_there_stays(repo: MemoryArtifactRepo, source: Path) -> None:
    repo.files[("model", "other.txt")] = b"stays"
    assert put_tree(repo, source, P("model")) == Copied(files=3, unchanged=0, total_bytes=6)
    assert {"/".join(path): content for path, content in repo.files.items()} == {
        "model/other.txt": b"stays",
        "model/a.txt": b"a",
        "model/sub/b.txt": b"bb",
        "model/sub/deeper/50% c.txt": b"ccc",
    }


def test_a_repeated_upload_sends_only_what_differs(repo: MemoryArtifactRepo, source: Path) -> None:
    put_tree(repo, source)
    (source / "a.txt").write_bytes(b"A")
    (source / "new.txt").write_bytes(b"new")
    assert put_tree(repo, source) == Copied(files=2, unchanged=2, total_bytes=9)
    assert repo.files[("a.txt",)] == b"A"


def test_a_repository_that_tells_no_digests_gets_everything_again(repo: MemoryArtifactRepo, source: Path) -> None:
    class Silent(MemoryArtifactRepo):
        def digest(self, path: ArtifactPath) -> str | None:
            return None

    silent = Silent()
    put_tree(silent, source)
    assert put_tree(silent, source).files == 3


def test_only_folders_that_are_written_to_are_listed(source: Path) -> None:
    listed = []

    class Watched(MemoryArtifactRepo):
        def list(self, path: ArtifactPath = ROOT) -> list[FileInfo]:
            listed.append(str(path))
            return super().list(path)

    repo = Watched()
    for number in range(50):
        repo.files[("runs", str(number), "x")] = b""
    put_tree(repo, source, P("runs/7"))
    assert listed == ["runs/7"]


def test_files_are_sent_in_parallel(source: Path) -> None:
    together = threading.Barrier(3, timeout=30)

    class Waiting(MemoryArtifactRepo):
        def put_file(self, source: Path, path: ArtifactPath) -> None:
            together.wait()
            super().put_file(source, path)

    assert put_tree(Waiting(), source, workers=3).files == 3


def test_one_worker_is_enough_for_many_files(repo: MemoryArtifactRepo, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(300):
        (folder / f"{number}").write_bytes(b"x")
    assert put_tree(repo, folder, workers=1).files == 300


def test_progress_is_told_once_at_the_start_and_after_every_file(repo: MemoryArtifactRepo, source: Path) -> None:
    told: list[tuple[int, int, str]] = []
    put_tree(repo, source, P("m"), progress=lambda done, total, path: told.append((done, total, path)), workers=1)
    assert told == [(0, 6, ""), (3, 6, "m/sub/deeper/50% c.txt"), (5, 6, "m/sub/b.txt"), (6, 6, "m/a.txt")]


def test_what_a_progress_function_raises_ends_the_copy(repo: MemoryArtifactRepo, source: Path) -> None:
    def stop(done: int, total: int, path: str) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        put_tree(repo, source, progress=stop, workers=1)
    assert len(repo.files) == 1


class Failing(MemoryArtifactRepo):
    """Refuses some paths with given errors."""

    def __init__(self, faults: dict[str, Exception]) -> None:
        super().__init__()
        self.faults = faults

    def put_file(self, source: Path, path: ArtifactPath) -> None:
        if str(path) in self.faults:
            raise self.faults[str(path)]
        super().put_file(source, path)

    def get_file(self, path: ArtifactPath, target: Path) -> None:
        if str(path) in self.faults:
            raise self.faults[str(path)]
        super().get_file(path, target)


def test_all_failing_files_are_named_and_the_others_stored(source: Path) -> None:
    repo = Failing({"a.txt": InvalidPath("not this one"), "sub/b.txt": ConnectionError("line is down")})
    with pytest.raises(InvalidPath, match=r"2 of 3 files could not be stored: a\.txt: not this one; sub/b\.txt: ConnectionError") as caught:
        put_tree(repo, source)
    assert caught.value.details["paths"] == ["a.txt", "sub/b.txt"]
    assert list(repo.files) == [("sub", "deeper", "50% c.txt")]


def test_what_is_no_error_of_ours_becomes_a_store_error_with_its_cause(source: Path) -> None:
    fault = ConnectionError("line is down")
    with pytest.raises(StoreError, match="line is down") as caught:
        put_tree(Failing({"a.txt": fault}), source)
    assert caught.value.__cause__ is fault


def test_a_full_store_is_not_asked_for_the_remaining_files(source: Path) -> None:
    repo = Failing({"sub/deeper/50% c.txt": StoreFull("no space")})
    with pytest.raises(StoreFull, match="2 others were not tried"):
        put_tree(repo, source, workers=1)
    assert repo.files == {}


def test_the_error_of_a_single_file_is_not_wrapped(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a.txt").write_bytes(b"")
    fault = InvalidPath("just this")
    with pytest.raises(InvalidPath) as caught:
        put_tree(Failing({"a.txt": fault}), tmp_path / "one")
    assert caught.value is fault


# --- what a local folder holds


def test_links_within_the_folder_count_as_what_they_point_to(source: Path) -> None:
    (source / "link.txt").symlink_to("sub/b.txt")
    (source / "latest").symlink_to("sub")
    assert [(str(file.path), file.size) for file in files_below(source)] == [
        ("a.txt", 1),
        ("latest/b.txt", 2),
        ("latest/deeper/50% c.txt", 3),
        ("link.txt", 2),
        ("sub/b.txt", 2),
        ("sub/deeper/50% c.txt", 3),
    ]


def test_everything_that_cannot_be_stored_is_named_before_anything_is_stored(
    repo: MemoryArtifactRepo, source: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("secret")
    (source / "out").symlink_to(tmp_path / "secret")
    (source / "out-folder").symlink_to("..")
    (source / "dangling").symlink_to("nowhere")
    (source / "loop").symlink_to("loop")
    (source / "sub" / "up").symlink_to("../sub")
    (source / "back\\slash").write_text("")
    os.mkfifo(source / "pipe")
    with pytest.raises(InvalidPath, match="Nothing was stored") as caught:
        put_tree(repo, source)
    faults = sorted(caught.value.details["faults"])
    assert [fault.split(" is ")[0].split(" has ")[0] for fault in faults] == [
        "'back\\\\slash'",
        "dangling",
        "loop",
        "out",
        "out-folder",
        "pipe",
        "sub/up",
    ]
    assert "leads out of the folder" in faults[3]
    assert "is a pipe" in faults[5]
    assert "it lies in" in faults[6]
    assert repo.files == {}


def test_links_to_folders_behind_links_to_folders_are_refused_so_that_trees_stay_finite(source: Path) -> None:
    (source / "x").mkdir()
    (source / "y").mkdir()
    (source / "x" / "to-y").symlink_to("../y")
    (source / "y" / "to-x").symlink_to("../x")
    with pytest.raises(InvalidPath, match="behind another such link"):
        files_below(source)


def test_files_that_stores_keep_for_themselves_stay_behind(repo: MemoryArtifactRepo, source: Path) -> None:
    (source / ".drupe-sha256").write_text("")
    (source / "sub" / ".drupe-partial-00ff").write_text("")
    put_tree(repo, source)
    assert len(repo.files) == 3


def test_a_folder_behind_a_link_is_the_folder(source: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(source)
    assert len(files_below(tmp_path / "link")) == 3


def test_a_missing_folder_or_a_file_is_no_folder(source: Path) -> None:
    for folder in (source / "missing", source / "a.txt"):
        with pytest.raises(ArtifactNotFound, match="not a local folder"):
            files_below(folder)


def test_an_empty_folder_is_nothing_to_store(repo: MemoryArtifactRepo, tmp_path: Path) -> None:
    (tmp_path / "empty" / "inner").mkdir(parents=True)
    assert put_tree(repo, tmp_path / "empty") == Copied(0, 0, 0)


# --- down


def test_a_folder_keeps_its_path_below_the_target(repo: MemoryArtifactRepo, source: Path, tmp_path: Path) -> None:
    put_tree(repo, source, P("m"))
    assert get_tree(repo, P("m/sub"), tmp_path / "out") == tmp_path / "out" / "m" / "sub"
    assert contents(tmp_path / "out") == {"m/sub/b.txt": b"bb", "m/sub/deeper/50% c.txt": b"ccc"}


def test_the_leading_part_of_the_path_can_be_left_out(repo: MemoryArtifactRepo, source: Path, tmp_path: Path) -> None:
    put_tree(repo, source, P("m"))
    assert get_tree(repo, P("m/sub"), tmp_path / "one", relative_to=P("m")) == tmp_path / "one" / "sub"
    assert get_tree(repo, P("m/sub"), tmp_path / "two", relative_to=P("m/sub")) == tmp_path / "two"
    assert contents(tmp_path / "two") == {"b.txt": b"bb", "deeper/50% c.txt": b"ccc"}
    with pytest.raises(InvalidPath, match="below"):
        get_tree(repo, P("m/sub"), tmp_path / "three", relative_to=P("n"))


def test_a_single_file_is_a_tree_of_one(repo: MemoryArtifactRepo, source: Path, tmp_path: Path) -> None:
    put_tree(repo, source, P("m"))
    assert list_tree(repo, P("m/a.txt")) == [FileInfo("m/a.txt", False, 1)]
    place = get_tree(repo, P("m/a.txt"), tmp_path / "out")
    assert place == tmp_path / "out" / "m" / "a.txt"
    assert place.read_bytes() == b"a"


def test_a_repeated_download_fetches_only_what_differs(source: Path, tmp_path: Path) -> None:
    fetched: list[str] = []

    class Watched(MemoryArtifactRepo):
        def get_file(self, path: ArtifactPath, target: Path) -> None:
            fetched.append(str(path))
            super().get_file(path, target)

    repo = Watched()
    put_tree(repo, source)
    get_tree(repo, ROOT, tmp_path / "out")
    (tmp_path / "out" / "a.txt").write_bytes(b"?")
    (tmp_path / "out" / "sub" / "b.txt").unlink()
    fetched.clear()
    get_tree(repo, ROOT, tmp_path / "out")
    assert sorted(fetched) == ["a.txt", "sub/b.txt"]
    assert contents(tmp_path / "out") == contents(source)


def test_what_is_not_there_is_not_found(repo: MemoryArtifactRepo, tmp_path: Path) -> None:
    with pytest.raises(ArtifactNotFound, match="'m/x'"):
        get_tree(repo, P("m/x"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_empty_repository_is_an_empty_folder(repo: MemoryArtifactRepo, tmp_path: Path) -> None:
    assert get_tree(repo, ROOT, tmp_path / "out") == tmp_path / "out"
    assert os.listdir(tmp_path / "out") == []


def test_damaged_files_are_all_named_and_the_others_fetched(source: Path, tmp_path: Path) -> None:
    repo = Failing({})
    put_tree(repo, source)
    repo.faults = {"a.txt": ArtifactCorrupt("a"), "sub/b.txt": ArtifactCorrupt("b")}
    with pytest.raises(ArtifactCorrupt, match="2 of 3 files could not be fetched") as caught:
        get_tree(repo, ROOT, tmp_path / "out")
    assert caught.value.details["paths"] == ["a.txt", "sub/b.txt"]
    assert contents(tmp_path / "out") == {"sub/deeper/50% c.txt": b"ccc"}


@pytest.mark.parametrize("listed", ["../evil.txt", "/etc/passwd", "other/evil.txt", "dir/deeper/evil.txt", "dir", "dir/%2e%2e"])
def test_a_listing_cannot_lead_out_of_the_folder_that_was_asked_for(tmp_path: Path, listed: str) -> None:
    class Hostile(MemoryArtifactRepo):
        def list(self, path: ArtifactPath = ROOT) -> list[FileInfo]:
            return [FileInfo(listed, False, 1)]

    with pytest.raises(InvalidPath):
        get_tree(Hostile(), P("dir"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_tree_is_listed_sorted_with_paths_from_the_root(repo: MemoryArtifactRepo, source: Path) -> None:
    put_tree(repo, source, P("m"))
    assert list_tree(repo) == [
        FileInfo("m/a.txt", False, 1),
        FileInfo("m/sub/b.txt", False, 2),
        FileInfo("m/sub/deeper/50% c.txt", False, 3),
    ]
    assert list_tree(repo, P("m/sub")) == list_tree(repo)[1:]
    assert list_tree(repo, P("missing")) == []


def test_a_file_in_the_place_of_the_target_folder_is_named_and_kept(repo: MemoryArtifactRepo, source: Path, tmp_path: Path) -> None:
    put_tree(repo, source, ROOT)
    taken = tmp_path / "taken"
    taken.write_text("mine")
    with pytest.raises(InvalidPath, match=f"{taken} is a file"):
        get_tree(repo, ROOT, taken)
    assert taken.read_text() == "mine"
