"""Is the process of a run still there? A judgement from signs of life, a moment, and what this machine knows of its own processes.

Nothing is read or written here but `/proc`: `heartbeat` gives the signs, `reaper` acts on the judgement.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import lru_cache

from attrs import field, frozen

from drupe.entities import Heartbeat
from drupe.tracking.journal.places import boot_id, host_name

__all__ = ["Here", "Life", "Verdict", "judge", "silence_ms", "started_ms"]

MISSED = 3
SILENCE_MIN_MS = 30_000  # clocks of machines differ by seconds; a loaded one is late
SLACK_MS = 2_000  # the system tells the start of processes in whole seconds after a whole second of the boot


class Life(StrEnum):
    """What a run's process is: `silent` is there and says nothing (stopped, or its store out of reach)."""

    ALIVE = "alive"
    SILENT = "silent"
    DEAD = "dead"


@frozen
class Verdict:
    """A judgement; `last_ms` is the last sign of life, `why` says how a death is known: gone, restarted or unheard."""

    life: Life
    last_ms: int
    why: str = ""


def started_ms(pid: int) -> int | None:
    """When the process with that id was started, in ms since the epoch, 0 where the system does not tell; None when there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()
        if fields[0] in (b"Z", b"X"):
            return None  # dead, and only its parent has not asked yet
        return _boot_ms() + int(fields[19]) * 1000 // os.sysconf("SC_CLK_TCK")
    except (FileNotFoundError, ProcessLookupError):
        if os.path.isdir("/proc/self"):
            return None
    except (OSError, ValueError, IndexError):
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except (OSError, OverflowError):
        pass
    return 0


@frozen
class Here:
    """The machine that judges; `process` tells of a process id when it was started, None for none."""

    host: str = field(factory=host_name)
    boot_id: str = field(factory=boot_id)
    process: Callable[[int], int | None] = started_ms


def judge(beats: Sequence[Heartbeat], *, now_ms: int, here: Here) -> Verdict:
    """Of the signs of life of one run, at least one: alive when any of its writers is, dead when all of them are."""
    verdicts = [_judge_one(beat, now_ms, here) for beat in beats]
    last_ms = max(beat.at_ms for beat in beats)
    for life in (Life.ALIVE, Life.SILENT):
        if any(verdict.life is life for verdict in verdicts):
            return Verdict(life, last_ms)
    newest = max(verdicts, key=lambda verdict: verdict.last_ms)
    return Verdict(Life.DEAD, last_ms, newest.why)


def silence_ms(beat: Heartbeat) -> int:
    """How long nothing may be heard of a writer before it counts as silent."""
    return max(MISSED * beat.interval_ms, SILENCE_MIN_MS)


def _judge_one(beat: Heartbeat, now_ms: int, here: Here) -> Verdict:
    is_heard = now_ms - beat.at_ms <= silence_ms(beat)
    if beat.host == here.host and beat.boot_id and beat.boot_id == here.boot_id:
        started = here.process(beat.pid)
        if started is None or started > beat.at_ms + SLACK_MS:  # gone, or its number was given to another
            return Verdict(Life.DEAD, beat.at_ms, "gone")
        return Verdict(Life.ALIVE if is_heard else Life.SILENT, beat.at_ms)
    if is_heard:
        return Verdict(Life.ALIVE, beat.at_ms)
    has_restarted = beat.host == here.host and beat.boot_id and here.boot_id
    return Verdict(Life.DEAD, beat.at_ms, "restarted" if has_restarted else "unheard")


@lru_cache(maxsize=1)
def _boot_ms() -> int:
    with open("/proc/stat", "rb") as stat:
        for line in stat:
            if line.startswith(b"btime "):
                return int(line.split()[1]) * 1000
    raise ValueError("/proc/stat does not say when the system was started")
