"""Permutation importance: how much worse a model is when one column is shuffled, so that it says nothing of its row any more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from drupe.extend import Evaluation

__all__ = ["importance_of", "wants_importance"]

SEED = 0
REPEATS = 5
ROWS = 2000
_ASKED_ROWS = 200_000  # what may be predicted for it, so that it takes seconds
_CLOSE = 1e-12


def wants_importance(evaluation: Evaluation) -> str | bool:
    """Whether to compute it; a text says why not, where it was not turned off. `permutation_importance` in the configuration decides."""
    wanted = evaluation.config.get("permutation_importance", evaluation.config.get("log_model_explainability"))
    if evaluation.model is None or not evaluation.draws or wanted is False:
        return False
    width = len(evaluation.features.columns)
    if width > 200 and wanted is not True:
        return (
            f"{width} columns are too many to shuffle one by one; evaluator_config={{'permutation_importance': True}} does it all the same"
        )
    return True


def importance_of(evaluation: Evaluation, score: Callable[[Any, Any], float]) -> Any:
    """A row for each column, most important first: the mean fall of the score, and how far the repetitions lie apart.

    `score` tells how good predictions are for rows at these places, more is better. Five shuffles of at most 2000 rows, chosen with a fixed
    seed; fewer for very many columns. L. Breiman, Random Forests, Machine Learning 45 (2001), section 10.
    """
    generator = np.random.default_rng(SEED)
    model, features = evaluation.model, evaluation.features
    assert model is not None
    width = max(1, len(features.columns))
    repeats = int(np.clip(_ASKED_ROWS // (width * 100), 1, REPEATS))
    limit = int(np.clip(_ASKED_ROWS // (width * repeats), 100, ROWS))
    places = np.arange(len(features)) if len(features) <= limit else np.sort(generator.choice(len(features), limit, replace=False))
    sample = features.iloc[places].reset_index(drop=True)
    whole = score(model.predict(sample), places)
    many = pd.concat([sample] * repeats, ignore_index=True)
    rows = []
    for done, column in enumerate(features.columns):
        evaluation.tell(f"shuffling {column}", 0.7 + 0.3 * done / width)
        shuffled = many.copy()
        shuffled[column] = pd.concat([sample[column].iloc[generator.permutation(len(sample))] for _ in range(repeats)]).set_axis(many.index)
        told = model.predict(shuffled)
        falls = [whole - score(_part(told, turn, len(sample)), places) for turn in range(repeats)]
        mean = float(np.mean(falls))
        rows.append((str(column), 0.0 if abs(mean) < _CLOSE else mean, float(np.std(falls))))
    table = pd.DataFrame(rows, columns=["feature", "importance", "standard_deviation"])
    return table.sort_values("importance", ascending=False, kind="stable").reset_index(drop=True)


def _part(told: Any, turn: int, rows: int) -> Any:
    chosen = slice(turn * rows, (turn + 1) * rows)
    if isinstance(told, dict):
        return {name: values[chosen] for name, values in told.items()}
    return told.iloc[chosen] if hasattr(told, "iloc") else told[chosen]
