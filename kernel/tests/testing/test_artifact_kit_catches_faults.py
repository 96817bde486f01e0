"""Every promise of the artifact kit has teeth: for each way to get it wrong, a named test of the kit fails."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import RLock
from typing import Any, ClassVar
from urllib.parse import quote, unquote

import pytest

from drupe.entities import FileInfo
from drupe.errors import ArtifactCorrupt, ArtifactNotFound, InvalidPath
from drupe.extend import ArtifactRepo, Feature, FileOnDisk, Incoming, OpenArtifact, PartedUpload, Staged, Support
from drupe.testing.artifact_repo import ArtifactRepoKit
from drupe.testing.memory_artifacts import MemoryArtifactRepo
from drupe.uris import ArtifactPath

from .kit_runner import Faults, call, check_mistyped_names_are_noticed, promises_of

ROOT = ArtifactPath()


class Correct(MemoryArtifactRepo):
    """Keeps digests, so that all of the kit applies to it; the broken ones below differ from it in one thing each."""

    features: ClassVar = {Feature.DIGESTS: Support.FULL, Feature.ATOMIC_PUT: Support.FULL}

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.digests: dict[tuple[str, ...], str] = {}
        self.guard = RLock()

    def put_file(self, source: Path, path: ArtifactPath) -> None:
        with self.guard:
            super().put_file(source, path)
            self.digests[path.segments] = hashlib.sha256(self.files[path.segments]).hexdigest()

    def get_file(self, path: ArtifactPath, target: Path) -> None:
        with self.guard:
            self.check(path)
            super().get_file(path, target)

    def digest(self, path: ArtifactPath) -> str | None:
        with self.guard:
            self.check(path)
            return super().digest(path)

    def check(self, path: ArtifactPath) -> None:
        content = self.files.get(path.segments)
        if content is not None and hashlib.sha256(content).hexdigest() != self.digests[path.segments]:
            raise ArtifactCorrupt(f"{path} is damaged")

    def local_path(self, path: ArtifactPath = ROOT) -> Path | None:
        if path.segments not in self.files:
            return None
        place = self.folder / "in place"
        place.write_bytes(self.files[path.segments])
        return place

    def store(self, path: ArtifactPath, content: bytes) -> None:
        self.files[path.segments] = content
        self.digests[path.segments] = hashlib.sha256(content).hexdigest()


def damage(repo: ArtifactRepo, path: ArtifactPath) -> None:
    assert isinstance(repo, MemoryArtifactRepo)
    content = repo.files[path.segments]
    repo.files[path.segments] = content[:-1] + bytes([content[-1] ^ 1])


class TestCorrect(ArtifactRepoKit):
    big_bytes = 1_000_000

    @pytest.fixture
    def repo(self, tmp_path: Path) -> ArtifactRepo:
        return Correct(tmp_path)

    @pytest.fixture
    def damage(self) -> Callable[[ArtifactRepo, ArtifactPath], None]:
        return damage


# --- broken repositories, each with the test of the kit that must fail

BROKEN = Faults()
caught_by = BROKEN.caught_by


@caught_by("test_an_empty_repository_lists_nothing_and_has_no_file")
class TakesTheRootForAFile(Correct):
    def is_file(self, path: ArtifactPath) -> bool:
        return path.is_root or super().is_file(path)


@caught_by("test_an_empty_repository_lists_nothing_and_has_no_file")
class ListsItsOwnFiles(Correct):
    def list(self, path: ArtifactPath = ROOT) -> Any:
        return [FileInfo(".index", False, 1), *super().list(path)]


@caught_by("test_a_file_comes_back_byte_for_byte")
class TranslatesLineEnds(Correct):
    def put_file(self, source: Path, path: ArtifactPath) -> None:
        super().put_file(source, path)
        self.store(path, self.files[path.segments].replace(b"\r\n", b"\n"))


@caught_by("test_an_empty_file_is_a_file")
class DropsEmptyFiles(Correct):
    def put_file(self, source: Path, path: ArtifactPath) -> None:
        if not source.is_file() or source.stat().st_size:
            super().put_file(source, path)


@caught_by("test_a_big_file_comes_back_byte_for_byte")
class CutsBigFiles(Correct):
    def put_file(self, source: Path, path: ArtifactPath) -> None:
        super().put_file(source, path)
        self.store(path, self.files[path.segments][:500_000])


@caught_by("test_putting_again_replaces_the_content_also_by_a_shorter_one")
class WritesOverWithoutCutting(Correct):
    def put_file(self, source: Path, path: ArtifactPath) -> None:
        before = self.files.get(path.segments, b"")
        super().put_file(source, path)
        new = self.files[path.segments]
        self.store(path, new + before[len(new) :])


@caught_by("test_putting_again_replaces_the_content_also_by_a_shorter_one")
class KeepsTheFirst(Correct):
    def put_file(self, source: Path, path: ArtifactPath) -> None:
        if path.segments not in self.files:
            super().put_file(source, path)


@caught_by("test_bytes_are_kept_as_they_are_and_leave_no_file_elsewhere")
class LeavesTheBytesBehind(Correct):
    def put_bytes(self, content: bytes, path: ArtifactPath) -> None:
        with tempfile.NamedTemporaryFile(delete=False) as source:
            source.write(content)
        self.put_file(Path(source.name), path)


@caught_by("test_the_local_file_is_only_read")
class MovesTheSource(Correct):
    def put_file(self, source: Path, path: ArtifactPath) -> None:
        super().put_file(source, path)
        source.unlink()


@caught_by("test_getting_replaces_the_local_file_whole")
class WritesOverTheTarget(Correct):
    def get_file(self, path: ArtifactPath, target: Path) -> None:
        before = target.read_bytes() if target.exists() else b""
        super().get_file(path, target)
        new = target.read_bytes()
        target.write_bytes(new + before[len(new) :])


@caught_by("test_getting_leaves_nothing_beside_the_target")
class LeavesTemporaryFiles(Correct):
    def get_file(self, path: ArtifactPath, target: Path) -> None:
        target.with_suffix(".part").touch()
        super().get_file(path, target)


@caught_by("test_odd_names_survive_and_are_listed_as_they_were_given")
class EncodesListings(Correct):
    def list(self, path: ArtifactPath = ROOT) -> Any:
        return [FileInfo(quote(info.path), info.is_dir, info.file_size) for info in super().list(path)]


class DecodesNames(Correct):
    def put_file(self, source: Path, path: ArtifactPath) -> None:
        super().put_file(source, self.decoded(path))

    def get_file(self, path: ArtifactPath, target: Path) -> None:
        super().get_file(self.decoded(path), target)

    def decoded(self, path: ArtifactPath) -> ArtifactPath:
        return ArtifactPath(tuple(unquote(segment) for segment in path.segments))


caught_by("test_odd_names_survive_and_are_listed_as_they_were_given")(DecodesNames)
caught_by("test_names_that_differ_only_after_decoding_are_two_files")(DecodesNames)


@caught_by("test_getting_what_is_no_file_is_not_found")
class GivesEmptyFilesForMissingOnes(Correct):
    def get_file(self, path: ArtifactPath, target: Path) -> None:
        try:
            super().get_file(path, target)
        except ArtifactNotFound:
            target.write_bytes(b"")


@caught_by("test_getting_what_is_no_file_is_not_found")
class TouchesTheTargetFirst(Correct):
    def get_file(self, path: ArtifactPath, target: Path) -> None:
        target.touch()
        super().get_file(path, target)


@caught_by("test_getting_the_root_is_not_found")
class GivesAListingForTheRoot(Correct):
    def get_file(self, path: ArtifactPath, target: Path) -> None:
        if path.is_root:
            target.write_text(str(self.list()))
        else:
            super().get_file(path, target)


@caught_by("test_putting_a_local_file_that_is_not_there_changes_nothing")
class MakesTheFileBeforeItReadsTheSource(Correct):
    def put_file(self, source: Path, path: ArtifactPath) -> None:
        self.store(path, b"")
        super().put_file(source, path)


@caught_by("test_a_file_cannot_be_put_at_the_root")
class InventsANameAtTheRoot(Correct):
    def put_file(self, source: Path, path: ArtifactPath) -> None:
        super().put_file(source, ArtifactPath((source.name,)) if path.is_root else path)


class StoresWhereverItIsTold(Correct):
    def put_file(self, source: Path, path: ArtifactPath) -> None:
        self.store(path, source.read_bytes())


caught_by("test_a_file_cannot_be_put_through_a_file")(StoresWhereverItIsTold)
caught_by("test_a_file_cannot_take_the_place_of_a_folder")(StoresWhereverItIsTold)


class ListsWholeTrees(Correct):
    def list(self, path: ArtifactPath = ROOT) -> Any:
        below = [segments for segments in self.files if segments[: len(path.segments)] == path.segments and segments != path.segments]
        return sorted(FileInfo("/".join(segments), False, len(self.files[segments])) for segments in below)


caught_by("test_a_listing_holds_direct_children_sorted_with_paths_from_the_root")(ListsWholeTrees)


@caught_by("test_a_listing_holds_direct_children_sorted_with_paths_from_the_root")
class ListsBaseNames(Correct):
    def list(self, path: ArtifactPath = ROOT) -> Any:
        return [FileInfo(info.path.rpartition("/")[2], info.is_dir, info.file_size) for info in super().list(path)]


@caught_by("test_a_listing_holds_direct_children_sorted_with_paths_from_the_root")
class ListsInOrderOfArrival(Correct):
    def list(self, path: ArtifactPath = ROOT) -> Any:
        return super().list(path)[::-1]


@caught_by("test_listing_a_file_or_nothing_gives_an_empty_list")
class ListsAFileAsItself(Correct):
    def list(self, path: ArtifactPath = ROOT) -> Any:
        return [FileInfo(str(path), False, 1)] if self.is_file(path) else super().list(path)


@caught_by("test_listing_a_file_or_nothing_gives_an_empty_list")
class RaisesForMissingFolders(Correct):
    def list(self, path: ArtifactPath = ROOT) -> Any:
        found = super().list(path)
        if not found and not path.is_root:
            raise ArtifactNotFound(str(path))
        return found


@caught_by("test_a_folder_is_not_confused_with_one_whose_name_begins_like_it")
class ComparesPathsAsText(Correct):
    def delete(self, path: ArtifactPath) -> None:
        super().delete(path)
        for segments in [segments for segments in self.files if "/".join(segments).startswith(str(path))]:
            del self.files[segments]


@caught_by("test_only_files_are_files")
class TakesFoldersForFiles(Correct):
    def is_file(self, path: ArtifactPath) -> bool:
        return super().is_file(path) or bool(self.list(path))


@caught_by("test_a_folder_of_many_files_is_listed_whole")
class ListsOnePage(Correct):
    def list(self, path: ArtifactPath = ROOT) -> Any:
        return super().list(path)[:1000]


@caught_by("test_a_deleted_file_is_gone_and_its_neighbours_stay")
class DeletesNothing(Correct):
    def delete(self, path: ArtifactPath) -> None:
        if path.is_root:
            raise InvalidPath("root")


@caught_by("test_a_deleted_file_is_gone_and_its_neighbours_stay")
class DeletesTheFolderOfAFile(Correct):
    def delete(self, path: ArtifactPath) -> None:
        super().delete(path.parent if len(path.segments) > 1 else path)


@caught_by("test_a_deleted_folder_is_gone_with_all_that_was_in_it")
class DeletesOneLevel(Correct):
    def delete(self, path: ArtifactPath) -> None:
        for info in self.list(path):
            if not info.is_dir:
                super().delete(ArtifactPath.parse(info.path))
        if self.is_file(path) or path.is_root:
            super().delete(path)


@caught_by("test_deleting_what_is_not_there_changes_nothing")
class RaisesWhenNothingIsDeleted(Correct):
    def delete(self, path: ArtifactPath) -> None:
        if not self.is_file(path) and not self.list(path):
            raise ArtifactNotFound(str(path))
        super().delete(path)


@caught_by("test_the_root_cannot_be_deleted")
class DeletesItsRoot(Correct):
    def delete(self, path: ArtifactPath) -> None:
        if path.is_root:
            self.files.clear()
        else:
            super().delete(path)


@caught_by("test_a_deleted_path_can_be_put_again")
class RemembersDeletedPaths(Correct):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.deleted: set[ArtifactPath] = set()

    def delete(self, path: ArtifactPath) -> None:
        super().delete(path)
        self.deleted.add(path)

    def put_file(self, source: Path, path: ArtifactPath) -> None:
        if path in self.deleted:
            raise InvalidPath(f"{path} was deleted")
        super().put_file(source, path)


@caught_by("test_a_deep_tree_goes_there_and_back")
class StopsAtSomeDepth(Correct):
    def list(self, path: ArtifactPath = ROOT) -> Any:
        return super().list(path) if len(path.segments) < 50 else []


@caught_by("test_an_upload_that_is_repeated_ends_in_the_same_content")
class ComparesSizesOnly(Correct):
    def put_file(self, source: Path, path: ArtifactPath) -> None:
        there = self.files.get(path.segments)
        if there is None or not source.is_file() or len(there) != source.stat().st_size:
            super().put_file(source, path)


@caught_by("test_writers_of_one_path_leave_the_whole_content_of_one_of_them")
class MixesWriters(Correct):
    """Two writers at once share one temporary file; from then on its content is of neither."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.inside, self.mixed = 0, False

    def put_file(self, source: Path, path: ArtifactPath) -> None:
        self.inside += 1
        os.sched_yield()
        self.mixed = self.mixed or self.inside > 1
        super().put_file(source, path)
        if self.mixed:
            with self.guard:
                self.store(path, self.files[path.segments][: 50_000 + self.inside])
        os.sched_yield()
        self.inside -= 1


@caught_by("test_writers_of_many_paths_lose_nothing")
class LosesWritesAtTheSameTime(Correct):
    """Reads its index, adds one entry and writes it back, without a lock."""

    def put_file(self, source: Path, path: ArtifactPath) -> None:
        index = dict(self.files)
        for _ in range(3):
            os.sched_yield()
        self.files = {**index, path.segments: source.read_bytes()}
        self.digests[path.segments] = hashlib.sha256(self.files[path.segments]).hexdigest()


@caught_by("test_a_digest_is_the_sha256_of_the_bytes_or_not_told")
class TellsAnotherDigest(Correct):
    def digest(self, path: ArtifactPath) -> str | None:
        return hashlib.md5(self.files[path.segments]).hexdigest()


@caught_by("test_a_digest_is_the_sha256_of_the_bytes_or_not_told")
class TellsTheFirstDigest(Correct):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.first: dict[ArtifactPath, str | None] = {}

    def digest(self, path: ArtifactPath) -> str | None:
        return self.first.setdefault(path, super().digest(path))


@caught_by("test_a_digest_is_the_sha256_of_the_bytes_or_not_told")
class ClaimsDigestsAndTellsNone(Correct):
    def digest(self, path: ArtifactPath) -> str | None:
        return None


@caught_by("test_damaged_bytes_are_not_handed_out")
class ChecksNothing(Correct):
    def check(self, path: ArtifactPath) -> None:
        pass


@caught_by("test_damaged_bytes_are_not_handed_out")
class ChecksAfterWritingTheTarget(Correct):
    def get_file(self, path: ArtifactPath, target: Path) -> None:
        MemoryArtifactRepo.get_file(self, path, target)
        self.check(path)


@caught_by("test_a_file_that_comes_in_pieces_is_there_when_it_is_whole")
class KeepsTheFirstPiece(Correct):
    def begin_put(self, path: ArtifactPath) -> Incoming:
        class OnePiece(Staged):
            is_begun = False

            def write(self, piece: bytes) -> None:
                if not self.is_begun:
                    super().write(piece)
                self.is_begun = True

        return OnePiece(lambda file: self.put_file(file, path))


@caught_by("test_a_file_that_comes_in_pieces_and_is_dropped_leaves_what_was_there")
class KeepsWhatIsDropped(Correct):
    def begin_put(self, path: ArtifactPath) -> Incoming:
        class Kept(Staged):
            def drop(self) -> None:
                if not self._file.closed:
                    self.finish()
                super().drop()

        return Kept(lambda file: self.put_file(file, path))


@caught_by("test_an_opened_file_is_read_from_any_byte_on")
class OpensOnePiece(Correct):
    def open_file(self, path: ArtifactPath) -> OpenArtifact:
        class OnePiece(FileOnDisk):
            def read(self, at: int, count: int) -> bytes:
                return super().read(0, count)

        with super().open_file(path) as opened:
            assert isinstance(opened, FileOnDisk)
            assert opened._descriptor is not None
            return OnePiece(os.dup(opened._descriptor))


@caught_by("test_uploads_in_parts_and_signed_downloads_are_refused_where_they_are_not_declared")
class BeginsUploadsItDoesNotDeclare(Correct):
    def start_parts(self, path: ArtifactPath, count: int) -> PartedUpload:
        return PartedUpload("id", ())


@caught_by("test_a_local_path_leads_to_the_bytes_where_there_is_one")
class PointsElsewhere(Correct):
    def local_path(self, path: ArtifactPath = ROOT) -> Path | None:
        return self.folder / "nowhere"


@BROKEN.each()
def test_a_broken_repository_is_caught_by_the_named_test(kind: type[Correct], test: str, tmp_path: Path) -> None:
    caught = 0
    for number, given in enumerate(given_to(test)):
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            run(test, kind(folder), folder, given)
        except (Exception, pytest.fail.Exception):
            caught += 1
    assert caught


def test_every_test_of_the_kit_catches_something() -> None:
    assert promises_of(ArtifactRepoKit) == BROKEN.tests


def test_leaving_out_a_test_that_does_not_exist_is_noticed() -> None:
    check_mistyped_names_are_noticed(TestCorrect)


def given_to(test: str) -> Iterator[dict[str, str]]:
    """The arguments that the test is parametrized with, one dict for each run."""
    marks = [mark for mark in getattr(getattr(ArtifactRepoKit, test), "pytestmark", []) if mark.name == "parametrize"]
    if not marks:
        yield {}
    for mark in marks:
        yield from ({mark.args[0]: value} for value in mark.args[1])


def run(test: str, repo: ArtifactRepo, folder: Path, given: dict[str, str]) -> None:
    known: dict[str, Any] = {"repo": repo, "tmp_path": folder, "damage": damage, **given}
    call(TestCorrect, test, **known)
