"""The limit of any log file: one `os.write` of 40 bytes for every value. What the kernel has taken survives the process."""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path

pack = struct.Struct("<qqd16s").pack


def place(folder: str) -> None:
    global file
    file = os.open(Path(folder, "raw"), os.O_CREAT | os.O_WRONLY | os.O_APPEND)


def begin() -> str:
    return "raw"


def log(key: str, value: float, step: int) -> None:
    os.write(file, pack(step, time.time_ns(), value, b"a metric's name."))


def finish() -> None:
    os.fsync(file)
