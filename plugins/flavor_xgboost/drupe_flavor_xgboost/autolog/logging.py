"""What is logged of one call of `xgboost.train` or of an estimator's `fit`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextvars import ContextVar, Token
from typing import Any

import numpy as np
import xgboost

from drupe import data
from drupe.extend import Call, TrainingRun
from drupe_flavor_boosting.first_rows import FirstRows
from drupe_flavor_boosting.fitting import BoostingFit
from drupe_flavor_boosting.iterations import Iterations
from drupe_flavor_boosting.training import BoostingTrain
from drupe_flavor_sklearn.autolog.datasets import described
from drupe_flavor_xgboost.autolog.options import XGBoostOptions

__all__ = ["XGBoostFit", "XGBoostTrain", "callback_of_fit", "with_callback"]

DENSE_CELLS = 20_000_000
"""Up to so many values (160 MB) a data set is described as an array; above, by those that are not missing, as XGBoost keeps it."""

_fitting: ContextVar[Iterations | None] = ContextVar("drupe_xgboost_fitting", default=None)


class _Callback(xgboost.callback.TrainingCallback):
    """Notes the metrics of each iteration, and never stops a training."""

    def __init__(self, iterations: Iterations) -> None:
        self.iterations = iterations

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        self.iterations.note(epoch, _last(evals_log))
        return False


def _last(evals_log: Mapping[str, Mapping[str, list[Any]]]) -> Iterator[tuple[str, str, float]]:
    for name, metrics in evals_log.items():
        for metric, values in metrics.items():
            yield name, metric, values[-1]


def with_callback(kwargs: Mapping[str, Any], iterations: Iterations) -> dict[str, Any]:
    """The arguments of `train` with our callback before the user's: after one of theirs that stops the training no other is asked."""
    return {**kwargs, "callbacks": [_Callback(iterations), *(kwargs.get("callbacks") or ())]}


class XGBoostTrain(BoostingTrain):
    """One call of `xgboost.train`."""

    flavor = "xgboost"
    not_params = frozenset({"params", "dtrain", "evals", "obj", "feval", "evals_result", "xgb_model", "callbacks", "learning_rates"})
    options: XGBoostOptions

    def __init__(self, call: Call, options: XGBoostOptions, rows: FirstRows) -> None:
        super().__init__(call, options, rows)
        self.importance_types = tuple(options.importance_types)

    def arguments(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        """With a callback that logs the metrics of each iteration."""
        return args, with_callback(kwargs, self.iterations)

    def data_argument(self) -> str:
        """`dtrain`."""
        return "dtrain"

    def log_datasets(self, run: TrainingRun) -> None:
        """Describe what XGBoost made of the data."""
        train = self.given["dtrain"]
        if not isinstance(train, xgboost.DMatrix):
            return  # XGBoost will say so
        run.log_input(_described(train), "train")
        for matrix, name in self.given.get("evals") or ():
            if matrix is not train:
                run.log_input(_described(matrix, str(name)), "eval")

    def importance(self, booster: Any, kind: str) -> Mapping[str, Any]:
        """By XGBoost's own names: those of the columns, else f0, f1, …"""
        found: Mapping[str, Any] = booster.get_score(importance_type=kind)
        return found

    def best(self, booster: Any) -> tuple[int, int, int] | None:
        """Where early stopping, by argument or callback, found the best."""
        if booster.attr("best_iteration") is None:
            return None
        best = int(booster.best_iteration)
        return best, len(self.iterations.seen) - 1, best

    def predicted(self, booster: Any, rows: Any) -> Any:
        """By the booster as it is."""
        return booster.predict(xgboost.DMatrix(rows, enable_categorical=True))

    def model_options(self) -> dict[str, Any]:
        """The format asked for."""
        return {"model_format": self.options.model_format}


class XGBoostFit(BoostingFit):
    """One call of `fit` of XGBClassifier, XGBRegressor or their like."""

    flavor = "xgboost"
    options: XGBoostOptions
    _token: Token[Iterations | None] | None = None

    def __init__(self, call: Call, options: XGBoostOptions) -> None:
        super().__init__(call, options)
        self.importance_types = tuple(options.importance_types)  # type: ignore[misc]  # of this call

    def begin(self, run: TrainingRun) -> None:
        """As ever; `train`, which `fit` calls, is then given a callback."""
        super().begin(run)
        self._token = _fitting.set(self.iterations)

    def close(self) -> None:
        """Give no more callbacks."""
        if self._token is not None:
            _fitting.reset(self._token)

    def importance(self, kind: str) -> Mapping[str, Any]:
        """By XGBoost's own names."""
        found: Mapping[str, Any] = self.model.get_booster().get_score(importance_type=kind)
        return found

    def best(self) -> tuple[int, int, int] | None:
        """Where early stopping found the best."""
        if self.model.get_booster().attr("best_iteration") is None:
            return None
        best = int(self.model.best_iteration)
        return best, len(self.iterations.seen) - 1, best

    def evaluated(self) -> list[tuple[Any, Any]]:
        """The `eval_set`."""
        return list(self.call.kwargs.get("eval_set") or ())

    def model_options(self) -> dict[str, Any]:
        """The format asked for, unless scikit-learn's flavor keeps the model."""
        return {"model_format": self.options.model_format} if self.flavor == "xgboost" else {}


def callback_of_fit(kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments of the `train` that a watched `fit` calls, with our callback; as they are outside of one."""
    iterations = _fitting.get()
    return kwargs if iterations is None else with_callback(kwargs, iterations)


def _described(matrix: Any, name: str | None = None) -> Any:
    labels = np.asarray(matrix.get_label())
    targets = labels if labels.size else None
    rows, columns = matrix.num_row(), matrix.num_col()
    stored = matrix.get_data()
    if rows * columns > DENSE_CELLS:
        return described(stored, targets)
    return data.from_numpy(stored.toarray(), targets=targets, name=name)
