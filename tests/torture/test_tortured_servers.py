"""Servers that are killed, ended, paused, cut off, out of space and out of power under their writers: a bounded torture."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .server_scenarios import SERVER_SCENARIOS

RUN = Path(__file__).with_name("run.py")

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", SERVER_SCENARIOS)
def test_nothing_that_was_answered_is_lost_or_there_twice(name: str) -> None:
    seed = time.time_ns() % 1_000_000  # printed, and shown when the test fails
    command = [sys.executable, str(RUN), "--only", name, "--rounds", "1", "--seed", str(seed), "--size", "small"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    print(done.stdout)
    if "skipped: " in done.stdout:
        pytest.skip(done.stdout.partition("skipped: ")[2].splitlines()[0])
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    assert re.fullmatch(r"acknowledged=[1-9]\d* lost=0 duplicated=0", done.stdout.splitlines()[-1])


def test_a_power_cut_tells_when_answers_were_not_synced() -> None:
    command = [sys.executable, str(RUN), "--only", "power is cut", "--rounds", "1", "--size", "small"]
    environ = {**os.environ, "DRUPE_TORTURE_DURABILITY": "normal"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False, env=environ)
    if "skipped: " in done.stdout:
        pytest.skip(done.stdout.partition("skipped: ")[2].splitlines()[0])
    assert done.returncode == 1
    for folder in re.findall(r"its journals are in (/\S+)", done.stdout):
        shutil.rmtree(folder)
    assert re.fullmatch(r"acknowledged=[1-9]\d* lost=[1-9]\d* duplicated=0", done.stdout.splitlines()[-1])
