"""The limit of a database: Python's `sqlite3`, one transaction for every value; WAL, not synced."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence


def place(folder: str) -> None:
    global connection
    connection = sqlite3.connect(f"{folder}/raw.db", isolation_level=None)
    connection.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; CREATE TABLE IF NOT EXISTS points (key TEXT, step INTEGER, at INTEGER, value REAL)"
    )


def begin() -> str:
    connection.execute("DELETE FROM points")  # of the turn before
    return "raw"


def log(key: str, value: float, step: int) -> None:
    connection.execute("INSERT INTO points VALUES (?, ?, ?, ?)", (key, step, time.time_ns(), value))


def finish() -> None:
    connection.close()


def read(run: str, key: str) -> tuple[Sequence[int], Sequence[float]]:
    found = connection.execute("SELECT step, value FROM points WHERE key = ?", (key,)).fetchall()
    return [step for step, _ in found], [value for _, value in found]
