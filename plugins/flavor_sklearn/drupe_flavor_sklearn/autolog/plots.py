"""Pictures of a classifier's training: confusion matrix, ROC and precision-recall curves, as PNG.

Drawn on figures of their own, never through pyplot: the user's current figure, backend and style stay as they are, and threads do not meet.
Margins are given in inches: having matplotlib find them draws every picture twice.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.metrics import auc, average_precision_score, confusion_matrix, precision_recall_curve, roc_curve

from drupe.lazy import need
from drupe_flavor_sklearn.autolog.scores import Predicted

__all__ = ["confusion_matrix_png", "precision_recall_png", "roc_png"]

DPI = 110
MAX_CLASSES = 60
"""A matrix of more classes than this cannot be read; it is drawn all the same, without names and numbers."""
NUMBERED_CLASSES = 15
MAX_CURVES = 10
MAX_POINTS = 1000
_INK, _GRID = "#333333", "#dddddd"
_CURVES = (5.3, 4.9, (0.62, 0.55, 4.4, 3.95))  # width, height, and where the axes lie
_COLOURS = ("#1f6fb4", "#d9662b", "#3a9157", "#b8413c", "#7a5fa3", "#8c6b4f", "#cf6fae", "#6e6e6e", "#a8a534", "#2aa3b3")


def confusion_matrix_png(seen: Predicted) -> bytes:
    """How many rows of each class were predicted to be of which; the colour is the share of the true class."""
    labels = np.unique(
        np.concatenate([np.asarray(seen.truth, dtype=object), np.asarray(seen.labels, dtype=object)]).astype(seen.labels.dtype)
    )
    counts = _counts(seen, labels)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    size = len(labels)
    names = [_short(label) for label in labels]
    across, down = (names, []) if max(map(len, names)) * size <= 40 else ([], names)  # long names stand upright
    side = 2.2 + 0.55 * min(size, NUMBERED_CLASSES)
    beside, below = (0.075 * max(map(len, written), default=0) for written in (names, down))
    left, bottom = 0.55 + beside, 0.6 + below
    width, height = left + side + 1.0, bottom + side + 0.4
    figure, axes = _figure(width, height, (left, bottom, side, side))
    image = axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0, interpolation="nearest")
    bar = figure.colorbar(image, cax=figure.add_axes(_shares((left + side + 0.15, bottom, 0.15, side), width, height)))
    bar.set_label("share of the true class", color=_INK, fontsize=9)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, colors=_INK)
    if size <= MAX_CLASSES:
        small = 9 if size <= NUMBERED_CLASSES else 6
        axes.set_xticks(range(size), names, rotation=0 if across else 90, fontsize=small)
        axes.set_yticks(range(size), names, fontsize=small)
    if size <= NUMBERED_CLASSES:
        for row in range(size):
            for column in range(size):
                text = _count(counts[row, column])
                colour = "white" if shares[row, column] > 0.55 else _INK
                axes.text(column, row, text, ha="center", va="center", fontsize=9, color=colour)
    axes.set_xlabel("predicted", color=_INK)
    axes.set_ylabel("true", color=_INK)
    axes.set_title("Confusion matrix, training data", color=_INK, fontsize=11)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return _png(figure)


def roc_png(seen: Predicted) -> bytes | None:
    """True positives over false positives, for two classes one curve, for more one for each against the rest. None without probabilities."""
    figure, axes = _figure(*_CURVES)
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=1, linestyle=(0, (4, 4)))
    curves = 0
    for colour, (name, is_it, number) in zip(_COLOURS, _one_against_rest(seen), strict=False):
        false, true, _ = roc_curve(is_it, number, sample_weight=seen.weight)
        label = f"AUC {auc(false, true):.3f}" + (f"  {name}" if name else "")
        axes.plot(*_thinned(false, true), color=colour, linewidth=2, label=label, clip_on=False)
        curves += 1
    return _finished(figure, axes, curves, "ROC curve, training data", "false positive rate", "true positive rate", "lower right")


def precision_recall_png(seen: Predicted) -> bytes | None:
    """Precision over recall; see `roc_png`."""
    figure, axes = _figure(*_CURVES)
    curves = 0
    for colour, (name, is_it, number) in zip(_COLOURS, _one_against_rest(seen), strict=False):
        precision, recall, _ = precision_recall_curve(is_it, number, sample_weight=seen.weight)
        score = average_precision_score(is_it, number, sample_weight=seen.weight)
        label = f"AP {score:.3f}" + (f"  {name}" if name else "")
        axes.step(*_thinned(recall, precision), where="post", color=colour, linewidth=2, label=label, clip_on=False)
        curves += 1
    return _finished(figure, axes, curves, "Precision-recall curve, training data", "recall", "precision", "lower left")


def _counts(seen: Predicted, labels: Any) -> Any:
    if len(labels) == 1:  # scikit-learn would warn of the shape
        return np.array([[len(seen.labels) if seen.weight is None else seen.weight.sum()]])
    return confusion_matrix(seen.truth, seen.labels, labels=labels, sample_weight=seen.weight)


def _one_against_rest(seen: Predicted) -> Iterator[tuple[str, Any, Any]]:
    """(name of the class, whether each row is of it, the number that tells); no name where there are two classes."""
    present = np.unique(seen.truth)
    if len(present) < 2:
        return
    if seen.margin is not None:
        yield "", seen.truth == present[-1], seen.margin
    elif seen.kind == "multiclass" and seen.probabilities is not None and seen.classes is not None:
        for column, label in enumerate(seen.classes[:MAX_CURVES]):
            is_it = seen.truth == label
            if is_it.any() and not is_it.all():
                yield _short(label), is_it, seen.probabilities[:, column]


def _figure(width: float, height: float, place: tuple[float, float, float, float]) -> tuple[Any, Any]:
    """A figure of that size with axes at (left, bottom, width, height), all in inches."""
    figure = need("matplotlib.figure", to="draw plots").Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    axes = figure.add_axes(_shares(place, width, height), facecolor="white")
    axes.tick_params(colors=_INK, labelsize=9)
    return figure, axes


def _shares(place: tuple[float, float, float, float], width: float, height: float) -> tuple[float, float, float, float]:
    return (place[0] / width, place[1] / height, place[2] / width, place[3] / height)


def _finished(figure: Any, axes: Any, curves: int, title: str, x: str, y: str, place: str) -> bytes | None:
    if not curves:
        return None
    axes.set(xlim=(0, 1), ylim=(0, 1.005))
    axes.set_title(title, color=_INK, fontsize=11)
    axes.set_xlabel(x, color=_INK)
    axes.set_ylabel(y, color=_INK)
    axes.grid(color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(_INK)
    axes.legend(loc=place, fontsize=9, framealpha=0.9, edgecolor=_GRID, labelcolor=_INK)
    return _png(figure)


def _png(figure: Any) -> bytes:
    canvas = need("matplotlib.backends.backend_agg", to="draw plots").FigureCanvasAgg(figure)
    stream = io.BytesIO()
    canvas.print_png(stream, pil_kwargs={"compress_level": 3})
    return stream.getvalue()


def _thinned(x: Any, y: Any) -> tuple[Any, Any]:
    """At most MAX_POINTS of a curve, first and last kept; more cannot be told apart."""
    if len(x) <= MAX_POINTS:
        return x, y
    chosen = np.unique(np.linspace(0, len(x) - 1, MAX_POINTS).astype(int))
    return x[chosen], y[chosen]


def _short(label: Any) -> str:
    text = str(label)
    return text if len(text) <= 18 else f"{text[:17]}…"


def _count(number: Any) -> str:
    return f"{int(number)}" if float(number).is_integer() else f"{number:.1f}"
