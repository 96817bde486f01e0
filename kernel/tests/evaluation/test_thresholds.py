"""Thresholds hold or are missed as MLflow has it, in the words of whoever set them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drupe.cli.threshold_rules import read_thresholds
from drupe.errors import InvalidValue, ThresholdsMissed
from drupe.evaluation import EvaluationResult, MetricThreshold, check_thresholds, validate_evaluation_results


def result(**metrics: float) -> EvaluationResult:
    return EvaluationResult(metrics, {})


@pytest.mark.parametrize(
    ("wanted", "value", "before", "holds"),
    [
        ({"threshold": 0.8, "greater_is_better": True}, 0.8, None, True),
        ({"threshold": 0.8, "greater_is_better": True}, 0.79, None, False),
        ({"threshold": 0.2, "higher_is_better": False}, 0.2, None, True),
        ({"threshold": 0.2, "greater_is_better": False}, 0.21, None, False),
        ({"threshold": 0.2, "greater_is_better": False}, float("nan"), None, False),
        ({"min_absolute_change": 0.1, "greater_is_better": True}, 0.85, 0.7, True),
        ({"min_absolute_change": 0.1, "greater_is_better": True}, 0.75, 0.7, False),
        ({"min_absolute_change": 0.1, "greater_is_better": False}, 0.5, 0.7, True),
        ({"min_absolute_change": -0.1, "greater_is_better": True}, 0.65, 0.7, True),
        ({"min_absolute_change": 0, "greater_is_better": True}, 0.7, 0.7, True),
        ({"min_relative_change": 0.1, "greater_is_better": True}, 0.77, 0.7, True),
        ({"min_relative_change": 0.1, "greater_is_better": False}, 0.64, 0.7, False),
        ({"min_relative_change": 0.1, "greater_is_better": True}, -0.4, -0.5, True),
        ({"min_relative_change": 0.1, "greater_is_better": True}, 0.0, 0.0, False),
        ({"min_relative_change": 0.1, "greater_is_better": True}, 0.01, 0.0, True),
    ],
)
def test_a_threshold(wanted: dict[str, Any], value: float, before: float | None, holds: bool) -> None:
    checks = check_thresholds({"m": MetricThreshold(**wanted)}, result(m=value), None if before is None else result(m=before))
    assert [check.passed for check in checks] == [holds]


def test_every_miss_is_told_at_once() -> None:
    wanted = {
        "accuracy": MetricThreshold(threshold=0.9, min_relative_change=0.1, greater_is_better=True),
        "loss": MetricThreshold(threshold=0.5, greater_is_better=False),
        "gone": MetricThreshold(threshold=0.5, greater_is_better=True),
        "broken": MetricThreshold(threshold=0.5, greater_is_better=True),
    }
    candidate = EvaluationResult({"accuracy": 0.8, "loss": 0.1}, {}, failures={"broken": "RuntimeError: no"})
    with pytest.raises(ThresholdsMissed) as missed:
        validate_evaluation_results(wanted, candidate, result(accuracy=0.75))
    assert missed.value.message == (
        "the model misses 4 of 5 thresholds: accuracy is 0.8 and must be >= 0.9; accuracy is 0.8 and must be >= baseline + 10 % "
        "(baseline 0.75); gone is missing from the model's metrics, which are accuracy, loss; broken is missing: RuntimeError: no"
    )
    assert [check.metric for check in missed.value.details["checks"] if check.passed] == ["loss"]
    with pytest.raises(ThresholdsMissed, match="there is no baseline"):
        validate_evaluation_results({"loss": MetricThreshold(min_absolute_change=0.1, greater_is_better=False)}, candidate)
    checks = validate_evaluation_results({"loss": wanted["loss"]}, candidate)
    assert [check.rule for check in checks] == ["<= 0.5"]


def test_thresholds_that_are_none_are_refused() -> None:
    with pytest.raises(
        InvalidValue, match=r"greater_is_better must be True or False; threshold must be a number.*min_relative_change must"
    ):
        MetricThreshold(threshold="high", min_relative_change=5)  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="say a threshold"):
        MetricThreshold(greater_is_better=True)
    with pytest.raises(InvalidValue, match="a dict of metric names to MetricThresholds"):
        validate_evaluation_results({"m": 0.5}, result(m=1))  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("f1>=0.8", {"threshold": 0.8, "greater_is_better": True}),
        ("log_loss <= 1e-2", {"threshold": 0.01, "greater_is_better": False}),
        ("auc>=baseline", {"min_absolute_change": 0.0, "greater_is_better": True}),
        ("auc>=baseline+0.01", {"min_absolute_change": 0.01, "greater_is_better": True}),
        ("auc >= baseline - 1%", {"min_relative_change": -0.01, "greater_is_better": True}),
        ("loss<=baseline-5%", {"min_relative_change": 0.05, "greater_is_better": False}),
    ],
)
def test_a_rule_is_read(rule: str, expected: dict[str, Any]) -> None:
    (found,) = read_thresholds([rule], None).values()
    told = {name: getattr(found, name) for name in ("threshold", "min_absolute_change", "min_relative_change", "greater_is_better")}
    assert {name: value for name, value in told.items() if value is not None} == expected


def test_rules_of_one_metric_and_a_file_are_read_together(tmp_path: Path) -> None:
    file = tmp_path / "thresholds.yaml"
    file.write_text("loss: {threshold: 0.5, greater_is_better: false}\n")
    found = read_thresholds(["auc>=0.7", "auc>=baseline"], file)
    assert set(found) == {"loss", "auc"}
    assert (found["auc"].threshold, found["auc"].min_absolute_change) == (0.7, 0.0)
    file.write_text("loss: {treshold: 0.5}\n")
    with pytest.raises(InvalidValue, match="has 'treshold' for loss; the fields are threshold"):
        read_thresholds([], file)


@pytest.mark.parametrize("rule", ["f1", "f1=0.8", "f1>0.8", "f1>=high", ">=3", "f1>=baseline*2"])
def test_what_is_no_rule_is_refused(rule: str) -> None:
    with pytest.raises(InvalidValue, match="is no threshold"):
        read_thresholds([rule], None)
    with pytest.raises(InvalidValue, match="better in one direction"):
        read_thresholds(["f1>=0.1", "f1<=0.9"], None)
