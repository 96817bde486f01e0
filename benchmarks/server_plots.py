"""The pictures of the server's benchmark, in the colours of the client's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from client_plots import IMAGES, OTHER, OWN, label_times, save
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from report import number

__all__ = ["draw"]

Found = Mapping[str, Mapping[str, float]]


def draw(kept: Mapping[str, Found], folder: Path = IMAGES) -> None:
    """All pictures whose rows are there."""
    if "protocol" in kept:
        figure = Figure(figsize=(8, 5.4), layout="constrained")
        asked = (
            ("points_per_s", "one point a request, requests/s"),
            ("batched_per_s", "1000 points a request, points/s"),
            ("created_per_s", "runs made, requests/s"),
        )
        for axes, (key, title) in zip(figure.subplots(3, 1), asked, strict=True):
            _bars(axes, {name: told[key] for name, told in kept["protocol"].items()}, title)
        figure.suptitle("Writing from 16 clients: more is better", fontsize=11, x=0.01, ha="left")
        save(figure, folder / "bench-server-writing.png")
    if "sizes" in kept:
        figure = Figure(figsize=(8, 3.8), layout="constrained")
        _growth(figure, kept["sizes"])
        save(figure, folder / "bench-server-search.png")


def _bars(axes: Axes, rates: Mapping[str, float], title: str) -> None:
    names = sorted(rates, key=rates.__getitem__)
    for place, name in enumerate(names):
        axes.barh(place, rates[name], color=OWN if name.startswith("drupe") else OTHER, height=0.66)
        axes.annotate(number(rates[name]), (rates[name], place), xytext=(5, 0), textcoords="offset points", va="center", fontsize=9)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlim(0, max(rates.values()) * 1.15)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_title(title, fontsize=10)


def _growth(figure: Figure, found: Found) -> None:
    asked = (("search_s", "newest 1 000"), ("filter_s", "metric and param"), ("top_s", "best 100 by a metric"))
    places = figure.subplots(1, 3, sharey=True)
    for axes, (key, title) in zip(places, asked, strict=True):
        for subject, colour, mark in (("drupe", OWN, "o"), ("mlflow", OTHER, "s")):
            known = [(int(name.rpartition(" ")[2]), told[key]) for name, told in found.items() if name.startswith(f"{subject} ")]
            if known:
                axes.plot(*zip(*known, strict=True), color=colour, marker=mark, markersize=5)
                axes.annotate(subject, known[-1], xytext=(0, 7), textcoords="offset points", color=colour, ha="right", fontsize=9)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_title(title, fontsize=10)
        axes.set_xticks([1000, 10_000, 100_000, 1_000_000], ["1k", "10k", "100k", "1M"])
        axes.set_xticks([], minor=True)
        axes.grid(axis="y", color="#e6e8ec", linewidth=0.8)
        label_times(axes, "y")
    figure.supxlabel("runs in the store", fontsize=9)
    figure.suptitle("Search over HTTP: how long the answer takes", fontsize=11, x=0.01, ha="left")
