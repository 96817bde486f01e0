"""What is watched of XGBoost: `xgboost.train` and the fits of its estimators, each with a callback that logs the metrics of each iteration.

Imported when XGBoost is; whatever is not needed before the first training is imported by it.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import xgboost

from drupe.extend import Autologger, Call, Patches, Training
from drupe.lazy import load
from drupe_flavor_xgboost.autolog.options import XGBoostOptions

__all__ = ["XGBoostAutologger"]

_ROOM = "drupe_flavor_xgboost.autolog.logging"
_ESTIMATORS = ("XGBModel", "XGBClassifier", "XGBRegressor", "XGBRanker", "XGBRFClassifier", "XGBRFRegressor")


def _installed() -> str:
    """XGBoost comes as one of two distributions: the smaller one is for machines without a GPU."""
    try:
        version("xgboost")
    except PackageNotFoundError:
        return "xgboost-cpu"
    return "xgboost"


class XGBoostAutologger(Autologger):
    """Logs the trainings of XGBoost, of boosters and of estimators."""

    library = "xgboost"
    distribution = _installed()
    versions = ("2.1", "3.2")

    def install(self, patches: Patches, options: XGBoostOptions) -> None:
        """Watch `train`, the estimators, and the data sets that are made for them."""
        rows = load("drupe_flavor_boosting.first_rows:FirstRows")()

        def train(call: Call) -> Training:
            made: Training = load(f"{_ROOM}:XGBoostTrain")(call, options, rows)
            return made

        def fit(call: Call) -> Training:
            made: Training = load(f"{_ROOM}:XGBoostFit")(call, options)
            return made

        rows.watch(patches, xgboost.DMatrix)
        patches.trains(xgboost, "train", train)
        for name in _ESTIMATORS:
            patches.trains(getattr(xgboost, name), "fit", fit)
        patches.replaces(xgboost.sklearn, "train", _inside_fit(patches))


def _inside_fit(patches: Patches) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`fit` takes no callbacks, but calls `train`, which does."""

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def train(*args: Any, **kwargs: Any) -> Any:
            given = patches.attempt("adding a callback to a fit", lambda: load(f"{_ROOM}:callback_of_fit")(kwargs))
            return original(*args, **(kwargs if given is None else given))

        return train

    return make
