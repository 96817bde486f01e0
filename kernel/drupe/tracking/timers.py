"""Small things to be done a moment later, by one thread for the whole process, in such a way that calling them off wakes nobody.

Starting a run asks for several of them: its environment is written, its first sign of life given, the machine sampled. Waking a thread
for each would cost a short run more than all else: woken threads want the interpreter just when the program goes on. So the thread here is
woken only when something is due sooner than what it waits for, and what was called off meanwhile stays in its list until its time.
"""

from __future__ import annotations

import contextlib
import heapq
import math
import os
import threading
import time
from collections.abc import Callable
from itertools import count

__all__ = ["Timer", "after"]


class Timer:
    """What `after` returns."""

    __slots__ = ("_do",)

    def __init__(self, do: Callable[[], object]) -> None:
        self._do: Callable[[], object] | None = do

    def cancel(self) -> None:
        """Call it off, unless it has begun."""
        self._do = None

    def fire(self) -> None:
        """Do it now, once; not if it was called off."""
        do, self._do = self._do, None
        if do is not None:
            do()


_waiting: list[tuple[float, int, Timer]] = []
_numbers = count()
_lock = threading.Lock()
_sooner = threading.Event()
_wakes_at = math.inf
_thread: threading.Thread | None = None


def after(delay_s: float, do: Callable[[], object]) -> Timer:
    """Call `do` in `delay_s` seconds, in a thread; it must be quick, since others wait for their turn, and what it raises is not told.

    Nothing is done when the process ends before, or lives on as the child of a fork.
    """
    global _thread, _wakes_at
    timer, due = Timer(do), time.monotonic() + delay_s
    with _lock:
        heapq.heappush(_waiting, (due, next(_numbers), timer))
        if _thread is None:
            _thread = threading.Thread(target=_run, name="drupe-timers", daemon=True)
            try:
                _thread.start()
            except RuntimeError:  # Python starts no more threads: the process is ending
                _thread = None
                return timer
        if due < _wakes_at:
            _wakes_at = due
            _sooner.set()
    return timer


def _run() -> None:
    global _wakes_at
    while True:
        with _lock:
            now, ready = time.monotonic(), []
            while _waiting and _waiting[0][0] <= now:
                ready.append(heapq.heappop(_waiting)[2])
            if not ready:
                _sooner.clear()
                _wakes_at = _waiting[0][0] if _waiting else math.inf
                delay = min(_wakes_at - now, threading.TIMEOUT_MAX)
        for timer in ready:
            with contextlib.suppress(Exception):  # nobody is there to hear of it; those who ask for it tell of their faults themselves
                timer.fire()
        if not ready:
            _sooner.wait(delay)


def _after_fork() -> None:
    """What was to be done in the parent is done there."""
    global _lock, _sooner, _wakes_at, _thread
    _lock, _sooner, _wakes_at, _thread = threading.Lock(), threading.Event(), math.inf, None
    _waiting.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
