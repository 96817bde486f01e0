"""Writing a journal: what one process logs to one run is with the operating system when the call returns.

The file is mapped into memory, so that a frame is a copy of some fifty bytes and no call into the system; what was copied outlives the
process, whatever kills it. A full file is followed by the next one. Where no file can be made (no space), frames wait in memory, up to a bound.
Position is what shipping counts in: the bytes of all files of this writer, one after the other.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any
from zlib import crc32

from drupe.entities import DatasetInput, Points
from drupe.entities.endian import to_little_endian
from drupe.tracking.fleeting import open_there
from drupe.tracking.journal import layout
from drupe.tracking.journal.folding import dataset_form
from drupe.tracking.journal.layout import FrameKind
from drupe.tracking.journal.places import boot_id, host_name

__all__ = ["HELD_BYTES", "Journal", "Sync"]

FIRST_BYTES = 1 << 18
LARGEST_BYTES = 1 << 22
HELD_BYTES = 16 << 20  # in memory, while there is no space for a file
RETRY_S = 1.0
POINTS_IN_FRAME = 1 << 15

_METRIC_BYTES = layout.METRIC_BYTES
_METRIC_LENGTH = layout.METRIC.size - layout.CRC.size
_METRIC_KIND = int(FrameKind.METRIC)
_pack_metric = layout.METRIC.pack
_pack_crc = layout.CRC.pack


class Sync(StrEnum):
    """When the journal itself is synced to the disk: the setting `journal_sync`."""

    PROCESS = "process"
    """Never by itself: survives the death of the process, not that of the machine."""
    SECOND = "second"
    """With every round of the shipper, about twice a second."""
    CALL = "call"
    """Before a call returns."""


class Journal:
    """The journal of this process for one run. Every method may be called from several threads, and from signal handlers.

    An inherited one must not be used after a fork. `trouble` says why frames wait in memory, if they do; `dropped` counts those that had no
    room even there. `unsynced` says why the last sync that was wished for failed; what it was for survives the process, not the machine.
    """

    def __init__(self, folder: Path, run_id: str, *, store: str, sync: Sync = Sync.PROCESS) -> None:
        self.folder, self.run_id, self.store, self.sync = folder, run_id, store, sync
        self.writer = uuid.uuid4().hex
        self.trouble: OSError | None = None
        self.unsynced: OSError | None = None
        self.dropped = 0
        self.files: list[Path] = []
        self.before_next_file: Callable[[], None] | None = None
        self._lock = threading.RLock()
        self._is_busy = False
        self._late: list[tuple[FrameKind, bytes]] = []  # from a signal handler that came in the middle of a frame
        self._held: list[tuple[FrameKind, bytes]] = []
        self._held_bytes = 0
        self._retry_at = 0.0
        self.numbers: dict[str, int] = {}
        self._number = 0
        self._base = self._at = self._size = 0  # where this file begins in the stream, how far it is filled, how large it is
        self._map: mmap.mmap | None = None
        self._fd = -1

    @property
    def end(self) -> int:
        """The position behind the last frame."""
        while True:
            base, at = self._base, self._at
            if base == self._base:  # else a full file was followed by the next one meanwhile
                return base + at

    @property
    def is_waiting(self) -> bool:
        """True while frames wait in memory for space on the disk."""
        return bool(self._held)

    # --- what is logged; all of it was checked before

    def metric(self, key: str, value: float, step: int, time_ms: int) -> None:
        """Append one point. The hot path: one pack, one checksum, one copy."""
        with self._lock:
            number = self.numbers.get(key)
            if number is not None and not self._is_busy:
                self._is_busy = True  # before anything is read: a signal handler may log from here on
                try:
                    at = self._at
                    stop = at + _METRIC_BYTES
                    has_room = stop <= self._size
                    if has_room:
                        content = _pack_metric(_METRIC_LENGTH, self._number, _METRIC_KIND, number, step, time_ms, value)
                        self._map[at:stop] = content + _pack_crc(crc32(content))  # type: ignore[index]
                        self._number += 1
                        self._at = stop  # the moment from which it counts
                finally:
                    self._is_busy = False
                if has_room:
                    if self._late or self.sync is Sync.CALL:
                        self._settle(at)
                    return
        self.points({key: value}, step, time_ms)

    def points(self, values: Mapping[str, float], step: int, time_ms: int) -> None:
        """Append one point of each of several metrics, together: after a crash all of them are there or none."""
        pack, number_of = layout.POINT.pack, self._number_of
        self._append(FrameKind.POINTS, b"".join([pack(number_of(key), step, time_ms, value) for key, value in values.items()]))

    def series(self, key: str, points: Points) -> None:
        """Append many points of one metric."""
        number = self._number_of(key)
        for start in range(0, len(points), POINTS_IN_FRAME):
            stop = start + POINTS_IN_FRAME
            columns = (points.steps[start:stop], points.timestamps[start:stop], points.values[start:stop])
            head = layout.HEAD_OF_SERIES.pack(number, len(columns[0]))
            self._append(FrameKind.SERIES, head + b"".join([to_little_endian(column) for column in columns]))

    def inputs(self, datasets: Sequence[DatasetInput]) -> None:
        """Append datasets that the run uses."""
        self.note(FrameKind.INPUTS, [dataset_form(one) for one in datasets])

    def note(self, kind: FrameKind, value: Any) -> None:
        """Append a frame of JSON."""
        self._append(kind, layout.to_json(value))

    # --- the life of the files

    def flush_to_disk(self) -> None:
        """Sync the file at hand, so that it survives the machine too."""
        with self._lock:
            if self._map is not None:
                try:
                    self._map.flush()
                    os.fsync(self._fd)
                    self.unsynced = None
                except OSError as fault:
                    self.unsynced = fault

    def retry(self) -> None:
        """Try again to write what waits in memory."""
        with self._lock:
            if self._held and not self._is_busy:
                self._is_busy = True
                try:
                    self._retry_at = 0.0
                    self._write_held()
                finally:
                    self._is_busy = False
                self._settle(self._at)

    def close(self, *, cut: bool = True) -> None:
        """Let go of the file, which gets its true size if `cut`. What still waits in memory is lost, and counted as dropped."""
        with self._lock:
            self.retry()
            self.dropped += len(self._held)
            self._held = []
            self._let_go(cut=cut)

    def abandon(self) -> None:
        """In a forked child: let go of what was inherited without touching the file."""
        self._let_go(cut=False)

    def _append(self, kind: FrameKind, payload: bytes) -> None:
        with self._lock:
            if self._is_busy:
                self._late.append((kind, payload))
                return
            at = self._at
            self._is_busy = True
            try:
                self._write(kind, payload)
            finally:
                self._is_busy = False
            if self._late or self.sync is Sync.CALL:
                self._settle(at)

    def _settle(self, at: int) -> None:
        """After a frame: write what a signal handler has left meanwhile, and sync if that is wished for every call."""
        while True:
            self._is_busy = True  # the next signal may come while these are written
            try:
                while self._late:
                    self._write(*self._late[0])
                    del self._late[0]
                if self.sync is Sync.CALL:
                    self._sync_from(at)
            finally:
                self._is_busy = False
            if not self._late:
                return

    def _sync_from(self, at: int) -> None:
        if self._map is None:
            return
        start = at - at % mmap.PAGESIZE if at < self._at else 0
        try:
            self._map.flush(start, self._at - start)
            self.unsynced = None
        except OSError as fault:
            self.unsynced = fault

    def _number_of(self, key: str) -> int:
        number = self.numbers.get(key)
        if number is None:
            with self._lock:
                number = self.numbers.setdefault(key, len(self.numbers) + 1)
                self._append(FrameKind.KEY, layout.KEY.pack(number) + key.encode())
        return number

    def _write(self, kind: FrameKind, payload: bytes) -> None:
        if self._held:
            self._held.append((kind, payload))
            self._held_bytes += len(payload)
            self._write_held()
            return
        try:
            self._put(kind, payload)
        except OSError as fault:
            self.trouble = fault
            self._held, self._held_bytes = [(kind, payload)], len(payload)
            self._retry_at = time.monotonic() + RETRY_S

    def _write_held(self) -> None:
        if time.monotonic() >= self._retry_at:
            self._retry_at = time.monotonic() + RETRY_S
            try:
                while self._held:
                    self._put(*self._held[0])
                    _, payload = self._held.pop(0)
                    self._held_bytes -= len(payload)
                self.trouble = None
            except OSError as fault:
                self.trouble = fault
        while self._held_bytes > HELD_BYTES:  # the oldest go first, but for names, without which the rest cannot be read
            place = next((n for n, (kind, _) in enumerate(self._held) if kind is not FrameKind.KEY), None)
            if place is None:
                break
            self._held_bytes -= len(self._held.pop(place)[1])
            self.dropped += 1

    def _put(self, kind: FrameKind, payload: bytes) -> None:
        content = layout.frame(self._number, kind, payload)
        if self._at + len(content) > self._size:
            if self.before_next_file is not None and self.files:
                self.before_next_file()
            self._next_file(len(content))
            content = layout.frame(self._number, kind, payload)
        at = self._at
        assert self._map is not None
        self._map[at : at + len(content)] = content
        self._number += 1
        self._at = at + len(content)

    def _next_file(self, room: int) -> None:
        """Make the next file, with room for a frame of that many bytes, and take it in use. Raises OSError, and nothing has changed then."""
        count = len(self.files)
        opening = [(FrameKind.HEADER, layout.to_json(self._header(count + 1)))]
        opening += [
            (FrameKind.KEY, layout.KEY.pack(number) + key.encode()) for key, number in list(self.numbers.items())
        ]  # a signal handler may add one
        beginning = b"".join(layout.frame(self._number + n, *each) for n, each in enumerate(opening))
        size = max(min(FIRST_BYTES << 2 * count, LARGEST_BYTES), len(beginning) + room)
        path = self.folder / f"{self.writer}.{count + 1:05d}{layout.SUFFIX}"
        unfinished = path.with_name(f".{path.name}.part")
        fd = open_there(unfinished, os.O_RDWR | os.O_TRUNC)
        try:
            layout.reserve(fd, size)
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mapped = mmap.mmap(fd, size)
            mapped[: len(beginning)] = beginning
            unfinished.rename(path)
            if self.sync is not Sync.PROCESS:
                os.fsync(fd)
                layout.sync_folder(self.folder)
        except BaseException:
            os.close(fd)
            unfinished.unlink(missing_ok=True)
            raise
        base = self._base + self._at
        self._let_go(cut=True)
        self._map, self._fd, self._size, self._base = mapped, fd, size, base
        self._number += len(opening)
        self._at = len(beginning)
        self.files.append(path)

    def _let_go(self, *, cut: bool) -> None:
        mapped, fd, at = self._map, self._fd, self._at
        self._map, self._fd, self._size, self._base, self._at = None, -1, 0, self._base + self._at, 0
        if mapped is not None:
            try:
                if cut and self.sync is not Sync.PROCESS:
                    mapped.flush()
                if cut:
                    mapped.close()
                    os.ftruncate(fd, at)
            except OSError as fault:  # the frames are there; readers take the zeros behind them for the end
                self.unsynced = fault
            finally:
                mapped.close()
                os.close(fd)

    def _header(self, count: int) -> dict[str, Any]:
        return {
            "format": layout.FORMAT,
            "writer": self.writer,
            "file": count,
            "base": self.end,
            "run_id": self.run_id,
            "store": self.store,
            "host": host_name(),
            "boot_id": boot_id(),
            "pid": os.getpid(),
            "made_ms": time.time_ns() // 1_000_000,
        }
