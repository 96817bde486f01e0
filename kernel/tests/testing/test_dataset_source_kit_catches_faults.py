"""Every promise of the kit for dataset sources has teeth: for each way to get it wrong, a named test of the kit fails."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from typing import Any, ClassVar, Self

import pytest

from drupe.errors import ArtifactNotFound
from drupe.extend import DatasetSource, Fetched, SourceStat
from drupe.testing.dataset_source import DatasetSourceKit
from drupe.uris import Uri

from .kit_runner import Faults, call, check_mistyped_names_are_noticed, promises_of


class Correct(DatasetSource):
    """Files in a folder; the broken ones below differ from it in one thing each."""

    def __init__(self, place: Path) -> None:
        self.place, self.uri = place, Uri("folder", path=str(place))
        self.asked = 0

    @classmethod
    def open(cls, uri: Uri, settings: Any = None) -> Self:
        return cls(Path(uri.path))

    def stat(self) -> SourceStat:
        self.check()
        return SourceStat(self.place.stat().st_size)

    def check(self) -> None:
        if not self.place.is_file():
            raise ArtifactNotFound(f"no file {self.place}")

    def download(self, target: Path, progress: Fetched | None = None) -> None:
        self.check()
        partial = target.with_name(token_hex(4))
        try:
            content = self.content()
            partial.write_bytes(content)
            if progress:
                self.tell(progress, len(content))
            os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)

    def content(self) -> bytes:
        return self.place.read_bytes()

    def tell(self, progress: Fetched, size: int) -> None:
        progress(size // 2, size)
        progress(size, size)


class TestCorrect(DatasetSourceKit):
    big_bytes = 1_000_000
    kind: ClassVar[type[Correct]] = Correct

    @pytest.fixture
    def publish(self, tmp_path: Path) -> Callable[[str, bytes], DatasetSource]:
        return publisher(self.kind, tmp_path)

    @pytest.fixture
    def nothing(self, tmp_path: Path) -> DatasetSource:
        return self.kind(tmp_path / "missing")


def publisher(kind: type[Correct], folder: Path) -> Callable[[str, bytes], DatasetSource]:
    published = folder / "published"
    published.mkdir(exist_ok=True)

    def put(name: str, content: bytes) -> DatasetSource:
        (published / name).write_bytes(content)
        return kind(published / name)

    return put


BROKEN = Faults()
caught_by = BROKEN.caught_by


@caught_by("test_a_file_comes_byte_for_byte")
class TranslatesLineEnds(Correct):
    def content(self) -> bytes:
        return super().content().replace(b"\r\n", b"\n")


@caught_by("test_an_empty_file_is_a_file")
class TakesEmptyForMissing(Correct):
    def check(self) -> None:
        super().check()
        if not self.place.stat().st_size:
            raise ArtifactNotFound("nothing in it")


@caught_by("test_a_big_file_comes_byte_for_byte_and_says_how_far_it_is")
class CutsBigFiles(Correct):
    def content(self) -> bytes:
        return super().content()[:500_000]


@caught_by("test_a_big_file_comes_byte_for_byte_and_says_how_far_it_is")
class SaysThePieceAndNotTheSum(Correct):
    def tell(self, progress: Fetched, size: int) -> None:
        progress(size - size // 2, size)
        progress(size // 2, size)


@caught_by("test_its_size_is_told_without_fetching_it_or_not_at_all")
class TellsBlocks(Correct):
    def stat(self) -> SourceStat:
        self.check()
        return SourceStat(512)


@caught_by("test_looking_twice_at_the_same_content_tells_the_same")
class TellsTheTimeOfAsking(Correct):
    def stat(self) -> SourceStat:
        self.asked += 1
        return SourceStat(super().stat().size_bytes, self.asked)


@caught_by("test_changed_content_shows_where_anything_is_told")
class TellsOnlyItsName(Correct):
    def stat(self) -> SourceStat:
        self.check()
        return SourceStat(version=self.place.name)


@caught_by("test_the_target_is_replaced_whole")
class WritesOverWithoutCutting(Correct):
    def download(self, target: Path, progress: Fetched | None = None) -> None:
        with target.open("r+b" if target.exists() else "wb") as opened:
            opened.write(self.content())


@caught_by("test_what_is_fetched_is_what_is_there_now")
class RemembersTheFirst(Correct):
    kept: bytes | None = None

    def content(self) -> bytes:
        self.kept = self.kept or super().content()
        return self.kept


@caught_by("test_nothing_lies_beside_the_target")
class LeavesItsPartialFile(Correct):
    def download(self, target: Path, progress: Fetched | None = None) -> None:
        super().download(target, progress)
        target.with_name("partial").touch()


@caught_by("test_a_file_that_is_not_there_is_not_found_and_the_target_stays")
class EmptiesTheTargetFirst(Correct):
    def download(self, target: Path, progress: Fetched | None = None) -> None:
        target.write_bytes(b"")
        super().download(target, progress)


@caught_by("test_a_file_that_is_not_there_is_not_found_and_the_target_stays")
class LeaksTheSystemsErrors(Correct):
    def check(self) -> None:
        self.place.stat()


@caught_by("test_a_local_path_leads_to_the_bytes_where_there_is_one")
class PointsElsewhere(Correct):
    def local_path(self) -> Path:
        return self.place.parent


@caught_by("test_fetching_leaves_the_original_as_it_is")
class LinksInsteadOfCopying(Correct):
    def download(self, target: Path, progress: Fetched | None = None) -> None:
        self.check()
        target.unlink(missing_ok=True)
        os.link(self.place, target)


@caught_by("test_several_threads_fetch_at_once")
class ServesOneAtATime(Correct):
    def download(self, target: Path, progress: Fetched | None = None) -> None:
        self.asked += 1
        if self.asked > 1:
            raise ArtifactNotFound("busy")
        super().download(target, progress)


@caught_by("test_a_break_in_progress_leaves_no_file")
class LeavesHalfAFile(Correct):
    def download(self, target: Path, progress: Fetched | None = None) -> None:
        target.write_bytes(self.content())
        if progress:
            self.tell(progress, 1)


@BROKEN.each()
def test_a_broken_source_is_caught_by_the_named_test(kind: type[Correct], test: str, tmp_path: Path) -> None:
    known = {"publish": publisher(kind, tmp_path), "nothing": kind(tmp_path / "missing"), "tmp_path": tmp_path}
    with pytest.raises((Exception, pytest.fail.Exception)):
        call(TestCorrect, test, **known)


def test_every_test_of_the_kit_catches_something() -> None:
    assert promises_of(DatasetSourceKit) == BROKEN.tests


def test_leaving_out_a_test_that_does_not_exist_is_noticed() -> None:
    check_mistyped_names_are_noticed(TestCorrect)
