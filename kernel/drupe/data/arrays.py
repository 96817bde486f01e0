"""Describing NumPy arrays, with the targets that belong to them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drupe.data.content import Column, array_column, digest_of, rows_to_read
from drupe.data.described import ArrayDataset
from drupe.data.source import RecordedSource, record
from drupe.errors import InvalidValue
from drupe.lazy import need
from drupe.models.infer import infer_schema
from drupe.models.schema import Schema

__all__ = ["from_numpy"]


def from_numpy(
    features: Any,
    source: str | Path | RecordedSource | Any = None,
    targets: Any = None,
    name: str | None = None,
    digest: str | None = None,
) -> ArrayDataset:
    """Describe an array or a dict of named arrays, and the array (or dict) of targets that belongs to it, row by row.

    drupe.log_input(drupe.data.from_numpy(x, targets=y, name="digits"), context="training")
    """
    numpy = need("numpy", to="describe an array")
    parts = {"features": _arrays(features, numpy)} | ({} if targets is None else {"targets": _arrays(targets, numpy)})
    profile: dict[str, Any] = {}
    columns: list[Column] = []
    shape: dict[str, Any] = {}
    sampled = 0
    for part, arrays in parts.items():
        profile |= {f"{part}_{fact}": value for fact, value in _measures(arrays).items()}
        for label, array in arrays.items():
            flat = array.reshape(-1)
            chosen = rows_to_read(flat.size, 1)
            if chosen is not None:
                flat, sampled = flat[chosen], sampled + len(chosen)
            columns.append(array_column(f"{part}/{label}", flat))
            shape[f"{part}/{label}"] = array.shape
    if sampled:
        profile["sampled_elements"] = sampled
    schemas = {part: _schema(features if part == "features" else targets, numpy) for part in parts}
    return ArrayDataset(
        name=name or "dataset",
        digest=digest or digest_of(columns, shape),
        source=record(source),
        profile=profile,
        features=features,
        targets=targets,
        features_schema=schemas["features"],
        targets_schema=schemas.get("targets"),
    )


def _arrays(given: Any, numpy: Any) -> dict[str, Any]:
    """The named arrays; one alone has the empty name."""
    if isinstance(given, Mapping):
        if not given:
            raise InvalidValue("from_numpy takes an array or a dict of arrays; this dict is empty")
        return {str(label): numpy.asarray(array) for label, array in given.items()}
    return {"": numpy.asarray(given)}


def _measures(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Shape, size and bytes as MLflow tells them: of the one array, or by name."""
    facts: dict[str, dict[str, Any]] = {
        "shape": {label: list(array.shape) for label, array in arrays.items()},
        "size": {label: int(array.size) for label, array in arrays.items()},
        "nbytes": {label: int(array.nbytes) for label, array in arrays.items()},
    }
    return {fact: by_name[""] if list(by_name) == [""] else by_name for fact, by_name in facts.items()}


def _schema(given: Any, numpy: Any) -> Schema | None:
    sample = {str(label): numpy.asarray(array) for label, array in given.items()} if isinstance(given, Mapping) else numpy.asarray(given)
    try:
        return infer_schema(sample, "dataset")
    except InvalidValue:  # a type that a signature has no name for
        return None
