"""Reading one writer's journal from a position on: the frames that are there, and how the reading ended.

Whether the writer lives is `adoption`'s affair; what the frames amount to is `folding`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from attrs import frozen

from drupe.errors import StoreCorrupt
from drupe.tracking.journal import layout
from drupe.tracking.journal.layout import FrameKind

__all__ = ["Cursor", "Ending", "Frame", "Stretch", "frames_in", "read_header", "writers_in"]

BLOCK = 1 << 20
SHORTEST_RUN, LONGEST_RUN = 8, 8192  # METRIC frames that are tried at once: few where other kinds stand in between

Frame = tuple[int, "memoryview | layout.MetricRun"]
"""A kind, and its payload; METRIC frames that follow each other come as one."""


class Ending(Enum):
    """What lies behind the last sound frame of a file."""

    CLEAN = "nothing"
    TORN = "a frame that was being written when its writer died, and nothing behind it"
    DAMAGED = "bytes that are no frame, with sound frames behind them"


@frozen
class Stretch:
    """Frames that follow each other: kind and payload each, from position `start` up to `end`. `keys` holds the names that numbers stand for."""

    start: int
    end: int
    frames: Sequence[Frame]
    keys: dict[int, str]


class Cursor:
    """A place in the journal of one writer. `position` is where the next stretch begins: where the last one ended, headers or not."""

    def __init__(self, files: Sequence[Path], *, position: int = 0) -> None:
        self.files = list(files)
        self.position = position
        self._place = 0  # in `files`
        self._at = 0
        self._base = 0
        self._keys: dict[int, str] = {}
        self._is_opened = self._has_begun = False

    def read(self, *, end: int | None = None, limit: int | None = None) -> Stretch | None:
        """The next frames, of about `limit` bytes (1 MB); None when there are no more. A living writer's are read up to position `end` only.

        Raises StoreCorrupt when the file is not a journal, or a part of it is missing or damaged.
        """
        while self._place < len(self.files):
            if not self._is_opened:
                self._open()
            found = self._read_here(end, limit or BLOCK)
            if found is not None:
                return found
            if self._place + 1 >= len(self.files):
                return None
            self._check_end_of_file()
            self._place, self._is_opened = self._place + 1, False
        return None

    @property
    def seen(self) -> int:
        """Up to where the journal was read; beyond `position` there are then no frames that do anything, only headers and names."""
        return self._base + self._at

    def forget_done(self) -> list[Path]:
        """Those files that were read to their end and are followed by another; they are not looked at again."""
        done, self.files = self.files[: self._place], self.files[self._place :]
        self._place = 0
        return done

    @property
    def begins_at(self) -> int:
        """The position of the first byte of the first file. Raises StoreCorrupt."""
        return int(read_header(self.files[0])["base"]) if self.files else 0

    def ending(self) -> Ending:
        """What lies behind the last frame of the last file, when all of it has been read."""
        rest = _bytes_of(self.files[self._place])[self._at :]
        if not rest.strip(b"\x00"):
            return Ending.CLEAN
        return Ending.TORN if layout.find_frame(rest, 0) is None else Ending.DAMAGED

    def _open(self) -> None:
        path = self.files[self._place]
        told = read_header(path)
        base, behind = int(told["base"]), self._base + self._at
        if self._has_begun and base != behind:
            raise StoreCorrupt(
                f"{path}: this journal begins at position {base}, the one before it ends at {behind}: a part is missing. "
                "`drupe store repair` keeps what is readable",
                path=str(path),
            )
        if not self._has_begun:
            self.position = max(self.position, base)
        self._base, self._at, self._keys = base, 0, {}
        self._is_opened = self._has_begun = True

    def _read_here(self, end: int | None, limit: int) -> Stretch | None:
        """The next frames of the file at hand, those before `position` passed over."""
        room = None if end is None else end - self._base
        frames: list[Frame] = []
        while not frames:
            with self.files[self._place].open("rb") as opened:
                opened.seek(self._at)
                block = opened.read(limit if room is None else max(0, min(limit, room - self._at)))
            begun = self._at
            done = self._take(memoryview(block), frames)
            if not done and len(block) >= layout.LEAD.size:  # one frame may be larger than a block
                (length,) = layout.CRC.unpack_from(block)
                if limit < length <= layout.LONGEST and self.files[self._place].stat().st_size >= self._at + length:
                    return self._read_here(end, length + 2 * layout.CRC.size)
            if self._at == begun:
                return None
        start, self.position = self.position, self._base + self._at
        return Stretch(start, self.position, frames, self._keys)

    def _take(self, block: memoryview, frames: list[Frame]) -> int:
        """Collect the sound frames at the beginning of a block; how many there were."""
        at, count, most = 0, 0, SHORTEST_RUN
        lead, passed = layout.LEAD, self.position - self._base - self._at
        while True:
            run = layout.metric_run(block, at, most) if at >= passed else None
            if run is not None and len(run.keys) > 1:
                frames.append((FrameKind.METRIC, run))
                at += len(run.keys) * layout.METRIC_BYTES
                count += len(run.keys)
                most = min(most * 2, LONGEST_RUN) if len(run.keys) == most else SHORTEST_RUN
                continue
            stop = layout.end_of_frame(block, at)
            if not stop:
                break
            kind = block[at + lead.size - 1]
            payload = block[at + lead.size : stop - layout.CRC.size]
            if kind == FrameKind.KEY:
                self._keys[layout.KEY.unpack_from(payload)[0]] = str(payload[layout.KEY.size :], "utf-8")
            elif kind != FrameKind.HEADER and at >= passed:
                frames.append((kind, payload))
            at = stop
            count += 1
        self._at += at
        return count

    def _check_end_of_file(self) -> None:
        path = self.files[self._place]
        if self._at < path.stat().st_size and _bytes_of(path)[self._at :].strip(b"\x00"):
            raise StoreCorrupt(
                f"{path}: the journal is damaged at byte {self._at}, and goes on behind that. `drupe store repair` keeps what is readable",
                path=str(path),
                byte=self._at,
            )


def read_header(path: Path) -> dict[str, Any]:
    """What the first frame of a file says. Raises StoreCorrupt."""
    try:
        with path.open("rb") as opened:
            block = opened.read(1 << 16)
        stop = layout.end_of_frame(block, 0)
        if not stop or block[layout.LEAD.size - 1] != FrameKind.HEADER:
            raise ValueError("its first frame is no header")
        return dict(layout.header_of(memoryview(block)[layout.LEAD.size : stop - layout.CRC.size]))
    except (OSError, ValueError) as fault:
        raise StoreCorrupt(f"{path}: this is not a journal that can be read: {fault}", path=str(path)) from fault


def writers_in(folder: Path) -> dict[str, list[Path]]:
    """The files of each writer in a run's folder, in order; nothing for a folder that is not there."""
    found: dict[str, list[Path]] = {}
    try:
        names = sorted(path.name for path in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    for name in names:
        writer, _, number = name.removesuffix(layout.SUFFIX).partition(".")
        if name.endswith(layout.SUFFIX) and not name.startswith(".") and number.isdecimal():
            found.setdefault(writer, []).append(folder / name)
    return found


def frames_in(path: Path) -> Iterator[tuple[int, memoryview]]:
    """Every readable frame of one file, those behind damage included; for repair."""
    block = memoryview(_bytes_of(path))
    at: int | None = 0
    while at is not None and at < len(block):
        stop = layout.end_of_frame(block, at)
        if stop:
            yield block[at + layout.LEAD.size - 1], block[at + layout.LEAD.size : stop - layout.CRC.size]
            at = stop
        else:
            at = layout.find_frame(block, at + 1)


def _bytes_of(path: Path) -> bytes:
    return path.read_bytes()
