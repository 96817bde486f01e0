"""What has changed, told to everybody who listens: the stream behind live pages.

A change names what it is about and never its content, so that a listener who may not see a run learns nothing. Listeners that do not keep
up are told `missed` and read anew.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress

from drupe.entities import LogBatch

__all__ = ["Changes", "kind_of"]

KEPT = 1000


class Changes:
    """The listeners of one server. `tell` may be called from any thread; `is_wanted` is set while somebody listens."""

    def __init__(self, loop: asyncio.AbstractEventLoop, tell_others: Callable[[dict[str, str]], None] | None = None) -> None:
        self._loop, self._tell_others = loop, tell_others
        self._listeners: set[asyncio.Queue[Mapping[str, str] | None]] = set()
        self._is_closed = False
        self.is_wanted = threading.Event()

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def tell(self, kind: str, **about: str) -> None:
        """Tell that something of this kind has changed."""
        if self._tell_others is not None:
            self._tell_others({"kind": kind, **about})
        self.hear({"kind": kind, **about})

    def hear(self, change: Mapping[str, str]) -> None:
        """Tell the listeners here of a change, wherever it was made."""
        if self._listeners:
            self._loop.call_soon_threadsafe(self._spread, change)

    def close(self) -> None:
        """End all streams, and at once those that are begun while the server ends. A handler of signals may call it, in the midst of anything."""
        with suppress(RuntimeError):  # the loop has ended, and they with it
            self._loop.call_soon_threadsafe(self._end)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[asyncio.Queue[Mapping[str, str] | None]]:
        """A queue of changes from now on; None ends it."""
        listener: asyncio.Queue[Mapping[str, str] | None] = asyncio.Queue(KEPT)
        self._listeners.add(listener)
        self.is_wanted.set()
        if self._is_closed:
            listener.put_nowait(None)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            if not self._listeners:
                self.is_wanted.clear()

    def _end(self) -> None:
        self._is_closed = True
        for listener in self._listeners:
            while listener.full():
                listener.get_nowait()
            listener.put_nowait(None)

    def _spread(self, change: Mapping[str, str]) -> None:
        if self._is_closed:  # in a full queue it would take the place of the end
            return
        for listener in self._listeners:
            if listener.full():
                while not listener.empty():
                    listener.get_nowait()
                listener.put_nowait({"kind": "missed"})
            listener.put_nowait(change)


def kind_of(batch: LogBatch) -> str:
    """What a batch is told as: the first of its kinds in the order in which most listeners want to know."""
    if batch.metrics or batch.model_points:
        return "metric"
    return "param" if batch.params else "tag" if batch.tags else "metric"
