"""The limit of a log file that is mapped into memory: 40 bytes are packed into the map for every value. They too survive the process."""

from __future__ import annotations

import mmap
import os
import struct
import time
from pathlib import Path

SIZE = 64 << 20
pack_into = struct.Struct("<qqd16s").pack_into


def place(folder: str) -> None:
    global view, at
    file = os.open(Path(folder, "raw"), os.O_CREAT | os.O_RDWR)
    os.ftruncate(file, SIZE)
    view, at = mmap.mmap(file, SIZE), 0


def begin() -> str:
    return "raw"


def log(key: str, value: float, step: int) -> None:
    global at
    pack_into(view, at, step, time.time_ns(), value, b"a metric's name.")
    at = (at + 40) % (SIZE - 40)


def finish() -> None:
    view.flush()
