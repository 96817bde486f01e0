"""Group commit: writes of many requests in one transaction of the store, and so in one sync of its disk.

Requests wait in a queue; a thread takes all that wait, lets the store apply them together, and hands each its result when all of them
last. While it waits for the disk the next ones gather, so the more there are, the less each costs. Clients that were answered together
ask again together: the first of them is not written alone, but waited with for a moment until the others are there.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from drupe.errors import StoreUnavailable
from drupe.extend import TrackingStore

__all__ = ["CommitQueue"]

MOST_TOGETHER = 512
MOMENT_S = 0.001

_Waiting = tuple[Callable[[], Any], "asyncio.Future[Any]"]


class CommitQueue:
    """Writes to one store, for one event loop. `close` finishes what waits."""

    def __init__(self, store: TrackingStore, loop: asyncio.AbstractEventLoop) -> None:
        self._store, self._loop = store, loop
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._is_closed = False
        self.commits = 0
        self.writes = 0
        self._thread = threading.Thread(target=self._run, name="drupe-commits", daemon=True)
        self._thread.start()

    def write(self, call: Callable[[], Any]) -> asyncio.Future[Any]:
        """Have `call` write, all or nothing; the future is done when it lasts, or holds what it raised."""
        future: asyncio.Future[Any] = self._loop.create_future()
        if self._is_closed:
            future.set_exception(StoreUnavailable("the server is shutting down; send this again"))
        else:
            self._waiting.put((call, future))
        return future

    @property
    def depth(self) -> int:
        """How many writes wait."""
        return self._waiting.qsize()

    async def close(self) -> None:
        """Finish what waits; what comes later is refused."""
        self._is_closed = True
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)

    # --- in the thread

    def _run(self) -> None:
        is_over = False
        before = 0
        while not is_over:
            first = self._waiting.get()
            if first is None:
                return
            if before > 1 and self._waiting.qsize() + 1 < before:
                time.sleep(MOMENT_S)
            together = [first]
            while len(together) < MOST_TOGETHER:
                try:
                    following = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    is_over = True
                    break
                together.append(following)
            results = self._applied([call for call, _ in together])
            before = len(together)
            self.commits += 1
            self.writes += before
            self._loop.call_soon_threadsafe(_deliver, [future for _, future in together], results)

    def _applied(self, calls: Sequence[Callable[[], Any]]) -> Sequence[Any]:
        try:
            return self._store.apply(calls)
        except Exception as fault:  # whatever keeps all of them from lasting
            return [fault] * len(calls)


def _deliver(futures: Sequence[asyncio.Future[Any]], results: Sequence[Any]) -> None:
    for future, result in zip(futures, results, strict=True):
        if future.cancelled():  # the client is gone
            continue
        if isinstance(result, BaseException):
            future.set_exception(result)
        else:
            future.set_result(result)
