"""Writing a console log: lines into numbered parts, bounded in all, and no fault of a disk ever reaches who prints.

When the log grows over its bound, parts between the first and the last ones are deleted: how a program began and what it did last tell
most. What cannot be written is counted, and said in the log as soon as it can be written again. Used by the witness: standard library only.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence

from drupe.tracking.console.parts import PART_BYTES, part_name, prefix
from drupe.tracking.fleeting import open_there

__all__ = ["Logbook"]

PARTS_MIN = 3  # the first, the one before the last, the last


class Logbook:
    """The parts of one sequence in one folder, as appended to by one process."""

    def __init__(self, folder: str, sequence: str, *, max_bytes: int, part_bytes: int = PART_BYTES) -> None:
        self._folder, self._sequence = folder, sequence
        self._part_bytes = part_bytes
        self._max_parts = max(PARTS_MIN, max_bytes // part_bytes)
        self._number, self._size, self._descriptor = 0, 0, -1
        self._lost_bytes = 0

    def write(self, at_ms: int, stream: str, lines: Sequence[bytes], *, is_whole: bool = True) -> None:
        """Append lines that were printed at one moment; `is_whole` False for a piece of a line that goes on."""
        if not lines:
            return
        start = prefix(at_ms, stream, is_whole=is_whole).encode()
        block = start + (b"\n" + start).join(lines) + b"\n"
        if self._lost_bytes:
            block = prefix(at_ms, stream).encode() + b"[drupe: %d bytes could not be kept]\n" % self._lost_bytes + block
        try:
            self._append(block)
            self._lost_bytes = 0
        except OSError:  # a full disk, a folder that is gone: printing must go on
            self._lost_bytes += sum(map(len, lines))

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def _append(self, block: bytes) -> None:
        if self._descriptor < 0 or (self._size and self._size + len(block) > self._part_bytes):
            self._next_part()
        start = self._size
        view = memoryview(block)
        try:
            while view:
                written = os.write(self._descriptor, view)
                self._size += written
                view = view[written:]
        except OSError:
            with contextlib.suppress(OSError):  # half a line would be glued to the next one
                os.ftruncate(self._descriptor, start)
                self._size = start
            raise

    def _next_part(self) -> None:
        opened = open_there(os.path.join(self._folder, part_name(self._sequence, self._number + 1)), os.O_WRONLY | os.O_APPEND)
        self.close()
        self._descriptor, self._number, self._size = opened, self._number + 1, os.fstat(opened).st_size
        surplus = self._number - self._max_parts + 1  # the number of the part to drop, unless that is the first
        if surplus > 1:
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(self._folder, part_name(self._sequence, surplus)))
