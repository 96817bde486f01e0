"""Pictures of a regressor, and of what both kinds of models share: slices and importance."""

from __future__ import annotations

from typing import Any

import numpy as np

from drupe_evaluator_default.drawing import COLOURS, GRID, INK, QUIET, axes_of, beside, finish, legend, new_figure, short, thin
from drupe_evaluator_default.slices import ALL

__all__ = ["importance_png", "predicted_png", "residuals_png", "slices_png"]

POINTS = 3000
BARS = 20


def predicted_png(table: Any, name: str) -> bytes:
    """Predicted over true values; on the diagonal they are equal."""
    figure = new_figure(5.4, 5.0)
    axes = axes_of(figure, "Predicted and true values", f"true {name}", f"predicted {name}")
    low, high = float(table[["true", "predicted"]].min().min()), float(table[["true", "predicted"]].max().max())
    margin = 0.03 * ((high - low) or 1.0)
    axes.plot([low - margin, high + margin], [low - margin, high + margin], color=QUIET, linewidth=1, linestyle=(0, (4, 4)), label="equal")
    _cloud(axes, table["true"], table["predicted"])
    axes.set(xlim=(low - margin, high + margin), ylim=(low - margin, high + margin))
    axes.set_aspect("equal")
    legend(axes, "upper left")
    return finish(figure)


def residuals_png(table: Any, name: str) -> bytes:
    """What was predicted too high or too low, over the prediction, and how often by how much."""
    figure = new_figure(7.2, 4.4)
    axes = axes_of(figure, "Residuals", f"predicted {name}", f"predicted - true {name}", right=2.0)
    axes.axhline(0, color=QUIET, linewidth=1, linestyle=(0, (4, 4)))
    _cloud(axes, table["predicted"], table["residual"])
    place = axes.get_position()
    side = figure.add_axes((place.x1 + 0.02, place.y0, 0.97 - place.x1 - 0.02, place.height), sharey=axes)
    side.hist(table["residual"], bins=40, orientation="horizontal", color=COLOURS[0], alpha=0.75)
    side.axhline(0, color=QUIET, linewidth=1, linestyle=(0, (4, 4)))
    side.set_xlabel("rows", color=INK, fontsize=9.5)
    side.tick_params(colors=INK, labelsize=8.5, labelleft=False, length=3, color=QUIET)
    for edge, spine in side.spines.items():
        spine.set_visible(edge == "bottom")
        spine.set_color(QUIET)
    side.grid(color=GRID, linewidth=0.8, axis="x")
    side.set_axisbelow(True)
    return finish(figure)


def importance_png(table: Any, what: str) -> bytes:
    """The most important columns, longest bar on top; the thin line is the spread of the repetitions."""
    shown = table.head(BARS).iloc[::-1]
    names = [short(name) for name in shown["feature"]]
    figure = new_figure(4.6 + beside(names), 1.3 + 0.27 * len(shown))
    rest = f", the first {BARS} of {len(table)}" if len(table) > BARS else ""
    axes = axes_of(
        figure, f"Permutation importance{rest}", f"fall of {what} when the column is shuffled", "", grid="x", left=0.25 + beside(names)
    )
    places = np.arange(len(shown))
    axes.barh(places, shown["importance"], color=COLOURS[0], height=0.66)
    axes.errorbar(shown["importance"], places, xerr=shown["standard_deviation"], fmt="none", ecolor=INK, elinewidth=1.1, capsize=2)
    axes.set_yticks(places, names)
    axes.locator_params(axis="x", nbins=6)
    axes.axvline(0, color=QUIET, linewidth=1)
    return finish(figure)


def slices_png(table: Any, metric: str) -> bytes:
    """The worst slices with their intervals; the dashed line is what all rows have."""
    whole = table[table["slice"] == ALL].iloc[0]
    shown = table[(table["slice"] != ALL) & table[metric].notna()].head(BARS).iloc[::-1]
    names = [f"{short(row['slice'], 40)}  ({row['rows']:,})" for _, row in shown.iterrows()]
    figure = new_figure(max(6.6, 4.6 + beside(names)), 1.6 + 0.3 * len(shown))
    left = 0.25 + beside(names)
    axes = axes_of(figure, "Slices, worst on top", f"{metric}, with the interval of 95 %", "", grid="x", left=left, bottom=0.95)
    axes.axvspan(whole[f"{metric}_low"], whole[f"{metric}_high"], color=GRID, alpha=0.6, linewidth=0)
    axes.axvline(whole[metric], color=QUIET, linewidth=1.2, linestyle=(0, (4, 4)), label=f"all rows: {whole[metric]:.4g}")
    for place, (_, row) in enumerate(shown.iterrows()):
        colour = COLOURS[1] if row["worse"] else COLOURS[0]
        axes.plot([row[f"{metric}_low"], row[f"{metric}_high"]], [place, place], color=colour, linewidth=2)
        axes.plot(row[metric], place, marker="D" if row["worse"] else "o", color=colour, markersize=6)
    axes.plot([], [], marker="D", color=COLOURS[1], linewidth=2, label="clearly worse")
    axes.plot([], [], marker="o", color=COLOURS[0], linewidth=2, label="not clearly worse")
    axes.set_yticks(range(len(shown)), names)
    axes.set_ylim(-0.6, len(shown) - 0.4)
    figure.legend(loc="lower center", ncols=3, fontsize=8.5, frameon=False, labelcolor=INK)
    return finish(figure)


def _cloud(axes: Any, x: Any, y: Any) -> None:
    """Points, thinned to what can be seen; the more there are, the paler is each."""
    chosen = thin(len(x), POINTS)
    pale = float(np.clip(300 / max(len(chosen), 1), 0.12, 0.7))
    axes.scatter(x.to_numpy()[chosen], y.to_numpy()[chosen], s=14, color=COLOURS[0], alpha=pale, linewidths=0)
    if len(chosen) < len(x):
        axes.text(0.99, 0.01, f"{POINTS:,} of {len(x):,} rows", transform=axes.transAxes, ha="right", va="bottom", fontsize=8, color=QUIET)
