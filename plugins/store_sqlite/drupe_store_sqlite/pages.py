"""The pages of a database file as they lie on disk, with the write-ahead log on top, and what is wrong with the log.

For files that SQLite itself refuses: nothing here stops at damage. What the pages mean is for `records`. The format is that of
https://www.sqlite.org/fileformat2.html.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from attrs import field, frozen

__all__ = ["Log", "Pages", "read_log"]

MAGIC = b"SQLite format 3\x00"
USUAL_PAGE = 4096
LOG_HEAD, FRAME_HEAD = 32, 24
BIG, LITTLE = 0x377F0683, 0x377F0682


@frozen
class Log:
    """What a write-ahead log holds: `pages` are those of all its sound frames, the newest of each, and `faults` what SQLite would drop.

    SQLite reads up to the first frame that does not fit its sum and silently forgets the rest; frames behind it that are sound are told
    apart here by their own sums, and those of transactions that were finished are kept.
    """

    pages: dict[int, bytes] = field(factory=dict)
    faults: tuple[str, ...] = ()


class Pages:
    """Pages by their number, from 1. One that lies beyond the end of the file is missing."""

    def __init__(self, file: Path, log: Log | None = None) -> None:
        self.file = file
        content = file.read_bytes()
        head = content[:100]
        size = int.from_bytes(head[16:18], "big")
        size = 65536 if size == 1 else size
        is_sound = head.startswith(MAGIC) and size >= 512 and not size & (size - 1)
        self.size = size if is_sound else USUAL_PAGE
        self.usable = self.size - (head[20] if is_sound and head[20] <= 32 else 0)
        self._content = memoryview(content)
        self._log = log.pages if log is not None else {}
        self.count = max([-(-len(content) // self.size), *self._log])

    def __getitem__(self, number: int) -> bytes:
        """The bytes of a page; empty when it is missing, short when the file was cut inside it."""
        found = self._log.get(number)
        if found is not None:
            return found
        return bytes(self._content[(number - 1) * self.size : number * self.size])

    def free(self) -> set[int]:
        """The pages that hold nothing any more, as far as their list can be read."""
        found: set[int] = set()
        trunk = int.from_bytes(self[1][32:36], "big")
        while 1 < trunk <= self.count and trunk not in found and len(self[trunk]) == self.size:
            found.add(trunk)
            following, count = struct.unpack_from(">II", self[trunk])
            if count > self.usable // 4 - 2:
                break
            found.update(struct.unpack_from(f">{count}I", self[trunk], 8))
            trunk = following
        return found


def read_log(file: Path) -> Log:
    """The write-ahead log of this database file. To be read before SQLite opens the file, which throws away what it cannot follow."""
    try:
        content = file.with_name(file.name + "-wal").read_bytes()
    except FileNotFoundError:
        return Log()
    if len(content) < LOG_HEAD:
        return Log()
    magic, _, size, _, salts = *struct.unpack_from(">IIII", content), content[16:24]
    order = "<" if magic == LITTLE else ">"
    if magic not in (BIG, LITTLE) or _sum(content[:24], (0, 0), order) != struct.unpack_from(">II", content, 24):
        return Log({}, ("the head of the write-ahead log is damaged, so SQLite would forget all that is in it",))
    return _followed(list(_frames(content, size, salts, order)))


@frozen
class _Frame:
    page: int
    is_last: bool  # of a transaction
    content: bytes
    fits_salts: bool
    fits_sum: bool


def _frames(content: bytes, size: int, salts: bytes, order: str) -> Iterator[_Frame]:
    before = struct.unpack_from(">II", content, 24)
    for start in range(LOG_HEAD, len(content) - FRAME_HEAD - size + 1, FRAME_HEAD + size):
        page, pages_then, found_salts, *told = *struct.unpack_from(">II8s", content, start), *struct.unpack_from(">II", content, start + 16)
        image = content[start + FRAME_HEAD : start + FRAME_HEAD + size]
        fits_salts = found_salts == salts
        if not fits_salts and found_salts[:4] != salts[:4] and found_salts[4:] != salts[4:]:
            return  # left over from an earlier turn of the log
        fits = _sum(content[start : start + 8] + image, before, order) == tuple(told)
        yield _Frame(page, bool(pages_then), image, fits_salts, fits)
        before = (told[0], told[1])


def _followed(frames: list[_Frame]) -> Log:
    pages: dict[int, bytes] = {}
    pending: dict[int, bytes] = {}
    broken: int | None = None
    finished_later = 0
    for number, frame in enumerate(frames):
        is_sound = frame.fits_salts and frame.fits_sum
        if not is_sound and broken is None:
            broken = number
        if is_sound and frame.page:
            pending[frame.page] = frame.content
        if frame.is_last:
            finished_later += broken is not None
            pages |= pending
            pending = {}
    if broken is None or not finished_later:
        return Log(pages)
    return Log(
        pages,
        (
            f"frame {broken + 1} of {len(frames)} of the write-ahead log is damaged: SQLite would forget it and all behind it, "
            f"{finished_later} finished {'transaction' if finished_later == 1 else 'transactions'}",
        ),
    )


def _sum(content: bytes, start: tuple[int, int], order: str) -> tuple[int, int]:
    one, two = start
    numbers = struct.unpack(f"{order}{len(content) // 4}I", content)
    for first, second in zip(numbers[::2], numbers[1::2], strict=True):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return one, two
