"""The rows of the client's benchmark: what is measured, of whom, in which amount, and what it is held to.

How it is measured is in `measures`; how it is shown, in `client`. A tool that needs minutes for the full amount gets a smaller one, which is
told beside its figure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import measures
from peers import AIM, MLFLOW, TRACKIO, WANDB, Peer
from turns import Subject

TOOLS = ("drupe", "mlflow", "mlflow async", "wandb", "aim", "trackio")
RAW = ("os.write", "mmap", "sqlite3")


COLD = (
    "between two calls the training has thrown Python's code out of the processor's caches; a bare `os.write` takes three times as long there "
    "as it does without a pause. Without anything between the calls, the next rows, it is met."
)
INGEST = "half a second is the logging itself, timed call by call, and a third the start of the other process."
PAIR = "by itself it takes 2 ms; the two files about the environment take 1 ms, what is printed 0.5 ms. Both can be turned off."
HELP = "click is 40 ms of it, reading the entry points of what is installed most of the rest; the section about starting, taken by itself, has 74 ms."
OBJECTS = "nearly all of it is making one object per point; as columns they are read thirty times as quickly."
UNPACKING = "two thirds of it is adding up the differences that times are kept as, which Python does one by one."
DEEPER = "not taken apart; at this size B-trees have a level more, and their pages come from the system rather than from SQLite's own cache of 16 MB."
PAGE = "most of it is making the values of a thousand runs with ten metrics, ten params and five tags each."


class Target(NamedTuple):
    """The most that a figure may be; `why` says what is in the way where it is more."""

    limit: float
    why: str = ""
    is_least: bool = False


class Line(NamedTuple):
    """One figure of a measure as a line of the table. `scale` makes seconds of a time, which are shown in the unit that reads best; 0 shows the bare number.

    `grows` says that the figure depends on the amount, which is then told where it was a smaller one.
    """

    figure: str
    title: str
    scale: float = 0.0
    target: Target | None = None
    grows: bool = False


class Row(NamedTuple):
    """One measure: `amount` of what is done, less for the subjects in `less`, by `rounds` turns at most (0: as many as are asked for)."""

    name: str
    take: Callable[[Subject, Path, int], measures.Figures]
    lines: tuple[Line, ...]
    subjects: tuple[str, ...] = TOOLS
    amount: int = 0
    less: Mapping[str, int] = {}
    rounds: int = 0
    part: str = "Logging"
    is_large: bool = False


US, MS, S = 1e-6, 1e-3, 1.0


def _search(name: str, runs: int, slack: float, of: tuple[str, ...]) -> Row:
    count = f"{runs:,}".replace(",", " ") if runs < 1_000_000 else "a million"
    return Row(
        name,
        measures.search,
        (
            Line("first_ms", f"search: the newest 1 000 of {count} runs", MS, Target(40 * slack, PAGE)),
            Line("filter_ms", f"search: 100 of {count} runs, by a metric and a param", MS, Target(10 * slack)),
            Line("top_ms", f"search: the best 100 of {count} runs by a metric", MS, Target(10 * slack)),
            Line("get_cpu_ms", f"one of {count} runs by its id: processor time", MS, Target(0.3, DEEPER)),
        ),
        of,
        runs,
        rounds=1,
        part="Search",
        is_large=runs >= 1_000_000,
    )


ROWS = (
    Row(
        "first_use",
        measures.first_use,
        (
            Line("import_ms", "`import`", MS, Target(5)),
            Line(
                "first_ms",
                "first use: from there to the first logged value, in a store that exists",
                MS,
                Target(100, "half of it is the import of SQLAlchemy, which the store needs"),
            ),
        ),
        ("drupe", "mlflow", "wandb", "aim", "trackio"),
        rounds=3,
    ),
    Row(
        "help",
        measures.show_help,
        (Line("help_ms", "`--help` over the bare interpreter (drupe with 25 more plugins)", MS, Target(100, HELP)),),
        ("drupe", "mlflow", "wandb", "aim", "trackio"),
        rounds=3,
    ),
    Row(
        "distributions",
        measures.distributions,
        (Line("distributions", "third-party distributions (drupe: the kernel)", 0, Target(15)),),
        ("drupe", "mlflow", "wandb", "aim", "trackio"),
        rounds=1,
    ),
    Row(
        "log_metric",
        measures.training_loop,
        (
            Line("p50_us", "`log_metric` in a training loop, a call per ms: median", US, Target(4, COLD)),
            Line("p99_us", "the same: 99 of 100 calls are faster", US, Target(40, COLD)),
        ),
        (*TOOLS, *RAW),
        2000,
        {"mlflow": 100, "mlflow async": 1000, "aim": 1000, "wandb": 1000},
    ),
    Row(
        "tight",
        measures.tight_loop,
        (
            Line("p50_us", "`log_metric` without anything between calls: median", US),
            Line("p99_us", "the same: 99 of 100 calls are faster", US),
        ),
        (*TOOLS, *RAW),
        20_000,
        {"mlflow": 100, "mlflow async": 1000, "aim": 1000, "wandb": 2000},
        rounds=3,
    ),
    Row(
        "ten_keys",
        measures.ten_keys,
        (Line("p50_us", "the same with ten metrics in turn: median", US), Line("p99_us", "the same: 99 of 100 calls are faster", US)),
        ("drupe", "trackio", "os.write"),
        20_000,
        rounds=3,
    ),
    Row(
        "ingest",
        measures.ingest,
        (
            Line("seconds_per_100k", "100 000 points logged, durable, read by another process", S, Target(1, INGEST), grows=True),
            Line("bytes_per_point", "disk per metric point, bytes", 0, Target(12)),
        ),
        (*TOOLS, "sqlite3", "sqlite3 at the end"),
        100_000,
        {"mlflow": 300, "mlflow async": 2000, "aim": 10_000, "wandb": 10_000},
        rounds=3,
    ),
    Row(
        "start_end",
        measures.start_end,
        (Line("pair_ms", "`start_run` and `end_run`", MS, Target(3, PAIR)),),
        TOOLS,
        50,
        {"aim": 5, "wandb": 5, "mlflow": 20},
        3,
    ),
    Row(
        "outage",
        measures.outage,
        (
            Line("slower_percent", "the store away for 60 s while training: slower by, %", 0, Target(0.1)),
            Line("longest_s", "the same: the longest call", S),
            Line("lost", "the same: points lost", 0, Target(0)),
            Line("twice", "the same: points there twice", 0, Target(0)),
            Line("raised", "the same: training ended by an exception (1) or not (0)", 0, Target(0)),
        ),
        ("drupe", "mlflow", "trackio"),
        60,
        {"trackio": 20},
        rounds=1,
    ),
    Row(
        "kill",
        measures.kill,
        (Line("kept_percent", "`kill -9` after 2 000 points: kept, %", 0, Target(100, is_least=True)),),
        TOOLS,
        2000,
        {"mlflow": 300},
        rounds=3,
    ),
    Row(
        "memory",
        measures.memory,
        (Line("added_mb", "peak memory added by a run of a million points, MB", 0, Target(30), grows=True),),
        ("drupe", "mlflow", "mlflow async", "wandb", "aim", "trackio"),
        1_000_000,
        {"mlflow": 500, "mlflow async": 5000, "wandb": 20_000, "aim": 20_000, "trackio": 100_000},
        rounds=1,
        is_large=True,
    ),
    Row(
        "history",
        measures.history,
        (
            Line("history_ms", "history of 100 000 points, as values of the library", MS, Target(100, OBJECTS)),
            Line("columns_ms", "the same as columns", MS, Target(5, UNPACKING)),
        ),
        ("drupe", "mlflow"),
        100_000,
        rounds=3,
        part="Series",
    ),
    Row(
        "long_history",
        measures.history,
        (
            Line("history_ms", "history of a million points, as values of the library", MS, Target(1000, OBJECTS)),
            Line("columns_ms", "the same as columns", MS, Target(50, UNPACKING)),
        ),
        ("drupe",),
        1_000_000,
        rounds=1,
        part="Series",
        is_large=True,
    ),
    Row(
        "chart",
        measures.chart,
        (Line("chart_ms", "20 series of 100 000 points, thinned for a chart", MS, Target(50)),),
        ("drupe", "mlflow"),
        100_000,
        rounds=1,
        part="Series",
    ),
    _search("search_1k", 1000, 1.0, ("drupe", "mlflow")),
    _search("search_100k", 100_000, 1.0, ("drupe", "mlflow")),
    _search("search_1m", 1_000_000, 2.0, ("drupe",)),
)

_MODULES: dict[str, tuple[str, str, Peer | None]] = {
    "drupe": ("of_drupe", "drupe", None),
    "mlflow": ("of_mlflow", "mlflow", MLFLOW),
    "mlflow async": ("of_mlflow_async", "mlflow", MLFLOW),
    "wandb": ("of_wandb", "wandb", WANDB),
    "aim": ("of_aim", "aim", AIM),
    "trackio": ("of_trackio", "trackio", TRACKIO),
    "os.write": ("raw_write", "os", None),
    "mmap": ("raw_map", "os", None),
    "sqlite3": ("raw_sqlite", "os", None),
    "sqlite3 at the end": ("raw_sqlite_many", "os", None),
}


def subjects(installed: Mapping[Peer, Path]) -> dict[str, Subject]:
    """All subjects by name: those that need nothing, and those whose peer is installed."""
    found = {}
    for name, (module, library, peer) in _MODULES.items():
        if peer is None:
            found[name] = Subject(name, module, library)
        elif peer in installed:
            found[name] = Subject(name, module, library, installed[peer])
    return found
