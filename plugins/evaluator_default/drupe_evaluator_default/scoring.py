"""The numbers of a part of the rows, fast enough to be computed a thousand times: what does not change is prepared once for each part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from drupe_evaluator_default.classes import Classified

__all__ = ["Scorer", "of_classes", "of_numbers"]

Scorer = Callable[[Any], Callable[[Any], Mapping[str, float]]]
"""Given the places of the rows, a function of how often each of them counts that gives the numbers by name."""

_TINY = np.finfo(float).eps


def of_classes(seen: Classified) -> Scorer:
    """Accuracy, and for two classes precision, recall, F1 and area under the ROC curve, for more the macro F1; log loss with probabilities."""
    size = len(seen.classes)
    weights = np.ones(len(seen.truth)) if seen.weights is None else seen.weights
    cells = seen.truth * size + seen.predicted
    chance = None if seen.probabilities is None else seen.probabilities.astype(float)

    def prepared(rows: Any) -> Callable[[Any], Mapping[str, float]]:
        own, cell = weights[rows], cells[rows]
        loss = None if chance is None else -np.log(np.clip(chance[rows, seen.truth[rows]], _TINY, 1.0))
        is_it = seen.truth[rows] == seen.positive
        ranked = _ranked(chance[rows, seen.positive]) if chance is not None and seen.is_binary else None

        def numbers(times: Any) -> Mapping[str, float]:
            counted = own * times
            table = np.bincount(cell, weights=counted, minlength=size * size).reshape(size, size)
            found = {"accuracy_score": _share(np.trace(table), table.sum())}
            if seen.is_binary:
                found |= _of_positive(table, int(seen.positive or 0))
            else:
                hits, told, there = np.diag(table), table.sum(axis=0), table.sum(axis=1)
                known = (told + there) > 0
                found["f1_score_macro"] = float(np.mean(2 * hits[known] / (told + there)[known])) if known.any() else float("nan")
            if ranked is not None:
                found["roc_auc"] = _area(*ranked, counted * is_it, counted * ~is_it)
            if loss is not None:
                found["log_loss"] = _share(float(counted @ loss), counted.sum())
            return found

        return numbers

    return prepared


def of_numbers(truth: Any, values: Any, weights: Any) -> Scorer:
    """Mean absolute error, root mean squared error, R², and the mean error (positive: predicted too high)."""
    weights = np.ones(len(truth)) if weights is None else weights
    error = values - truth

    def prepared(rows: Any) -> Callable[[Any], Mapping[str, float]]:
        own, true, off = weights[rows], truth[rows], error[rows]
        absolute, squared = np.abs(off), off**2

        def numbers(times: Any) -> Mapping[str, float]:
            counted = own * times
            total = counted.sum()
            mean = _share(float(counted @ true), total)
            spread, missed = float(counted @ (true - mean) ** 2), float(counted @ squared)
            return {
                "mean_absolute_error": _share(float(counted @ absolute), total),
                "root_mean_squared_error": float(np.sqrt(_share(missed, total))),
                "r2_score": 1 - _share(missed, spread),
                "mean_error": _share(float(counted @ off), total),
            }

        return numbers

    return prepared


def _of_positive(table: Any, positive: int) -> dict[str, float]:
    hits = table[positive, positive]
    precision, recall = _share(hits, table[:, positive].sum()), _share(hits, table[positive].sum())
    f1 = _share(2 * hits, table[:, positive].sum() + table[positive].sum())
    return {"precision_score": precision, "recall_score": recall, "f1_score": f1}


def _ranked(chance: Any) -> tuple[Any, int]:
    """For each row the place of its probability among the different ones, and how many there are."""
    different, place = np.unique(chance, return_inverse=True)
    return place, len(different)


def _area(place: Any, size: int, positive: Any, negative: Any) -> float:
    """The share of pairs, one positive and one negative row, that are in the right order; equal ones count half (Hanley and McNeil 1982)."""
    here, there = np.bincount(place, weights=positive, minlength=size), np.bincount(place, weights=negative, minlength=size)
    below = np.cumsum(there) - there
    return _share(float(here @ (below + there / 2)), here.sum() * there.sum())


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")
