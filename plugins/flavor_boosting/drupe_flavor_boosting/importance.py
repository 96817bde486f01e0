"""How much each feature counts in a model: JSON, and a picture of the features that count most.

Drawn on a figure of its own, never through pyplot: the user's current figure, backend and style stay as they are.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from drupe.errors import MissingRequirement
from drupe.extend import TrainingRun
from drupe.lazy import need

__all__ = ["importance_png", "log_importance"]

MOST = 40
"""More bars cannot be read; the JSON has them all."""
DPI = 110
_INK, _GRID, _BAR = "#333333", "#dddddd", "#1f6fb4"


def log_importance(run: TrainingRun, kinds: Iterable[str], of: Callable[[str], Mapping[str, Any]]) -> None:
    """Keep `feature_importance_<kind>.json` and `.png` for each kind; `of` gives a kind's importance by feature."""
    for kind in kinds:
        found = run.attempt(f"the importance of features ({kind})", lambda kind=kind: dict(of(kind)))  # type: ignore[misc]  # bound now
        if not found:
            continue  # a model of no splits has none
        files = {f"feature_importance_{kind}.json": json.dumps(found, indent=2).encode()}
        picture = run.attempt(f"feature_importance_{kind}.png", lambda found=found, kind=kind: _drawn(run, found, kind))  # type: ignore[misc]
        if picture is not None:
            files[f"feature_importance_{kind}.png"] = picture
        run.attempt("files", lambda files=files: run.log_files(files))  # type: ignore[misc]


def _drawn(run: TrainingRun, found: Mapping[str, Any], kind: str) -> bytes | None:
    try:
        return importance_png(found, kind)
    except MissingRequirement as fault:
        run.warn(f"no plots are made: {fault.message}")
        return None


def importance_png(found: Mapping[str, Any], kind: str) -> bytes:
    """A bar for each feature, the one that counts most on top. Of a linear model with several classes the sizes of the weights are added up."""
    sizes = {str(name): float(np.abs(np.asarray(value)).sum()) for name, value in found.items()}
    ranked = sorted(sizes.items(), key=lambda entry: entry[1], reverse=True)
    shown = ranked[:MOST]
    names = [_short(name) for name, _ in shown]
    beside, rows = 0.3 + 0.075 * max(map(len, names)), 0.24 * len(shown) + 0.2
    width, height = beside + 5.0, rows + 1.0
    figure = need("matplotlib.figure", to="draw plots").Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    axes = figure.add_axes((beside / width, 0.55 / height, 4.5 / width, rows / height), facecolor="white")
    places = range(len(shown))[::-1]
    axes.barh(places, [size for _, size in shown], color=_BAR, height=0.7)
    axes.set_yticks(places, names, fontsize=9)
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.tick_params(colors=_INK, labelsize=9)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("importance", color=_INK, fontsize=9)
    more = f", the first {MOST} of {len(ranked)}" if len(ranked) > MOST else ""
    axes.set_title(f"Feature importance ({kind}){more}", color=_INK, fontsize=11)
    axes.grid(axis="x", color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "left")
        spine.set_color(_GRID)
    canvas = need("matplotlib.backends.backend_agg", to="draw plots").FigureCanvasAgg(figure)
    stream = io.BytesIO()
    canvas.print_png(stream, pil_kwargs={"compress_level": 3})
    return stream.getvalue()


def _short(name: str) -> str:
    return name if len(name) <= 28 else f"{name[:27]}…"
