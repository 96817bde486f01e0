"""What a classifier says, as codes: true and predicted classes as places in one list of classes, probabilities with a column for each.

Probabilities come from the model's `predict_proba`, from the columns that `probabilities` in the configuration names, or are told from
predictions that are no labels: a matrix whose rows sum to one, or for two classes numbers between 0 and 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from attrs import frozen

from drupe.errors import InvalidValue
from drupe.extend import Evaluation
from drupe_evaluator_default.outputs import outputs_of

__all__ = ["Classified", "classified"]

_CUT = 0.5


@frozen(eq=False)
class Classified:
    """`truth` and `predicted` (n,) are places in `classes`; `probabilities` (n, classes) or None; `positive` is the place of the class that
    two-class metrics are about, None for more classes; `others` are further columns of the model's output; `columns` are the classes in the
    order of the columns of a matrix of probabilities that the model gives, which need not be sorted.
    """

    truth: Any
    predicted: Any
    classes: Any
    probabilities: Any = None
    positive: int | None = None
    weights: Any = None
    others: Any = None
    columns: Any = None

    @property
    def is_binary(self) -> bool:
        """True for two classes."""
        return self.positive is not None

    @property
    def labels(self) -> Any:
        """The predicted labels."""
        return self.classes[self.predicted]

    def names(self) -> list[str]:
        """The classes as text."""
        return [str(label) for label in self.classes]


def classified(evaluation: Evaluation) -> Classified:
    """Ask the model, or take the given predictions, and bring them into one form. Raises InvalidValue that says what does not fit."""
    config = evaluation.config
    truth = _one_column(np.asarray(evaluation.targets), "targets")
    if truth.dtype.kind == "f" and not np.all(truth == np.floor(truth)):
        raise InvalidValue("the targets are numbers with fractions, which are no classes; use model_type='regressor'")
    given, others = outputs_of(evaluation)
    columns = [str(name) for name in given.columns] if isinstance(given, pd.DataFrame) else None
    given = np.asarray(given)
    given = given[:, 0] if given.ndim == 2 and given.shape[1] == 1 else given
    listed = None if config.get("label_list") is None else np.sort(np.asarray(config["label_list"]))
    order = None if evaluation.model is None or evaluation.model.classes is None else np.asarray(evaluation.model.classes)
    probabilities = _probabilities(evaluation)
    if probabilities is None and given.ndim == 2:
        probabilities, order = given, _order_of_columns(given, columns, order, listed, truth)
    elif probabilities is None and _is_probability(given, truth):
        order = np.unique(truth) if order is None and listed is None else listed if order is None else order
        order = _with_positive_last(order, config.get("pos_label"))
        probabilities = np.column_stack([1 - given, given])
    if given.ndim == 1 and not (probabilities is not None and _is_probability(given, truth)):
        labels = given
    else:
        if order is None or len(order) != probabilities.shape[1]:
            raise InvalidValue(_which_column(probabilities))
        chosen = (probabilities[:, 1] >= _CUT).astype(int) if probabilities.shape[1] == 2 else probabilities.argmax(axis=1)
        labels = np.asarray(order)[chosen]
    _refuse_other_kind(truth, labels)
    classes = _all_classes(truth, labels, listed, order if probabilities is not None else None)
    if len(classes) < 2:
        raise InvalidValue(
            f"targets and predictions have one class only ({classes[0]!r}), so there is nothing to tell apart; "
            "name the others with evaluator_config={'label_list': [...]}"
        )
    if probabilities is not None:
        order = classes if order is None else order
        if len(order) != probabilities.shape[1]:
            raise InvalidValue(_which_column(probabilities))
        probabilities = _aligned(probabilities, order, classes)
    places = pd.Index(classes)
    return Classified(
        truth=_places(places, truth, "targets"),
        predicted=_places(places, labels, "predictions"),
        classes=classes,
        probabilities=probabilities,
        positive=_positive(classes, config.get("pos_label")),
        weights=None if evaluation.weights is None else np.asarray(evaluation.weights, dtype=float),
        others=others,
        columns=classes if order is None else order,
    )


def _one_column(values: Any, what: str) -> Any:
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise InvalidValue(f"{what} must be one column; these have the shape {values.shape}")
    return values


def _probabilities(evaluation: Evaluation) -> Any:
    """Those that the model tells, or that stand in columns of the data; None where there are none."""
    named = evaluation.config.get("probabilities")
    if named is not None:
        names = [named] if isinstance(named, str) else list(named)
        missing = [name for name in names if name not in evaluation.frame.columns]
        if missing:
            raise InvalidValue(f"evaluator_config['probabilities'] names {missing[0]!r}, which is not a column")
        found = evaluation.frame[names].to_numpy(dtype=float)
        return np.column_stack([1 - found[:, 0], found[:, 0]]) if len(names) == 1 else found
    if evaluation.model is None or not evaluation.model.has_probabilities:
        return None
    found = np.asarray(evaluation.model.predict_proba(evaluation.features))
    if found.ndim == 1:
        return np.column_stack([1 - found, found])
    return found if found.ndim == 2 else None


def _is_probability(values: Any, truth: Any) -> bool:
    """Numbers between 0 and 1 that are not just 0 and 1, where there are two classes."""
    if values.ndim != 1 or values.dtype.kind != "f" or not np.all((values >= 0) & (values <= 1)):
        return False
    return not np.all((values == 0) | (values == 1)) and len(pd.unique(pd.Series(truth))) <= 2


def _order_of_columns(matrix: Any, names: list[str] | None, order: Any, listed: Any, truth: Any) -> Any:
    if matrix.dtype.kind != "f" or not np.allclose(matrix.sum(axis=1), 1.0, atol=1e-3):
        raise InvalidValue(
            f"the model gives {matrix.shape[1]} columns for each row, whose rows do not sum to one: neither labels nor probabilities; "
            "name the column with the labels: predictions='…'"
        )
    for candidate in (order, listed, np.unique(truth)):
        if candidate is not None and len(candidate) == matrix.shape[1]:
            by_text = {str(label): label for label in candidate}
            return [by_text[name] for name in names] if names and set(names) == set(by_text) else candidate
    return None


def _which_column(probabilities: Any) -> str:
    return (
        f"there are {probabilities.shape[1]} columns of probabilities, and it is not known which class each is for; "
        "name the classes in the order of the columns, sorted: evaluator_config={'label_list': [...]}"
    )


def _with_positive_last(order: Any, positive: Any) -> Any:
    if positive is None or len(order) != 2:
        return order
    return np.array([*[label for label in order if label != positive], positive], dtype=np.asarray(order).dtype)


def _refuse_other_kind(truth: Any, labels: Any) -> None:
    """Texts never equal numbers: a model that gives codes for names would be judged all wrong without a word."""

    def kind(values: Any) -> str:
        first = values[0]
        return "text" if isinstance(first, str) else "numbers" if np.asarray(first).dtype.kind in "biuf" else type(first).__name__

    if len(truth) and kind(truth) != kind(labels):
        raise InvalidValue(
            f"the targets are {kind(truth)} ({truth[0]!r}, …) and the predictions {kind(labels)} ({labels[0]!r}, …), so none can be equal; "
            "bring them into one form"
        )


def _all_classes(truth: Any, labels: Any, listed: Any, order: Any) -> Any:
    found = listed if listed is not None else np.unique(np.concatenate([np.unique(truth), np.unique(labels)]))
    if order is not None and listed is None:
        found = np.unique(np.concatenate([found, np.asarray(order)]))
    return found


def _aligned(probabilities: Any, order: Any, classes: Any) -> Any:
    """With one column for each of `classes`, in their order; a class that the model does not know has probability 0."""
    if len(order) == len(classes) and all(a == b for a, b in zip(order, classes, strict=True)):
        return probabilities
    places = pd.Index(classes).get_indexer(pd.Index(order))
    if (places < 0).any():
        raise InvalidValue(f"label_list lacks {np.asarray(order)[places < 0][0]!r}, which is one of the model's classes")
    found = np.zeros((len(probabilities), len(classes)), dtype=probabilities.dtype)
    found[:, places] = probabilities
    return found


def _places(classes: Any, labels: Any, what: str) -> Any:
    found = classes.get_indexer(pd.Index(labels))
    if (found < 0).any():
        raise InvalidValue(f"label_list lacks {labels[found < 0][0]!r}, which is among the {what}")
    return found


def _positive(classes: Any, wanted: Any) -> int | None:
    if wanted is not None and wanted not in classes.tolist():
        raise InvalidValue(f"pos_label is {wanted!r}, which is none of the classes {', '.join(map(repr, classes.tolist()[:20]))}")
    if len(classes) != 2:
        return None
    return 1 if wanted is None else classes.tolist().index(wanted)
