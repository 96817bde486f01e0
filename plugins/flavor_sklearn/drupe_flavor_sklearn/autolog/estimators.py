"""Which estimators are logged when they are fitted, and what is to be known of their classes."""

from __future__ import annotations

from collections.abc import Iterator
from weakref import WeakKeyDictionary

from sklearn.base import BaseEstimator

__all__ = ["class_name", "defining_class", "descendants", "is_logged", "lineage"]

# They prepare data for a model; logging each of them would bury the models. A pipeline logs them as its params.
_PREPARING = ("sklearn.preprocessing.", "sklearn.impute.", "sklearn.feature_extraction.", "sklearn.feature_selection.")
_PREPARING_CLASSES = {"sklearn.compose._column_transformer.ColumnTransformer"}
_PREDICTING = ("predict", "fit_predict", "score_samples")

_answers: WeakKeyDictionary[type, bool] = WeakKeyDictionary()


def class_name(kind: type) -> str:
    """`module.Class`."""
    return f"{kind.__module__}.{kind.__qualname__}"


def descendants(kind: type) -> Iterator[type]:
    """The class and all that were derived from it so far, each once."""
    seen: set[type] = set()
    waiting = [kind]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            yield one
            waiting += type.__subclasses__(one)


def lineage(kind: type) -> Iterator[type]:
    """The classes that the methods of an estimator may come from: mixins count, what Python itself provides does not."""
    yield from (one for one in kind.__mro__ if one.__module__ not in ("builtins", "abc", "typing"))


def is_logged(kind: type, others: frozenset[str] = frozenset()) -> bool:
    """True for models, transformations that are learned (such as PCA), and classes derived from them or written in their manner.

    False for what only prepares data, and for classes of libraries (`others`) that have an autologger of their own.
    """
    found = _answers.get(kind)
    if found is None:
        found = _answers[kind] = _is_model(kind)
    return found and not any(one.__module__.partition(".")[0] in others for one in kind.__mro__)


def defining_class(kind: type, name: str) -> type | None:
    """The class along `kind.__mro__` that defines the method, or None."""
    return next((one for one in kind.__mro__ if name in vars(one)), None)


def _is_model(kind: type) -> bool:
    theirs = [one for one in kind.__mro__ if one.__module__.partition(".")[0] == "sklearn" and issubclass(one, BaseEstimator)]
    named = [one for one in theirs if one is not BaseEstimator]
    if any(_prepares(one) for one in named):
        return False
    return bool(named) or any(callable(getattr(kind, name, None)) for name in _PREDICTING)


def _prepares(kind: type) -> bool:
    return f"{kind.__module__}.".startswith(_PREPARING) or class_name(kind) in _PREPARING_CLASSES
