"""What a torture lets trainers do, in processes forked from one that has everything imported.

The process that forks uses no store itself, so what it forks is like a process that was started anew.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import random
import signal
import traceback
from collections.abc import Callable
from pathlib import Path

import drupe
from drupe.errors import StoreFull, StoreUnavailable
from drupe.tracking import address

from .ledger import Tally, acknowledge, compare, read_ledger

__all__ = ["Trainers", "in_child", "train"]

STEPS_OF_WRITER = 10**6
QUIET = {
    "DRUPE_ENABLE_SYSTEM_METRICS_LOGGING": "0",
    "DRUPE_CAPTURE_CONSOLE": "0",
    "DRUPE_CAPTURE_ENVIRONMENT": "0",
    "DRUPE_CAPTURE_GIT_DIFF": "0",
}


def in_child(work: Callable[[], None], folder: Path, environment: dict[str, str] | None = None) -> int:
    """Fork a process that does this work in a folder and ends; its id. Whatever it raises goes to `raised.txt`, and ends it with 1."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.chdir(folder)
        os.environ.update(QUIET, **(environment or {}))
        random.seed(os.getpid())
        work()
        code = 0
    except SystemExit as leaving:
        code = int(leaving.code or 0)
    except BaseException:
        with open("raised.txt", "a") as file:
            traceback.print_exc(file=file)
    finally:
        try:
            if code == 0:
                _leave_properly()
        finally:
            os._exit(code)


def _leave_properly() -> None:
    """What the end of the interpreter does. The process that forked has no exit handlers of its own that would matter here."""
    atexit._run_exitfuncs()


class Trainers:
    """The trainers of one round: all write to one pipe, and are compared with the store when they are gone."""

    def __init__(self, folder: Path, seed: int, environment: dict[str, str] | None = None) -> None:
        self.folder, self.seed, self.environment = folder, seed, environment or {}
        self.reading, self.writing = os.pipe()
        self.children: list[int] = []
        folder.mkdir(parents=True, exist_ok=True)

    def start(self, work: Callable[[int], None]) -> int:
        """Fork one that does `work(pipe)`."""
        child = in_child(lambda: work(self.writing), self.folder, self.environment)
        self.children.append(child)
        return child

    def kill_at(self, lines: int) -> None:
        """Kill all of them when so many lines were acknowledged, or let them end."""
        os.close(self.writing)
        seen = bytearray()
        while seen.count(b"\n") < lines:
            part = os.read(self.reading, 1 << 16)
            if not part:
                break
            seen += part
        for child in self.children:
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                continue
        while part := os.read(self.reading, 1 << 16):
            seen += part
        os.close(self.reading)
        self.replay(bytes(seen))

    def replay(self, seen: bytes) -> None:
        """Make what was read readable once more."""
        path = self.folder / "ledger"
        path.write_bytes(seen)
        self.reading, self.writing = os.open(path, os.O_RDONLY), -1

    def finish(self) -> Tally:
        """Wait for all, let the next process adopt what they left, and compare."""
        if self.writing >= 0:
            os.close(self.writing)
        ledger = read_ledger(self.reading)
        for child in self.children:
            os.waitpid(child, 0)
        reading, writing = os.pipe()

        def look() -> None:
            store = address.tracking_store()
            tally = compare(ledger, store)
            left = [str(path) for path in Path("drupe-journals").rglob("*.journal")] if not self.environment.get("KEPT") else []
            notes = (*tally.notes, *(f"{name} was not shipped" for name in left), *(f"a call raised {told}" for told in ledger.raised))
            text = "\n".join(notes)[:30_000].encode()
            os.write(writing, b"%d %d %d\n" % (tally.acknowledged, tally.lost, tally.duplicated) + text)
            address.close_stores()

        looker = in_child(look, self.folder, {**self.environment, "DRUPE_OFFLINE": "0"})
        os.close(writing)
        with os.fdopen(reading, "rb") as told:
            head, _, text = told.read().decode().partition("\n")
        os.waitpid(looker, 0)
        raised = self.folder / "raised.txt"
        notes = [line for line in text.splitlines() if line]
        if raised.exists():
            notes.append(raised.read_text())
        if not head:
            return Tally(ledger.count, ledger.count, 0, (*notes, "the store could not be compared"))
        return Tally(*map(int, head.split()), tuple(f"seed {self.seed}: {note}" for note in notes))


def train(pipe: int, seed: int, *, calls: int | None = None, run_id: str | None = None, writer: int = 0) -> None:
    """Log this and that to one run, and acknowledge each call when it has returned. Without `calls`, until somebody kills it."""
    chance = random.Random(seed)
    run = drupe.start_run(run_id=run_id)
    name = run.info.run_id
    acknowledge(pipe, run=name)
    step, call = writer * STEPS_OF_WRITER, 0
    while calls is None or call < calls:
        call += 1
        try:
            step = _one_call(pipe, chance, name, step, writer, call)
        except Exception as fault:  # nothing may reach training; it is counted
            acknowledge(pipe, run=name, raised=f"{type(fault).__name__}: {fault}"[:300])
            if calls is None:
                return
    try:
        drupe.end_run()
    except Exception as fault:
        acknowledge(pipe, run=name, raised=f"{type(fault).__name__}: {fault}"[:300])


def _one_call(pipe: int, chance: random.Random, run: str, step: int, writer: int, call: int) -> int:
    kind = chance.random()
    if kind < 0.8:
        drupe.log_metric("loss", chance.random(), step=step)
        acknowledge(pipe, run=run, key="loss", steps=(step, step))
        return step + 1
    if kind < 0.88:
        drupe.log_metrics({"loss": chance.random(), f"acc{call % 3}": chance.random()}, step=step)
        acknowledge(pipe, run=run, key="loss", steps=(step, step))
        acknowledge(pipe, run=run, key=f"acc{call % 3}", steps=(step, step))
        return step + 1
    if kind < 0.91:
        count = chance.randrange(1, 3000)
        drupe.log_series("loss", range(step, step + count), [chance.random() for _ in range(count)])
        acknowledge(pipe, run=run, key="loss", steps=(step, step + count - 1))
        return step + count
    if kind < 0.94:
        drupe.log_param(f"p{writer}.{call}", call)
        acknowledge(pipe, run=run, params={f"p{writer}.{call}": str(call)})
    elif kind < 0.97:
        tag = {f"t{writer}.{call}": "x" * chance.randrange(300)}
        drupe.set_tags(tag)
        acknowledge(pipe, run=run, tags=tag)
    elif kind < 0.98:
        with contextlib.suppress(StoreUnavailable, StoreFull):  # which is what `flush` is asked to tell; what was logged waits
            drupe.flush()
    return step
