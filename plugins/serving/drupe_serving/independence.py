"""Whether a model predicts each row by itself, so that rows of several requests can be predicted together.

Known, not guessed: from the model's own metadata (`rows_are_independent`), else from its flavor, for libraries whose models predict row by
row by what they are. What is known is checked on the input example before the first request: rows must get the same predictions alone and
together.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy

from drupe.models import LoadedModel
from drupe_serving.asked import Asked, joined, taken_apart
from drupe_serving.encoding import plain

__all__ = ["METADATA_KEY", "may_be_joined", "predicts_alike"]

METADATA_KEY = "rows_are_independent"
RELATIVE, ABSOLUTE = 1e-4, 1e-6  # a library may add up in another order when there are more rows

log = logging.getLogger("drupe.serving")


def may_be_joined(model: LoadedModel, batching: str) -> bool:
    """True when requests may be predicted together: `batching` on or off decides, auto asks the metadata and then the flavor."""
    if batching != "auto":
        return batching == "on"
    told = (model.metadata.metadata or {}).get(METADATA_KEY)
    return told if isinstance(told, bool) else model.predicts_rows_alone


def predicts_alike(model: LoadedModel, asked: Asked) -> bool:
    """True when the rows of a request get the same predictions alone and twice below each other."""
    if asked.rows is None:
        return False
    alone = model.predict(asked.given(), asked.params)
    parts = taken_apart(model.predict(joined([asked, asked]), asked.params), [asked.rows, asked.rows])
    if parts is None:
        log.warning("the model does not give one prediction for each row, so requests are predicted alone")
        return False
    if not all(_are_alike(plain(alone), plain(part)) for part in parts):
        log.warning("the model's predictions for a row depend on the rows beside it, so requests are predicted alone")
        return False
    return True


def _are_alike(one: Any, other: Any) -> bool:
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_are_alike, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_are_alike(value, other[key]) for key, value in one.items())
    if isinstance(one, float) and isinstance(other, float):
        return bool(numpy.isclose(one, other, RELATIVE, ABSOLUTE, equal_nan=True))
    return bool(numpy.all(one == other))
