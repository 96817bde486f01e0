"""How quickly the web UI shows things, in a real browser, next to MLflow's on the same runs.

    python benchmarks/ui.py --rounds 5 --write

Both look at SQLite files with the same 10 000 runs (`population`), each with a server of its own, and take turns. Curves, live points and wide
tables are ours alone: MLflow's pages thin a curve to 320 points and ask for new ones every 30 s. Needs Chromium and Playwright, see `ui_browser`.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import ui_rows as rows
from report import about, commit, duration, number, put, table, today
from server_running import Running, Server, drupe, peers, running
from ui_browser import browser, version

MARKS = "<!-- ui: made by benchmarks/ui.py -->", "<!-- end of ui -->"
EXPERIMENT = "1"
OURS = "drupe"

Figures = dict[str, float]


class Row(NamedTuple):
    """A figure: its name, its words, how it is shown, and the most that it should be."""

    key: str
    title: str
    show: Callable[[float], str] = duration
    limit: float | None = None


def kilobytes(value: float) -> str:
    """Bytes on the wire, as people say them."""
    return f"{number(value / 1000)} kB"


ROWS = (
    Row("bytes", "the table of 10 000 runs with an empty cache: on the wire", kilobytes, 150_000),
    Row("requests", "the same: requests", number),
    Row("first_s", "the same: until its first row is painted", duration, 0.8),
    Row("sort_s", "a click that sorts 10 000 runs, until the rows are painted", duration, 0.2),
    Row("filter_s", "Enter after a filter over 10 000 runs, until the rows are painted", duration, 0.2),
    Row("draw_s", "20 curves of 100 000 points: from the click on *Charts* until they are drawn", duration, 0.3),
    Row("cold_s", "the same: with an empty cache, from the start of the navigation"),
    Row("zoom_s", "the same: from the end of a drag until it is drawn closer, with all that is there", duration, 0.1),
    Row("live_s", "a point on a chart after `log_metric` has returned, through the server", duration, 1.5),
    Row("live_max_s", "the same: the longest"),
    Row("past_s", "the same, past the server into the store's file", duration, 1.5),
    Row("past_max_s", "the same: the longest"),
    Row("wide_first_s", "10 000 runs and 1000 columns, all shown: until the first row is painted"),
    Row("wide_columns", "the same: columns in the table", number),
    Row("nodes", "the same: elements in the page", number),
)
ROUTES = (
    Row("route_first_s", "the first window of 10 000 runs, with the columns that tell them apart"),
    Row("route_sort_s", "the same, sorted by a metric"),
    Row("route_filter_s", "the same, filtered by a metric"),
    Row("route_draw_s", "20 series of 100 000 points, thinned for a chart", duration, 0.05),
    Row("route_zoom_s", "the same, the steps from 30 000 to 70 000"),
    Row("route_close_s", "the same, the steps from 50 000 to 60 000"),
)


def measured(opened: Any, others: list[Server], rounds: int, folder: Path) -> dict[str, list[Figures]]:
    """The figures of each round, by subject."""
    files = {server.name: rows.make(server, rows.RUNS, folder) for server in [drupe(), *others]}
    wide = Path(shutil.copy(files[OURS], folder / "wide.db"))
    rows.widen(wide)
    found: dict[str, list[Figures]] = {name: [] for name in files}
    with ExitStack() as opened_servers:
        ours = opened_servers.enter_context(running(drupe(store=f"sqlite:///{files[OURS]}")))
        wider = opened_servers.enter_context(running(drupe(store=f"sqlite:///{wide}")))
        theirs = {server.name: opened_servers.enter_context(running(server, _given(server, files[server.name]))) for server in others}
        curves = rows.fill_curves(ours)
        runs = rows.runs_of(ours, curves)
        for it in (ours, wider, *theirs.values()):
            _warm(it)
        for turn in range(rounds):
            _say(f"round {turn + 1} of {rounds}: {OURS}")
            told = rows.of_table(opened, ours, EXPERIMENT) | rows.of_charts(opened, ours, curves)
            told |= rows.of_wide_table(opened, wider, EXPERIMENT) | rows.of_routes(ours, EXPERIMENT, runs)
            for key, is_embedded in (("live", False), ("past", True)):
                took = rows.live(opened, is_embedded)
                told |= {f"{key}_s": statistics.median(took), f"{key}_max_s": max(took)}
            found[OURS].append(told)
            for name, it in theirs.items():
                _say(f"round {turn + 1} of {rounds}: {name}")
                found[name].append(rows.of_their_table(opened, it))
    return found


def _given(server: Server, file: Path) -> Callable[[Path], None]:
    def prepare(home: Path) -> None:
        shutil.copy(file, home / server.database)

    return prepare


def _warm(it: Running) -> None:
    """One search before pages ask, since a server that has just started is slower than one that runs."""
    it.read("POST", "runs/search", {"experiment_ids": ["0", EXPERIMENT], "max_results": 100})


def page(found: dict[str, list[Figures]], head: str) -> str:
    """The tables, as Markdown: medians over rounds, and of what is the longest the maximum."""
    told = {name: _over_rounds(turns) for name, turns in found.items()}
    ours = told[OURS]
    checks = [
        (row.title, f"≤ {row.show(row.limit)}", row.show(ours[row.key]), "met" if ours[row.key] <= row.limit else "MISSED")
        for row in (*ROWS, *ROUTES)
        if row.limit is not None
    ]
    shown = [(row.title, *(row.show(figures[row.key]) if row.key in figures else "" for figures in told.values())) for row in ROWS]
    routes = [(row.title, row.show(ours[row.key])) for row in ROUTES]
    parts = (
        table(("target", "limit", "measured", ""), checks),
        table(("", *told), shown),
        table(("the server alone, from the request to the last byte", OURS), routes),
    )
    return "\n\n".join([head, *("\n".join(part) for part in parts)])


def _over_rounds(turns: list[Figures]) -> Figures:
    return {key: (max if "_max_" in key else statistics.median)([turn[key] for turn in turns]) for key in turns[0]}


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Measure, print the tables, and with --write put them into the documentation."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--skip-mlflow", action="store_true", help="leave MLflow's pages out")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/explanation/benchmarks.md")
    given = parser.parse_args()
    others = [] if given.skip_mlflow else peers(["mlflow"])
    with tempfile.TemporaryDirectory(prefix="drupe-bench-ui-") as folder, browser() as opened:
        how = f"{version(opened)}, medians of {given.rounds} rounds: `python benchmarks/ui.py {' '.join(sys.argv[1:])}`"
        text = page(measured(opened, others, given.rounds, Path(folder)), about([today()], [commit()], how))
    print(text)
    if given.write:
        put(text, MARKS)


if __name__ == "__main__":
    main()
