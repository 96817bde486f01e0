"""Pictures of SHAP values: which columns matter, and in which direction."""

from __future__ import annotations

from typing import Any

import numpy as np

from drupe_evaluator_default.drawing import COLOURS, INK, QUIET, axes_of, beside, finish, new_figure, short

__all__ = ["beeswarm_png", "strengths_png"]

BARS = 20
WIDTH = 0.36
BINS = 60


def strengths_png(table: Any) -> bytes:
    """The columns that add most to predictions, longest bar on top."""
    shown = table.head(BARS).iloc[::-1]
    names = [short(name) for name in shown["feature"]]
    figure = new_figure(4.6 + beside(names), 1.3 + 0.27 * len(shown))
    axes = axes_of(figure, "SHAP importance", "mean absolute SHAP value", "", grid="x", left=0.25 + beside(names))
    axes.barh(np.arange(len(shown)), shown["mean_absolute_shap"], color=COLOURS[0], height=0.66)
    axes.set_yticks(np.arange(len(shown)), names)
    return finish(figure)


def beeswarm_png(values: Any, rows: Any, order: list[str]) -> bytes:
    """A dot for each row and column: how much it adds to the prediction; the colour is the value in the column, from low to high."""
    shown = order[:BARS][::-1]
    names = [short(name) for name in shown]
    figure = new_figure(5.7 + beside(names), 1.4 + 0.32 * len(shown))
    left = 0.25 + beside(names)
    axes = axes_of(figure, "SHAP values", "added to the prediction (SHAP value)", "", grid="x", left=left, right=1.1)
    axes.axvline(0, color=QUIET, linewidth=1)
    drawn = None
    for place, name in enumerate(shown):
        added = values[name].to_numpy()
        own = rows.iloc[:, [str(column) for column in rows.columns].index(name)].to_numpy(dtype=float)
        low, high = np.nanpercentile(own, [5, 95])
        shade = np.clip((own - low) / ((high - low) or 1.0), 0, 1)
        drawn = axes.scatter(added, place + _spread(added), c=shade, cmap="cividis", vmin=0, vmax=1, s=9, linewidths=0)
    axes.set_yticks(range(len(shown)), names)
    axes.set_ylim(-0.6, len(shown) - 0.4)
    if drawn is not None:
        place = axes.get_position()
        bar = figure.colorbar(drawn, cax=figure.add_axes((place.x1 + 0.03, place.y0, 0.018, place.height)), ticks=[0, 1])
        bar.ax.set_yticklabels(["low", "high"], fontsize=8.5, color=INK)
        bar.set_label("value in the column", fontsize=9, color=INK, labelpad=-6)
        bar.outline.set_visible(False)
    return finish(figure)


def _spread(added: Any) -> Any:
    """How far each dot is moved up or down, so that equal ones lie beside each other."""
    span = float(np.ptp(added)) or 1.0
    bins = np.floor((added - added.min()) / span * BINS).astype(int)
    most = np.bincount(bins).max()
    moved = np.zeros(len(added))
    for one in np.unique(bins):
        there = np.flatnonzero(bins == one)
        moved[there] = (np.arange(len(there)) - (len(there) - 1) / 2) / max(most, 1) * 2 * WIDTH
    return moved
