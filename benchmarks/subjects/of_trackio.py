"""trackio, on its local SQLite file."""

from __future__ import annotations

import os
from collections.abc import Sequence

os.environ["TRACKIO_DIR"] = os.getcwd()  # it is read on import; jobs run in the folder of their data

import trackio
from trackio.sqlite_storage import SQLiteStorage


def place(folder: str) -> None:
    assert folder == os.environ["TRACKIO_DIR"]


def begin() -> str:
    return trackio.init(project="bench", embed=False).name


def log(key: str, value: float, step: int) -> None:
    trackio.log({key: value}, step=step)


def finish() -> None:
    trackio.finish()


def read(run: str, key: str) -> tuple[Sequence[int], Sequence[float]]:
    """What its own dashboard reads; `Api` has no way to the values."""
    found = [row for row in SQLiteStorage.get_logs("bench", run) if key in row]
    return [row["step"] for row in found], [row[key] for row in found]
