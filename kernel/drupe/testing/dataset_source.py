"""The conformance kit of dataset sources: what every implementation of `drupe.extend.DatasetSource` must do.

A plugin's test module subclasses the kit and says how bytes come to an address; nothing else is needed:

    class TestMySource(DatasetSourceKit):
        @pytest.fixture
        def publish(self, server):
            def put(name, content):
                server.put(name, content)
                return MySource.open(Uri.parse(f"myscheme://{server.host}/{name}"))

            return put

        @pytest.fixture
        def nothing(self, server):
            return MySource.open(Uri.parse(f"myscheme://{server.host}/missing"))

How a source stays safe on its own network (redirects, limits, broken connections) is for the plugin's own tests.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import ClassVar

import pytest

from drupe.errors import ArtifactNotFound
from drupe.extend import DatasetSource, SourceStat
from drupe.testing.kit import in_threads

__all__ = ["DatasetSourceKit"]

Publish = Callable[[str, bytes], DatasetSource]


class DatasetSourceKit:
    """Subclass it as `Test…` and override the fixtures `publish` and `nothing`.

    `cannot` names tests that this source does not pass, each with the reason; they are skipped and the reason shown.
    """

    cannot: ClassVar[Mapping[str, str]] = {}
    big_bytes: ClassVar[int] = 20_000_000

    @pytest.fixture
    def publish(self) -> Publish:
        """A function (name, content) that puts bytes where the source finds them, replacing what was there, and opens the source."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture `publish` that gives a function (name, content) → source")

    @pytest.fixture
    def nothing(self) -> DatasetSource:
        """An opened source at an address where there is no file."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture `nothing` that gives a source without a file")

    @pytest.fixture(autouse=True)
    def _leave_out_what_the_source_cannot(self, request: pytest.FixtureRequest) -> None:
        reason = self.cannot.get(getattr(request.function, "__name__", ""))
        if reason:
            pytest.skip(reason)

    def test_what_is_left_out_are_tests_of_this_kit(self) -> None:
        assert [name for name in self.cannot if not callable(getattr(self, name, None))] == []

    def test_a_file_comes_byte_for_byte(self, publish: Publish, tmp_path: Path) -> None:
        content = bytes(range(256)) + b"\r\n\x00end"
        publish("data.csv", content).download(tmp_path / "target")
        assert (tmp_path / "target").read_bytes() == content

    def test_an_empty_file_is_a_file(self, publish: Publish, tmp_path: Path) -> None:
        source = publish("empty.csv", b"")
        source.download(tmp_path / "target")
        assert (tmp_path / "target").read_bytes() == b""
        assert source.stat().size_bytes in (0, None)

    def test_a_big_file_comes_byte_for_byte_and_says_how_far_it_is(self, publish: Publish, tmp_path: Path) -> None:
        content = Random(7).randbytes(self.big_bytes)
        told: list[tuple[int, int | None]] = []
        publish("big.bin", content).download(tmp_path / "target", lambda done, total: told.append((done, total)))
        assert (tmp_path / "target").read_bytes() == content
        assert [done for done, _ in told] == sorted({done for done, _ in told}), "progress goes forwards"
        assert told[-1][0] == self.big_bytes
        assert {total for _, total in told} <= {self.big_bytes, None}

    def test_its_size_is_told_without_fetching_it_or_not_at_all(self, publish: Publish) -> None:
        assert publish("data.csv", b"12345").stat().size_bytes in (5, None)

    def test_looking_twice_at_the_same_content_tells_the_same(self, publish: Publish) -> None:
        source = publish("data.csv", b"12345")
        first = source.stat()
        assert isinstance(first, SourceStat)
        assert source.stat() == first

    def test_changed_content_shows_where_anything_is_told(self, publish: Publish) -> None:
        before = publish("data.csv", b"one").stat()
        after = publish("data.csv", b"another").stat()
        assert before == SourceStat() or before != after

    def test_the_target_is_replaced_whole(self, publish: Publish, tmp_path: Path) -> None:
        target = tmp_path / "target"
        target.write_bytes(b"old and much longer")
        publish("data.csv", b"new").download(target)
        assert target.read_bytes() == b"new"

    def test_what_is_fetched_is_what_is_there_now(self, publish: Publish, tmp_path: Path) -> None:
        source = publish("data.csv", b"one")
        source.download(tmp_path / "first")
        publish("data.csv", b"another")
        source.download(tmp_path / "second")
        assert (tmp_path / "second").read_bytes() == b"another"

    def test_nothing_lies_beside_the_target(self, publish: Publish, nothing: DatasetSource, tmp_path: Path) -> None:
        folder = tmp_path / "folder"
        folder.mkdir()
        publish("data.csv", b"x").download(folder / "a")
        with pytest.raises(ArtifactNotFound):
            nothing.download(folder / "b")
        assert os.listdir(folder) == ["a"]

    def test_a_file_that_is_not_there_is_not_found_and_the_target_stays(self, nothing: DatasetSource, tmp_path: Path) -> None:
        (tmp_path / "target").write_bytes(b"mine")
        with pytest.raises(ArtifactNotFound):
            nothing.stat()
        with pytest.raises(ArtifactNotFound):
            nothing.download(tmp_path / "target")
        assert (tmp_path / "target").read_bytes() == b"mine"

    def test_a_local_path_leads_to_the_bytes_where_there_is_one(self, publish: Publish) -> None:
        place = publish("data.csv", b"here").local_path()
        assert place is None or place.read_bytes() == b"here"

    def test_fetching_leaves_the_original_as_it_is(self, publish: Publish, tmp_path: Path) -> None:
        source = publish("data.csv", b"mine")
        source.download(tmp_path / "first")
        (tmp_path / "first").write_bytes(b"changed")
        source.download(tmp_path / "second")
        assert (tmp_path / "second").read_bytes() == b"mine"

    def test_several_threads_fetch_at_once(self, publish: Publish, tmp_path: Path) -> None:
        source = publish("data.csv", b"x" * 100_000)
        targets = [tmp_path / str(number) for number in range(6)]
        assert in_threads([partial(source.download, target) for target in targets]) == []
        assert {target.read_bytes() for target in targets} == {b"x" * 100_000}

    def test_a_break_in_progress_leaves_no_file(self, publish: Publish, tmp_path: Path) -> None:
        folder = tmp_path / "folder"
        folder.mkdir()

        def stop(done: int, total: int | None) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            publish("data.csv", b"x" * 100_000).download(folder / "target", stop)
        assert os.listdir(folder) == []
