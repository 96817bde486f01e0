"""What a process leaves beside the folder of its run, so that others can tell how it died.

    <run id>.<pid>.process.json      who it is, and how often the system had killed for want of memory when it started
    <run id>.<pid>.crash.txt         what Python's faulthandler writes in the moment of a fatal signal; only of a process's outermost run
    <run id>/logs/death-<pid>.json   what the witness of its console saw (see `console.witness`)

All of it is removed when the run ends in order. The first two are no files in the folder because folders are dear: making and removing one
takes longer than all else that starting a run does.
"""

from __future__ import annotations

import contextlib
import faulthandler
import fcntl
import json
import os
import re
import signal
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

from attrs import frozen

from drupe.entities import Heartbeat
from drupe.tracking.console.parts import FOLDER, death_name

__all__ = ["Death", "begin", "crash_file", "crash_text", "end", "how_it_died", "is_witnessed", "left_in", "note_file"]

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
    """Leave word of this process for a run. A fault is no reason to fail a run: what is not there is not told later."""
    source = _oom_source()
    note = {"at_ms": beat.at_ms, "host": beat.host, "pid": beat.pid, "boot_id": beat.boot_id}
    note |= {"oom_source": source, "oom_kills": _oom_kills_of_late(source, int(time.monotonic())) if source else None}
    place = note_file(folder, beat.pid)
    with contextlib.suppress(OSError):
        try:
            _write(place, json.dumps(note))
        except FileNotFoundError:
            place.parent.mkdir(parents=True, exist_ok=True)
            _write(place, json.dumps(note))
        if is_outermost:
            _lead_faults_to(crash_file(folder, beat.pid))


def end(folder: Path, pid: int) -> None:
    """Take it back."""
    crash = crash_file(folder, pid)
    with contextlib.suppress(OSError):
        if _crash_file == crash:
            _lead_faults_to(Path(os.devnull))
        for place in (crash, note_file(folder, pid), folder / FOLDER / death_name(pid)):
            place.unlink(missing_ok=True)


def left_in(root: Path) -> list[Heartbeat]:
    """What processes have said of themselves below a root, as their last signs of life."""
    found = []
    for place in root.glob("*.process.json"):
        note = _json(place)
        with contextlib.suppress(KeyError, TypeError, ValueError):
            run_id, pid, _, _ = place.name.rsplit(".", 3)
            if int(pid) == note["pid"]:
                found.append(Heartbeat(run_id, "", int(note["at_ms"]), 0, str(note["host"]), int(pid), str(note["boot_id"])))
    return found


def crash_file(folder: Path, pid: int) -> Path:
    """Where the report of a fatal signal of that process is."""
    return folder.with_name(f"{folder.name}.{pid}.crash.txt")


def crash_text(folder: Path, pid: int) -> bytes:
    """What is in it; nothing where it is not there."""
    try:
        return crash_file(folder, pid).read_bytes()
    except OSError:
        return b""


def note_file(folder: Path, pid: int) -> Path:
    """Where that process says who it is. The witness of its console has it locked until it has written all that it saw."""
    return folder.with_name(f"{folder.name}.{pid}.process.json")


def is_witnessed(root: Path, pid: int) -> bool:
    """True while the witness of a process with runs below a root has not written all that it saw."""
    for note in root.glob(f"*.{pid}.process.json"):
        try:
            opened = os.open(note, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:  # somebody has taken care of that run already
            continue
        try:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:  # no locks there
            continue
        finally:
            os.close(opened)
    return False


def how_it_died(folder: Path, pid: int, why: str) -> Death:
    """How a process with this run died; `why` as in `liveness.Verdict`."""
    if why == "restarted":
        return Death("the machine was restarted")
    folder = _of_outermost(folder, pid)
    crash = crash_file(folder, pid)
    trace, is_minded = _text(crash), crash.exists()
    seen = _json(folder / FOLDER / death_name(pid))
    at_ms = int(seen.get("at_ms", 0))
    fatal = next((name for text, name in FATAL.items() if f"Fatal Python error: {text}" in trace), None)
    if isinstance(seen.get("signal"), int):
        name = _signal_name(seen["signal"])
        return Death(_reason(name, folder, pid), name, at_ms, trace)
    if fatal is not None:
        return Death(_reason(fatal, folder, pid), fatal, at_ms, trace)
    if isinstance(seen.get("code"), int):
        return Death(f"the process left with exit status {seen['code']} without ending its run, as os._exit does", None, at_ms, trace)
    if why == "gone" and is_minded:  # faulthandler would have written
        return Death(_reason("SIGKILL", folder, pid), "SIGKILL", at_ms, trace)
    if why == "gone":
        return Death("the process is gone, and left no word of how it ended", None, at_ms)
    return Death("nothing was heard of the process any more: killed, or its machine or network is gone")


def _of_outermost(folder: Path, pid: int) -> Path:
    """The folder of the run that has the evidence of a process: of several runs of one process, the outermost one."""
    mine = _json(note_file(folder, pid))
    places = [*folder.parent.glob(f"*.{pid}.crash.txt"), *folder.parent.glob(f"*/{FOLDER}/{death_name(pid)}")]
    folders = [place.with_name(place.name.rsplit(".", 3)[0]) if place.suffix == ".txt" else place.parents[1] for place in places]
    same = [other for other in folders if all(_json(note_file(other, pid)).get(key) == mine.get(key) for key in ("host", "boot_id"))]
    return folder if folder in same or not same else same[0]


def _reason(name: str, folder: Path, pid: int) -> str:
    if name != "SIGKILL":
        return f"the process was ended by {name}"
    note = _json(note_file(folder, pid))
    before, now = note.get("oom_kills"), _oom_kills(str(note.get("oom_source") or os.devnull))
    if isinstance(before, int) and now is not None and now > before:
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


def _oom_kills(source: str) -> int | None:
    """How often processes were killed for want of memory, as a file of the system says; None when it does not."""
    found = re.search(r"^oom_kill (\d+)$", _text(Path(source)), re.MULTILINE)
    return int(found[1]) if found else None


@lru_cache(maxsize=1)
def _oom_kills_of_late(source: str, second: int) -> int | None:
    """Read once a second at most: the system takes as long for it as for everything else that is done here."""
    return _oom_kills(source)


@lru_cache(maxsize=1)
def _oom_source() -> str:
    """The file that says that of this control group, else of the whole machine; empty where none does."""
    places = []
    for line in _text(Path("/proc/self/cgroup")).splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:  # version 2; in a container the path is as the container sees it
            places.append(f"/sys/fs/cgroup{path.rstrip('/')}/memory.events")
        elif "memory" in controllers.split(","):
            places.append(f"/sys/fs/cgroup/memory{path.rstrip('/')}/memory.oom_control")
    return next((place for place in [*places, "/proc/vmstat"] if _oom_kills(place) is not None), "")


def _write(path: Path, text: str) -> None:
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)  # a file object takes several times as long
    try:
        os.write(opened, text.encode())
    finally:
        os.close(opened)


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _after_fork() -> None:
    """A fault of a forked child is not its parent's: it is reported where the child's errors go."""
    global _crash_file
    if _crash_fd >= 0:
        _crash_file = None
        with contextlib.suppress(OSError):  # stderr is closed
            os.dup2(2, _crash_fd, inheritable=False)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
