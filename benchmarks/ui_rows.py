"""The rows of the UI's benchmark: what is put into a store, what a person does, and which figures that gives. Seconds, unless a name says otherwise."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import population
import population_mlflow
from server_rows import typical
from server_running import Running, Server, drupe, running
from turns import environ
from ui_browser import act, loaded, page_of

__all__ = [
    "CURVES",
    "LONG",
    "RUNS",
    "fill_curves",
    "live",
    "make",
    "of_charts",
    "of_routes",
    "of_table",
    "of_their_table",
    "of_wide_table",
    "runs_of",
    "widen",
]

RUNS = 10_000
CURVES, LONG = 20, 100_000
SPIKE_AT, SPIKE = 54_321, 10.0
WIDE = 1000
WIDE_RUNS = 200
LIVE_POINTS = 5
APART_MS = 300
BUCKETS = 448  # of a chart in three columns of a window of 1440 pixels
FIRST_MS = 1_700_000_000_000
FILTER = "metrics.acc < 0.5"
TRAINING = Path(__file__).parent / "jobs" / "training.py"

_OURS = ".grid-body [role=row][aria-rowindex='2'] .runs-name"
_THEIRS = ".ag-row[row-index='0']"
_NAME = "(document.querySelector({row!r})?.textContent ?? '')"
SERIES = "/ajax-api/2.0/drupe/series"


def make(server: Server, runs: int, folder: Path) -> Path:
    """A database of so many runs for that server, made once."""
    file = folder / f"{server.name}-{runs}.db".replace(" ", "-")
    if not file.exists() and server.database == "drupe.db":
        population.build(file, runs)
    elif not file.exists():
        with running(server) as it:
            it.new_run()
            shutil.copy(it.folder / server.database, file)
        population_mlflow.load(file, runs)
    return file


def widen(file: Path) -> None:
    """More params, so that there are a thousand columns: the newest runs have all of them."""
    connection = sqlite3.connect(file)
    made = list(connection.execute("SELECT id, start_ms, experiment FROM runs ORDER BY id DESC LIMIT ?", (WIDE_RUNS,)))
    names = [f"wide_{place:04}" for place in range(WIDE - len(population.PARAMS) - len(population.METRICS))]
    connection.executemany("INSERT INTO keys (name) VALUES (?)", [(name,) for name in names])
    ids = [number for (number,) in connection.execute("SELECT id FROM keys WHERE name LIKE 'wide_%'")]
    connection.executemany(
        "INSERT INTO params (run, key, value, start_ms, experiment) VALUES (?, ?, ?, ?, ?)",
        ((run, key, str((run * 31 + key) % 97), start, experiment) for run, start, experiment in made for key in ids),
    )
    connection.commit()
    connection.close()


def of_table(browser: Any, it: Running, experiment: str) -> dict[str, float]:
    """A cold page of our table, a click that sorts it, and a filter."""
    name = _NAME.format(row=_OURS)
    with page_of(browser, f"{name} !== ''") as page:
        first = loaded(page, f"http://127.0.0.1:{it.port}/experiments/{experiment}")
        page.get_by_role("columnheader").filter(has_text="acc").wait_for()
        before = page.evaluate(f"() => {name}")
        sort = act(page, "click", f"{name} !== {before!r}", page.get_by_role("columnheader").filter(has_text="acc").click)
        before = page.evaluate(f"() => {name}")
        box = page.get_by_role("combobox", name="Filter runs")
        box.fill(FILTER)
        found = act(page, "keydown", f"{name} !== {before!r}", lambda: box.press("Enter"))
    return {"first_s": first.shown_s, "bytes": first.bytes, "requests": first.requests, "sort_s": sort, "filter_s": found}


def of_their_table(browser: Any, it: Running) -> dict[str, float]:
    """The same on MLflow's pages, sorted by the time of creation, which is a click there as well."""
    name = _NAME.format(row=_THEIRS)
    with page_of(browser, f"/brave/.test({name})") as page:
        first = loaded(page, f"http://127.0.0.1:{it.port}/#/experiments/0/runs")
        before = page.evaluate(f"() => {name}")
        sort = act(
            page, "click", f"/brave/.test({name}) && {name} !== {before!r}", page.locator("[data-testid='sort-header-Created']").click
        )
        before = page.evaluate(f"() => {name}")
        box = page.locator("[data-testid='search-box']")
        box.fill(FILTER)
        found = act(page, "keydown", f"/brave/.test({name}) && {name} !== {before!r}", lambda: box.press("Enter"))
    return {"first_s": first.shown_s, "bytes": first.bytes, "requests": first.requests, "sort_s": sort, "filter_s": found}


def of_wide_table(browser: Any, it: Running, experiment: str) -> dict[str, float]:
    """A table with a thousand columns, all shown: nodes in the page, and the time until its first row."""
    name = _NAME.format(row=_OURS)
    with page_of(browser, f"{name} !== ''") as page:
        first = loaded(page, f"http://127.0.0.1:{it.port}/experiments/{experiment}?cols=*")
        columns = int(page.get_by_role("grid").get_attribute("aria-colcount"))
        nodes = int(page.evaluate("() => document.querySelectorAll('*').length"))
    return {"wide_first_s": first.shown_s, "wide_columns": columns, "nodes": nodes}


def fill_curves(it: Running) -> str:
    """Long curves in runs of one experiment, one with a spike of a single point; returns the id of the experiment."""
    from drupe.entities import LogBatch, Points
    from drupe.wire.own import columns_form
    from drupe.wire.shapes import plain

    experiment = str(it.ask("POST", "experiments/create", {"name": "curves"})["experiment_id"])
    for n in range(CURVES):
        run = it.new_run(experiment)
        chance = random.Random(n)
        values = [1 / (1 + step / 9000) + n * 0.02 + chance.random() * 0.05 for step in range(LONG)]
        if n == CURVES // 2:
            values[SPIKE_AT] = SPIKE
        points = Points.of((step, FIRST_MS + APART_MS * step + chance.randrange(40), value) for step, value in enumerate(values))
        it.read("POST", "/api/2.0/drupe/log-columns", plain(columns_form(run, LogBatch({"loss": points}))))
        it.ask("POST", "runs/update", {"run_id": run, "status": "FINISHED", "end_time": FIRST_MS + APART_MS * LONG})
    return experiment


def of_charts(browser: Any, it: Running, experiment: str) -> dict[str, float]:
    """The first drawing of the curves, from the start of the navigation and from a click in the table; and a zoom by dragging.

    Raises RuntimeError when the spike is not in what is drawn.
    """
    address = f"http://127.0.0.1:{it.port}/experiments/{experiment}"
    drawn = f"bench.told.strokes >= {CURVES}"
    with page_of(browser, drawn) as page:
        cold = loaded(page, f"{address}?tab=charts").shown_s
        plot = page.locator(".plot-canvas .u-over").bounding_box()
        page.evaluate("() => { bench.before = { strokes: 0, answers: bench.told.answers }; }")
        page.mouse.move(plot["x"] + plot["width"] * 0.3, plot["y"] + 60)
        page.mouse.down()
        for share in (0.4, 0.5, 0.6, 0.7):
            page.mouse.move(plot["x"] + plot["width"] * share, plot["y"] + 60)
        # the strokes that count are those after the answer with the points of what is seen now
        closer = (
            "bench.told.answers > bench.before.answers && (bench.before.strokes ||= bench.told.strokes) "
            f"&& bench.told.strokes >= bench.before.strokes + {CURVES}"
        )
        zoom = act(page, "mouseup", closer, page.mouse.up)
    with page_of(browser, f"document.querySelector({_OURS!r})") as page:
        loaded(page, address)
        draw = act(page, "click", drawn, page.get_by_role("tab", name="Charts").click)
    with page_of(browser, drawn) as page:
        loaded(page, f"{address}?tab=charts#lines")
        highest = float(page.evaluate("() => bench.told.highest"))
        top = float(page.evaluate("() => { const { y } = document.querySelector('.u-over').getBoundingClientRect(); return y; }"))
        top -= float(page.evaluate("() => document.querySelector('.uplot canvas').getBoundingClientRect().y"))
        height = float(page.evaluate("() => document.querySelector('.u-over').clientHeight"))
    if not highest < top + height * 0.1:  # the spike is ten times as high as anything else, and so at the top of the chart
        raise RuntimeError(f"the spike is not drawn: the highest place of a curve is {highest}, the chart begins at {top}")
    return {"cold_s": cold, "draw_s": draw, "zoom_s": zoom}


@contextmanager
def _training(store: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, str(TRAINING), store],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=folder,
        env=environ(folder),
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _heard(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{"):
            found: dict[str, Any] = json.loads(line)
            return found
    raise RuntimeError("the training process ended by itself")


def live(browser: Any, is_embedded: bool) -> list[float]:
    """How long points take from the return of `log_metric` to a chart, through the server or past it into the store's file."""
    with running(drupe()) as it, page_of(browser) as page:
        store = f"sqlite:///{it.folder}/drupe.db" if is_embedded else f"http://127.0.0.1:{it.port}"
        with _training(store, it.folder) as process:
            run = _heard(process)["run_id"]
            page.goto(f"http://127.0.0.1:{it.port}/runs/{run}?tab=charts")
            page.locator(".plot-canvas[aria-label*='to 2']").wait_for()
            return [_of_point(page, process, step) for step in range(LIVE_POINTS)]


def _of_point(page: Any, process: subprocess.Popen[str], step: int) -> float:
    value = 10 * (step + 1)
    # what the chart says to those who cannot see it changes in the same turn as what it draws
    page.evaluate(
        f"() => {{ bench.done = bench.shown(() => document.querySelector(\".plot-canvas[aria-label*='to {value}']\"))"
        ".then((at) => performance.timeOrigin + at); }"
    )
    assert process.stdin is not None
    process.stdin.write(f"{value}\n")
    process.stdin.flush()
    returned = float(_heard(process)["returned_s"])
    return float(page.evaluate("() => bench.done")) / 1000 - returned


def of_routes(it: Running, experiment: str, runs: list[str]) -> dict[str, float]:
    """What the server takes for the answers behind all that, without a browser."""
    table = {"experiments": [experiment], "count": 100}
    series = {"run_ids": runs, "keys": ["loss"], "buckets": BUCKETS}
    asked: dict[str, tuple[str, dict[str, Any]]] = {
        "route_first_s": ("/api/drupe/ui/runs", table),
        "route_sort_s": ("/api/drupe/ui/runs", {**table, "order": "metrics.acc DESC", "columns": ["metrics.acc"]}),
        "route_filter_s": ("/api/drupe/ui/runs", {**table, "filter": FILTER, "columns": ["metrics.acc"]}),
        "route_draw_s": (SERIES, series),
        "route_zoom_s": (SERIES, {**series, "first_step": LONG * 3 // 10, "last_step": LONG * 7 // 10}),
        "route_close_s": (SERIES, {**series, "first_step": LONG // 2, "last_step": LONG * 6 // 10}),
    }
    return {key: typical(lambda path=path, form=form: it.read("POST", path, form), 7) for key, (path, form) in asked.items()}


def runs_of(it: Running, experiment: str) -> list[str]:
    """The ids of the runs with curves."""
    page = it.ask("POST", "runs/search", {"experiment_ids": [experiment], "max_results": CURVES})
    return [run["info"]["run_id"] for run in page["runs"]]
