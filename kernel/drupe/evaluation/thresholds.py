"""Thresholds that an evaluated model must reach, alone or against a baseline. MLflow's names and rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from drupe.errors import InvalidValue, ThresholdsMissed
from drupe.evaluation.results import EvaluationResult

__all__ = ["Check", "MetricThreshold", "check_thresholds", "validate_evaluation_results"]


class MetricThreshold:
    """What one metric must reach: `threshold` itself, and a change against the baseline, absolute or as a share of it (0.05 is 5 %).

    With `greater_is_better` the value must be at least the threshold and the baseline plus the change; otherwise at most the threshold and
    the baseline minus the change. A change of 0 asks for no loss, a negative one allows so much. Raises InvalidValue that names every fault.
    """

    __slots__ = ("greater_is_better", "min_absolute_change", "min_relative_change", "threshold")

    def __init__(
        self,
        threshold: float | None = None,
        min_absolute_change: float | None = None,
        min_relative_change: float | None = None,
        greater_is_better: bool | None = None,
        higher_is_better: bool | None = None,
    ) -> None:
        if greater_is_better is None:
            greater_is_better = higher_is_better
        faults = []
        if not isinstance(greater_is_better, bool):
            faults.append("greater_is_better must be True or False")
        if higher_is_better is not None and higher_is_better is not greater_is_better:
            faults.append("greater_is_better and its older name higher_is_better say different things")
        if threshold is not None and not _is_number(threshold):
            faults.append(f"threshold must be a number, not {threshold!r}")
        if min_absolute_change is not None and not _is_number(min_absolute_change):
            faults.append(f"min_absolute_change must be a number, not {min_absolute_change!r}")
        if min_relative_change is not None and not (_is_number(min_relative_change) and -1 <= min_relative_change <= 1):
            faults.append(f"min_relative_change must be a share from -1 to 1 (0.05 is 5 %), not {min_relative_change!r}")
        if threshold is None and min_absolute_change is None and min_relative_change is None:
            faults.append("say a threshold, min_absolute_change or min_relative_change")
        if faults:
            raise InvalidValue(f"this MetricThreshold cannot be used: {'; '.join(faults)}")
        self.threshold = threshold
        self.min_absolute_change = min_absolute_change
        self.min_relative_change = min_relative_change
        self.greater_is_better = bool(greater_is_better)

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={getattr(self, name)!r}" for name in reversed(self.__slots__) if getattr(self, name) is not None)
        return f"MetricThreshold({told})"


@frozen
class Check:
    """One comparison: `rule` is what was asked, in words; `value` what the model has, None where it lacks the metric."""

    metric: str
    rule: str
    value: float | None
    baseline: float | None
    passed: bool
    reason: str = ""


def validate_evaluation_results(
    validation_thresholds: Mapping[str, MetricThreshold],
    candidate_result: EvaluationResult,
    baseline_result: EvaluationResult | None = None,
) -> list[Check]:
    """Compare a result with thresholds, and with the result of a baseline. Returns every comparison when all are met.

    The result keeps them as `checks`, met or not.

    Raises ThresholdsMissed that says which are not, InvalidValue when the thresholds are none.

        drupe.validate_evaluation_results({"accuracy_score": drupe.MetricThreshold(threshold=0.8, greater_is_better=True)}, result)
    """
    checks = check_thresholds(validation_thresholds, candidate_result, baseline_result)
    candidate_result.checks = checks
    missed = [check for check in checks if not check.passed]
    if missed:
        told = "; ".join(check.reason for check in missed)
        raise ThresholdsMissed(f"the model misses {len(missed)} of {len(checks)} thresholds: {told}", checks=checks)
    return checks


def check_thresholds(
    validation_thresholds: Mapping[str, MetricThreshold],
    candidate_result: EvaluationResult,
    baseline_result: EvaluationResult | None = None,
) -> list[Check]:
    """Every comparison that the thresholds ask for, met or not. Raises InvalidValue when the thresholds are none."""
    wrong = not isinstance(validation_thresholds, Mapping) or not all(
        isinstance(name, str) and isinstance(wanted, MetricThreshold) for name, wanted in validation_thresholds.items()
    )
    if wrong:
        raise InvalidValue("validation_thresholds must be a dict of metric names to MetricThresholds")
    checks: list[Check] = []
    for name, wanted in validation_thresholds.items():
        checks += _checks_of(name, wanted, candidate_result, baseline_result)
    return checks


def _checks_of(name: str, wanted: MetricThreshold, candidate: EvaluationResult, baseline: EvaluationResult | None) -> list[Check]:
    value = candidate.metrics.get(name)
    before = baseline.metrics.get(name) if baseline is not None else None
    sign, better = (">=", 1) if wanted.greater_is_better else ("<=", -1)
    rules: list[tuple[str, float | None]] = []
    if wanted.threshold is not None:
        rules.append((f"{sign} {wanted.threshold:g}", wanted.threshold))
    if wanted.min_absolute_change is not None:
        limit = None if before is None else before + better * wanted.min_absolute_change
        rules.append((f"{sign} baseline {_change(better * wanted.min_absolute_change, '')}".rstrip(), limit))
    if wanted.min_relative_change is not None:
        # a share of nothing is nothing: then any change for the better will do, as MLflow has it
        change = None if before is None else abs(before) * wanted.min_relative_change if before != 0 else 1e-10
        limit = None if before is None or change is None else before + better * change
        rules.append((f"{sign} baseline {_change(100 * better * wanted.min_relative_change, ' %')}".rstrip(), limit))
    return [_checked(name, rule, limit, value, before, better, candidate, baseline is not None) for rule, limit in rules]


def _checked(
    name: str,
    rule: str,
    limit: float | None,
    value: float | None,
    before: float | None,
    better: int,
    candidate: EvaluationResult,
    has_baseline: bool,
) -> Check:
    if value is None:
        why = candidate.failures.get(name)
        known = ", ".join(sorted(candidate.metrics)) or "none"
        reason = f"{name} is missing: {why}" if why else f"{name} is missing from the model's metrics, which are {known}"
        return Check(name, rule, None, before, False, reason)
    if limit is None:
        lacks = f"the baseline has no {name}" if has_baseline else "there is no baseline"
        return Check(name, rule, value, None, False, f"{name} must be {rule}, and {lacks}")
    passed = bool(value >= limit if better > 0 else value <= limit)
    compared = f" (baseline {before:.6g})" if "baseline" in rule else ""
    return Check(name, rule, value, before, passed, "" if passed else f"{name} is {value:.6g} and must be {rule}{compared}")


def _change(amount: float, unit: str) -> str:
    return "" if amount == 0 else f"{'+' if amount > 0 else '-'} {abs(amount):g}{unit}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value
