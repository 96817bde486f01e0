"""The accidents: each takes an empty folder and a seed, lets trainers meet with one, and says what was acknowledged, lost and there twice."""

from __future__ import annotations

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
}
