"""The accidents: each takes an empty folder and a seed, lets trainers meet with one, and says what was acknowledged, lost and there twice."""

from __future__ import annotations

import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import drupe
from drupe.errors import StoreError
from drupe.tracking.journal import outbox

from . import faulty_calls
from .database_damage import populate, torment
from .ledger import Tally, acknowledge
from .trainers import STEPS_OF_WRITER, Trainers, in_child, train

__all__ = ["SCENARIOS", "Scenario"]

Scenario = Callable[[Path, int, bool], Tally]
"""Takes an empty folder, a seed, and whether it is to be small."""


def killed(folder: Path, seed: int, is_small: bool) -> Tally:
    """A trainer is killed at a random point; offline at times."""
    chance = random.Random(seed)
    trainers = Trainers(folder, seed, {"DRUPE_OFFLINE": str(int(chance.random() < 0.3))})
    trainers.start(lambda pipe: train(pipe, seed))
    trainers.kill_at(int(10 ** chance.uniform(0, 3 if is_small else 3.7)))
    return trainers.finish()


def killed_again_and_again(folder: Path, seed: int, is_small: bool) -> Tally:
    """One run is taken up again after each kill, so that dead journals are adopted while the next trainer logs."""
    chance = random.Random(seed)
    total = Tally()
    run_id = f"again{seed}"
    make_run(folder, run_id)
    for turn in range(3):
        trainers = Trainers(folder, seed)
        trainers.start(lambda pipe, turn=turn: train(pipe, seed + turn, run_id=run_id, writer=turn))  # type: ignore[misc]
        trainers.kill_at(int(10 ** chance.uniform(0, 2.5 if is_small else 3.3)))
        total += trainers.finish()
    return total


def many_writers(folder: Path, seed: int, is_small: bool) -> Tally:
    """32 processes log to one run at once; every fourth is killed."""
    writers, calls = 32, 20 if is_small else 100
    run_id = f"shared{seed}"
    make_run(folder, run_id)
    trainers = Trainers(folder, seed)
    for writer in range(writers):
        count = None if writer % 4 == 3 else calls
        trainers.start(lambda pipe, writer=writer, count=count: train(pipe, seed * 100 + writer, calls=count, run_id=run_id, writer=writer))  # type: ignore[misc]
    chance = random.Random(seed)
    kept = [child for writer, child in enumerate(trainers.children) if writer % 4 == 3]
    reaper = threading.Timer(chance.uniform(0.3, 2.0), lambda: [os.kill(child, signal.SIGKILL) for child in kept])
    reaper.start()
    tally = trainers.finish()
    reaper.join()
    return tally


def fork_storm(folder: Path, seed: int, is_small: bool) -> Tally:
    """A trainer forks while it logs; children log, fork, leave by every door, or kill themselves."""

    children = 8 if is_small else 24

    def storm(pipe: int) -> None:
        run = drupe.start_run()
        name = run.info.run_id
        acknowledge(pipe, run=name)
        born: list[int] = []
        for number in range(1, children + 1):
            drupe.log_metric("loss", 0.5, step=number)
            acknowledge(pipe, run=name, key="loss", steps=(number, number))
            child = os.fork()
            if child == 0:
                _child_of_storm(pipe, name, number)
            born.append(child)
        for child in born:
            os.waitpid(child, 0)
        drupe.end_run()

    trainers = Trainers(folder, seed)
    trainers.start(storm)
    return trainers.finish()


def _child_of_storm(pipe: int, run: str, number: int) -> None:
    for turn in range(30):
        step = number * STEPS_OF_WRITER + turn
        drupe.log_metric("loss", 0.5, step=step)
        acknowledge(pipe, run=run, key="loss", steps=(step, step))
        if turn == 10 and number % 3 == 0:
            grandchild = os.fork()
            if grandchild == 0:
                drupe.log_metric("loss", 0.5, step=step + 500)
                acknowledge(pipe, run=run, key="loss", steps=(step + 500, step + 500))
                os._exit(0)
            os.waitpid(grandchild, 0)
    if number % 4 == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(number % 2)


def threads(folder: Path, seed: int, is_small: bool) -> Tally:
    """Eight threads of one process log to one run, and the process is killed."""

    def many(pipe: int) -> None:
        run = drupe.start_run().info.run_id
        acknowledge(pipe, run=run)

        def log(number: int) -> None:
            step = number * STEPS_OF_WRITER
            while True:
                drupe.log_metric(f"m{number % 3}", 0.5, step=step, run_id=run)
                acknowledge(pipe, run=run, key=f"m{number % 3}", steps=(step, step))
                step += 1

        for number in range(8):
            threading.Thread(target=log, args=(number,), daemon=True).start()
        threading.Event().wait()

    trainers = Trainers(folder, seed)
    trainers.start(many)
    trainers.kill_at(random.Random(seed).randrange(100, 1000 if is_small else 4000))
    return trainers.finish()


def clock_steps(folder: Path, seed: int, is_small: bool) -> Tally:
    """The clock jumps back and forth by hours while a trainer logs, and then it is killed."""

    def unsteady(pipe: int) -> None:
        chance = random.Random(seed)
        true_ns, true_s = time.time_ns, time.time
        offset = [0.0]

        def jump() -> float:
            if chance.random() < 0.05:
                offset[0] = chance.uniform(-7200, 7200)
            return offset[0]

        time.time_ns = lambda: true_ns() + int(jump() * 1e9)
        time.time = lambda: true_s() + jump()
        train(pipe, seed)

    trainers = Trainers(folder, seed)
    trainers.start(unsteady)
    trainers.kill_at(random.Random(seed).randrange(50, 500 if is_small else 2000))
    return trainers.finish()


def ranks(folder: Path, seed: int, is_small: bool) -> Tally:
    """A group such as torchrun starts: each rank is a program of its own that finds the run's id in the environment."""
    count = 2 if is_small else 4
    run_id = f"group{seed}"
    make_run(folder, run_id)
    trainers = Trainers(folder, seed)
    script = (
        "import os, sys, drupe\n"
        "rank, pipe = int(os.environ['RANK']), int(sys.argv[1])\n"
        "with drupe.start_run() as run:\n"
        "    for step in range(rank * 1000000, rank * 1000000 + 300):\n"
        "        drupe.log_metric('loss', 0.5, step=step)\n"
        '        os.write(pipe, b\'{"run": "%s", "key": "loss", "steps": [%d, %d]}\\n\' % (run.info.run_id.encode(), step, step))\n'
    )
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(trainers.writing)],
            cwd=folder,
            pass_fds=(trainers.writing,),
            env={**os.environ, "DRUPE_RUN_ID": run_id, "RANK": str(rank)},
        )
        for rank in range(count)
    ]
    tally = trainers.finish()
    codes = [program.wait() for program in programs]
    return tally + Tally(notes=tuple(f"seed {seed}: rank {rank} ended with {code}" for rank, code in enumerate(codes) if code))


def failing_calls(folder: Path, seed: int, is_small: bool) -> Tally:
    """Every single call that writes, syncs or takes space fails once, or from there on until the training is over."""
    if not faulty_calls.is_preloaded():
        return Tally(skipped="needs a C compiler")
    chance = random.Random(seed)
    environment = {"DRUPE_JOURNAL_SYNC": chance.choice(("process", "second", "call"))}
    count = _calls_of_a_training(folder / "count", environment)
    total = Tally()
    for at in sorted(chance.sample(range(1, count + 1), min(count, 8))) if is_small else range(1, count + 1):
        is_sticky, code = chance.random() < 0.4, chance.choice(faulty_calls.CODES)
        trainers = Trainers(folder / str(at), seed, environment)

        def work(pipe: int, at: int = at, code: int = code, is_sticky: bool = is_sticky) -> None:
            faulty_calls.arm(at, code, is_sticky=is_sticky)
            _short_training(pipe, then=lambda: faulty_calls.arm(0))

        trainers.start(work)
        tally = trainers.finish()
        how = f"{environment}, call {at} of {count} {'and all after it fail' if is_sticky else 'fails'} with {os.strerror(code)}: "
        total += Tally(tally.acknowledged, tally.lost, tally.duplicated, tuple(how + note for note in tally.notes))
    return total


def _calls_of_a_training(folder: Path, environment: dict[str, str]) -> int:
    reading, writing = os.pipe()

    def work() -> None:
        faulty_calls.arm(10**9)
        _short_training(os.open(os.devnull, os.O_WRONLY), then=lambda: os.write(writing, b"%d" % faulty_calls.seen()))

    folder.mkdir()
    os.waitpid(in_child(work, folder, environment), 0)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        return int(told.read())


def _short_training(pipe: int, then: Callable[[], object]) -> None:
    """A run of a few calls of every kind, with two flushes; `then` is called before it ends."""
    try:
        name = drupe.start_run().info.run_id
    except StoreError:  # such as a store that cannot be written at all: the training has not begun
        then()
        return
    acknowledge(pipe, run=name)
    for step in range(60):
        try:
            drupe.log_metric("loss", 0.5, step=step)
            acknowledge(pipe, run=name, key="loss", steps=(step, step))
            if step in (20, 40):
                drupe.log_param(f"p{step}", step)
                acknowledge(pipe, run=name, params={f"p{step}": str(step)})
                drupe.set_tag(f"t{step}", "x")
                acknowledge(pipe, run=name, tags={f"t{step}": "x"})
                outbox.lines()[0].ship(now=True)
        except Exception as fault:  # nothing may reach training
            acknowledge(pipe, run=name, raised=f"{type(fault).__name__}: {fault}"[:300])
    drupe.log_series("loss", range(60, 20_060), [0.5] * 20_000)  # more than the first file of a journal holds
    acknowledge(pipe, run=name, key="loss", steps=(60, 20_059))
    then()
    drupe.end_run()


def full_disk(folder: Path, seed: int, is_small: bool) -> Tally:
    """The disk of store and journals is full for a while; what is logged meanwhile is there when space is back, and one warning was given."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        return Tally(skipped="needs the right to mount a small file system")
    chance = random.Random(seed)

    def work(pipe: int) -> None:
        warnings = _Warnings()
        logging.getLogger("drupe.tracking").addHandler(warnings)
        name = drupe.start_run().info.run_id
        acknowledge(pipe, run=name)
        for step in range(3000):
            if step == 500:
                _fill_disk(Path("filler"))
            if step == 2500:
                Path("filler").unlink()
            try:
                drupe.log_metric("loss", chance.random(), step=step)
                acknowledge(pipe, run=name, key="loss", steps=(step, step))
                if step % 700 == 600:
                    count = chance.randrange(6000, 9000)
                    drupe.log_series("long", range(step * 10**5, step * 10**5 + count), [chance.random() for _ in range(count)])
                    acknowledge(pipe, run=name, key="long", steps=(step * 10**5, step * 10**5 + count - 1))
                    outbox.lines()[0].ship(now=True)
            except Exception as fault:
                acknowledge(pipe, run=name, raised=f"{type(fault).__name__}: {fault}"[:300])
        drupe.end_run()
        if len(warnings.told) > 2:  # that the disk is full, and that all is well again
            acknowledge(pipe, run=name, raised=f"no exception, but {len(warnings.told)} warnings: {warnings.told}"[:1000])

    try:
        trainers = Trainers(folder, seed)
        trainers.start(work)
        return trainers.finish()
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def damaged_database(folder: Path, seed: int, is_small: bool) -> Tally:
    """A database file is damaged at random places, verified and repaired; `acknowledged` counts the rounds."""
    rounds = 2 if is_small else 20

    def work() -> None:
        original = populate(folder / "whole.db")
        for number in range(rounds):
            torment(original, folder, seed * 1000 + number)

    child = in_child(work, folder)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return Tally(rounds) if code == 0 else Tally(rounds, 1, 0, ((folder / "raised.txt").read_text(),))


class _Warnings(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(record.getMessage()[:200])


def _fill_disk(path: Path) -> None:
    with path.open("wb", buffering=0) as filler:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    filler.write(b"x" * size)
            except OSError:
                continue


def make_run(folder: Path, run_id: str) -> None:
    """Make a run of that id, in a process of its own."""

    def work() -> None:
        from drupe.entities import NewRun
        from drupe.tracking import address

        address.tracking_store().create_run(NewRun("0", run_id=run_id))
        address.close_stores()

    folder.mkdir(parents=True, exist_ok=True)
    os.waitpid(in_child(work, folder), 0)


SCENARIOS: Mapping[str, Scenario] = {
    "killed": killed,
    "killed again and again": killed_again_and_again,
    "many writers": many_writers,
    "fork storm": fork_storm,
    "threads": threads,
    "clock steps": clock_steps,
    "ranks": ranks,
    "failing calls": failing_calls,
    "full disk": full_disk,
    "damaged database": damaged_database,
}
