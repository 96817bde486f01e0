"""The prediction for the input example that is kept in a model's folder when it is saved, and how another one is compared with it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from drupe.errors import InvalidModelFolder
from drupe.models.confine import inside

__all__ = [
    "PREDICTION_FILE",
    "PREDICTION_KEY",
    "Difference",
    "compare_predictions",
    "plain_prediction",
    "read_prediction",
    "write_prediction",
]

PREDICTION_FILE = "output_example.json"
PREDICTION_KEY = "prediction_path"
_RELATIVE, _ABSOLUTE = 1e-5, 1e-8  # numpy's allclose: other releases and processors add up in another order
_MOST_BYTES = 1_000_000


@frozen
class Difference:
    """How two predictions differ: so many of the values, the first of them at `place`."""

    count: int
    of: int
    place: str
    expected: Any
    found: Any

    def __str__(self) -> str:
        return f"{self.count} of {self.of} values differ, the first at {self.place}: {self.expected!r} was recorded, it predicts {self.found!r}"


def write_prediction(folder: Path, prediction: Any) -> dict[str, str]:
    """Keep the prediction for the example in `folder`; the key for `saved_input_example_info`, or nothing for what JSON cannot hold or is large."""
    try:
        text = json.dumps(plain_prediction(prediction))
    except (TypeError, ValueError, RecursionError):
        return {}
    if len(text) > _MOST_BYTES:
        return {}
    (folder / PREDICTION_FILE).write_text(text, encoding="utf-8")
    return {PREDICTION_KEY: PREDICTION_FILE}


def read_prediction(folder: Path, info: Mapping[str, Any]) -> Any:
    """The recorded prediction in its plain form; None when the folder has none. Raises InvalidModelFolder."""
    if not info.get(PREDICTION_KEY):
        return None
    file = inside(folder, info[PREDICTION_KEY])
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as fault:
        raise InvalidModelFolder(f"the recorded prediction {file} cannot be read: {fault!r}", path=str(file)) from fault


def plain_prediction(prediction: Any) -> Any:
    """A prediction as JSON has it: tables are maps of columns, arrays lists, missing values null. Raises TypeError for anything else."""
    if hasattr(prediction, "columns") and hasattr(prediction, "iloc"):
        return {str(name): plain_prediction(prediction.iloc[:, place].tolist()) for place, name in enumerate(prediction.columns)}
    if hasattr(prediction, "toarray"):
        prediction = prediction.toarray()
    if hasattr(prediction, "tolist"):
        prediction = prediction.tolist()
    if isinstance(prediction, Mapping):
        return {str(key): plain_prediction(value) for key, value in prediction.items()}
    if isinstance(prediction, list | tuple):
        return [plain_prediction(value) for value in prediction]
    if isinstance(prediction, float):
        return prediction if math.isfinite(prediction) else None if math.isnan(prediction) else str(prediction)
    if prediction is None or isinstance(prediction, bool | int | str):
        return prediction
    if type(prediction).__name__ in ("NAType", "NaTType"):
        return None
    if hasattr(prediction, "isoformat"):
        return prediction.isoformat()
    raise TypeError(f"{type(prediction).__name__} has no JSON form")


def compare_predictions(expected: Any, found: Any) -> Difference | None:
    """How two plain predictions differ, or None. Numbers may differ by 1e-5 of their size."""
    pairs = list(_pairs(expected, found, ""))
    different = [(place, one, other) for place, one, other in pairs if not _equal(one, other)]
    if not different:
        return None
    place, one, other = different[0]
    return Difference(len(different), len(pairs), place or "the whole", one, other)


def _pairs(one: Any, other: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key in one:
            yield from _pairs(one[key], other[key], f"{place}[{key!r}]")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _pairs(left, right, f"{place}[{index}]")
    else:
        yield place, one, other


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float) and not isinstance(one, bool) and not isinstance(other, bool):
        return math.isclose(one, other, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
    return bool(one == other)
