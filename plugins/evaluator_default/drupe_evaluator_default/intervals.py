"""Confidence intervals by bootstrap: rows are drawn anew, with replacement and a fixed seed, and the numbers computed again each time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = ["LEVEL", "bootstrap"]

LEVEL = 0.95
SEED = 0
FEWEST, MOST = 200, 1000
_DRAWN_ROWS = 20_000_000  # what one slice may cost: about a second


def bootstrap(numbers: Callable[[Any], Mapping[str, float]], rows: int) -> dict[str, tuple[float, float]]:
    """The interval of each number that holds it in 95 of 100 samples like this one: the 2.5th and 97.5th percentile of its repetitions.

    `numbers` computes them from how often each row counts, an integer array (rows,). Percentile intervals as in B. Efron and
    R. Tibshirani, An Introduction to the Bootstrap (1993), section 13.3. 1000 repetitions, fewer (at least 200) for very many rows.
    """
    generator = np.random.default_rng(SEED)
    repeats = int(np.clip(_DRAWN_ROWS // max(rows, 1), FEWEST, MOST))
    drawn: dict[str, list[float]] = {}
    for _ in range(repeats):
        times = np.bincount(generator.integers(0, rows, rows), minlength=rows)
        for name, value in numbers(times).items():
            drawn.setdefault(name, []).append(value)
    edge = 100 * (1 - LEVEL) / 2
    found = {}
    for name, values in drawn.items():
        known = np.asarray(values)[np.isfinite(values)]  # a draw without positives has no recall
        found[name] = (float("nan"), float("nan")) if not len(known) else tuple(np.percentile(known, [edge, 100 - edge]).tolist())
    return found
