"""How figures are shown: numbers for people, tables in Markdown, and the part of the page that belongs to one benchmark."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/explanation/benchmarks.md"


def about(days: Iterable[str], commits: Iterable[str], how: str) -> str:
    """The machine, the versions, the days and the commits of figures, and how they were taken."""
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{', '.join(days)}, commit {', '.join(commits)}, {how}"
    )


def today() -> str:
    """The day, as it stands beside figures."""
    return time.strftime("%Y-%m-%d")


def commit() -> str:
    """The commit that is checked out, short."""
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> list[str]:
    """Lines of a Markdown table whose columns are right-aligned but for the first `left` ones."""
    marks = ["---" if place < left else "--:" for place in range(len(head))]
    return [f"| {' | '.join(head)} |", f"|{'|'.join(marks)}|", *(f"| {' | '.join(row)} |" for row in rows)]


def verdict(measured: float, limit: float) -> str:
    """Whether a figure that should be low is low enough."""
    return "met" if measured <= limit else "MISSED"


def number(value: float) -> str:
    """Two or three digits that count, and thousands apart."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.{2 if value < 1 else 1}f}" if value >= 0.1 else f"{value:.2g}"


def duration(seconds: float) -> str:
    """A time in the unit that reads best."""
    for limit, factor, unit in ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms"), (120.0, 1.0, "s")):
        if seconds < limit:
            return f"{number(seconds * factor)} {unit}"
    return f"{number(seconds / 60)} min"


def put(text: str, marks: tuple[str, str]) -> None:
    """Put `text` between its two marks on the page, which stay."""
    start, end = marks
    before, found, rest = PAGE.read_text().partition(start)
    _, found_end, after = rest.partition(end)
    if not (found and found_end):
        raise SystemExit(f"{PAGE}: the marks {start} and {end} are missing")
    PAGE.write_text(f"{before}{start}\n\n{text.strip()}\n\n{end}{after}")
