"""The console log of a run for its page, piece by piece: what is there now, and from then on what is new.

A run on this machine is followed in its own folder; others bring theirs to the artifacts every quarter of a minute. The page holds the
position, so that nothing is kept here between two requests.
"""

from __future__ import annotations

import contextlib
import heapq
import os
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from drupe.entities import RunStatus
from drupe.errors import ArtifactNotFound, DrupeError, InvalidUri, InvalidValue
from drupe.extend import FileOnDisk, OpenArtifact, ServedStore, WebReply, WebRequest, WebRoute
from drupe.tracking.console.parts import FOLDER, sequence_of, split_line
from drupe.tracking.journal.places import STAGED, run_folder
from drupe.uris import ArtifactPath
from drupe_ui_web.replies import json_reply, needed_text

__all__ = ["Part", "RunLog"]

TAIL_BYTES = 512 << 10
PIECE_BYTES = 2 << 20
POSITION_MAX = 4000
Line = tuple[str, str, bool, str]
"""Time, stream, whether it ends here, and text."""
_PLACES = 64  # parts of one run that a position may name


@frozen
class Part:
    """One file of a log and how to open it; `size` is what it has now."""

    name: str
    size: int
    place: Path | None


class RunLog:
    """The route of console logs."""

    def __init__(self, store: ServedStore) -> None:
        self._store = store

    def routes(self, root: str) -> Sequence[WebRoute]:
        """The routes, below `root`."""
        return [WebRoute("GET", f"{root}/log", self.log)]

    def log(self, request: WebRequest) -> WebReply:
        """Lines after `position`, or the last of all without one, and the position that they end at.

        `is_cut` says that there are earlier lines, `has_more` that there are more right now, `is_over` that the run has ended.
        """
        run = self._store.tracking.get_run(needed_text(request, "run_id"))
        asked = request.query.get("position", "")
        at, is_cut = _position(asked), False
        is_over = run.info.status is not RunStatus.RUNNING  # asked first: what is printed last is read in any case
        parts = self._parts(run.info.run_id, run.info.artifact_uri, is_over=is_over)
        if not asked:
            at, is_cut = _tail(parts)
        lines, has_more = self._new_lines(run.info.artifact_uri, parts, at, begins_inside=not asked)
        form = {
            "lines": lines,
            "position": ";".join(f"{name}:{count}" for name, count in at.items()),
            "is_cut": is_cut,
            "has_more": has_more,
            "is_over": is_over,
            "bytes": sum(part.size for part in parts),
            "files": [part.name for part in parts],
        }
        return json_reply(form)

    def _new_lines(self, artifact_uri: str, parts: Sequence[Part], at: dict[str, int], *, begins_inside: bool) -> tuple[list[Line], bool]:
        """Whole lines from a position on, which is moved along, and whether there were more than a piece has room for."""
        sequences: dict[str, list[Line]] = {}
        left, has_more = PIECE_BYTES, False
        for part in parts:
            start = at.get(part.name, 0)
            if part.size <= start:
                continue
            content = self._read(artifact_uri, part, start, min(part.size - start, left)) if left else b""
            has_more |= part.size - start > left
            whole = content[: content.rfind(b"\n") + 1]  # the rest is being written
            if len(content) == PIECE_BYTES:
                whole = whole or content  # one line, longer than any that is written: what follows of it is none
            at[part.name] = start + len(whole)
            left -= len(content)
            shown = whole.partition(b"\n")[2] if begins_inside and start else whole
            lines = sequences.setdefault((sequence_of(part.name) or ("", 0))[0], [])
            lines += [found for text in shown.decode("utf-8", "replace").split("\n") if (found := split_line(text)) is not None]
        return list(heapq.merge(*sequences.values(), key=lambda line: line[0])), has_more  # several processes may write one run

    def _parts(self, run_id: str, artifact_uri: str, *, is_over: bool) -> list[Part]:
        """All parts, in the order in which they were begun."""
        found: dict[str, Part] = {}
        try:
            folder = run_folder(self._store.address, run_id)
        except InvalidUri:  # an address that only people are told
            folder = None
        for place in () if folder is None else (folder / FOLDER, folder / STAGED / FOLDER):
            for path in place.glob("console*.log"):
                if sequence_of(path.name):
                    with contextlib.suppress(OSError):  # it went to the artifacts a moment ago
                        found.setdefault(path.name, Part(path.name, path.stat().st_size, path))
        try:
            if is_over or not found:  # at the end all are put to the artifacts, and then leave the folder one by one
                for part in self._among_artifacts(artifact_uri):
                    found.setdefault(part.name, part)
        except DrupeError:  # they cannot be asked, and what is here may be all there is
            if not found:
                raise
        return sorted(found.values(), key=lambda part: sequence_of(part.name) or ("", 0))[-_PLACES:]

    def _among_artifacts(self, artifact_uri: str) -> list[Part]:
        repo, root = self._store.files(artifact_uri)
        there = {info.path.rpartition("/")[2]: info for info in repo.list(ArtifactPath((*root.segments, FOLDER)))}
        return [Part(name, info.file_size or 0, None) for name, info in there.items() if sequence_of(name)]

    def _read(self, artifact_uri: str, part: Part, start: int, count: int) -> bytes:
        try:
            with self._opened(artifact_uri, part) as file:
                return file.read(start, count)
        except (OSError, ArtifactNotFound):  # it is on its way, or another user's; the next question finds it if it can be found
            return b""

    def _opened(self, artifact_uri: str, part: Part) -> OpenArtifact:
        if part.place is not None:
            with contextlib.suppress(FileNotFoundError):  # it went to the artifacts a moment ago; once the run is over nobody asks again
                return FileOnDisk(os.open(part.place, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC))
        repo, root = self._store.files(artifact_uri)
        return repo.open_file(ArtifactPath((*root.segments, FOLDER, part.name)))


def _tail(parts: Sequence[Part]) -> tuple[dict[str, int], bool]:
    """Where the last lines of a log begin, and whether there are earlier ones."""
    at: dict[str, int] = {}
    left = TAIL_BYTES
    for part in reversed(parts):
        at[part.name] = max(part.size - left, 0)
        left -= part.size - at[part.name]
    return {part.name: at[part.name] for part in parts}, any(at.values())


def _position(text: str) -> dict[str, int]:
    """A position as an earlier answer told it. Raises InvalidValue."""
    found: dict[str, int] = {}
    for one in filter(None, text[:POSITION_MAX].split(";")):
        name, _, count = one.rpartition(":")
        if not sequence_of(name) or not count.isascii() or not count.isdigit() or len(count) > 15:
            raise InvalidValue("position is what an earlier answer told, or nothing for the last lines")
        found[name] = int(count)
    return found
