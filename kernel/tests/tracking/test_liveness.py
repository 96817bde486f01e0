"""Whether a run's process is there, judged from signs of life; every case is written out."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from attrs import evolve

from drupe.entities import Heartbeat
from drupe.tracking.liveness import Here, Life, Verdict, judge, started_ms

NOW = 1_700_000_000_000
BEAT = Heartbeat("apple", "w", NOW - 5_000, 10_000, "box", 4711, "boot-1")


def here(started: int | None = NOW - 60_000, host: str = "box", boot_id: str = "boot-1") -> Here:
    return Here(host, boot_id, lambda pid: started if pid == 4711 else None)


@pytest.mark.parametrize(
    ("age_ms", "machine", "life", "why"),
    [
        (5_000, here(), Life.ALIVE, ""),
        (31_000, here(), Life.SILENT, ""),  # stopped, or its store is out of reach: the process is there
        (5_000, here(started=0), Life.ALIVE, ""),  # the system does not tell when it was started
        (1, here(started=None), Life.DEAD, "gone"),
        (60_000, here(started=NOW - 50_000), Life.DEAD, "gone"),  # its number was given to another
        (60_000, here(started=NOW - 59_000), Life.SILENT, ""),  # within what whole seconds can tell
        (30_000, here(host="other"), Life.ALIVE, ""),
        (30_001, here(host="other"), Life.DEAD, "unheard"),
        (30_001, here(boot_id=""), Life.DEAD, "unheard"),
        (5_000, here(boot_id="boot-2"), Life.ALIVE, ""),  # another machine of this name
        (30_001, here(boot_id="boot-2"), Life.DEAD, "restarted"),
        (-60_000, here(host="other"), Life.ALIVE, ""),  # a clock that is ahead
    ],
)
def test_one_writer_is_judged_by_what_can_be_known_of_it(age_ms: int, machine: Here, life: Life, why: str) -> None:
    beat = evolve(BEAT, at_ms=NOW - age_ms)
    assert judge([beat], now_ms=NOW, here=machine) == Verdict(life, NOW - age_ms, why)


def test_slow_hearts_are_waited_for_longer() -> None:
    slow = evolve(BEAT, interval_ms=60_000, at_ms=NOW - 180_000)
    assert judge([slow], now_ms=NOW, here=here(host="other")).life is Life.ALIVE
    assert judge([slow], now_ms=NOW + 1, here=here(host="other")).life is Life.DEAD


def test_a_run_lives_as_long_as_one_of_its_writers() -> None:
    dead, alive = evolve(BEAT, writer="v", pid=1, at_ms=NOW - 1000), BEAT
    assert judge([dead, alive], now_ms=NOW, here=here()) == Verdict(Life.ALIVE, NOW - 1000)
    silent = evolve(BEAT, at_ms=NOW - 50_000)
    assert judge([dead, silent], now_ms=NOW, here=here()).life is Life.SILENT
    assert judge([dead, evolve(dead, writer="u", at_ms=NOW - 9)], now_ms=NOW, here=here()) == Verdict(Life.DEAD, NOW - 9, "gone")


def test_the_start_of_processes_is_known() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        began = started_ms(child.pid)
        assert began is not None
        assert abs(began - time.time() * 1000) < 60_000
        assert child.stdin is not None
        child.stdin.close()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert started_ms(child.pid) is None  # ended, though nobody has asked for its status
    assert started_ms(child.pid) is None
    assert started_ms(os.getpid()) is not None
