"""The curves of a classifier as tables, which are kept beside their pictures: ROC, precision-recall, calibration, lift and gain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_curve, roc_curve

from drupe_evaluator_default.classes import Classified

__all__ = ["calibration", "confusion", "gains", "one_against_rest", "precision_recall", "roc"]

MAX_POINTS = 1000
"""More points of a curve cannot be told apart in a picture, and make large files."""
BINS = 10


def one_against_rest(seen: Classified) -> Iterator[tuple[str, Any, Any]]:
    """(class, whether each row is of it, its probability): the positive class of two, else every class that some rows have and some lack."""
    if seen.probabilities is None:
        return
    places = range(len(seen.classes)) if seen.positive is None else (seen.positive,)
    for place in places:
        is_it = seen.truth == place
        if is_it.any() and not is_it.all():
            yield seen.names()[place], is_it, seen.probabilities[:, place]


def roc(seen: Classified) -> Any:
    """True positives over false positives at every threshold."""
    parts = []
    for label, is_it, chance in one_against_rest(seen):
        false, true, threshold = roc_curve(is_it, chance, sample_weight=seen.weights)
        parts.append(_part(label, false_positive_rate=false, true_positive_rate=true, threshold=threshold))
    return _joined(parts)


def precision_recall(seen: Classified) -> Any:
    """Precision over recall at every threshold."""
    parts = []
    for label, is_it, chance in one_against_rest(seen):
        precision, recall, threshold = precision_recall_curve(is_it, chance, sample_weight=seen.weights)
        parts.append(_part(label, recall=recall, precision=precision, threshold=np.append(threshold, np.nan)))
    return _joined(parts)


def gains(seen: Classified) -> Any:
    """Of the positive rows, the share that is among the highest-rated share of all rows (gain), and how many times that is chance (lift).

    Rows of equal probability come together, since their order means nothing.
    """
    parts = []
    for label, is_it, chance in one_against_rest(seen):
        weights = np.ones(len(is_it)) if seen.weights is None else seen.weights
        order = np.argsort(-chance, kind="stable")
        last = np.append(np.flatnonzero(np.diff(chance[order])), len(order) - 1)
        share = np.cumsum(weights[order])[last] / weights.sum()
        gain = np.cumsum((weights * is_it)[order])[last] / (weights * is_it).sum()
        part = _part(label, share=np.append(0.0, share), gain=np.append(0.0, gain))
        part["lift"] = (part["gain"] / part["share"]).where(part["share"] > 0)
        parts.append(part)
    return _joined(parts)


def calibration(seen: Classified) -> Any:
    """How often it happened, over the probability that was told, in ten bins of (nearly) equally many rows."""
    parts = []
    for label, is_it, chance in one_against_rest(seen):
        edges = np.unique(np.percentile(chance, np.linspace(0, 100, BINS + 1)))
        place = np.searchsorted(edges[1:-1], chance)
        weights = np.ones(len(is_it)) if seen.weights is None else seen.weights
        total = np.bincount(place, weights=weights, minlength=len(edges))
        there = total > 0
        told = np.bincount(place, weights=weights * chance, minlength=len(edges))[there] / total[there]
        happened = np.bincount(place, weights=weights * is_it, minlength=len(edges))[there] / total[there]
        rows = np.bincount(place, minlength=len(edges))[there]
        parts.append(pd.DataFrame({"class": label, "predicted": told, "observed": happened, "rows": rows}))
    return _joined(parts)


def confusion(seen: Classified) -> Any:
    """Rows by true and predicted class, with their share of the true class; weighted rows count as much as they weigh."""
    size = len(seen.classes)
    counts = np.bincount(seen.truth * size + seen.predicted, weights=seen.weights, minlength=size * size).reshape(size, size)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    names = np.asarray(seen.names(), dtype=object)
    return pd.DataFrame(
        {
            "true": np.repeat(names, size),
            "predicted": np.tile(names, size),
            "rows": counts.reshape(-1) if seen.weights is not None else counts.reshape(-1).astype(int),
            "share_of_true": shares.reshape(-1),
        }
    )


def _part(label: str, **columns: Any) -> Any:
    frame = pd.DataFrame(columns)
    if len(frame) > MAX_POINTS:
        frame = frame.iloc[np.unique(np.linspace(0, len(frame) - 1, MAX_POINTS).astype(int))]
    frame.insert(0, "class", label)
    return frame


def _joined(parts: list[Any]) -> Any:
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
