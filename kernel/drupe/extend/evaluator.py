"""The contract of an evaluator: judges a model's predictions by numbers, pictures and tables.

An evaluator gets rows that are checked and a model that is loaded, and writes its files into a folder; taking the user's arguments apart and
putting results on runs and models is the work of `drupe.evaluation`. The conformance kit is `drupe.testing.evaluator`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

from attrs import define, field, frozen

from drupe.lazy import need

__all__ = ["Evaluation", "EvaluationMetric", "Evaluator", "Findings", "JudgedModel", "MetricValue", "Tell"]


@define(eq=False)
class MetricValue:
    """What a metric says, under MLflow's names: a score and a justification for each row, and numbers about all rows by name.

    Without `aggregate_results`, scores that are numbers are put together as their mean, variance and 90th percentile.
    """

    scores: Sequence[Any] | None = None
    justifications: Sequence[str] | None = None
    aggregate_results: dict[str, float] | None = None

    def __attrs_post_init__(self) -> None:
        numbers = isinstance(self.scores, list | tuple) and all(isinstance(score, int | float) for score in self.scores)
        if self.aggregate_results is None and self.scores and numbers:
            numpy = need("numpy", to="put scores together")
            self.aggregate_results = {
                "mean": float(numpy.mean(self.scores)),
                "variance": float(numpy.var(self.scores)),
                "p90": float(numpy.percentile(self.scores, 90)),
            }


@frozen(eq=False)
class EvaluationMetric:
    """A metric of the user's own; `drupe.make_metric` makes one and says what `eval_fn` is given. Called, it is `eval_fn`."""

    eval_fn: Callable[..., Any]
    name: str
    greater_is_better: bool
    long_name: str | None = None
    version: str | None = None
    metric_details: str | None = None
    metric_metadata: Mapping[str, Any] | None = None
    genai_metric_args: Mapping[str, Any] | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.eval_fn(*args, **kwargs)


class JudgedModel(Protocol):
    """The model that is judged, whatever it was given as.

    `native` is the library's own object, or None for a function; `classes` are the class labels in the order of the columns of
    `predict_proba`, where the model tells them. Both methods take the features of any number of rows as a DataFrame and leave it as it is.
    """

    name: str
    native: Any
    classes: Any

    @property
    def has_probabilities(self) -> bool:
        """True when `predict_proba` can be called."""

    def predict(self, features: Any) -> Any:
        """What the model predicts: labels, numbers, or whatever else it gives."""

    def predict_proba(self, features: Any) -> Any:
        """Probabilities, one column for each class."""


class Tell(Protocol):
    """Told what an evaluator does now, so that somebody who waits can see it; `share` of that is done, where it can be told."""

    def __call__(self, what: str, share: float | None = None, /) -> None: ...


@frozen(eq=False, kw_only=True)
class Evaluation:
    """What is to be judged, and how. All parts have one entry for each row, in one order; none may be changed.

    `frame`        every column that was given, by name: what slices and metrics may refer to
    `features`     the columns that the model is given
    `targets`      the true values, without gaps; None where there are none
    `predictions`  what was predicted, where that was given in place of a model
    `weights`      how much each row counts; None: all alike
    `model`        None where predictions were given
    `config`       the user's `evaluator_config` for this evaluator
    `slices`       parts of the data to judge by themselves: names of columns, or queries such as `age > 60`
    `folder`       where files go: a new folder of this evaluator
    `draws`        False when numbers are all that is wanted, as for a baseline
    """

    frame: Any
    features: Any
    folder: Path
    targets: Any = None
    predictions: Any = None
    weights: Any = None
    model: JudgedModel | None = None
    model_type: str | None = None
    targets_name: str | None = None
    predictions_name: str | None = None
    config: Mapping[str, Any] = field(factory=dict)
    slices: Sequence[str] = ()
    extra_metrics: Sequence[EvaluationMetric] = ()
    custom_artifacts: Sequence[Callable[..., Any]] = ()
    draws: bool = True
    tell: Tell = lambda what, share=None: None


@frozen(eq=False, kw_only=True)
class Findings:
    """What came out.

    `metrics`    numbers about all rows, NaN where one is not defined for this data
    `artifacts`  the file in `folder` for each artifact, by the artifact's name
    `failures`   what could not be found out, and why: a metric of the user's own that raised, a picture that could not be drawn
    `better`     for metrics whose direction is known: True where more is better
    """

    metrics: Mapping[str, float] = field(factory=dict)
    artifacts: Mapping[str, str] = field(factory=dict)
    failures: Mapping[str, str] = field(factory=dict)
    better: Mapping[str, bool] = field(factory=dict)


class Evaluator(ABC):
    """Judges models of some kind. Made anew, without arguments, for each evaluation."""

    name: ClassVar[str]
    """What `evaluators=` and `evaluator_config=` call it; equal to a key of the offer."""

    @abstractmethod
    def can_evaluate(self, *, model_type: str | None, evaluator_config: Mapping[str, Any]) -> bool:
        """True when it judges models of this type (`classifier`, `regressor`, …, None where nobody has said) with this configuration.

        Asked before anything is loaded: all evaluators that say yes are used, unless the user names some.
        """

    @abstractmethod
    def evaluate(self, evaluation: Evaluation) -> Findings:
        """Judge. Equal input has equal findings: what is drawn at random has a fixed seed.

        Raises InvalidValue for data or configuration that cannot be judged, with what would work. What fails by itself (one metric, one
        picture) is a failure in the findings and the rest goes on.
        """
