"""The files that a console log is kept in, and the form of their lines; shared by those who write and those who read.

A log is a sequence of parts `logs/console.0001.log`, `console.0002.log`, …; a process that takes up a run of another one writes a sequence
of its own, `console-<its start>-<chance>.0001.log`, …. A line has the form that Kubernetes gives to container logs, so that log tools read it:

    2026-11-26T14:03:22.123Z stdout F epoch 3: loss 0.25

`F` ends a line, `P` says that it goes on in the next one. Nothing beyond the standard library is imported here: the witness uses it.
"""

from __future__ import annotations

import re
import time

__all__ = ["FOLDER", "PART_BYTES", "STREAMS", "death_name", "part_name", "prefix", "sequence_of", "split_line"]

FOLDER = "logs"
PART_BYTES = 4 * 2**20
STREAMS = ("stdout", "stderr", "terminal")
"""Where a line was printed; `terminal` is both at once, where both lead to one terminal (see `capture`)."""

_NAME = re.compile(r"(console(?:-[\w-]+)?)\.(\d{4,})\.log")
_LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (stdout|stderr|terminal) ([FP]) ?(.*)", re.DOTALL)


def death_name(pid: int) -> str:
    """The file that the witness leaves beside the parts when the process ended before its run did."""
    return f"death-{pid}.json"


def part_name(sequence: str, number: int) -> str:
    """The file name of a part; `sequence` is `console` or `console-…`, numbers start at 1."""
    return f"{sequence}.{number:04}.log"


def sequence_of(name: str) -> tuple[str, int] | None:
    """The sequence and number in the name of a part; None for other files."""
    found = _NAME.fullmatch(name)
    return (found[1], int(found[2])) if found else None


def prefix(at_ms: int, stream: str, *, is_whole: bool = True) -> str:
    """What stands before the text of a line."""
    seconds, ms = divmod(at_ms, 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{ms:03}Z {stream} {'F' if is_whole else 'P'} "


def split_line(line: str) -> tuple[str, str, bool, str] | None:
    """Time, stream, whether the line ends here, and text; None for what is no line of a console log."""
    found = _LINE.fullmatch(line)
    return (found[1], found[2], found[3] == "F", found[4]) if found else None
