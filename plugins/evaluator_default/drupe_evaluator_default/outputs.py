"""What is judged, out of what a model gives: the one column with predictions, and the others beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from drupe.errors import InvalidValue
from drupe.extend import Evaluation

__all__ = ["outputs_of"]


def outputs_of(evaluation: Evaluation) -> tuple[Any, Any]:
    """(predictions, other columns or None): the column named `predictions`, or the only one; an array or a table of numbers as it is.

    Raises InvalidValue when the model gives several columns of which none was named.
    """
    evaluation.tell("asking the model for predictions", 0.0)
    if evaluation.model is None:
        return evaluation.predictions, None
    given = evaluation.model.predict(evaluation.features)
    if isinstance(given, dict) or (isinstance(given, list) and given and all(isinstance(row, dict) for row in given)):
        given = pd.DataFrame(given)
    name = evaluation.predictions_name or evaluation.config.get("predictions")
    if not isinstance(given, pd.DataFrame):
        return given.to_numpy() if isinstance(given, pd.Series) else np.asarray(given), None
    if name is not None and name in given.columns:
        return given[name].to_numpy(), given.drop(columns=name)
    if name is not None:
        raise InvalidValue(
            f"predictions is {name!r}, which is no column of the model's output; it has {', '.join(map(str, given.columns))}"
        )
    if len(given.columns) == 1:
        return given.iloc[:, 0].to_numpy(), None
    if all(kind.kind == "f" for kind in given.dtypes if hasattr(kind, "kind")) and np.allclose(given.sum(axis=1), 1.0, atol=1e-3):
        return given, None  # probabilities, whose columns may be named after the classes
    raise InvalidValue(f"the model gives the columns {', '.join(map(str, given.columns))}; say which has the predictions: predictions='…'")
