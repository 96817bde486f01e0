"""What a tracking server costs: every row of the server's targets, next to MLflow's own server and FastTrackML, a rewrite of it in Go.

    python benchmarks/server.py --rounds 3 --write

Every server gets a fresh SQLite database, is started alone, and is asked by the same clients (`jobs/load.py`), in turns. drupe is taken twice:
as it comes, with a sync of the disk before every answer, and with `--durability normal`, which syncs as little as the others do.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import population
import population_mlflow
import server_plots
import server_rows as rows
from peers import MLFLOW
from report import ROOT, about, commit, duration, number, put, table, today
from server_postgres import two_processes
from server_running import Server, drupe, peers, running

MARKS = ("<!-- server: made by benchmarks/server.py -->", "<!-- end of server -->")
KEPT = ROOT / ".bench" / "server.json"
OWN, OWN_NORMAL = "drupe", "drupe, durability normal"
GO = "fasttrackml"

Figures = dict[str, float]
Found = dict[str, Figures]


class Row(NamedTuple):
    """A figure of every server: its name, its words, how it is shown."""

    key: str
    title: str
    show: Callable[[float], str]


ROWS = (
    Row("start_s", "start to the first healthy answer", duration),
    Row("idle_mb", "idle: memory, MB", number),
    Row("processes", "idle: processes", number),
    Row("idle_percent", "idle: % of a core", number),
    Row("points_per_s", "`log-metric`, 16 keep-alive clients: requests/s", number),
    Row("point_p99_s", "the same: 99 of 100 are answered within", duration),
    Row("point_cpu_ms", "the same: processor time per request, ms", number),
    Row("batched_per_s", "`log-batch` of 1000, 16 clients: metrics/s", number),
    Row("batch_cpu_ms", "the same: processor time per request, ms", number),
    Row("created_per_s", "`runs/create`, 16 clients: requests/s", number),
    Row("created_cpu_ms", "the same: processor time per request, ms", number),
    Row("get_cpu_ms", "`runs/get`: processor time, ms", number),
    Row("search_s", "search: 1000 runs with 10 params, 10 metrics, 5 tags", duration),
    Row("filter_s", "search: 100 of 1000 runs by a metric and a param", duration),
    Row("top_s", "search: the best 100 of 1000 runs by a metric", duration),
    Row("history_per_s", "history of 100 000 points as JSON, in pages of 25 000: points/s", number),
    Row("disk_bytes", "disk for each of them, bytes", number),
)
SIZED = (
    Row("search_s", "the newest 1000", duration),
    Row("filter_s", "100 by a metric and a param", duration),
    Row("top_s", "the best 100 by a metric", duration),
    Row("get_cpu_ms", "`runs/get`: processor time, ms", number),
)


def main() -> None:
    """Measure in turns, print the tables, and with --write put them into the documentation."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each load lasts")
    parser.add_argument("--peers", default="mlflow,fasttrackml", help="'' for none")
    parser.add_argument("--sizes", default="1000,10000,100000,1000000", help="of stores for searches")
    parser.add_argument(
        "--parts", default="protocol,sizes,series,files,postgres", help="what is measured; the rest is kept from the last time"
    )
    parser.add_argument("--keep", type=Path, help="folder of the big stores, which stay there")
    parser.add_argument("--write", action="store_true", help="put the figures into the page")
    given = parser.parse_args()
    others = peers(given.peers.split(","))
    kept: dict[str, Found] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    parts = given.parts.split(",")
    if "protocol" in parts:
        servers = [drupe(OWN, "--durability", "full"), drupe(OWN_NORMAL, "--durability", "normal"), *others]
        kept["protocol"] = _in_turns(servers, given.rounds, lambda server: rows.of_protocol(server, given.seconds))
    if "series" in parts:
        kept["series"] = {OWN: _once(drupe(), rows.of_series)}
    if "files" in parts:
        kept["files"] = {server.name: _once(server, rows.files) for server in (drupe(), *others) if GO not in server.name}
    if "postgres" in parts:
        kept["postgres"] = two_processes(given.seconds)
    if "sizes" in parts:
        kept["sizes"] = _sizes([int(size) for size in given.sizes.split(",")], others, given.keep)
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps(kept, indent=1))
    how = f"medians of {given.rounds} rounds of {given.seconds:g} s: `make bench-server`"
    text = "\n".join([about([today()], [commit()], how) + ".", "", *_page(kept)])
    print(text)
    if given.write:
        put(text, MARKS)
        server_plots.draw(kept)


def _in_turns(servers: Sequence[Server], rounds: int, measure: Callable[[Server], Figures]) -> Found:
    turns: dict[str, list[Figures]] = {server.name: [] for server in servers}
    for turn in range(rounds):
        for server in servers:
            _say(f"{turn + 1}: {server.name}")
            turns[server.name].append(measure(server))
    return {name: {key: statistics.median(one[key] for one in told) for key in told[0]} for name, told in turns.items()}


def _once(server: Server, measure: Callable[..., Figures]) -> Figures:
    _say(f"{measure.__name__.replace('_', ' ')}: {server.name}")
    with running(server) as it:
        return measure(it)


def _sizes(sizes: Sequence[int], others: Sequence[Server], keep: Path | None) -> Found:
    """Searches in stores of these sizes: ours in all of them, MLflow's in those that it can be asked about within minutes."""
    found: Found = {}
    with tempfile.TemporaryDirectory(prefix="drupe-bench-") as name:
        folder = keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        for size in sizes:
            file = folder / f"{size}.db"
            if not file.exists():
                _say(f"making {file.name}")
                population.build(file, size)
            _say(f"sizes: {size}, drupe")
            with running(drupe(store=f"sqlite:///{file}")) as it:
                experiment = str(
                    it.ask("POST", "experiments/search", {"max_results": 10, "filter": "name = 'population'"})["experiments"][0][
                        "experiment_id"
                    ]
                )
                found[f"{OWN} {size}"] = rows.of_a_store(it, experiment, 3, value="mlp")
            for server in others:
                if server.name == MLFLOW.name and size <= 100_000:
                    _say(f"sizes: {size}, {server.name}")
                    made = _of_mlflow(server, size, folder)
                    with running(server, lambda home, made=made, server=server: shutil.copy(made, home / server.database)) as it:
                        found[f"mlflow {size}"] = rows.of_a_store(it, "0", 3, value="mlp", repeats=3)
    return found


def _of_mlflow(server: Server, size: int, folder: Path) -> Path:
    file = folder / f"mlflow-{size}.db"
    if not file.exists():
        with running(server) as it:
            it.new_run()
            shutil.copy(it.folder / server.database, file)
        population_mlflow.load(file, size)
    return file


def _page(kept: dict[str, Found]) -> list[str]:
    lines: list[str] = []
    if {"protocol", "sizes", "series", "files"} <= kept.keys():
        lines += [*table(("target", "limit", "measured", ""), _verdicts(kept), left=1), ""]
    if "protocol" in kept:
        found = kept["protocol"]
        lines += table(("", *found), [(row.title, *(row.show(told[row.key]) for told in found.values())) for row in ROWS])
    if "sizes" in kept:
        lines += ["", *_sized(kept["sizes"])]
    alone = []
    if "series" in kept:
        told = kept["series"][OWN]
        alone += [
            ("20 series of 100 000 points, thinned for a chart", duration(told["chart_s"])),
            ("the same, every point, in columns: points/s", number(told["bulk_per_s"])),
        ]
    for name, told in kept.get("files", {}).items():
        alone.append((f"a file of 1 GiB through the proxy of {name}: up, down, GB/s", f"{told['up_gb_s']:.2f}, {told['down_gb_s']:.2f}"))
        alone.append(("the same: memory beyond what it held before, MB", number(told["files_mb"])))
    for name, told in kept.get("postgres", {}).items():
        alone.append((f"PostgreSQL, reads of two server processes over one: {name}", f"{told['times']:.2f}"))
    return [*lines, "", *table(("", ""), alone)] if alone else lines


def _verdicts(kept: dict[str, Found]) -> list[tuple[str, str, str, str]]:
    """The targets that a figure was measured for; rates are those of our own setting, which syncs before it answers."""
    own, normal, series, files = kept["protocol"][OWN], kept["protocol"][OWN_NORMAL], kept["series"][OWN], kept["files"][OWN]
    rows: list[tuple[str, float, float, Callable[[float], str]]] = [  # a negative limit is a least one
        ("start to the first healthy answer", 0.6, own["start_s"], duration),
        ("idle memory, MB", 90, own["idle_mb"], number),
        ("`log-metric`: processor time, ms", 0.15, own["point_cpu_ms"], number),
        ("`log-batch` of 1000: metrics/s", -500_000, own["batched_per_s"], number),
        ("`runs/create`: requests/s", -3000, own["created_per_s"], number),
        ("`runs/get`: processor time, ms", 0.3, own["get_cpu_ms"], number),
        ("history as JSON: points/s", -1e6, own["history_per_s"], number),
        ("history in columns: points/s", -20e6, series["bulk_per_s"], number),
        ("20 curves of 100 000 points for a chart", 0.05, series["chart_s"], duration),
        ("disk per point, bytes", 12, own["disk_bytes"], number),
        ("upload of 1 GiB, GB/s", -0.4, files["up_gb_s"], number),
        ("download of 1 GiB, GB/s", -0.8, files["down_gb_s"], number),
    ]
    go = next((told for name, told in kept["protocol"].items() if name.startswith(GO)), None)
    if go is not None:
        rows += [
            ("`log-metric` over FastTrackML's, with a sync before each answer", -2.5, own["points_per_s"] / go["points_per_s"], number),
            ("the same, `--durability normal`", -5, normal["points_per_s"] / go["points_per_s"], number),
        ]
    for size, factor in ((100_000, 1), (1_000_000, 2)):
        found = kept["sizes"].get(f"{OWN} {size}")
        if found is not None:
            for key, limit in (("search_s", 0.04), ("filter_s", 0.01), ("top_s", 0.01)):
                title = next(row.title for row in SIZED if row.key == key)
                rows.append((f"{title}, of {number(size)} runs", limit * factor, found[key], duration))
    return [
        (title, show(abs(limit)), show(value), "met" if (value >= -limit if limit < 0 else value <= limit) else "MISSED")
        for title, limit, value, show in rows
    ]


def _sized(found: Found) -> list[str]:
    names = list(found)
    head = ("search in a store of so many runs", *(_of_size(name) for name in names))
    return table(head, [(row.title, *(row.show(found[name][row.key]) for name in names)) for row in SIZED])


def _of_size(name: str) -> str:
    subject, _, size = name.rpartition(" ")
    return f"{subject} {number(float(size))}"


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
