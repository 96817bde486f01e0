"""Predictions as JSON, as MLflow's scoring server writes them, but for what is not JSON: NaN and infinities become null."""

from __future__ import annotations

import base64
from typing import Any

import numpy
import orjson
import pandas

from drupe_serving.errors import ModelFailed

__all__ = ["bare_json", "plain", "predictions_json"]

_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS


def predictions_json(predictions: Any) -> bytes:
    """The answer of `/invocations`."""
    return b'{"predictions":%b}' % bare_json(predictions)


def bare_json(predictions: Any) -> bytes:
    """The predictions alone, as requests in the form of language models are answered. Raises ModelFailed for what has no JSON form."""
    try:
        return orjson.dumps(plain(predictions), _default, _OPTIONS)
    except TypeError as fault:
        raise ModelFailed(f"the model's predictions have no form in JSON: {fault}") from fault


def plain(predictions: Any) -> Any:
    """Tables as a list of records, arrays as lists."""
    if type(predictions) is numpy.ndarray:
        return predictions.tolist() if predictions.dtype.kind not in "Mm" else predictions.astype(str).tolist()
    if isinstance(predictions, pandas.Series):
        predictions = predictions.to_frame()
    if isinstance(predictions, pandas.DataFrame):
        return predictions.to_dict(orient="records")
    return predictions


def _default(value: Any) -> Any:
    if isinstance(value, numpy.ndarray | numpy.generic):
        return value.tolist()
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if value is pandas.NaT or value is pandas.NA:
        return None
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, pandas.DataFrame | pandas.Series):
        return plain(value)
    if hasattr(value, "tocsr"):
        return value.toarray().tolist()
    if hasattr(value, "model_dump"):
        return value.model_dump()
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be written")
