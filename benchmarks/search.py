"""What a page of runs costs in stores of a thousand, a hundred thousand and a million: every kind of filter and order, deep pages, single runs.

    python benchmarks/search.py [--sizes 1000,100000,1000000] [--rounds 7] [--keep FOLDER] [--write]

The stores are made by benchmarks/population.py, a million takes minutes and 4 GB; `--keep` leaves them in a folder for the next time. The
sizes take turns, question by question, after one round that fills the caches. benchmarks/client.py has the same next to other tools.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import population
import report

from drupe.entities import ViewType
from drupe.search import Kind, parse
from drupe.uris import Uri
from drupe_store_sqlite.stores import SqliteTrackingStore

MARKS = ("<!-- search: made by benchmarks/search.py -->", "<!-- end of search -->")


class Question(NamedTuple):
    """A search; `page` is the page that is timed, by number; `target` its limit in ms for 100 000 runs, twice that for a million."""

    title: str
    filter: str = ""
    order: tuple[str, ...] = ()
    limit: int = 100
    page: int = 0
    view: ViewType = ViewType.ACTIVE_ONLY
    is_everywhere: bool = False
    target: float | None = None


QUESTIONS = (
    Question("the newest 1000", limit=1000, target=40),
    Question("the newest 100"),
    Question("the newest 100, page 50", page=50),
    Question("the newest 100 of all experiments, deleted or not", view=ViewType.ALL, is_everywhere=True),
    Question("metric and param, both common", "metrics.val_loss < 0.6 AND params.model = 'mlp'", target=10),
    Question("metric rare, param common", "metrics.val_acc > 0.99 AND params.model = 'mlp'", target=10),
    Question("metric and param, each a fifth, together one in a thousand", "metrics.epoch_s > 32.9 AND params.batch_size = '16'"),
    Question("a param of one run in 100", "params.data = '/data/fig/2025-03'"),
    Question("a param of one run in 10 000", "params.seed = '77'"),
    Question("a tag of one run in 4", "tags.team = 'risk'"),
    Question("the beginning of a param", "params.lr LIKE '0.0101%'"),
    Question("any text in a param", "params.data LIKE '%fig/2025-0%'"),
    Question("AND, OR, IN", "(params.model IN ('mlp', 'forest') OR tags.team = 'risk') AND metrics.acc > 0.5"),
    Question("a rare value of the lowest loss", "metrics.loss.min < 0.21"),
    Question("a status of one run in 50", "status = 'KILLED'"),
    Question("a user who has no runs", "user_id = 'nobody'"),
    Question("the beginning of a run id", "run_id LIKE 'abc%'"),
    Question("top 100 by a metric", order=("metrics.val_acc DESC",), target=10),
    Question("top 100 by a metric, page 50", order=("metrics.val_acc DESC",), page=50),
    Question("top 100 by a metric, of a tag", "tags.team = 'risk'", ("metrics.loss",)),
    Question("by a param", order=("params.lr",)),
    Question("by a param of five values, page 50", order=("params.model",), page=50),
    Question("by end", order=("end_time DESC",)),
    Question("by name", order=("run_name",)),
    Question("by the lowest loss, which has no index", order=("metrics.loss.min",)),
)


class Times(NamedTuple):
    """Medians in ms: on the clock, and of the processor."""

    clock: float
    processor: float


def opened(folder: Path, runs: int) -> SqliteTrackingStore:
    """The store of so many runs in this folder, made if it is not there."""
    file = folder / f"{runs}.db"
    if not file.exists():
        print(f"making {file}", file=sys.stderr)
        population.build(file, runs)
    return SqliteTrackingStore.open(Uri.parse(f"sqlite:///{file}"))


def asking(store: SqliteTrackingStore, question: Question) -> Callable[[], Any]:
    """The call to time."""
    query = parse(Kind.RUNS, question.filter, question.order)
    experiments = None if question.is_everywhere else ["1"]
    token = None
    for _ in range(question.page):
        found = store.search_runs(query, experiment_ids=experiments, view=question.view, limit=question.limit, page_token=token)
        token = found.token
        if token is None:  # there are not so many pages
            break
    return lambda: store.search_runs(query, experiment_ids=experiments, view=question.view, limit=question.limit, page_token=token)


def measure(stores: dict[int, SqliteTrackingStore], rounds: int) -> dict[str, dict[int, Times]]:
    """By question and size."""
    found: dict[str, dict[int, Times]] = {}
    for question in QUESTIONS:
        found[question.title] = in_turns({size: asking(store, question) for size, store in stores.items()}, rounds)
        print(question.title, found[question.title], file=sys.stderr, flush=True)
    one = {size: store.search_runs(parse(Kind.RUNS), experiment_ids=["1"], limit=1)[0].info.run_id for size, store in stores.items()}
    found["one run by its id"] = in_turns(
        {size: lambda store=store, run_id=one[size]: store.get_run(run_id) for size, store in stores.items()}, rounds * 50
    )
    return found


def in_turns(calls: dict[int, Callable[[], Any]], rounds: int) -> dict[int, Times]:
    times: dict[int, list[tuple[float, float]]] = {size: [] for size in calls}
    for turn in range(rounds + 1):
        for size, call in calls.items():
            clock, processor = time.perf_counter(), time.process_time()
            call()
            if turn:
                times[size].append(((time.perf_counter() - clock) * 1000, (time.process_time() - processor) * 1000))
    return {size: Times(*(statistics.median(each) for each in zip(*of, strict=True))) for size, of in times.items()}


def listed(folder: Path, runs: int) -> tuple[float, float, float]:
    """`drupe runs list --json` of all runs: seconds to the first run, to the last, and the most memory in MB."""
    command = [sys.executable, "-m", "drupe", "runs", "list", "--json", "--tracking-uri", f"sqlite:///{folder}/{runs}.db"]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.readline()
        first = time.perf_counter() - began
        while process.stdout.read(1 << 20):
            pass
    last = time.perf_counter() - began
    return first, last, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def verdicts(found: dict[str, dict[int, Times]]) -> list[list[str]]:
    """Target, limit and figure, where a target was measured."""
    rows = []
    for question in QUESTIONS:
        for size, factor in ((100_000, 1.0), (1_000_000, 2.0)):
            if question.target is not None and size in found[question.title]:
                limit, used = question.target * factor, found[question.title][size].processor
                rows.append(
                    [f"{question.title}, {report.number(size)} runs", f"{limit:.0f} ms", f"{used:.1f} ms", report.verdict(used, limit)]
                )
    for size, times in found["one run by its id"].items():
        rows.append(
            [f"one of {report.number(size)} runs by its id", "0.3 ms", f"{times.processor:.2f} ms", report.verdict(times.processor, 0.3)]
        )
    return rows


def page(found: dict[str, dict[int, Times]], lists: dict[int, tuple[float, float, float]], how: str) -> str:
    """The tables as Markdown."""
    sizes = list(next(iter(found.values())))
    rows = [[title, *(f"{times[size].clock:.1f} ({times[size].processor:.1f})" for size in sizes)] for title, times in found.items()]
    lines = [f"{report.about([report.today()], [report.commit()], how)}.", _load(), ""]
    lines += report.table(["ms on the clock (of the processor)", *(f"{report.number(size)} runs" for size in sizes)], rows)
    lines += ["", *report.table(["target", "limit", "processor", ""], verdicts(found), left=1)]
    told = [[report.number(size), f"{first:.2f} s", f"{last:.1f} s", f"{memory:.0f} MB"] for size, (first, last, memory) in lists.items()]
    lines += ["", *report.table(["`drupe runs list --json` of", "first run after", "last run after", "most memory"], told)]
    return "\n".join(lines)


def _load() -> str:
    """How busy the machine was, which is what a figure on the clock is worth."""
    return f"{os.getloadavg()[1]:.0f} processes wanted to run at any moment of the last five minutes, on {os.cpu_count()} cores; this one is one of them."


def main() -> None:
    """Measure, print the tables, and with --write put them into the documentation."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", default="1000,100000,1000000")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--keep", type=Path, help="folder of the stores, which stay there")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {report.PAGE.relative_to(report.ROOT)}")
    given = parser.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    with tempfile.TemporaryDirectory() as name:
        folder = given.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        stores = {size: opened(folder, size) for size in sizes}
        found = measure(stores, given.rounds)
        for store in stores.values():
            store.close()
        lists = {size: listed(folder, size) for size in sizes if size <= 100_000}
    text = page(
        found,
        lists,
        f"medians of {given.rounds} rounds: `python benchmarks/search.py --sizes {given.sizes} --rounds {given.rounds} --write`",
    )
    print(text)
    if given.write:
        report.put(text, MARKS)


if __name__ == "__main__":
    main()
