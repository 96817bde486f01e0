"""Asks the model: in threads beside the event loop, many requests at once where their rows are independent, and never for ever.

A batch is whatever has come while the model was busy. Each request gets its own rows or its own error: one that fails in a batch is
predicted again alone, so that its neighbours never notice. A prediction that takes too long is answered without waiting for it; its thread
is given up for another, and counted until it comes to an end.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Sequence
from queue import SimpleQueue
from typing import Any

from drupe.models import LoadedModel
from drupe_serving.asked import Asked, joined, taken_apart
from drupe_serving.errors import Overloaded, TimedOut

__all__ = ["Answered", "Predictor"]

MOST_LOST = 8
THREADS_APART = 8

log = logging.getLogger("drupe.serving")


class Answered:
    """What came of one request: its encoded `answer`, the `predictions` themselves, and how many requests were predicted with it."""

    __slots__ = ("answer", "predictions", "together")

    def __init__(self, answer: Any, predictions: Any, together: int) -> None:
        self.answer, self.predictions, self.together = answer, predictions, together


class _Job:
    __slots__ = ("asked", "future", "timer", "work")

    def __init__(self, asked: Asked, future: asyncio.Future[Answered]) -> None:
        self.asked, self.future = asked, future
        self.timer: asyncio.TimerHandle | None = None
        self.work: _Work | None = None


class _Work:
    """Jobs that are predicted together, and whether they are still waited for."""

    __slots__ = ("is_lost", "jobs")

    def __init__(self, jobs: Sequence[_Job]) -> None:
        self.jobs, self.is_lost = jobs, False


class Predictor:
    """One model, and the requests that wait for it. Used from one event loop."""

    def __init__(
        self,
        model: LoadedModel,
        *,
        together: bool = False,
        threads: int = 0,
        batch_rows: int = 256,
        batch_wait_s: float = 0.0,
        timeout_s: float = 60.0,
        max_waiting: int = 1000,
    ) -> None:
        self._model, self.together = model, together
        self._batch_rows, self._batch_wait_s = batch_rows, batch_wait_s
        self._timeout_s, self._max_waiting = timeout_s, max_waiting
        self._waiting: deque[_Job] = deque()
        self._queue: SimpleQueue[_Work | None] = SimpleQueue()
        self._free = self._threads = threads or (1 if together else THREADS_APART)
        self._is_due = self._is_closed = False
        self.lost = 0
        self.batches = self.predicted = self.failed = self.timed_out = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        for _ in range(self._threads):
            self._start()

    @property
    def waiting(self) -> int:
        """Requests that the model has not been given yet."""
        return len(self._waiting)

    @property
    def is_stuck(self) -> bool:
        """True when so many predictions have not come to an end that no further thread is given up for them."""
        return self.lost >= MOST_LOST

    async def ask(self, asked: Asked) -> Answered:
        """The model's predictions. Raises Overloaded, TimedOut, SignatureMismatch, and whatever the model raises."""
        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.get_running_loop()
        if len(self._waiting) >= self._max_waiting or self._is_closed:
            raise Overloaded("the server is about to end" if self._is_closed else f"{len(self._waiting)} requests wait for the model")
        if self.is_stuck and not self._free:
            raise Overloaded(f"{self.lost} predictions have not come to an end")
        job = _Job(asked, loop.create_future())
        job.timer = loop.call_later(self._timeout_s, self._too_late, job)
        self._waiting.append(job)
        if self._free and not self._is_due:
            self._is_due = True
            if self._batch_wait_s and asked.key is not None and self.together:
                loop.call_later(self._batch_wait_s, self._give)
            else:
                loop.call_soon(self._give)  # what else has come by now is given with it
        try:
            return await job.future
        finally:
            job.timer.cancel()

    def predict_here(self, asked: Asked) -> Any:
        """The predictions for one request, in this thread, as before the server is ready."""
        return self._model.predict(asked.given(), asked.params)

    def close(self) -> None:
        """Take nothing more; threads end with what they are doing."""
        self._is_closed = True
        for _ in range(self._threads):
            self._queue.put(None)

    def _give(self) -> None:
        self._is_due = False
        while self._free and self._waiting:
            jobs = self._next()
            if jobs:
                self._free -= 1
                work = _Work(jobs)
                for job in jobs:
                    job.work = work
                self._queue.put(work)

    def _next(self) -> list[_Job]:
        waiting = self._waiting
        first = waiting.popleft()
        if first.future.done():  # it came too late, or its client is gone
            return []
        key, rows = first.asked.key, first.asked.rows
        jobs = [first]
        if not self.together or key is None or rows is None or not waiting:
            return jobs
        left: list[_Job] = []
        while waiting and rows < self._batch_rows:
            job = waiting.popleft()
            if job.future.done():
                continue
            if job.asked.key == key and job.asked.rows is not None and rows + job.asked.rows <= self._batch_rows:
                jobs.append(job)
                rows += job.asked.rows
            else:
                left.append(job)
        waiting.extendleft(reversed(left))
        return jobs

    def _too_late(self, job: _Job) -> None:
        if job.future.done():
            return
        self.timed_out += 1
        work = job.work
        where = "waited" if work is None else "took"
        job.future.set_exception(TimedOut(f"the prediction {where} longer than the {self._timeout_s:g} s that a request may take"))
        if work is None or work.is_lost or self.is_stuck:
            return
        work.is_lost = True
        self.lost += 1
        self._start()
        self._free += 1
        self._give()

    def _start(self) -> None:
        threading.Thread(target=self._work, name="drupe-model", daemon=True).start()

    def _work(self) -> None:
        while (work := self._queue.get()) is not None:
            outcomes = self._outcomes([job.asked for job in work.jobs])
            assert self._loop is not None
            try:
                self._loop.call_soon_threadsafe(self._done, work, outcomes)
            except RuntimeError:  # the loop has ended without waiting for this
                return
            if work.is_lost:
                return
            del work, outcomes

    def _done(self, work: _Work, outcomes: list[Answered | BaseException]) -> None:
        self.batches += 1
        if work.is_lost:
            self.lost -= 1
        else:
            self._free += 1
        for job, outcome in zip(work.jobs, outcomes, strict=True):
            if job.future.done():
                continue
            if isinstance(outcome, Answered):
                self.predicted += 1
                job.future.set_result(outcome)
            else:
                self.failed += 1
                job.future.set_exception(outcome)
        self._give()

    def _outcomes(self, batch: Sequence[Asked]) -> list[Answered | BaseException]:
        if len(batch) == 1:
            return [self._alone(batch[0])]
        try:
            predictions = self._model.predict(joined(batch), batch[0].params)
            parts = taken_apart(predictions, [asked.rows or 0 for asked in batch])
        except BaseException:  # the model's own, even SystemExit, for one of them or for all: each is asked for alone and gets its own
            return [self._alone(asked) for asked in batch]
        if parts is None:
            if self.together:
                self.together = False
                log.warning("the model does not give one prediction for each row, so requests are predicted alone from now on")
            return [self._alone(asked) for asked in batch]
        return [_encoded(asked, part, len(batch)) for asked, part in zip(batch, parts, strict=True)]

    def _alone(self, asked: Asked) -> Answered | BaseException:
        try:
            return _encoded(asked, self._model.predict(asked.given(), asked.params), 1)
        except BaseException as fault:  # the model's own, even SystemExit; it is told by whoever asked
            return fault if isinstance(fault, Exception) else RuntimeError(f"{type(fault).__name__}: {fault}")


def _encoded(asked: Asked, predictions: Any, together: int) -> Answered | BaseException:
    try:
        return Answered(asked.encode(predictions), predictions, together)
    except Exception as fault:  # of libraries, for predictions that may be anything; it is told by whoever asked
        return fault
