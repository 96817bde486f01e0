"""What is watched of LightGBM: `lightgbm.train` and the fits of its estimators, each with a callback that logs the metrics of each iteration.

Imported when LightGBM is; whatever is not needed before the first training is imported by it.
"""

from __future__ import annotations

import lightgbm

from drupe.extend import Autologger, AutologOptions, Call, Patches, Training
from drupe.lazy import load

__all__ = ["LightGBMAutologger"]

_ROOM = "drupe_flavor_lightgbm.autolog.logging"
_ESTIMATORS = ("LGBMModel", "LGBMClassifier", "LGBMRegressor", "LGBMRanker")


class LightGBMAutologger(Autologger):
    """Logs the trainings of LightGBM, of boosters and of estimators."""

    library = "lightgbm"
    distribution = "lightgbm"
    versions = ("4.4", "4.7")

    def install(self, patches: Patches, options: AutologOptions) -> None:
        """Watch `train`, the estimators, and the data sets that are made for them."""
        rows = load("drupe_flavor_boosting.first_rows:FirstRows")()

        def train(call: Call) -> Training:
            made: Training = load(f"{_ROOM}:LightGBMTrain")(call, options, rows)
            return made

        def fit(call: Call) -> Training:
            made: Training = load(f"{_ROOM}:LightGBMFit")(call, options)
            return made

        rows.watch(patches, lightgbm.Dataset)
        patches.trains(lightgbm, "train", train)
        for name in _ESTIMATORS:
            patches.trains(getattr(lightgbm, name), "fit", fit)
