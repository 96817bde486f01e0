"""How values look to a person in the terminal: times with their age, durations, numbers, sizes. Machine forms are in `output`."""

from __future__ import annotations

import math
import time
from datetime import datetime
from typing import Any

__all__ = ["age", "cells", "duration", "moment", "number", "shorten", "shorten_middle", "size", "text", "utc"]

_UNITS = ((31_557_600, "year"), (2_629_800, "month"), (604_800, "week"), (86_400, "day"), (3600, "h"), (60, "min"))


def moment(at_ms: int | None, *, now_ms: int | None = None) -> str:
    """A time as local ISO with its age: `2026-03-01 14:05:09 (3 min ago)`; empty for None."""
    if at_ms is None:
        return ""
    return f"{datetime.fromtimestamp(at_ms / 1000):%Y-%m-%d %H:%M:%S} ({age(at_ms, now_ms=now_ms)})"


def age(at_ms: int | None, *, now_ms: int | None = None) -> str:
    """How long ago a time was, in its largest unit: `just now`, `3 min ago`, `2 weeks ago`, `in 5 min`."""
    if at_ms is None:
        return ""
    seconds = ((time.time() * 1000 if now_ms is None else now_ms) - at_ms) / 1000
    if abs(seconds) < 45:
        return "just now" if abs(seconds) < 10 else f"{int(seconds)} s ago" if seconds > 0 else f"in {int(-seconds)} s"
    for length, unit in _UNITS:
        count = int(abs(seconds) / length + 0.25)  # 50 minutes are an hour rather than a long minute
        if count:
            plural = "s" if count > 1 and unit not in ("h", "min") else ""
            return f"{count} {unit}{plural} ago" if seconds > 0 else f"in {count} {unit}{plural}"
    return "just now"


def utc(at_ms: int | None) -> str:
    """A time for programs: UTC, ISO 8601, with milliseconds; empty for None."""
    if at_ms is None:
        return ""
    whole, ms = divmod(at_ms, 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{ms:03d}Z"


def duration(length_ms: int | None) -> str:
    """A length of time in at most two units: `450 ms`, `12.3 s`, `3 min 05 s`, `2 h 03 min`, `4 d 06 h`."""
    if length_ms is None:
        return ""
    if length_ms < 1000:
        return f"{length_ms} ms"
    seconds = length_ms / 1000
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days} d {hour:02d} h"
    return f"{hours} h {minute:02d} min" if hours else f"{minutes} min {second:02d} s"


def number(value: float | None) -> str:
    """A number with six significant digits; whole numbers below a million stay whole; empty for None."""
    if value is None:
        return ""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return str(value) if isinstance(value, int) else f"{value:.6g}"


def size(size_bytes: int | None) -> str:
    """A size in the unit that keeps it below 1000, decimal units: `512 B`, `1.3 kB`, `20.5 MB`."""
    if size_bytes is None:
        return ""
    amount, units = float(size_bytes), ["B", "kB", "MB", "GB", "TB"]
    while amount >= 999.95 and len(units) > 1:
        amount /= 1000
        units.pop(0)
    return f"{size_bytes} B" if units[0] == "B" else f"{amount:.1f} {units[0]}"


def text(value: Any) -> str:
    """Any value on one line: control characters become spaces, None is empty."""
    if value is None:
        return ""
    if isinstance(value, float):
        return number(value)
    return "".join(c if c.isprintable() else " " for c in str(value))


def cells(line: str) -> int:
    """How many columns of a terminal a line takes: Chinese, Japanese and Korean signs and emoji take two, combining marks none."""
    if line.isascii():
        return len(line)
    from rich.cells import cell_len  # here: only what is not ASCII pays for it

    return cell_len(line)


def shorten(line: str, width: int) -> str:
    """`line` cut to `width` columns of a terminal, the last of them an ellipsis when something was cut."""
    if cells(line) <= width:
        return line
    if line.isascii():
        return line[: max(0, width - 1)] + "…"
    from rich.cells import set_cell_size  # as in `cells`

    return set_cell_size(line, max(0, width - 1)).rstrip(" ") + "…"


def shorten_middle(line: str, width: int) -> str:
    """`line` without its middle where it is longer than `width` columns: names of one family differ at their ends."""
    if cells(line) <= width:
        return line
    tail = (width - 1) // 2
    return shorten(line, width - tail) + line[-tail:]
