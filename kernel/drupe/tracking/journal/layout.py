"""The bytes of a journal: a file of frames, each with its length, its number and a checksum, little-endian.

    length u32 | number u64 | kind u8 | payload | CRC-32 of all before it u32        length counts number, kind and payload

A file is made at its full size and filled from the front, so that a length of 0 is the end. Frame 0 of a file is its header; metric names get a
number by a KEY frame before they are first used in that file, so that every file can be read by itself.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Mapping, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple

__all__ = [
    "CRC",
    "FORMAT",
    "HEAD_OF_SERIES",
    "KEY",
    "LEAD",
    "METRIC",
    "METRIC_BYTES",
    "METRIC_FRAME",
    "POINT",
    "SUFFIX",
    "FrameKind",
    "MetricRun",
    "end_of_frame",
    "find_frame",
    "frame",
    "from_json",
    "header_of",
    "metric_run",
    "reserve",
    "sync_folder",
    "to_json",
]

SUFFIX = ".journal"
FORMAT = 1


class FrameKind(IntEnum):
    """What a frame holds."""

    HEADER = 1  # JSON: who writes what for whom, and where in the writer's stream this file begins
    KEY = 2  # number u32, name
    METRIC = 3  # key u32, step i64, time in ms i64, value f64
    POINTS = 4  # the same several times: logged together
    SERIES = 5  # key u32, count u32, then steps, times and values as columns
    NEW = 6  # JSON of a run to be made
    PARAMS = 7  # JSON object
    TAGS = 8  # JSON object
    UNTAG = 9  # JSON text
    INPUTS = 10  # JSON list of datasets
    CHANGE = 11  # JSON: status, end_time
    MODEL = 12  # JSON of a logged model to be made
    MODEL_TIES = 13  # JSON: ids of logged models that the run uses; ids and steps of those that it has made
    MODEL_POINTS = 14  # JSON: points that are a logged model's too, and the dataset that they were measured on


class MetricRun(NamedTuple):
    """Points of METRIC frames that follow each other, as columns: number of the key, step, time, value."""

    keys: Sequence[int]
    steps: Sequence[int]
    times_ms: Sequence[int]
    values: Sequence[float]


LEAD = struct.Struct("<IQB")
CRC = struct.Struct("<I")
METRIC = struct.Struct("<IQBIqqd")
METRIC_BYTES = METRIC.size + CRC.size
METRIC_FRAME = struct.Struct("<IQBIqqdI")
POINT = struct.Struct("<Iqqd")
KEY = struct.Struct("<I")
HEAD_OF_SERIES = struct.Struct("<II")
SHORTEST, LONGEST = LEAD.size - CRC.size, 1 << 30


def frame(number: int, kind: FrameKind, payload: bytes) -> bytes:
    """The bytes of one frame."""
    content = LEAD.pack(SHORTEST + len(payload), number, kind) + payload
    return content + CRC.pack(zlib.crc32(content))


def end_of_frame(buffer: bytes | memoryview, at: int) -> int:
    """Where the frame that begins at `at` ends, or 0 when no sound frame begins there."""
    if at + LEAD.size + CRC.size > len(buffer):
        return 0
    (length,) = CRC.unpack_from(buffer, at)
    stop = at + 4 + length
    if not SHORTEST <= length <= LONGEST or stop + CRC.size > len(buffer):
        return 0
    return stop + CRC.size if CRC.unpack_from(buffer, stop)[0] == zlib.crc32(buffer[at:stop]) else 0


def metric_run(buffer: memoryview, at: int, most: int) -> MetricRun | None:
    """The sound METRIC frames that begin at `at` and follow each other without another kind between, up to `most` of them.

    They are nearly all of a journal, so they are read many at a time, without a loop in Python but for the checksums.
    """
    size, count = METRIC_FRAME.size, min(most, (len(buffer) - at) // METRIC_FRAME.size)
    if count < 1 or buffer[at + LEAD.size - 1] != FrameKind.METRIC:
        return None
    lengths, _, kinds, keys, steps, times_ms, values, sums = zip(*METRIC_FRAME.iter_unpack(buffer[at : at + count * size]), strict=True)
    wanted, length = METRIC.size, METRIC.size - CRC.size
    if lengths.count(length) != count or kinds.count(FrameKind.METRIC) != count:
        count = next(n for n in range(count) if lengths[n] != length or kinds[n] != FrameKind.METRIC)
    found = [zlib.crc32(buffer[place : place + wanted]) for place in range(at, at + count * size, size)]
    if tuple(found) != sums[:count]:
        count = next(n for n in range(count) if found[n] != sums[n])
    return MetricRun(keys[:count], steps[:count], times_ms[:count], values[:count]) if count else None


def find_frame(buffer: bytes | memoryview, start: int) -> int | None:
    """Where the next sound frame at or behind `start` begins; None when there is none. Steps over damage byte by byte."""
    kinds = bytes(FrameKind)
    for at in range(start, len(buffer) - LEAD.size):
        if buffer[at + LEAD.size - 1] in kinds and end_of_frame(buffer, at):
            return at
    return None


def to_json(value: Any) -> bytes:
    """A value as the payload of a frame."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def from_json(payload: bytes | memoryview) -> Any:
    """The value of a payload."""
    return json.loads(bytes(payload).decode("utf-8", "surrogatepass"))


def header_of(payload: bytes | memoryview) -> Mapping[str, Any]:
    """The header of a file. Raises ValueError for one of another format."""
    told = from_json(payload)
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise ValueError(f"format {told.get('format') if isinstance(told, dict) else told!r} is not known")
    return told


def reserve(fd: int, size: int) -> None:
    """Give a file its size and the space for it, so that writing to its mapping cannot fail later. Raises OSError (no space)."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, 0, size)
        return
    zeros = bytes(1 << 16)
    for start in range(0, size, len(zeros)):
        os.pwrite(fd, zeros[: size - start], start)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
