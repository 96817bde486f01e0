"""Trainers that are killed, fork, write one run by the dozen: a bounded torture. `make torture` goes on for minutes."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .scenarios import SCENARIOS

RUN = Path(__file__).with_name("run.py")
ROUNDS = {"killed": 3}


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_that_was_acknowledged_is_lost_or_there_twice(name: str) -> None:
    seed = time.time_ns() % 1_000_000  # printed, and shown when the test fails
    command = [sys.executable, str(RUN), "--only", name, "--rounds", str(ROUNDS.get(name, 1)), "--seed", str(seed), "--size", "small"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    print(done.stdout)
    if "skipped: " in done.stdout:
        pytest.skip(done.stdout.partition("skipped: ")[2].splitlines()[0])
    last = done.stdout.splitlines()[-1]
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    assert re.fullmatch(r"acknowledged=[1-9]\d* lost=0 duplicated=0", last)
