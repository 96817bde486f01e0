"""Telling a person at a terminal how far a copy is; nothing is drawn for files, pipes, notebooks and logs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TextIO

from drupe.lazy import need
from drupe.settings import settings

__all__ = ["BIG_BYTES", "Progress", "progress_bar"]

BIG_BYTES = 64 * 2**20
"""From this size on, a copy that nobody watches by other means draws a bar of its own."""


class Progress(Protocol):
    """Called once before the first file (with an empty `path`) and after every file; never by two threads at once."""

    def __call__(self, done_bytes: int, total_bytes: int, path: str, /) -> None: ...


@contextmanager
def progress_bar(label: str, *, from_bytes: int = 0, is_count: bool = False, stream: TextIO | None = None) -> Iterator[Progress | None]:
    """A progress function that draws a bar on `stream` (stderr) while the `with` block runs, or None where nobody would see it.

    Nobody would when the stream is no terminal, or the setting `progress` is off. Copies of less than `from_bytes` draw nothing.
    With `is_count` the numbers count things, not bytes.

        with progress_bar("uploading data") as progress:
            put_tree(repo, folder, path, progress=progress)
    """
    stream = stream or sys.stderr
    if not stream.isatty() or not settings().get("progress"):
        yield None
        return
    bar = _Bar(label, from_bytes, stream, is_count)
    try:
        yield bar
    finally:
        bar.close()


class _Bar:
    def __init__(self, label: str, from_bytes: int, stream: TextIO, is_count: bool) -> None:
        self._label, self._from_bytes, self._stream, self._is_count = label, from_bytes, stream, is_count
        self._drawn: Any = None
        self._task: Any = None

    def __call__(self, done_bytes: int, total_bytes: int, path: str, /) -> None:
        if total_bytes < self._from_bytes:
            return
        if self._drawn is None:
            self._open(total_bytes)
        self._drawn.update(self._task, completed=done_bytes, total=total_bytes, path=path)

    def close(self) -> None:
        if self._drawn is not None:
            self._drawn.stop()

    def _open(self, total_bytes: int) -> None:
        rich = need("rich.progress", to="draw a progress bar")
        console = need("rich.console", to="draw a progress bar").Console(file=self._stream)
        self._drawn = rich.Progress(
            rich.TextColumn("{task.description}"),
            rich.BarColumn(),
            *([rich.MofNCompleteColumn()] if self._is_count else [rich.DownloadColumn(), rich.TransferSpeedColumn()]),
            rich.TimeRemainingColumn(),
            rich.TextColumn("{task.fields[path]}", style="dim", markup=False),
            console=console,
        )
        self._task = self._drawn.add_task(self._label, total=total_bytes, path="")
        self._drawn.start()
