"""One background thread that samples the machine for all runs of this process which want it, through sources that plugins offer.

Nothing here blocks or raises into the user's program: the thread is a daemon, a fault of a source or of the store is said once in the log
and the rest goes on. Whether a run wants it, and how often, is decided in `system_metrics`.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from drupe.errors import UnsupportedFeature
from drupe.extend.system_metrics import SystemMetricSource
from drupe.tracking.timers import after

if TYPE_CHECKING:
    from logging import Logger

__all__ = ["Monitor", "Pace"]

GRACE_S = 1.0
STOP_S = 5.0

Log = Callable[[Mapping[str, float], int], None]


@frozen
class Pace:
    """A sample every `interval_s`; the mean of `samples` of them is logged, under `prefix`."""

    interval_s: float = 10.0
    samples: int = 1
    prefix: str = "system/"


@define(eq=False)
class _Watched:
    """A run that is sampled for. `lock` is held while something is logged to it, so that nothing is after its end."""

    log: Log
    step: int
    due: float
    pace: Pace
    kept: list[Mapping[str, float]] = field(factory=list)
    lock: threading.Lock = field(factory=threading.Lock)
    has_ended: bool = False


class Monitor:
    """Samples from the first `start` to the last `stop`. `sources` gives (name, how to open it); asked for after a moment of grace.

    A run gets its first sample one interval after its start, so short runs cost nothing.
    """

    def __init__(
        self, sources: Callable[[], Sequence[tuple[str, Callable[[], SystemMetricSource]]]], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._sources, self._clock = sources, clock
        self._runs: dict[str, _Watched] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._said: set[str] = set()
        self._pid = os.getpid()

    def start(self, run_id: str, log: Log, *, step: int = 0, pace: Pace = Pace()) -> None:
        """Sample for this run from now on; `log(values, step)` stores one sample, the first with `step`."""
        if self._pid != os.getpid():  # a fork: the thread and its runs are the parent's
            self._changed, self._runs, self._thread, self._pid = threading.Condition(), {}, None, os.getpid()
        with self._changed:
            self._runs[run_id] = _Watched(log, step, self._clock() + pace.interval_s, pace)
            if self._thread is None:
                after(min(GRACE_S, pace.interval_s / 2), self._begin)
            else:
                self._changed.notify_all()

    def stop(self, run_id: str) -> None:
        """Sample no longer for this run; when it returns nothing more is logged to it, unless the store hangs."""
        if self._pid != os.getpid():
            return
        with self._changed:
            run = self._runs.pop(run_id, None)
            if self._thread is not None:
                self._changed.notify_all()
        if run is not None:
            run.has_ended = True
            if run.lock.acquire(timeout=STOP_S):
                run.lock.release()

    def _begin(self) -> None:
        with self._changed:
            if self._thread is not None or not self._runs:
                return
            thread = threading.Thread(target=self._run, name="drupe-system-metrics", daemon=True)
            try:
                thread.start()
            except RuntimeError as fault:  # the process is ending, or may have no more threads
                self._runs.clear()
                self._say("thread", f"no system metrics: {fault}")
                return
            self._thread = thread

    # --- in the thread

    def _run(self) -> None:
        opened: dict[str, SystemMetricSource] = {}
        try:
            opened = self._open()
            self._sample_for_ever(opened)
        except Exception as fault:  # a fault of ours must not show as a broken thread in the user's terminal
            with self._changed:
                self._runs.clear()
            self._say("monitor", f"system metrics have stopped: {type(fault).__name__}: {fault}")
        finally:
            for name, source in opened.items():
                try:
                    source.close()
                except Exception as fault:  # the plugin's own code
                    self._say(f"close {name}", f"system metrics of {name} could not be closed: {fault}")
            with self._changed:
                self._thread = None
            self._begin()  # for runs that were started while this thread was on its way out

    def _wait_until(self, moment: float) -> bool:
        """Wait; True at that moment, or sooner when there are other runs; False as soon as there is none."""
        with self._changed:
            before = set(self._runs)
            while self._runs and (left := moment - self._clock()) > 0 and set(self._runs) <= before:
                self._changed.wait(left)
            return bool(self._runs)

    def _sample_for_ever(self, opened: Mapping[str, SystemMetricSource]) -> None:
        totals = frozenset(name for source in opened.values() for name in source.totals)
        while self._wait_until(self._next()):
            now = self._clock()
            with self._changed:
                ready = [run for run in self._runs.values() if run.due <= now]
            for run in ready:
                run.due = now + run.pace.interval_s
            if ready and opened:
                self._deliver(ready, self._read(opened), totals)

    def _next(self) -> float:
        with self._changed:
            return min((run.due for run in self._runs.values()), default=self._clock())

    def _open(self) -> dict[str, SystemMetricSource]:
        opened: dict[str, SystemMetricSource] = {}
        for name, open_source in self._sources():
            try:
                opened[name] = open_source()
            except UnsupportedFeature:
                continue  # no such thing in this machine
            except Exception as fault:  # the plugin's own code, or a library that is missing
                self._say(f"open {name}", f"no system metrics of {name}: {fault}")
        return opened

    def _read(self, opened: Mapping[str, SystemMetricSource]) -> dict[str, float]:
        values: dict[str, float] = {}
        for name, source in opened.items():
            try:
                values |= {key: float(value) for key, value in source.read().items() if math.isfinite(value)}
            except Exception as fault:  # the plugin's own code
                self._say(f"read {name}", f"system metrics of {name} cannot be read: {type(fault).__name__}: {fault}")
        return values

    def _deliver(self, runs: Sequence[_Watched], values: Mapping[str, float], totals: frozenset[str]) -> None:
        if not values:
            return
        for run in runs:
            run.kept.append(values)
            if len(run.kept) < run.pace.samples:
                continue
            together, run.kept = _together(run.kept, totals), []
            with run.lock:
                if run.has_ended:
                    continue
                try:
                    run.log({run.pace.prefix + name: value for name, value in together.items()}, run.step)
                    run.step += 1
                except Exception as fault:  # whatever the store raises: the next sample may fare better
                    self._say(f"log {id(run)}", f"system metrics cannot be logged: {fault}")

    def _say(self, what: str, sentence: str) -> None:
        if what not in self._said:
            self._said.add(what)
            self._logger().warning("%s (said once)", sentence)

    @staticmethod
    def _logger() -> Logger:
        from logging import getLogger  # here: only faults pay for its import

        return getLogger("drupe.system_metrics")


def _together(samples: Sequence[Mapping[str, float]], totals: frozenset[str]) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for sample in samples:
        for name, value in sample.items():
            found.setdefault(name, []).append(value)
    return {name: values[-1] if name in totals else sum(values) / len(values) for name, values in found.items()}
