"""Metrics that are computed after the fit: `model.score(X_test, y_test)`, and functions of `sklearn.metrics` given a prediction of the model.

They go to the run of the fit and to the model that was kept of it, as `<metric>[-<how many times>]_<name of the data's variable>`, and `metric_info.json` says which call each was.
A prediction is known by the very array that `predict` returned, or a view into it; one that was computed with is no longer known.
"""

from __future__ import annotations

import inspect
import json
import sys
import weakref
from collections import Counter
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

from attrs import frozen

from drupe.extend import Call, Patches
from drupe.lazy import load
from drupe_flavor_sklearn.autolog.arguments import given_to
from drupe_flavor_sklearn.autolog.options import SklearnOptions

__all__ = ["Afterwards"]

METRIC_INFO = "metric_info.json"
_UNNAMED = "unknown_dataset"
_TRUTHS = {"y_true", "labels_true", "labels"}
_INTERNAL = ("sklearn", "joblib")
_DESCRIBED = "drupe_flavor_sklearn.autolog.datasets:described"


@frozen(eq=False)
class _Known:
    """The run that a fitted model was logged to, and its id where it was kept."""

    run_id: str
    model_id: str | None


@frozen(eq=False)
class _Prediction:
    """Of a known model, for the data whose variable had this name; `data` is a weak reference to it."""

    model: _Known
    name: str
    data: Callable[[], Any]


class Afterwards:
    """What is known of fitted models and their predictions, as long as those exist."""

    def __init__(self, patches: Patches, options: SklearnOptions) -> None:
        self.patches, self.options = patches, options
        self._models = _ByIdentity()
        self._predictions = _ByIdentity()
        self._calls: Counter[tuple[str, str]] = Counter()
        self._info: dict[str, dict[str, str]] = {}
        self._inputs: set[tuple[str, str]] = set()

    def fitted(self, model: Any, run_id: str, model_id: str | None) -> None:
        """Remember that this model was logged to this run."""
        self._models.put(model, _Known(run_id, model_id))

    def predicted(self, call: Call, result: Any) -> None:
        """Remember whose prediction the result is."""
        model = self._models.get(call.target)
        if model is None or _is_internal(call.caller):
            return
        data = _argument(call)
        known = _Prediction(model, _variable(call.caller, data) or _UNNAMED, _weak(data))
        self._predictions.put(result, known)
        if getattr(result, "base", None) is not None:
            self._predictions.put(result.base, known)

    def scored(self, call: Call, result: Any) -> None:
        """Log what `score` returned."""
        model = self._models.get(call.target)
        if model is None or _is_internal(call.caller) or not _is_number(result):
            return
        given = given_to(call)
        kind = type(call.target).__name__
        words = f"{kind}.score({_arguments(call)})"
        self._log(model, f"{kind}_score", _variable(call.caller, given.X) or _UNNAMED, float(result), words)
        self._log_data(model.run_id, given.X, given.y)

    def measured(self, call: Call, result: Any) -> None:
        """Log what a metric function returned, when it was given a prediction of a logged model."""
        if not _is_number(result) or _is_internal(call.caller):
            return
        known = next(filter(None, map(self._prediction, [*call.args, *call.kwargs.values()])), None)
        if known is not None:
            self._log(known.model, call.name, known.name, float(result), f"{call.name}({_arguments(call)})")
            self._log_data(known.model.run_id, known.data(), None)

    @staticmethod
    def is_metric(function: Any) -> bool:
        """True for functions that compare something with the truth."""
        if not inspect.isfunction(function):
            return False
        return not _TRUTHS.isdisjoint(list(inspect.signature(function).parameters)[:2])

    def _prediction(self, value: Any) -> _Prediction | None:
        found: _Prediction | None = self._predictions.get(value)
        base = getattr(value, "base", None)
        if found is None and base is not None:  # a view into it, such as a column
            found = self._predictions.get(base)
        return found

    def _log(self, model: _Known, metric: str, data: str, value: float, words: str) -> None:
        run_id = model.run_id
        self._calls[run_id, f"{metric}_{data}"] += 1
        count = self._calls[run_id, f"{metric}_{data}"]
        key = f"{metric}_{data}" if count == 1 else f"{metric}-{count}_{data}"
        info = self._info.setdefault(run_id, {})
        info[key] = words
        run = self.patches.reopen(run_id)
        run.log_metrics({key: value}, model_id=model.model_id)
        run.log_files({METRIC_INFO: json.dumps(info, indent=2, sort_keys=True).encode()})

    def _log_data(self, run_id: str, X: Any, y: Any) -> None:
        if X is None or not self.options.log_datasets:
            return
        dataset = load(_DESCRIBED)(X, y)
        if (run_id, dataset.digest) not in self._inputs:
            self._inputs.add((run_id, dataset.digest))
            self.patches.reopen(run_id).log_input(dataset, "eval")


class _ByIdentity:
    """Values for objects, by which object it is; an entry goes when its object does. What cannot be referred to weakly is not kept."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[weakref.ref[Any], Any]] = {}

    def put(self, key: Any, value: Any) -> None:
        identity = id(key)
        try:
            self._held[identity] = (weakref.ref(key, lambda _: self._held.pop(identity, None)), value)
        except TypeError:  # numbers, lists
            return

    def get(self, key: Any) -> Any:
        found = self._held.get(id(key))
        return found[1] if found is not None and found[0]() is key else None


def _weak(value: Any) -> Callable[[], Any]:
    try:
        return weakref.ref(value)
    except TypeError:  # a list; it would have to be kept alive
        return lambda: None


def _argument(call: Call) -> Any:
    """The first argument, however it was given."""
    return call.args[1] if len(call.args) > 1 else next(iter(call.kwargs.values()), None)


def _variable(frame: FrameType | None, value: Any) -> str | None:
    """The name that the calling code has for this very object, or None."""
    if frame is None or value is None:
        return None
    found = _name_in(frame.f_locals, value)
    if sys.version_info < (3, 13) and frame.f_code.co_flags & inspect.CO_OPTIMIZED:
        # Before 3.13 a function's f_locals is a copy that stays with its frame, and would keep alive what the function deletes.
        frame.f_locals.clear()
    return found or _name_in(frame.f_globals, value)


def _name_in(scope: Mapping[str, Any], value: Any) -> str | None:
    return next((name for name, held in list(scope.items()) if held is value and not name.startswith("_")), None)


def _arguments(call: Call) -> str:
    """The arguments of a call as its code had them: variables by name, plain values, `<type>` for the rest."""
    bound = inspect.signature(call.function).bind(*call.args, **call.kwargs)
    given = list(bound.arguments.items())
    return ", ".join(f"{name}={_shown(call.caller, value)}" for name, value in given[0 if call.target is None else 1 :])


def _shown(frame: FrameType | None, value: Any) -> str:
    if value is None or isinstance(value, str | int | float | bool):
        return repr(value)
    return _variable(frame, value) or f"<{type(value).__name__}>"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) or (getattr(value, "ndim", None) == 0 and getattr(value.dtype, "kind", "") in "iuf")


def _is_internal(frame: FrameType | None) -> bool:
    return frame is not None and str(frame.f_globals.get("__name__", "")).partition(".")[0] in _INTERNAL
