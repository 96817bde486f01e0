"""One digest for all that a run or model is, so that what was read there and what is kept here can be compared without keeping either."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Sequence
from itertools import islice
from operator import lt
from typing import Any

from attrs import asdict, evolve

from drupe.entities import Points, WholeLoggedModel, WholeModel, WholeRun
from drupe.entities.endian import to_little_endian
from drupe.entities.metrics import rank

__all__ = ["digest_of_logged_model", "digest_of_model", "digest_of_run", "ordered"]


def ordered(points: Points) -> Points:
    """The points of a series in its order, each once."""
    if len(points) and all(map(lt, points.steps, islice(points.steps, 1, None))):
        return points  # most series: every step once, and in order
    return Points.of(sorted({rank(*point): point for point in points}.values(), key=lambda point: rank(*point)))


def digest_of_run(whole: WholeRun) -> bytes:
    """Of info, params, tags, inputs and points; the order in which they come does not matter, and NaN is NaN."""
    info, data = whole.run.info, whole.run.data
    made = hashlib.sha256()
    _feed(made, [*asdict(info).values(), sorted(data.params.items()), sorted(data.tags.items())])
    _feed(made, sorted(json.dumps(asdict(one), sort_keys=True) for one in whole.run.inputs.dataset_inputs))
    for key, points in sorted(whole.points.items()):
        if len(points):
            kept = ordered(points)
            values = array("d", [0.0 if value == 0 else value if value == value else float("nan") for value in kept.values])
            _feed(made, [key, len(kept)])
            for column in (kept.steps, kept.timestamps, values):
                made.update(to_little_endian(column))
    return made.digest()


def digest_of_logged_model(whole: WholeLoggedModel) -> bytes:
    """Of the record with its tags, params and metrics, and whether it is deleted; not of its ties, which are read with the runs."""
    made = hashlib.sha256()
    _feed(made, [asdict(evolve(whole.model, metrics=())), whole.is_deleted])
    _feed(made, sorted(json.dumps(asdict(one), sort_keys=True) for one in whole.model.metrics))
    return made.digest()


def digest_of_model(whole: WholeModel) -> bytes:
    """Of the model, its tags and aliases, and all of its versions. `highest` is left out: a store need not tell it."""
    made = hashlib.sha256()
    _feed(made, asdict(evolve(whole.model, latest_versions=())))
    for version in sorted(whole.versions, key=lambda one: int(one.version)):
        _feed(made, asdict(evolve(version, aliases=())))
    return made.digest()


def _feed(made: Any, told: Sequence[Any] | dict[str, Any]) -> None:
    made.update(json.dumps(told, sort_keys=True).encode("utf-8", "surrogatepass") + b"\n")
