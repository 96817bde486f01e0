"""Log points one call at a time and end the run; or, with `kill`, be killed right after the last call has returned.

Times are those of the machine's monotonic clock, so that another process can go on counting from them.
"""

import contextlib
import importlib
import os
import signal
import time

from opened import given, opened, say


def processes() -> list[int]:
    """This process and all below it."""
    found, waiting = [], [os.getpid()]
    while waiting:
        process = waiting.pop()
        found.append(process)
        with contextlib.suppress(FileNotFoundError):
            for thread in os.listdir(f"/proc/{process}/task"):
                with open(f"/proc/{process}/task/{thread}/children") as children:
                    waiting += map(int, children.read().split())
    return found


def memory_kb(field: str) -> int:
    """The sum of a field of all processes: `VmRSS` is what they hold, `VmHWM` the most that they have held since `forget_peaks`."""
    total = 0
    for process in processes():
        with contextlib.suppress(FileNotFoundError), open(f"/proc/{process}/status") as status:
            total += sum(int(line.split()[1]) for line in status if line.startswith(f"{field}:"))
    return total


def forget_peaks() -> None:
    for process in processes():
        with open(f"/proc/{process}/clear_refs", "w") as peaks:
            peaks.write("5")


subject = opened()
value_at = importlib.import_module("points").value_at
run = subject.begin()
say(run=run)
points, log = given["points"], subject.log
warm = min(points, 1000)
began = time.monotonic()
for step in range(warm):
    log("loss", value_at(step), step=step)
before = 0
if given.get("watch_memory"):
    forget_peaks()
    before = memory_kb("VmRSS")
for step in range(warm, points):
    log("loss", value_at(step), step=step)
logged = time.monotonic()
if given.get("kill"):
    say(run=run, acknowledged=points)
    os.kill(os.getpid(), signal.SIGKILL)
filled = memory_kb("VmHWM") if before else 0
subject.finish()
ended = time.monotonic()
peak = max(filled, memory_kb("VmHWM")) if before else 0
say(run=run, began=began, logged=logged, ended=ended, added_mb=(peak - before) / 1024)
