"""What all pictures have in common: size, colours, axes. Drawn on figures of their own, never through pyplot: the user's figures stay as they are.

The ground is white and opaque, so that a picture reads the same on a dark page. Colours are those of M. Okabe and K. Ito, Color Universal
Design (2008), which people with any kind of colour vision tell apart; lines differ in dashes too.
"""

from __future__ import annotations

import io
from typing import Any, Literal

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

__all__ = ["COLOURS", "GRID", "INK", "QUIET", "axes_of", "beside", "finish", "legend", "new_figure", "short", "style", "thin"]

DPI = 120
INK, QUIET, GRID = "#222222", "#767676", "#e2e2e2"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
_DASHES = ("solid", (0, (6, 2)), (0, (2, 1.5)), (0, (8, 2, 2, 2)))


def new_figure(width: float = 6.0, height: float = 4.6) -> Figure:
    """An empty figure, in inches."""
    return Figure(figsize=(width, height), dpi=DPI, facecolor="white")


def axes_of(
    figure: Figure,
    title: str,
    x: str,
    y: str,
    *,
    grid: Literal["both", "x", "y", "none"] = "both",
    left: float = 0.78,
    right: float = 0.25,
    bottom: float = 0.62,
) -> Any:
    """Axes with a title and names; what is measured stands with its unit in the name.

    Margins are given in inches: having matplotlib find them draws every picture twice.
    """
    width, height = figure.get_size_inches()
    axes = figure.add_axes((left / width, bottom / height, (width - left - right) / width, (height - bottom - 0.5) / height))
    axes.set_facecolor("white")
    axes.set_title(title, color=INK, fontsize=11, loc="left", fontweight="bold")
    axes.set_xlabel(x, color=INK, fontsize=9.5)
    axes.set_ylabel(y, color=INK, fontsize=9.5)
    axes.tick_params(colors=INK, labelsize=9, length=3, color=QUIET)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(QUIET)
    if grid != "none":
        axes.grid(color=GRID, linewidth=0.8, axis=grid)
        axes.set_axisbelow(True)
    return axes


def legend(axes: Any, place: str = "best") -> None:
    """A legend inside the axes, readable over lines."""
    if axes.get_legend_handles_labels()[1]:
        axes.legend(loc=place, fontsize=8.5, framealpha=0.92, edgecolor=GRID, labelcolor=INK, handlelength=2.6)


def finish(figure: Figure) -> bytes:
    """The figure as PNG."""
    canvas: Any = FigureCanvasAgg(figure)
    stream = io.BytesIO()
    canvas.print_png(stream, pil_kwargs={"compress_level": 4})
    return stream.getvalue()


def beside(names: list[str]) -> float:
    """The inches that the longest of these names takes beside an axis."""
    return 0.076 * max((len(name) for name in names), default=0)


def short(text: Any, most: int = 24) -> str:
    """A name that fits beside an axis: without its middle, since names of one family begin alike."""
    words = str(text)
    head, tail = most // 2, most - most // 2 - 1
    return words if len(words) <= most else f"{words[:head].rstrip()}…{words[-tail:].lstrip()}"


def style(place: int) -> dict[str, Any]:
    """Colour and dashes of the line at this place."""
    return {
        "color": COLOURS[place % len(COLOURS)],
        "linestyle": _DASHES[(place // len(COLOURS)) % len(_DASHES)] if place >= len(COLOURS) else "solid",
        "linewidth": 1.9,
    }


def thin(length: int, most: int) -> Any:
    """Places of at most `most` points out of `length`, chosen with a fixed seed."""
    if length <= most:
        return np.arange(length)
    return np.sort(np.random.default_rng(0).choice(length, most, replace=False))
