"""Judging models: `evaluate` asks evaluators for numbers, pictures and tables, and puts them on the run and the model. MLflow's names.

What is judged is taken apart in `rows` and `judged`, who judges is decided in `choosing`, what came out is in `results`; thresholds are in
`thresholds`. Nothing is computed here: evaluators are plugins, see `drupe.extend.Evaluator`.
"""

from __future__ import annotations

from drupe.evaluation.choosing import list_evaluators
from drupe.evaluation.evaluating import evaluate
from drupe.evaluation.metrics import make_metric
from drupe.evaluation.results import EvaluationArtifact, EvaluationResult
from drupe.evaluation.thresholds import Check, MetricThreshold, check_thresholds, validate_evaluation_results
from drupe.extend import EvaluationMetric, MetricValue

__all__ = [
    "Check",
    "EvaluationArtifact",
    "EvaluationMetric",
    "EvaluationResult",
    "MetricThreshold",
    "MetricValue",
    "check_thresholds",
    "evaluate",
    "list_evaluators",
    "make_metric",
    "validate_evaluation_results",
]
