"""The figures of the client's benchmark as tables: one row's on the screen, and all of them as the page's part, with the pictures of `client_plots`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from client_plots import draw
from client_rows import ROWS, Line, Row, Target
from report import about, duration, number, put, table

MARKS = "<!-- client: made by benchmarks/client.py -->", "<!-- end of client -->"
LIMITS = ("os.write", "mmap", "sqlite3", "sqlite3 at the end")

Kept = Mapping[str, Mapping[str, Any]]


def show(row: Row, measured: Mapping[str, Any]) -> list[str]:
    """One row's table."""
    found = measured["found"]
    lines = table(("", *found), [(line.title, *(_cell(row, line, told) for told in found.values())) for line in row.lines])
    return [*lines, *(f"{name} failed: {told['fault']}" for name, told in found.items() if "fault" in told)]


def write(kept: Kept) -> None:
    """Put all rows into the page, and draw its pictures."""
    draw(kept)
    put(text(kept), MARKS)


def text(kept: Kept) -> str:
    """The page's part."""
    rows = [row for row in ROWS if row.name in kept]
    days = sorted({kept[row.name]["day"] for row in rows})
    commits = list(dict.fromkeys(kept[row.name]["commit"] for row in rows))
    lines = [about(days, commits, "`make bench-client`"), ""]
    lines += ["### Targets", "", *_targets(rows, kept), ""]
    lines += ["![How long log_metric keeps a training loop, by tool](../images/bench-log-metric.png)", ""]
    for part in dict.fromkeys(row.part for row in rows):
        lines += [f"### {part}", "", *_tools([row for row in rows if row.part == part], kept), ""]
        lines += [f"![{title}](../images/{file})\n" for title, file in PICTURES.get(part, ())]
    lines += ["### The limits of the machine", "", *_limits(rows, kept), "", *_notes(rows, kept)]
    return "\n".join(lines)


PICTURES = {
    "Logging": (("The time until 100 000 points are durable and read, by tool", "bench-ingest.png"),),
    "Search": (("Search time against the number of runs", "bench-search.png"),),
}


def is_met(target: Target, value: float) -> bool:
    """Whether a figure is as low, or as high, as it should be."""
    return value >= target.limit if target.is_least else value <= target.limit


def _targets(rows: Sequence[Row], kept: Kept) -> list[str]:
    lines, reasons = [], []
    for row in rows:
        told = kept[row.name]["found"].get("drupe", {})
        for line in row.lines:
            if line.target is None:
                continue
            value = told.get("figures", {}).get(line.figure)
            met = value is not None and is_met(line.target, value)
            limit = f"{'≥' if line.target.is_least else '≤'} {_value(line, line.target.limit)}"
            lines.append((line.title, limit, _cell(row, line, told), "met" if met else "MISSED"))
            if not met:
                reasons.append(f"* **{line.title}**: {line.target.why or 'not looked into yet.'}")
    return [*table(("what", "target", "drupe", ""), lines), *(["", "Why what is missed is missed:", "", *reasons] if reasons else [])]


def _tools(rows: Sequence[Row], kept: Kept) -> list[str]:
    names = list(dict.fromkeys(name for row in rows for name in row.subjects if name not in LIMITS and name in _measured(row, kept)))
    lines = [(line.title, *(_cell(row, line, _measured(row, kept).get(name)) for name in names)) for row in rows for line in row.lines]
    return table(("", *names), lines)


def _limits(rows: Sequence[Row], kept: Kept) -> list[str]:
    names = ["drupe", *LIMITS]
    lines = [
        (line.title, *(_cell(row, line, _measured(row, kept).get(name)) for name in names))
        for row in rows
        if {*row.subjects} & {*LIMITS}
        for line in row.lines
    ]
    return table(("", *names), lines)


def _notes(rows: Sequence[Row], kept: Kept) -> list[str]:
    faults = [
        f"* {name} has no figures of {row.name}: {told['fault']}"
        for row in rows
        for name, told in _measured(row, kept).items()
        if "fault" in told
    ]
    return [*faults]


def _measured(row: Row, kept: Kept) -> Mapping[str, Any]:
    found: Mapping[str, Any] = kept[row.name]["found"]
    return found


def _cell(row: Row, line: Line, told: Mapping[str, Any] | None) -> str:
    if told is None:
        return ""
    if line.figure not in told.get("figures", {}):
        return "failed"
    less = f" (of {number(told['amount'])})" if line.grows and told["amount"] < row.amount else ""
    return f"{_value(line, told['figures'][line.figure])}{less}"


def _value(line: Line, value: float) -> str:
    return duration(value * line.scale) if line.scale else number(value)
