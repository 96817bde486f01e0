"""What is logged of one call of `lightgbm.train` or of an estimator's `fit`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import lightgbm
import numpy as np

from drupe import data
from drupe.extend import TrainingRun
from drupe_flavor_boosting.fitting import BoostingFit
from drupe_flavor_boosting.iterations import Iterations
from drupe_flavor_boosting.training import BoostingTrain
from drupe_flavor_sklearn.autolog.datasets import described

__all__ = ["LightGBMFit", "LightGBMTrain"]

_KINDS = ("split", "gain")


def _callback(iterations: Iterations) -> Callable[[Any], None]:
    def note(env: Any) -> None:
        iterations.note(env.iteration, ((each[0], each[1], each[2]) for each in env.evaluation_result_list or ()))

    note.order = 0  # type: ignore[attr-defined]  # before early stopping, which leaves out what comes after it
    return note


def _with_callback(kwargs: Mapping[str, Any], iterations: Iterations) -> dict[str, Any]:
    return {**kwargs, "callbacks": [*(kwargs.get("callbacks") or ()), _callback(iterations)]}


def _importance(booster: Any, kind: str) -> dict[str, Any]:
    return dict(zip(booster.feature_name(), booster.feature_importance(importance_type=kind).tolist(), strict=True))


def _best(best: int, seen: int) -> tuple[int, int, int] | None:
    """LightGBM counts from one, and says 0 or -1 without early stopping."""
    return (best, seen, best - 1) if best > 0 else None


class LightGBMTrain(BoostingTrain):
    """One call of `lightgbm.train`."""

    flavor = "lightgbm"
    importance_types = _KINDS
    not_params = frozenset(
        {"params", "train_set", "valid_sets", "valid_names", "fobj", "feval", "init_model", "learning_rates", "callbacks"}
    )

    def arguments(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        """With a callback that logs the metrics of each iteration."""
        if "callbacks" in self.given and "callbacks" not in kwargs and self.given["callbacks"] is not None:
            place = list(self.given).index("callbacks")
            return (*args[:place], [*args[place], _callback(self.iterations)], *args[place + 1 :]), kwargs
        return args, _with_callback(kwargs, self.iterations)

    def data_argument(self) -> str:
        """`train_set`."""
        return "train_set"

    def log_datasets(self, run: TrainingRun) -> None:
        """Describe the data, where LightGBM has not given them free yet."""
        train, names = self.given["train_set"], self.given.get("valid_names") or []
        if isinstance(train, lightgbm.Dataset):
            _log(run, train, "train")
        valid = self.given.get("valid_sets") or []
        names = [names] if isinstance(names, str) else names
        for place, each in enumerate([valid] if isinstance(valid, lightgbm.Dataset) else valid):
            if each is not train:
                _log(run, each, "eval", names[place] if place < len(names) else None)

    def importance(self, booster: Any, kind: str) -> Mapping[str, Any]:
        """Of every feature, those that no split uses too."""
        return _importance(booster, kind)

    def best(self, booster: Any) -> tuple[int, int, int] | None:
        """Where early stopping found the best."""
        return _best(booster.best_iteration, len(self.iterations.seen))

    def predicted(self, booster: Any, rows: Any) -> Any:
        """By the booster as it is."""
        return booster.predict(rows)


class LightGBMFit(BoostingFit):
    """One call of `fit` of LGBMClassifier, LGBMRegressor or their like."""

    flavor = "lightgbm"
    importance_types = _KINDS

    def arguments(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        """With a callback that logs the metrics of each iteration."""
        return args, _with_callback(kwargs, self.iterations)

    def importance(self, kind: str) -> Mapping[str, Any]:
        """Of every feature."""
        return _importance(self.model.booster_, kind)

    def best(self) -> tuple[int, int, int] | None:
        """Where early stopping found the best."""
        return _best(self.model.best_iteration_ or 0, len(self.iterations.seen))

    def evaluated(self) -> list[tuple[Any, Any]]:
        """The `eval_set`, or `eval_X` and `eval_y` of newer releases."""
        given = self.call.kwargs
        if given.get("eval_X") is not None:
            several = isinstance(given["eval_X"], tuple)
            return list(zip(given["eval_X"], given["eval_y"], strict=True)) if several else [(given["eval_X"], given["eval_y"])]
        sets = given.get("eval_set") or ()
        return [sets] if isinstance(sets, tuple) else list(sets)


def _log(run: TrainingRun, dataset: Any, context: str, name: str | None = None) -> None:
    features = dataset.data
    if features is None or isinstance(features, str):
        return
    targets = None if dataset.label is None else np.asarray(dataset.label)
    if isinstance(features, np.ndarray):
        run.log_input(data.from_numpy(features, targets=targets, name=name), context)
    elif type(features).__module__.startswith("pandas."):
        run.log_input(data.from_pandas(features, name=name), context)
    else:
        run.log_input(described(features, targets), context)
