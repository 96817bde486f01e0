"""The pictures of the client's benchmark: bars on a logarithmic axis for tools, lines for stores that grow. Colours and marks are the same in all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from report import ROOT, duration

IMAGES = ROOT / "docs/images"
OWN, OTHER, LIMIT = "#b3364a", "#8a94a6", "#c9ced6"
LIMITS = ("os.write", "mmap", "sqlite3", "sqlite3 at the end")
_PLAIN = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}

Kept = Mapping[str, Mapping[str, Any]]

mpl.rcParams.update(
    {"font.size": 10, "axes.spines.top": False, "axes.spines.right": False, "savefig.dpi": 120, "axes.titlelocation": "left"}
)


def draw(kept: Kept, folder: Path = IMAGES) -> None:
    """All pictures whose rows are there."""
    folder.mkdir(exist_ok=True)
    if "log_metric" in kept:
        figure = Figure(figsize=(8, 3.8), layout="constrained")
        times = _figures(kept, "log_metric", "p50_us", 1e-6)
        _bars(
            figure.add_subplot(),
            times,
            "log_metric in a training loop: how long a call keeps it (median)",
            4e-6,
            _figures(kept, "log_metric", "p99_us", 1e-6),
        )
        save(figure, folder / "bench-log-metric.png")
    if "ingest" in kept:
        figure = Figure(figsize=(8, 3.6), layout="constrained")
        _bars(
            figure.add_subplot(),
            _figures(kept, "ingest", "seconds_per_100k", 1.0),
            "100 000 points logged, durable, and read by another process",
            1.0,
        )
        save(figure, folder / "bench-ingest.png")
    if {"search_1k", "search_100k"} <= {*kept}:
        figure = Figure(figsize=(8, 4), layout="constrained")
        _growth(figure, kept)
        save(figure, folder / "bench-search.png")


def _figures(kept: Kept, row: str, figure: str, scale: float) -> dict[str, float]:
    found = kept[row]["found"]
    return {name: told["figures"][figure] * scale for name, told in found.items() if told.get("figures")}


def _bars(axes: Axes, times: Mapping[str, float], title: str, target: float, worst: Mapping[str, float] | None = None) -> None:
    """Horizontal bars, the shortest on top; a line to the time that 99 of 100 stay below, and the target."""
    names = sorted(times, key=times.__getitem__, reverse=True)
    longest = {name: max(times[name], (worst or {}).get(name, 0.0)) for name in names}
    for place, name in enumerate(names):
        colour = OWN if name == "drupe" else LIMIT if name in LIMITS else OTHER
        axes.barh(place, times[name], color=colour, height=0.66)
        if worst:
            axes.plot([times[name], worst[name]], [place, place], color="#3c4350", linewidth=1.2, marker="|", markevery=[1])
        axes.annotate(
            duration(times[name]), (longest[name], place), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9, bbox=_PLAIN
        )
    axes.set_xscale("log")
    axes.set_xlim(min(target, *times.values()) / 3, max(longest.values()) * 4)
    axes.set_yticks(range(len(names)), [f"{name} (limit)" if name in LIMITS else name for name in names])
    axes.axvline(target, color=OWN, linestyle=":", linewidth=1)
    axes.annotate("target", (target, len(names) - 0.4), color=OWN, fontsize=8, ha="center", va="bottom", annotation_clip=False)
    axes.set_title(title, pad=18, fontsize=11)
    label_times(axes)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("logarithmic" + ("; the line ends where 99 of 100 calls stay below" if worst else ""), fontsize=9)


def _growth(figure: Figure, kept: Kept) -> None:
    asked = (("first_ms", "newest 1 000"), ("filter_ms", "metric and param"), ("top_ms", "best 100 by a metric"))
    places = figure.subplots(1, 3, sharey=True)
    highest = 0.0
    for axes, (name, title) in zip(places, asked, strict=True):
        for subject, colour, mark in (("drupe", OWN, "o"), ("mlflow", OTHER, "s")):
            counts = [(runs, _figures(kept, row, name, 1e-3).get(subject)) for row, runs in _SIZES if row in kept]
            known = [(runs, value) for runs, value in counts if value is not None]
            if not known:
                continue
            axes.plot(*zip(*known, strict=True), color=colour, marker=mark, markersize=5)
            highest = max(highest, *(value for _, value in known))
            axes.annotate(subject, known[-1], xytext=(0, 7), textcoords="offset points", color=colour, ha="right", fontsize=9)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlim(600, 2_000_000)
        axes.set_title(title, fontsize=10)
        axes.set_xticks([1000, 100_000, 1_000_000], ["1k", "100k", "1M"])
        axes.set_xticks([], minor=True)
        axes.grid(axis="y", color="#e6e8ec", linewidth=0.8)
        label_times(axes, "y")
    places[0].set_ylim(top=highest * 3)
    figure.supxlabel("runs in the store", fontsize=9)
    figure.suptitle("Search: how long the answer takes", fontsize=11, x=0.01, ha="left")


_SIZES = (("search_1k", 1000), ("search_100k", 100_000), ("search_1m", 1_000_000))


def label_times(axes: Axes, which: str = "x") -> None:
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(lambda value, _: _short(value))
    axis.set_minor_formatter(lambda value, _: "")


def _short(seconds: float) -> str:
    for factor, unit in ((1e6, "µs"), (1e3, "ms"), (1.0, "s")):
        if seconds * factor < 999:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.0f} s"


def save(figure: Figure, file: Path) -> None:
    figure.savefig(file, metadata={"Software": None})
