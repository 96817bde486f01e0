"""Metrics of the user's own: made from a function, under MLflow's names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from drupe.entities.limits import check_key
from drupe.errors import InvalidValue
from drupe.extend import EvaluationMetric

__all__ = ["make_metric"]


def make_metric(
    *,
    eval_fn: Callable[..., Any],
    greater_is_better: bool,
    name: str | None = None,
    long_name: str | None = None,
    version: str | None = None,
    metric_details: str | None = None,
    metric_metadata: Mapping[str, Any] | None = None,
    genai_metric_args: Mapping[str, Any] | None = None,
) -> EvaluationMetric:
    """A metric for `extra_metrics` of `drupe.evaluate`.

    `eval_fn` is called with what its parameters are named after: `predictions` and `targets` (Series), `metrics` (what was computed before,
    as MetricValues by name), a column of the data, an entry of `evaluator_config`, or another metric. It returns a number or a MetricValue.
    A function of two parameters with other names is given a DataFrame with `prediction` and `target`, and the metrics as numbers.
    Raises InvalidValue for a name that no metric can have.

        def share_within_10(predictions, targets):
            return float((abs(predictions - targets) <= 10).mean())

        drupe.evaluate(model, data, targets="minutes", extra_metrics=[drupe.make_metric(eval_fn=share_within_10, greater_is_better=True)])
    """
    if not callable(eval_fn):
        raise InvalidValue(f"eval_fn must be a function, not {type(eval_fn).__qualname__}")
    name = name or getattr(eval_fn, "__name__", None)
    if name in (None, "<lambda>"):
        raise InvalidValue("this function has no name of its own; say make_metric(…, name='…')")
    if "/" in check_key("metric", name):
        raise InvalidValue(f"the name of a metric that is made cannot have a slash; {name!r} does")
    return EvaluationMetric(
        eval_fn=eval_fn,
        name=str(name),
        greater_is_better=greater_is_better,
        long_name=long_name or name,
        version=version,
        metric_details=metric_details,
        metric_metadata=metric_metadata,
        genai_metric_args=genai_metric_args,
    )
