"""Statistics of columns for the profile of a dataset: what is missing, how numbers and times lie, which texts are frequent.

Texts that are mostly different (names, keys, prose) show how many there are and none of them: they may be about people.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from drupe.data.content import Column
from drupe.lazy import need

__all__ = ["COLUMNS_MAX", "TOP", "column_profiles"]

COLUMNS_MAX = 300
TOP = 5
TEXT_MAX = 60


def column_profiles(columns: Iterable[Column]) -> dict[str, Mapping[str, Any]]:
    """Column name → statistics, for the first COLUMNS_MAX columns; plain values without NaN or infinity."""
    found: dict[str, Mapping[str, Any]] = {}
    for column in columns:
        if len(found) == COLUMNS_MAX:
            break
        found[column.name] = {"missing": int(column.missing.sum()), **_statistics(column)}
    return found


def _statistics(column: Column) -> dict[str, Any]:
    if column.kind in ("integer", "float"):
        return _numbers(column)
    if column.kind == "boolean":
        kept = column.values[~column.missing]
        return {"true": int(kept.sum()), "false": int(len(kept) - kept.sum())} if len(kept) else {}
    if column.kind == "time":
        return _times(column)
    return _texts(column) if column.kind == "text" else {}


def _numbers(column: Column) -> dict[str, Any]:
    numpy = need("numpy", to="describe data")
    kept = column.values[~column.missing]
    finite = kept[numpy.isfinite(kept)] if column.kind == "float" else kept
    infinite = {"infinite": len(kept) - len(finite)} if len(finite) < len(kept) else {}
    if not len(finite):
        return infinite
    with numpy.errstate(over="ignore", invalid="ignore"):  # sums of huge numbers; a mean that is not finite is left out
        measures = {"mean": float(finite.mean(dtype="f8")), "std": float(finite.std(dtype="f8"))}
    told = {name: value for name, value in measures.items() if numpy.isfinite(value)}
    return {"min": finite.min().item(), "max": finite.max().item(), **told, **infinite}


def _times(column: Column) -> dict[str, Any]:
    kept = column.values[~column.missing].astype("M8[s]")
    return {"min": str(kept.min()), "max": str(kept.max())} if len(kept) else {}


def _texts(column: Column) -> dict[str, Any]:
    counts = Counter(column.values)
    gone = int(column.missing.sum())
    if gone:
        counts[""] -= gone
        counts += Counter()  # drops what is not there any more
    rows = len(column.values) - gone
    if 2 * len(counts) > rows:
        return {"distinct": len(counts)}
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:TOP]
    return {"distinct": len(counts), "top": [[text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]}…", times] for text, times in ordered]}
