"""Pictures of a classifier, each drawn from the table of the same curve."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import auc

from drupe_evaluator_default.classes import Classified
from drupe_evaluator_default.drawing import COLOURS, GRID, INK, QUIET, axes_of, beside, finish, legend, new_figure, short, style

__all__ = ["calibration_png", "confusion_png", "gain_png", "lift_png", "precision_recall_png", "roc_png"]

NUMBERED, NAMED = 15, 60
"""Classes up to which a matrix has numbers, and names; beyond, colours alone."""


def roc_png(table: Any, seen: Classified) -> bytes:
    """True over false positives."""
    figure = new_figure(5.4, 5.0)
    axes = axes_of(figure, f"ROC curve{_about(seen)}", "false positive rate", "true positive rate")
    axes.plot([0, 1], [0, 1], color=QUIET, linewidth=1, linestyle=(0, (4, 4)), label="chance")
    for place, (label, part) in enumerate(table.groupby("class", sort=False)):
        area = auc(part["false_positive_rate"], part["true_positive_rate"])
        axes.plot(part["false_positive_rate"], part["true_positive_rate"], label=_label(seen, label, f"area {area:.3f}"), **style(place))
    return _unit_square(figure, axes, "lower right")


def precision_recall_png(table: Any, seen: Classified, scores: dict[str, float], shares: dict[str, float]) -> bytes:
    """Precision over recall; the dashed line is the share of positive rows, which guessing reaches."""
    figure = new_figure(5.4, 5.0)
    axes = axes_of(figure, f"Precision and recall{_about(seen)}", "recall", "precision")
    if len(shares) == 1:
        axes.axhline(next(iter(shares.values())), color=QUIET, linewidth=1, linestyle=(0, (4, 4)), label="chance")
    for place, (label, part) in enumerate(table.groupby("class", sort=False)):
        told = f"average precision {scores[label]:.3f}"
        axes.step(part["recall"], part["precision"], where="post", label=_label(seen, label, told), **style(place))
    return _unit_square(figure, axes, "lower left")


def calibration_png(table: Any, seen: Classified) -> bytes:
    """How often it happened over what was told; the area of a dot grows with the rows that it stands for."""
    figure = new_figure(5.4, 5.0)
    axes = axes_of(figure, f"Calibration{_about(seen)}", "predicted probability", "share of rows where it came true")
    axes.plot([0, 1], [0, 1], color=QUIET, linewidth=1, linestyle=(0, (4, 4)), label="perfectly calibrated")
    most = table["rows"].max()
    for place, (label, part) in enumerate(table.groupby("class", sort=False)):
        axes.plot(part["predicted"], part["observed"], label=_label(seen, label, ""), **style(place))
        colour = COLOURS[place % len(COLOURS)]
        axes.scatter(part["predicted"], part["observed"], s=12 + 48 * part["rows"] / most, color=colour, zorder=3, clip_on=False)
    return _unit_square(figure, axes, "upper left")


def gain_png(table: Any, seen: Classified) -> bytes:
    """The share of positive rows found over the share of rows looked at."""
    figure = new_figure(5.4, 5.0)
    axes = axes_of(figure, f"Cumulative gain{_about(seen)}", "share of rows, most probable first", "share of positive rows found")
    axes.plot([0, 1], [0, 1], color=QUIET, linewidth=1, linestyle=(0, (4, 4)), label="random order")
    for place, (label, part) in enumerate(table.groupby("class", sort=False)):
        axes.plot(part["share"], part["gain"], label=_label(seen, label, ""), **style(place))
    return _unit_square(figure, axes, "lower right")


def lift_png(table: Any, seen: Classified) -> bytes:
    """How many times more positive rows are found than in random order."""
    figure = new_figure()
    axes = axes_of(figure, f"Lift{_about(seen)}", "share of rows, most probable first", "positive rows found, times chance")
    axes.axhline(1.0, color=QUIET, linewidth=1, linestyle=(0, (4, 4)), label="random order")
    for place, (label, part) in enumerate(table.groupby("class", sort=False)):
        known = part[part["share"] >= 0.005]  # of fewer rows the lift jumps about and says nothing
        axes.plot(known["share"], known["lift"], label=_label(seen, label, ""), **style(place))
    axes.set_xlim(0, 1)
    axes.set_ylim(bottom=0)
    legend(axes, "upper right")
    return finish(figure)


def confusion_png(table: Any, seen: Classified) -> bytes:
    """Rows by true and predicted class; the colour is the share of the true class."""
    size, names = len(seen.classes), [short(name) for name in seen.names()]
    counts = table["rows"].to_numpy().reshape(size, size)
    shares = table["share_of_true"].to_numpy().reshape(size, size)
    side = 2.0 + 0.62 * min(size, NUMBERED)
    upright = max(map(len, names)) * size > 42
    points = 9 if size <= NUMBERED else 7
    room = beside(names) * points / 9 if size <= NAMED else 0
    left, bottom = 0.5 + room, 0.62 + (room if upright else 0)
    figure = new_figure(left + side + 1.05, bottom + side + 0.5)
    axes = axes_of(figure, "Confusion matrix", "predicted class", "true class", grid="none", left=left, right=1.05, bottom=bottom)
    image = axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0, interpolation="nearest")
    place, width = axes.get_position(), figure.get_size_inches()[0]
    bar = figure.colorbar(image, cax=figure.add_axes((place.x1 + 0.12 / width, place.y0, 0.16 / width, place.height)))
    bar.set_label("share of the true class", color=INK, fontsize=9)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, colors=INK, length=2)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if size <= NAMED:
        axes.set_xticks(range(size), names, rotation=90 if upright else 0, fontsize=points)
        axes.set_yticks(range(size), names, fontsize=points)
    if size <= NUMBERED:
        for row in range(size):
            for column in range(size):
                number = counts[row, column]
                told = f"{number:,.0f}" if float(number).is_integer() else f"{number:,.1f}"
                colour = "white" if shares[row, column] > 0.55 else INK
                axes.text(column, row - 0.08, told, ha="center", va="center", fontsize=10, color=colour)
                axes.text(column, row + 0.22, f"{shares[row, column]:.0%}", ha="center", va="center", fontsize=7.5, color=colour)
    axes.set_xticks(np.arange(-0.5, size), minor=True)
    axes.set_yticks(np.arange(-0.5, size), minor=True)
    axes.grid(which="minor", color=GRID, linewidth=0.6)
    axes.tick_params(which="minor", length=0)
    return finish(figure)


def _about(seen: Classified) -> str:
    return f", positive class {short(seen.classes[seen.positive])}" if seen.is_binary else ", each class against the others"


def _label(seen: Classified, label: str, told: str) -> str:
    parts = [part for part in ("" if seen.is_binary else short(label), told) if part]
    return "  ".join(parts) or "model"


def _unit_square(figure: Any, axes: Any, place: str) -> bytes:
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02))
    axes.set_aspect("equal")
    legend(axes, place)
    return finish(figure)
