"""What is watched of scikit-learn: the fits of all estimators, those that come later and the user's own included, and what follows a fit.

Imported when scikit-learn is; whatever is not needed before the first fit is imported by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from types import ModuleType
from typing import Any
from weakref import WeakSet

from sklearn.base import BaseEstimator, TransformerMixin

from drupe.extend import Autologger, Call, Patches, Training
from drupe.lazy import load
from drupe_flavor_sklearn.autolog.afterwards import Afterwards
from drupe_flavor_sklearn.autolog.estimators import descendants, is_logged, lineage
from drupe_flavor_sklearn.autolog.options import SklearnOptions

__all__ = ["SklearnAutologger"]

_FITS = ("fit", "fit_predict", "fit_transform")
_PREDICTIONS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "score_samples")
_FIT = "drupe_flavor_sklearn.autolog.fitting:Fit"


class SklearnAutologger(Autologger):
    """Logs the fits of scikit-learn's estimators, and of classes in their manner whose library has no autologger."""

    library = "sklearn"
    distribution = "scikit-learn"
    versions = ("1.4", "1.9")

    def install(self, patches: Patches, options: SklearnOptions) -> None:
        """Watch all estimators that exist, and each new one as its class is made."""
        after = Afterwards(patches, options) if options.log_post_training_metrics else None
        watch = _Watch(patches, options, after)
        for kind in descendants(BaseEstimator):
            watch.estimator(kind)
        # A transformer's methods are wrapped once more by scikit-learn while its class is made, by a base of TransformerMixin: go after that.
        patches.derives(TransformerMixin, lambda kind: watch.estimator(kind) if issubclass(kind, BaseEstimator) else None)
        patches.derives(BaseEstimator, lambda kind: None if issubclass(kind, TransformerMixin) else watch.estimator(kind))
        patches.when_imported("joblib", lambda joblib: patches.replaces(joblib.Parallel, "__call__", _quiet_workers(patches)))
        if after is not None:
            patches.when_imported("sklearn.metrics", lambda metrics: _watch_metrics(patches, metrics, after))


class _Watch:
    def __init__(self, patches: Patches, options: SklearnOptions, after: Afterwards | None) -> None:
        self.patches, self.options, self.after = patches, options, after
        self.seen: WeakSet[type] = WeakSet()

    def estimator(self, kind: type) -> None:
        """Watch the methods of an estimator, each in the class that defines it."""
        for one in lineage(kind):
            if one in self.seen:
                continue
            self.seen.add(one)
            for name in _FITS:
                self.patches.trains(one, name, self._training)
            if self.after is not None:
                for name in _PREDICTIONS:
                    self.patches.observes(one, name, self.after.predicted)
                self.patches.observes(one, "score", self.after.scored)

    def _training(self, call: Call) -> Training | None:
        if not is_logged(type(call.target), self.patches.others):
            return None
        fitted = self.after.fitted if self.after is not None else _forget
        made: Training = load(_FIT)(call, self.options, fitted)
        return made


def _forget(model: Any, run_id: str, model_id: str | None) -> None:
    pass


def _watch_metrics(patches: Patches, metrics: ModuleType, after: Afterwards) -> None:
    for name in metrics.__all__:
        if after.is_metric(getattr(metrics, name)):
            patches.observes(metrics, name, after.measured)


def _quiet_workers(patches: Patches) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Threads that work for a watched fit are inside it too."""

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(parallel: Any, iterable: Iterable[Any]) -> Any:
            return original(parallel, _quietly(patches, iterable) if patches.is_inside() else iterable)

        return call

    return make


def _quietly(patches: Patches, tasks: Iterable[Any]) -> Iterator[Any]:
    for task in tasks:
        if isinstance(task, tuple) and len(task) == 3 and callable(task[0]):
            yield (_Quiet(patches, task[0]), task[1], task[2])
        else:
            yield task


class _Quiet:
    """A function that runs inside; pickled as the function alone, since another process watches nothing."""

    def __init__(self, patches: Patches, function: Callable[..., Any]) -> None:
        self.patches, self.function = patches, function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with self.patches.inside():
            return self.function(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        return itemgetter(0), ((self.function,),)
