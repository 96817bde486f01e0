"""Reading the console log of a run, also while it grows: from the run's own folder where it runs on this machine, else from its artifacts."""

from __future__ import annotations

import heapq
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from attrs import frozen

from drupe.errors import ArtifactNotFound, DrupeError
from drupe.extend import ArtifactRepo
from drupe.tracking.console.parts import FOLDER, sequence_of, split_line
from drupe.tracking.journal.places import STAGED
from drupe.uris import ArtifactPath

__all__ = ["ConsoleLine", "ConsoleLog"]

POLL_S = 0.5
ASK_S = 5.0  # between looks at artifacts, which may be far away


@frozen
class ConsoleLine:
    """One line as it was printed: `time` is UTC in ISO 8601, `stream` stdout, stderr, or terminal where both led to one terminal.

    `is_whole` False is a piece of a long line that goes on in the next one of its stream.
    """

    time: str
    stream: str
    text: str
    is_whole: bool = True


class ConsoleLog:
    """The log of one run. `folder` is the run's own on this machine, which may not exist; `open_repo` gives its artifacts."""

    def __init__(self, folder: Path, open_repo: Callable[[], ArtifactRepo]) -> None:
        self._folders, self._open_repo = (folder / FOLDER, folder / STAGED / FOLDER), open_repo
        self._repo: ArtifactRepo | None = None
        self._read: dict[str, int] = {}  # how many bytes of each part were read
        self._copies = tempfile.TemporaryDirectory(prefix="drupe-")

    def lines(self) -> Iterator[ConsoleLine]:
        """What was printed since the last call, oldest first."""
        parts = self._parts()
        sequences: dict[str, list[str]] = {}
        for name in sorted(parts, key=lambda name: sequence_of(name) or ("", 0)):
            sequences.setdefault((sequence_of(name) or ("", 0))[0], []).append(name)
        streams = [self._sequence(names, parts) for names in sequences.values()]
        return heapq.merge(*streams, key=lambda line: line.time) if len(streams) > 1 else (line for stream in streams for line in stream)

    def follow(self, has_ended: Callable[[], bool]) -> Iterator[ConsoleLine]:
        """What was printed and what will be, until `has_ended()`, which is asked about once a second."""
        asked, is_over = 0.0, False
        while True:
            yield from self.lines()
            if is_over:
                return
            if time.monotonic() - asked >= 2 * POLL_S:
                is_over, asked = has_ended(), time.monotonic()
            if not is_over:  # else: once more, for what was printed last
                time.sleep(POLL_S if self._repo is None else ASK_S)

    def close(self) -> None:
        """Delete copies of parts that lie elsewhere."""
        self._copies.cleanup()

    def _parts(self) -> dict[str, Path | None]:
        """The names of the parts with where they lie on this machine; None for those that have to be fetched."""
        there = [path for folder in self._folders for path in folder.glob("console*.log")]
        found: dict[str, Path | None] = {path.name: path for path in there if sequence_of(path.name)}
        if not found or self._repo is not None:
            self._repo = self._repo or self._open_repo()
            for info in self._repo.list(ArtifactPath((FOLDER,))):
                name = info.path.rpartition("/")[2]
                if sequence_of(name) and name not in found and (info.file_size is None or info.file_size > self._read.get(name, 0)):
                    found[name] = self._repo.local_path(ArtifactPath((FOLDER, name)))
        return found

    def _sequence(self, names: list[str], parts: dict[str, Path | None]) -> Iterator[ConsoleLine]:
        for name in names:
            for text in self._new_text(name, parts[name]).split("\n"):
                found = split_line(text)
                if found is not None:
                    at, stream, is_whole, said = found
                    yield ConsoleLine(at, stream, said, is_whole)

    def _new_text(self, name: str, place: Path | None) -> str:
        content = None if place is None else self._new_bytes(name, place)
        if content is None:
            content = self._bytes_elsewhere(name, was_here=place is not None)
        whole = content[: content.rfind(b"\n") + 1]  # the rest is being written
        self._read[name] = self._read.get(name, 0) + len(whole)
        return whole.decode("utf-8", "replace")

    def _new_bytes(self, name: str, place: Path) -> bytes | None:
        """What has come since it was read; None where it is not."""
        try:
            with place.open("rb") as part:
                part.seek(self._read.get(name, 0))
                return part.read()
        except FileNotFoundError:
            return None
        except OSError:  # it is another user's
            return b""

    def _bytes_elsewhere(self, name: str, *, was_here: bool) -> bytes:
        """The same of a part that is among the artifacts, be it for a moment: once the run is over nobody looks again."""
        for folder in self._folders if was_here else ():
            content = self._new_bytes(name, folder / name)
            if content is not None:
                return content
        copy = Path(self._copies.name) / name
        try:
            self._repo = self._repo or self._open_repo()
            self._repo.get_file(ArtifactPath((FOLDER, name)), copy)
        except (OSError, ArtifactNotFound):  # it was dropped a moment ago
            return b""
        except DrupeError:
            if not was_here:
                raise
            return b""
        return self._new_bytes(name, copy) or b""
