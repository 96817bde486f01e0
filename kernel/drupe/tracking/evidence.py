"""What a process leaves in the run's own folder, so that others can tell how it died.

    process.json     who it is, and how often the system had killed for want of memory when it started
    crash.txt        what Python's faulthandler writes in the moment of a fatal signal
    logs/death.json  what the witness of its console saw (see `console.witness`)

All of it is removed when the run ends in order.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import signal
from pathlib import Path
from typing import Any

from attrs import frozen

from drupe.entities import Heartbeat
from drupe.tracking.console.parts import DEATH_FILE, FOLDER

__all__ = ["CRASH_FILE", "PROCESS_FILE", "Death", "begin", "end", "how_it_died", "note_of"]

PROCESS_FILE = "process.json"
CRASH_FILE = "crash.txt"
# What faulthandler calls the signals that it reports, see faulthandler_handlers in CPython's Modules/faulthandler.c
FATAL = {
    "Segmentation fault": "SIGSEGV",
    "Aborted": "SIGABRT",
    "Bus error": "SIGBUS",
    "Floating point exception": "SIGFPE",
    "Floating-point exception": "SIGFPE",
    "Illegal instruction": "SIGILL",
}

_crash_fd = -1  # where faulthandler writes: one number for the life of the process, led to the file of the run that is active
_crash_file: Path | None = None


@frozen
class Death:
    """`signal` None when it is not known or there was none; `at_ms` 0 when nobody saw it; `trace` is the text of crash.txt."""

    reason: str
    signal: str | None = None
    at_ms: int = 0
    trace: str = ""


def begin(folder: Path, beat: Heartbeat, *, is_outermost: bool) -> None:
    """Leave word of this process in a run's folder. A fault is no reason to fail a run: what is not there is not told later."""
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        for name in (CRASH_FILE, f"{FOLDER}/{DEATH_FILE}"):
            (folder / name).unlink(missing_ok=True)  # of an earlier process of this run
        source, count = _oom_kills(None)
        note = {"at_ms": beat.at_ms, "host": beat.host, "pid": beat.pid, "boot_id": beat.boot_id, "oom_source": source, "oom_kills": count}
        (folder / PROCESS_FILE).write_text(json.dumps(note))
        if is_outermost:
            _lead_faults_to(folder / CRASH_FILE)


def end(folder: Path) -> None:
    """Take it back."""
    with contextlib.suppress(OSError):
        if _crash_file == folder / CRASH_FILE:
            _lead_faults_to(Path(os.devnull))
        for name in (CRASH_FILE, PROCESS_FILE, f"{FOLDER}/{DEATH_FILE}"):
            (folder / name).unlink(missing_ok=True)
    for emptied in (folder / FOLDER, folder):
        with contextlib.suppress(OSError):  # something else is in it
            emptied.rmdir()


def note_of(folder: Path) -> dict[str, Any] | None:
    """What the process in a run's folder said of itself; None when there is nothing."""
    return _json(folder / PROCESS_FILE)


def how_it_died(folder: Path, why: str) -> Death:
    """How the process that left word in this folder died; `why` as in `liveness.Verdict`."""
    if why == "restarted":
        return Death("the machine was restarted")
    trace = _text(folder / CRASH_FILE)
    seen = _json(folder / FOLDER / DEATH_FILE) or {}
    at_ms = int(seen.get("at_ms", 0))
    fatal = next((name for text, name in FATAL.items() if f"Fatal Python error: {text}" in trace), None)
    if isinstance(seen.get("signal"), int):
        name = _signal_name(seen["signal"])
        return Death(_reason(name, folder), name, at_ms, trace)
    if fatal is not None:
        return Death(_reason(fatal, folder), fatal, at_ms, trace)
    if isinstance(seen.get("code"), int):
        return Death(f"the process left with exit status {seen['code']} without ending its run, as os._exit does", None, at_ms, trace)
    if why == "gone" and (folder / CRASH_FILE).exists():  # faulthandler would have written in it
        return Death(_reason("SIGKILL", folder), "SIGKILL", at_ms, trace)
    if why == "gone":
        return Death("the process is gone, and left no word of how it ended", None, at_ms)
    return Death("nothing was heard of the process any more: killed, or its machine or network is gone")


def _reason(name: str, folder: Path) -> str:
    if name != "SIGKILL":
        return f"the process was ended by {name}"
    note = note_of(folder) or {}
    source = note.get("oom_source")
    if source and _oom_kills(str(source))[1] > int(note.get("oom_kills", 0)):
        return "killed by SIGKILL; the system killed for want of memory meanwhile, so most likely by the out-of-memory killer"
    return "killed from outside by SIGKILL, most likely by kill -9 or the out-of-memory killer"


def _lead_faults_to(place: Path) -> None:
    global _crash_fd, _crash_file
    if _crash_fd < 0 and faulthandler.is_enabled():
        return  # the program's own; its reports go where it wants them
    opened = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    _crash_file = place
    if _crash_fd < 0:
        _crash_fd = opened
        faulthandler.enable(_crash_fd)
    else:
        os.dup2(opened, _crash_fd, inheritable=False)
        os.close(opened)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _oom_kills(source: str | None) -> tuple[str, int]:
    """How often processes were killed for want of memory, and the file that says so: of this control group, else of the whole machine."""
    for place in [source] if source else _oom_sources():
        for line in _text(Path(place)).splitlines():
            word, _, count = line.partition(" ")
            if word == "oom_kill" and count.strip().isdecimal():
                return place, int(count)
    return "", 0


def _oom_sources() -> list[str]:
    places = []
    for line in _text(Path("/proc/self/cgroup")).splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:  # version 2; in a container the path is as the container sees it
            places.append(f"/sys/fs/cgroup{path.rstrip('/')}/memory.events")
        elif "memory" in controllers.split(","):
            places.append(f"/sys/fs/cgroup/memory{path.rstrip('/')}/memory.oom_control")
    return [*places, "/proc/vmstat"]


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _json(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _after_fork() -> None:
    """A fault of a forked child is not its parent's: it is reported where the child's errors go."""
    global _crash_file
    if _crash_fd >= 0:
        _crash_file = None
        with contextlib.suppress(OSError):  # stderr is closed
            os.dup2(2, _crash_fd, inheritable=False)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
